"""The state of a stack: export, import, list, show, delete, rename, unprotect; and its outputs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from harness.commands.answer import DEFAULTS, Answer, Engine, Flag, Options, Session, session
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.deploy.engine.state import ResourceState
    from harness.deploy.states import StackState

state = App(name="state", help="Look at a stack's state, edit it, take it to the real Pulumi CLI and back.")
stack = App(name="stack", help="The stack as it is deployed.")
_FILE = "-"


def _state(here: Session, name: str) -> StackState:
    """The state of the stack called `name`, or by --env, on the target."""
    from harness import lifecycle
    from harness.deploy.states import StackState
    from harness.environment import parse_target

    target = parse_target(here.options.target, consent=here.options.yes)
    stack_name, folder = name or here.options.env, here.workspace.state
    if target.kind == "aws":
        folder = lifecycle.state_folder(here.workspace, lifecycle.reached(here.workspace, target, stack_name).target)
    return StackState(folder=folder, stack=stack_name)


@state.command(name="export")
def state_export(
    *, file: Path | None = None, stack: str = "", engine: Engine = "embedded", options: Options = DEFAULTS
) -> Answer:
    """Write the state as deployment version 3, secrets encrypted: `pulumi stack import` reads it.

    Args:
        file: Where to; stdout without it.
        stack: The stack's name; --env by default.
        engine: Whose state: the embedded engine's, or that of the real Pulumi CLI.
        options: Options that every command takes.
    """
    from harness.deploy.states import export_text

    with session(options) as here:
        document = _state(here, stack).export()
    if file is None:
        return Answer(data=document, shown=export_text(document).rstrip())
    file.write_text(export_text(document), encoding="utf-8")
    file.chmod(0o600)
    count = len(document["deployment"]["resources"])
    return Answer(data={"file": str(file), "resources": count}, shown=f"{count} resources in {file}")


@state.command(name="import")
def state_import(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    *,
    force: Flag = False,
    stack: str = "",
    engine: Engine = "embedded",
    options: Options = DEFAULTS,
) -> Answer:
    """Make an export the stack's state; the one before is kept beside it.

    Args:
        file: The export, or - for stdin.
        force: Take over a state of another stack.
        stack: The stack's name; --env by default.
        engine: Whose state: the embedded engine's, or that of the real Pulumi CLI.
        options: Options that every command takes.
    """
    with session(options) as here:
        into = _state(here, stack)
        aside = into.take(_text(file), where="stdin" if file == _FILE else file, force=force)
        count = len(into.resources())
    kept = f"; the one before is in {aside}" if aside else ""
    return Answer(
        data={"resources": count, "kept": str(aside) if aside else None},
        shown=f"{count} resources are the state of {into.stack} now{kept}",
    )


@state.command(name="list")
def state_list(*, stack: str = "", options: Options = DEFAULTS) -> Answer:
    """List every resource of the stack, in the order of dependencies."""
    from harness.changes.tree import short_type

    with session(options) as here:
        resources = _state(here, stack).resources()
    rows = [
        {"urn": r.urn, "type": r.type, "name": r.name, "id": r.id, "protect": r.protect, "delete": r.delete}
        for r in resources
    ]
    marks = ["protected" if r.protect else "to be deleted" if r.delete else "" for r in resources]
    columns = [(short_type(r.type), r.name, r.id, mark) for r, mark in zip(resources, marks, strict=True)]
    return Answer(data=rows, shown=_table(columns) or "the stack is empty")


@state.command(name="show")
def state_show(resource: str, *, show_secrets: Flag = False, stack: str = "", options: Options = DEFAULTS) -> Answer:
    """Show one resource as the state has it: a URN, a name, or type::name."""
    import json

    from harness.deploy.states import resource_json

    with session(options) as here:
        found = resource_json(_state(here, stack).one(resource), show_secrets=show_secrets)
    return Answer(data=found, shown=json.dumps(found, indent=2, ensure_ascii=False))


@state.command(name="delete")
def state_delete(
    resource: str,
    *,
    force: Flag = False,
    target_dependents: Flag = False,
    stack: str = "",
    options: Options = DEFAULTS,
) -> Answer:
    """Take a resource out of the state; on AWS it stays.

    Args:
        resource: A URN, a name, or type::name.
        force: Also when it is protected.
        target_dependents: What needs it goes too.
        stack: The stack's name; --env by default.
        options: Options that every command takes.
    """
    from harness.deploy.engine import state_edit

    urns: list[str] = []
    with session(options) as here:
        ours = _state(here, stack)

        def change(found: list[ResourceState]) -> list[ResourceState]:
            gone = state_edit.find_one(found, resource)
            left = state_edit.without(found, gone, force=force, dependents=target_dependents)
            urns.extend(r.urn for r in found if r not in left)
            return left

        aside = ours.edit(change)
    return Answer(data={"deleted": urns, "kept": str(aside)}, shown="\n".join(f"- {urn}" for urn in urns))


@state.command(name="rename")
def state_rename(resource: str, name: str, *, stack: str = "", options: Options = DEFAULTS) -> Answer:
    """Give a resource another name in the state, as the program has it now; on AWS nothing changes."""
    from harness.deploy.engine import state_edit

    with session(options) as here:
        ours = _state(here, stack)
        old = ours.one(resource)
        aside = ours.edit(lambda found: state_edit.renamed(found, state_edit.find_one(found, old.urn), name))
    urn = old.urn.rsplit("::", 1)[0] + f"::{name}"
    return Answer(data={"old": old.urn, "new": urn, "kept": str(aside)}, shown=f"{old.urn}\n→ {urn}")


@state.command(name="unprotect")
def state_unprotect(
    resource: str = "",
    *,
    all: Flag = False,  # noqa: A002 - the flag is --all
    stack: str = "",
    options: Options = DEFAULTS,
) -> Answer:
    """Lift the protection of one resource, or of --all, in the state."""
    from harness.deploy.engine import state_edit

    if bool(resource) == all:
        raise UsageError("one resource, or --all", hint="blackstart state unprotect NAME")
    lifted: list[str] = []

    with session(options) as here:
        ours = _state(here, stack)
        wanted = ours.resources() if all else [ours.one(resource)]
        lifted = [r.urn for r in wanted if r.protect]
        aside = ours.edit(lambda found: state_edit.unprotected(found, [r for r in found if r.urn in lifted]))
    text = "\n".join(lifted) or "nothing was protected"
    return Answer(data={"unprotected": lifted, "kept": str(aside)}, shown=text)


@stack.command(name="output")
def stack_output(
    name: str = "", *, show_secrets: Flag = False, stack: str = "", options: Options = DEFAULTS
) -> Answer:
    """Show the stack's outputs, or one of them by itself.

    Args:
        name: One output: its bare value, for scripts.
        show_secrets: In the clear.
        stack: The stack's name; --env by default.
        options: Options that every command takes.
    """
    import json

    with session(options) as here:
        ours = _state(here, stack)
        if name:
            value = ours.output(name, show_secrets=show_secrets)
            return Answer(data={name: value}, shown=value if isinstance(value, str) else json.dumps(value))
        outputs = ours.outputs(show_secrets=show_secrets)
    columns = [(key, v if isinstance(v, str) else json.dumps(v)) for key, v in sorted(outputs.items())]
    return Answer(data=outputs, shown=_table(columns) or "the stack has no outputs")


def _text(file: str) -> str:
    """What is in `file`, or comes in on stdin.

    Raises:
        UsageError: it cannot be read.
    """
    if file == _FILE:
        return sys.stdin.read()
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise UsageError(f"the export cannot be read: {reason}", where=file) from error


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Columns as wide as their widest cell."""
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
