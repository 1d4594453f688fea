"""The Pulumi program against a target: up, deploy, preview, refresh, destroy."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import Parameter

from harness.commands.answer import DEFAULTS, Answer, Engine, Flag, Options, Repeatable, Session, session
from harness.counting import counted
from harness.errors import InterruptedByUserError

if TYPE_CHECKING:
    from rich.text import Text

    from harness.changes.record import ChangeRecord
    from harness.deploy.api import DeployResult
    from harness.deploy.engine.events import Listener
    from harness.lifecycle import StackChoice

_LONGEST_OUTPUT = 100


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which program, and which part of its stack.

    Attributes:
        program: The Pulumi program's folder.
        stack: The stack's name; --env by default.
        engine: Who deploys: the embedded engine, the real Pulumi CLI, or auto (see docs/deploying.md).
        set: Stack configuration on top of Pulumi.STACK.yaml, KEY=VALUE; repeatable.
        only_resource: Leave everything alone but this resource: a URN, a name, type::name, with * and **; repeatable.
        target_dependents: With --only-resource: what depends on it comes along.
    """

    program: Path | None = None
    stack: str = ""
    engine: Engine = "auto"
    set: Repeatable = field(default=())
    only_resource: Repeatable = ()
    target_dependents: Flag = False

    def choice(self, options: Options, *, replace: tuple[str, ...] = (), refresh: bool = False) -> StackChoice:
        """The same in the words of the parts below."""
        from harness.lifecycle import StackChoice

        return StackChoice(
            program=self.program,
            name=self.stack or options.env,
            settings=self.set,
            engine=self.engine,
            only=self.only_resource,
            dependents=self.target_dependents,
            replace=replace,
            refresh=refresh,
        )


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How much is shown.

    Attributes:
        diff: Show every property, also of what is created and deleted.
        events: With --json: one line of JSON for each step as it happens, then the answer as the last line.
    """

    diff: Flag = False
    events: Flag = False

    def listener(self) -> tuple[ChangeRecord, Listener]:
        """What keeps the steps for the answer, and what hears them: that, and the stream if it is wanted."""
        from harness.changes.json_steps import EventLines
        from harness.changes.record import ChangeRecord
        from harness.lifecycle import both

        record = ChangeRecord()
        return record, both(record, EventLines(sys.stdout)) if self.events else record


ANY, SHORT = Which(), View()


def up(
    *,
    detach: Flag = False,
    replace: Repeatable = (),
    refresh: Flag = False,
    which: Which = ANY,
    view: View = SHORT,
    options: Options = DEFAULTS,
) -> Answer:
    """Bring the cloud and the stack up and leave them running.

    Args:
        detach: Return when the stack is up; without it stay until Ctrl-C, then take everything down.
        replace: Make this resource anew whatever changed; patterns as for --only-resource; repeatable.
        refresh: Look at AWS first, so that drift is set back.
        which: Which program, and which part of its stack.
        view: How much is shown.
        options: Options that every command takes.
    """
    from harness import lifecycle
    from harness.running import wait_until_ended

    choice, (record, listen) = which.choice(options, replace=replace, refresh=refresh), view.listener()
    with session(options) as here:
        ours, result = lifecycle.bring_up(
            here.workspace, here.target, choice, detached=detach, progress=here.progress, listen=listen
        )
        answer = _deployed(ours.target.endpoint or "aws", result, record, view)
        if detach or ours.target.kind == "aws":
            return answer
        here.progress.note(f"{answer.shown}\nCtrl-C takes everything down")
        try:
            wait_until_ended(ours)
        except KeyboardInterrupt:
            raise InterruptedByUserError("interrupted; the stack and its cloud are taken down") from None
        finally:
            lifecycle.take_down(here.workspace, choice, here.progress)
    return Answer(data=answer.data, shown="the cloud has ended")


def deploy(
    *,
    replace: Repeatable = (),
    refresh: Flag = False,
    which: Which = ANY,
    view: View = SHORT,
    options: Options = DEFAULTS,
) -> Answer:
    """Deploy the Pulumi program to the running cloud.

    Args:
        replace: Make this resource anew whatever changed; patterns as for --only-resource; repeatable.
        refresh: Look at AWS first, so that drift is set back.
        which: Which program, and which part of its stack.
        view: How much is shown.
        options: Options that every command takes.
    """
    from harness import lifecycle
    from harness.running import require_running

    choice, (record, listen) = which.choice(options, replace=replace, refresh=refresh), view.listener()
    with session(options) as here:
        if here.target.kind != "aws":
            require_running(here.workspace)
        ours, result = lifecycle.bring_up(
            here.workspace, here.target, choice, detached=True, progress=here.progress, listen=listen
        )
    return _deployed(ours.target.endpoint or "aws", result, record, view)


def preview(
    *,
    replace: Repeatable = (),
    refresh: Flag = False,
    which: Which = ANY,
    view: View = SHORT,
    options: Options = DEFAULTS,
) -> Answer:
    """Show what a deploy would change in the running cloud, property by property.

    Args:
        replace: Make this resource anew whatever changed; patterns as for --only-resource; repeatable.
        refresh: Look at AWS first; what it finds is not kept.
        which: Which program, and which part of its stack.
        view: How much is shown.
        options: Options that every command takes.
    """
    from harness import lifecycle

    choice, (record, listen) = which.choice(options, replace=replace, refresh=refresh), view.listener()
    with session(options) as here:
        stack = _reached(here, choice)
        result = lifecycle.preview_running(here.workspace, stack, choice, here.progress, listen)
    return Answer(data=_data(result, record), shown=_tree(record, view, planned=True))


def refresh(
    *,
    preview_only: Flag = False,
    which: Which = ANY,
    view: View = SHORT,
    options: Options = DEFAULTS,
) -> Answer:
    """Look for drift: compare every resource with what is on AWS, and bring the state to it.

    Args:
        preview_only: Show the differences and leave the state as it is.
        which: Which program, and which part of its stack.
        view: How much is shown.
        options: Options that every command takes.
    """
    from harness import lifecycle

    choice, (record, listen) = which.choice(options), view.listener()
    with session(options) as here:
        result = lifecycle.refresh_running(
            here.workspace,
            _reached(here, choice),
            choice,
            dry_run=preview_only,
            progress=here.progress,
            listen=listen,
        )
    return Answer(data=_data(result, record), shown=_tree(record, view, planned=False))


def destroy(*, which: Which = ANY, view: View = SHORT, options: Options = DEFAULTS) -> Answer:
    """Delete the stack's resources; the cloud stays up.

    While test, load, drill or tune are at work on it, it refuses; with --yes it ends them first.

    Args:
        which: Which program, and which part of its stack.
        view: How much is shown.
        options: Options that every command takes.
    """
    from harness import lifecycle, underway

    choice, (record, listen) = which.choice(options), view.listener()
    with session(options) as here:
        words = {"test", "load", "drill", "tune"}
        underway.make_way(here.workspace, words, consent=options.yes, tell=here.progress.note)
        stack = _reached(here, choice)
        result = lifecycle.destroy_running(here.workspace, stack, choice, here.progress, listen)
    return Answer(data=_data(result, record), shown=_after(record, view))


def _reached(here: Session, choice: StackChoice) -> Any:  # a RunningStack; its module is loaded late
    from harness import lifecycle

    return lifecycle.reached(here.workspace, here.target, choice.name)


def _deployed(where: str, result: DeployResult, record: ChangeRecord, view: View) -> Answer:
    """What `up` and `deploy` say in the end: what changed, and the outputs."""
    from rich.text import Text

    text = _after(record, view)
    text.append(f"\n\n{result.resources} resources at {where} in {result.duration_s:.1f} s\n")
    if result.left_out:
        names = ", ".join(urn.rsplit("::", 1)[1] for urn in result.left_out)
        text.append(f"not selected and not there: {names}\n", "yellow")
    width = max((len(name) for name in result.outputs), default=0)
    for name, value in sorted(result.outputs.items()):
        text.append_text(Text(f"  {name:{width}}  {_brief(value)}\n"))
    text.rstrip()
    return Answer(data=_data(result, record), shown=text)


def _brief(value: Any) -> str:  # what a program exports
    """An output on a line: of a long list or mapping only how much it holds; `stack output NAME` shows all."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, str) or len(text) <= _LONGEST_OUTPUT:
        return text
    of = f", of {', '.join(value)}" if isinstance(value, dict) else ""
    held = f"{counted(len(value), 'entry', 'entries')}{of}"
    return f"({held if len(held) <= _LONGEST_OUTPUT else held[: _LONGEST_OUTPUT - 1] + '…'})"


def _after(record: ChangeRecord, view: View) -> Text:
    """What was changed: everything with --diff, else how many of each kind."""
    from harness.changes.tree import Layout, change_tree

    events = record.events if view.diff else []
    return change_tree(events, Layout(width=_width(), detailed=True, planned=False), of=record.events)


def _tree(record: ChangeRecord, view: View, *, planned: bool) -> Text:
    from harness.changes.tree import Layout, change_tree

    return change_tree(record.events, Layout(width=_width(), detailed=view.diff, planned=planned))


def _width() -> int:
    """The terminal's width, 0 where the output goes elsewhere: nothing is folded there."""
    from rich.console import Console

    console = Console()
    return console.width if console.is_terminal else 0


def _data(result: DeployResult, record: ChangeRecord) -> dict[str, Any]:
    from harness.changes.json_steps import steps_json

    return {
        "resources": result.resources,
        "changes": result.changes,
        "duration_s": round(result.duration_s, 3),
        "outputs": result.outputs,
        "left_out": list(result.left_out),
        "steps": steps_json(record.events),
    }
