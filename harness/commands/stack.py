"""What runs here: down, status, heal, logs."""

from __future__ import annotations

from pathlib import Path

from harness.commands.answer import DEFAULTS, Answer, Options, session

_CLEARED = ("processes_ended", "claims_healed", "removed")


def down(*, program: Path | None = None, options: Options = DEFAULTS) -> Answer:
    """Take the stack and the cloud down; safe to repeat.

    While run, test, load, drill or tune are at work here it refuses; with --yes it ends them first.

    Args:
        program: The Pulumi program's folder.
        options: Options that every command takes.
    """
    from harness import lifecycle, underway

    with session(options) as here:
        words = {"run", "test", "load", "drill", "tune"}
        underway.make_way(here.workspace, words, consent=options.yes, tell=here.progress.note)
        ended = lifecycle.take_down(here.workspace, lifecycle.StackChoice(program=program), here.progress)
    return Answer(data={"ended": ended}, shown="down" if ended else "nothing was running")


def heal(*, options: Options = DEFAULTS) -> Answer:
    """End every fault now; safe to repeat. With `--target aws --yes` stop what drills left running there."""
    from harness import running
    from harness.errors import RollbackError
    from harness.lifecycle import reached

    with session(options) as here:
        if here.target.kind == "aws":
            data = running.heal_aws(here.workspace, reached(here.workspace, here.target, options.env).target)
            if data["failed"]:
                raise RollbackError("; ".join(data["failed"]), hint="stop them in the FIS console")
            return Answer(data=data, shown=", ".join(data["stopped"]) or "no experiment of a drill runs there")
        data = running.heal(here.workspace)
    if data["failed"]:
        raise RollbackError("; ".join(data["failed"]), hint="blackstart down ends the cloud with every fault in it")
    ended = [f"{kind}: {', '.join(map(str, what))}" for kind, what in data["ended"].items() if what]
    ended += [f"{kind}: {', '.join(data[kind])}" for kind in _CLEARED if data[kind]]
    return Answer(data=data, shown="\n".join(ended) or "nothing is in force")


def status(*, options: Options = DEFAULTS) -> Answer:
    """Show what runs and which faults are in force."""
    from harness import running

    with session(options) as here:
        data = running.status(here.workspace)
    stack = data["stack"]
    lines = [("stack", f"{stack['name']} at {stack['endpoint']}" if stack else "none is running")]
    lines.append(("faults", ", ".join(f"{f['id']} (fired {f['fired']} times)" for f in data["faults"]) or "none"))
    lines.append(("dark zones", ", ".join(data["dark_zones"]) or "none"))
    lines.append(("experiments", ", ".join(f"{e['id']} {e['status']}" for e in data["experiments"]) or "none"))
    by_role: dict[str, list[str]] = {}
    for process in data["processes"]:
        by_role.setdefault(process["role"], []).append(str(process["pid"]))
    lines += [("process", f"{role}, pid {' '.join(pids)}") for role, pids in sorted(by_role.items())]
    return Answer(data=data, shown="\n".join(f"{name:12} {text}" for name, text in lines))


def logs(*, lines: int = 50, options: Options = DEFAULTS) -> Answer:
    """Show the end of the running (or newest) cloud's log."""
    from harness import running

    with session(options) as here:
        data = running.tail_logs(here.workspace, lines)
    return Answer(data=data, shown="\n".join(f"{row['file']}: {row['line']}" for row in data) or "no logs yet")
