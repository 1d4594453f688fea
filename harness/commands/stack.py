"""The stack that stays up: up, down, deploy, preview, destroy, status, heal, logs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.commands.answer import DEFAULTS, Answer, Engine, Flag, Options, Repeatable, session


def up(
    *,
    program: Path | None = None,
    stack: str = "",
    detach: Flag = False,
    engine: Engine = "auto",
    set: Repeatable = (),  # noqa: A002 - the flag is --set
    options: Options = DEFAULTS,
) -> Answer:
    """Bring the cloud and the stack up and leave them running.

    Args:
        program: The Pulumi program's folder.
        stack: The stack's name; --env by default.
        detach: Return when the stack is up; without it stay until Ctrl-C, then take everything down.
        engine: Who deploys.
        set: Stack configuration on top of Pulumi.<stack>.yaml, KEY=VALUE; repeatable.
        options: Options that every command takes.
    """
    from harness import lifecycle
    from harness.environment import parse_target
    from harness.running import wait_until_ended

    choice = lifecycle.StackChoice(program=program, name=stack or options.env, settings=set, engine=engine)
    with session(options) as here:
        target = parse_target(options.target, consent=options.yes)
        ours, result = lifecycle.bring_up(here.workspace, target, choice, detached=detach, progress=here.progress)
        text = _outputs_text(ours.target.endpoint or "aws", result)
        if detach or ours.target.kind == "aws":
            return Answer(data=_deployed(result), shown=text)
        here.progress.note(f"{text}\nCtrl-C takes everything down")
        try:
            wait_until_ended(ours)
        finally:
            lifecycle.take_down(here.workspace, choice, here.progress)
    return Answer(data=_deployed(result), shown="the cloud has ended")


def down(*, program: Path | None = None, options: Options = DEFAULTS) -> Answer:
    """Take the stack and the cloud down; safe to repeat."""
    from harness import lifecycle

    with session(options) as here:
        ended = lifecycle.take_down(here.workspace, lifecycle.StackChoice(program=program), here.progress)
    return Answer(data={"ended": ended}, shown="down" if ended else "nothing was running")


def deploy(
    *,
    program: Path | None = None,
    stack: str = "",
    engine: Engine = "auto",
    set: Repeatable = (),  # noqa: A002 - the flag is --set
    options: Options = DEFAULTS,
) -> Answer:
    """Deploy the Pulumi program to the running cloud."""
    from harness import lifecycle
    from harness.environment import parse_target
    from harness.running import require_running

    choice = lifecycle.StackChoice(program=program, name=stack or options.env, settings=set, engine=engine)
    with session(options) as here:
        target = parse_target(options.target, consent=options.yes)
        if target.kind != "aws":
            require_running(here.workspace)
        ours, result = lifecycle.bring_up(here.workspace, target, choice, detached=True, progress=here.progress)
    return Answer(data=_deployed(result), shown=_outputs_text(ours.target.endpoint or "aws", result))


def preview(
    *,
    program: Path | None = None,
    stack: str = "",
    engine: Engine = "auto",
    set: Repeatable = (),  # noqa: A002 - the flag is --set
    options: Options = DEFAULTS,
) -> Answer:
    """Show what a deploy would change in the running cloud."""
    from harness import lifecycle

    choice = lifecycle.StackChoice(program=program, name=stack or options.env, settings=set, engine=engine)
    with session(options) as here:
        result, lines = lifecycle.preview_running(here.workspace, choice)
    return Answer(data={**_deployed(result), "steps": lines}, shown="\n".join([*lines, _changes(result.changes)]))


def destroy(*, program: Path | None = None, stack: str = "", options: Options = DEFAULTS) -> Answer:
    """Delete the stack's resources; the cloud stays up."""
    from harness import lifecycle

    choice = lifecycle.StackChoice(program=program, name=stack or options.env)
    with session(options) as here:
        result = lifecycle.destroy_running(here.workspace, choice, here.progress)
    return Answer(data=_deployed(result), shown=_changes(result.changes))


def heal(*, options: Options = DEFAULTS) -> Answer:
    """End every fault now; safe to repeat."""
    from harness import running
    from harness.errors import RollbackError

    with session(options) as here:
        data = running.heal(here.workspace)
    if data["failed"]:
        raise RollbackError("; ".join(data["failed"]), hint="blackstart down ends the cloud with every fault in it")
    ended = [f"{kind}: {', '.join(map(str, what))}" for kind, what in data["ended"].items() if what]
    ended += [f"{kind}: {', '.join(data[kind])}" for kind in ("processes_ended", "claims_healed") if data[kind]]
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


def _deployed(result: Any) -> dict[str, Any]:  # a DeployResult; its module is loaded late
    return {
        "resources": result.resources,
        "changes": result.changes,
        "duration_s": round(result.duration_s, 3),
        "outputs": result.outputs,
    }


def _changes(changes: dict[str, int]) -> str:
    return ", ".join(f"{count} {op}" for op, count in sorted(changes.items()) if count) or "no changes"


def _outputs_text(where: str, result: Any) -> str:  # a DeployResult
    lines = [f"{result.resources} resources at {where} in {result.duration_s:.1f} s ({_changes(result.changes)})"]
    width = max((len(name) for name in result.outputs), default=0)
    return "\n".join(lines + [f"  {name:{width}}  {value}" for name, value in sorted(result.outputs.items())])
