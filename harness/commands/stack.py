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

    choice = lifecycle.StackChoice(program=program, name=stack or options.env, settings=set, engine=engine)
    with session(options) as here:
        target = parse_target(options.target, consent=options.yes)
        running, result = lifecycle.bring_up(here.workspace, target, choice, detached=detach, progress=here.progress)
        if not detach and running.target.kind != "aws":
            here.progress.note(f"up at {running.target.endpoint}; Ctrl-C takes everything down")
            try:
                lifecycle.wait_until_ended(running)
            finally:
                lifecycle.take_down(here.workspace, choice, here.progress)
    return Answer(data=_deployed(result), shown=_outputs_text(running.target.endpoint or "aws", result))


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

    choice = lifecycle.StackChoice(program=program, name=stack or options.env, settings=set, engine=engine)
    with session(options) as here:
        target = parse_target(options.target, consent=options.yes)
        if target.kind != "aws":
            lifecycle.require_running(here.workspace)
        running, result = lifecycle.bring_up(here.workspace, target, choice, detached=True, progress=here.progress)
    return Answer(data=_deployed(result), shown=_outputs_text(running.target.endpoint or "aws", result))


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
    from harness import lifecycle
    from harness.errors import RollbackError

    with session(options) as here:
        data = lifecycle.heal(here.workspace)
    if data["failed"]:
        raise RollbackError("; ".join(data["failed"]), hint="blackstart down ends the cloud with every fault in it")
    ended = [f"{kind}: {', '.join(map(str, what))}" for kind, what in data["ended"].items() if what]
    ended += [f"{kind}: {', '.join(data[kind])}" for kind in ("processes_ended", "claims_healed") if data[kind]]
    return Answer(data=data, shown="\n".join(ended) or "nothing was in force")


def status(*, options: Options = DEFAULTS) -> Answer:
    """Show what runs and which faults are in force."""
    from harness import lifecycle

    with session(options) as here:
        data = lifecycle.status(here.workspace)
    stack = data["stack"]
    lines = [f"stack        {stack['name']} at {stack['endpoint']}" if stack else "stack        none is running"]
    lines += [f"{kind:12} {', '.join(map(str, data[key])) or 'none'}" for kind, key in _STATUS_ROWS]
    lines += [f"process      {p['role']} (pid {p['pid']})" for p in data["processes"]]
    return Answer(data=data, shown="\n".join(lines))


_STATUS_ROWS = (("faults", "faults"), ("dark zones", "dark_zones"), ("experiments", "experiments"))


def logs(*, lines: int = 50, options: Options = DEFAULTS) -> Answer:
    """Show the end of the running (or newest) cloud's log."""
    from harness import lifecycle

    with session(options) as here:
        data = lifecycle.tail_logs(here.workspace, lines)
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
