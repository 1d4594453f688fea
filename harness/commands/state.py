"""The state of a stack: export, import, list, show, delete, rename, unprotect; and its outputs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from harness.commands.answer import DEFAULTS, Answer, Flag, Options, Session, session
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.deploy.engine.state import ResourceState
    from harness.deploy.request import DeployRequest
    from harness.deploy.states import StackState

state = App(name="state", help="Look at a stack's state, edit it, take it to the real Pulumi CLI and back.")
stack = App(name="stack", help="The stack as it is deployed.")
_STDIN = "-"


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Of:
    """Whose state.

    Attributes:
        program: The Pulumi program's folder.
        stack: The stack's name; --env by default.
        engine: Whose state: the embedded engine's, or (export and import only) that of the real Pulumi CLI.
    """

    program: Path | None = None
    stack: str = ""
    engine: Literal["embedded", "pulumi"] = "embedded"


OURS = Of()


def _request(here: Session, which: Of) -> DeployRequest:
    """The stack on the target; nothing needs to run for it."""
    from harness import lifecycle

    choice = lifecycle.StackChoice(program=which.program, name=which.stack or here.options.env, engine=which.engine)
    return lifecycle.idle_request(here.workspace, here.target, choice)


def _state(here: Session, which: Of) -> StackState:
    """The stack as the embedded engine has it.

    Raises:
        UsageError: the state of the real CLI was asked for, which it shows and edits itself.
    """
    from harness.deploy.handover import state_of

    if which.engine == "pulumi":
        raise UsageError(
            "only export and import reach the state of the real CLI",
            where="--engine pulumi",
            hint="use pulumi state and pulumi stack output there, or hand the stack over",
        )
    return state_of(_request(here, which))


@state.command(name="export")
def state_export(*, file: Path | None = None, of: Of = OURS, options: Options = DEFAULTS) -> Answer:
    """Write the state as deployment version 3, secrets encrypted: `pulumi stack import` reads it.

    Args:
        file: Where to; stdout without it.
        of: Whose state.
        options: Options that every command takes.
    """
    from harness.deploy.handover import export_state, export_text

    with session(options) as here:
        document = export_state(_request(here, of))
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
    of: Of = OURS,
    options: Options = DEFAULTS,
) -> Answer:
    """Make an export the stack's state; the one before is kept beside it.

    Args:
        file: The export, or - for stdin.
        force: Take over a state of another stack.
        of: Whose state.
        options: Options that every command takes.
    """
    from harness.deploy.handover import import_state

    with session(options) as here:
        wanted = _request(here, of)
        done = import_state(wanted, _text(file), where="stdin" if file == _STDIN else file, force=force)
    lines = [f"{done.resources} resources are the state of {wanted.stack} now, in the hands of {of.engine}"]
    lines += [f"put aside: {path}" for path in done.kept]
    return Answer(
        data={"resources": done.resources, "kept": [str(path) for path in done.kept]}, shown="\n".join(lines)
    )


@state.command(name="list")
def state_list(*, of: Of = OURS, options: Options = DEFAULTS) -> Answer:
    """List every resource of the stack, in the order of dependencies."""
    from harness.changes.tree import short_type

    with session(options) as here:
        resources = _state(here, of).resources()
    rows = [
        {"urn": r.urn, "type": r.type, "name": r.name, "id": r.id, "protect": r.protect, "delete": r.delete}
        for r in resources
    ]
    marks = ["protected" if r.protect else "to be deleted" if r.delete else "" for r in resources]
    columns = [(short_type(r.type), r.name, r.id, mark) for r, mark in zip(resources, marks, strict=True)]
    return Answer(data=rows, shown=_table(columns) or "the stack is empty")


@state.command(name="show")
def state_show(resource: str, *, show_secrets: Flag = False, of: Of = OURS, options: Options = DEFAULTS) -> Answer:
    """Show one resource as the state has it: a URN, a name, or type::name."""
    import json

    from harness.deploy.states import resource_json

    with session(options) as here:
        found = resource_json(_state(here, of).one(resource), show_secrets=show_secrets)
    return Answer(data=found, shown=json.dumps(found, indent=2, ensure_ascii=False))


@state.command(name="delete")
def state_delete(
    resource: str,
    *,
    force: Flag = False,
    target_dependents: Flag = False,
    of: Of = OURS,
    options: Options = DEFAULTS,
) -> Answer:
    """Take a resource out of the state; on AWS it stays.

    Args:
        resource: A URN, a name, or type::name.
        force: Also when it is protected.
        target_dependents: What needs it goes too.
        of: Whose state.
        options: Options that every command takes.
    """
    from harness.deploy.engine import state_edit

    urns: list[str] = []
    with session(options) as here:
        ours = _state(here, of)

        def change(found: list[ResourceState]) -> list[ResourceState]:
            gone = state_edit.find_one(found, resource)
            left = state_edit.without(found, gone, force=force, dependents=target_dependents)
            urns.extend(r.urn for r in found if r not in left)
            return left

        aside = ours.edit(change)
    return Answer(data={"deleted": urns, "kept": str(aside)}, shown="\n".join(f"- {urn}" for urn in urns))


@state.command(name="rename")
def state_rename(resource: str, name: str, *, of: Of = OURS, options: Options = DEFAULTS) -> Answer:
    """Give a resource another name in the state, as the program has it now; on AWS nothing changes."""
    from harness.deploy.engine import state_edit

    with session(options) as here:
        ours = _state(here, of)
        old = ours.one(resource)
        aside = ours.edit(lambda found: state_edit.renamed(found, state_edit.find_one(found, old.urn), name))
    urn = old.urn.rsplit("::", 1)[0] + f"::{name}"
    return Answer(data={"old": old.urn, "new": urn, "kept": str(aside)}, shown=f"{old.urn}\n→ {urn}")


@state.command(name="unprotect")
def state_unprotect(
    resource: str = "",
    *,
    all: Flag = False,  # noqa: A002 - the flag is --all
    of: Of = OURS,
    options: Options = DEFAULTS,
) -> Answer:
    """Lift the protection of one resource, or of --all, in the state."""
    from harness.deploy.engine import state_edit

    if bool(resource) == all:
        raise UsageError("one resource, or --all", hint="blackstart state unprotect NAME")
    lifted: list[str] = []

    with session(options) as here:
        ours = _state(here, of)
        wanted = ours.resources() if all else [ours.one(resource)]
        lifted = [r.urn for r in wanted if r.protect]
        aside = ours.edit(lambda found: state_edit.unprotected(found, [r for r in found if r.urn in lifted]))
    text = "\n".join(lifted) or "nothing was protected"
    return Answer(data={"unprotected": lifted, "kept": str(aside)}, shown=text)


@stack.command(name="output")
def stack_output(name: str = "", *, show_secrets: Flag = False, of: Of = OURS, options: Options = DEFAULTS) -> Answer:
    """Show the stack's outputs, or one of them by itself.

    Args:
        name: One output: its bare value, for scripts.
        show_secrets: In the clear.
        of: Whose state.
        options: Options that every command takes.
    """
    import json

    with session(options) as here:
        ours = _state(here, of)
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
    if file == _STDIN:
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
