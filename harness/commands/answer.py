"""What every command takes and gives: options, surroundings, an answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.console import Console, RenderableType

from harness import leftovers, underway
from harness.target import TargetChoice, parse_target
from harness.terminal import Progress, TerminalProgress
from harness.workspace import Workspace, open_workspace

Engine = Literal["auto", "embedded", "pulumi"]
Flag = Annotated[bool, Parameter(negative="")]
Repeatable = Annotated[tuple[str, ...], Parameter(negative="")]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options that every command takes.

    Attributes:
        target: Where to run: embedded, endpoint=URL, or aws.
        config: The project file; without it the nearest blackstart.toml in this folder or above.
        env: The environment's name: the stack's name unless --stack gives one, and so Pulumi.NAME.yaml.
        json: Print one JSON object to stdout; progress stays on stderr.
        yes: Consent to what needs consent, such as real AWS.
        timeout: Stop, with rollback, after so many seconds.
        verbose: Every step on a line of its own, and tracebacks of defects.
    """

    target: str = "embedded"
    config: Path | None = None
    env: str = "dev"
    json: Annotated[bool, Parameter(negative="")] = False
    yes: Annotated[bool, Parameter(negative="")] = False
    timeout: float | None = None
    verbose: Annotated[bool, Parameter(alias="-v", negative="")] = False


DEFAULTS = Options()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command found: JSON data, the same for people, and the exit code."""

    data: Any = None  # any JSON value
    shown: RenderableType | None = None
    exit_code: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One command under way: its options, its target, its workspace, and where it tells its progress."""

    options: Options
    target: TargetChoice
    workspace: Workspace
    progress: Progress


@contextmanager
def session(options: Options, *, at_work: str = "") -> Iterator[Session]:
    """A command's surroundings: leftovers of killed commands are cleared first.

    `at_work` is the command's word where another one must not take down what it works with.
    """
    target, workspace = parse_target(options.target, consent=options.yes), open_workspace(options.config)
    progress = TerminalProgress(Console(stderr=True, emoji=False), verbose=options.verbose)
    cleared = leftovers.clear(workspace, progress.note)
    if text := str(cleared):
        progress.note(f"cleared what a killed command left: {text}")
    for failure in cleared.failed:
        progress.note(f"could not be cleared: {failure}")
    try:
        with underway.at_work(workspace, at_work) if at_work else nullcontext():
            yield Session(options=options, target=target, workspace=workspace, progress=progress)
    except BaseException:
        progress.close(failed=True)
        raise
    progress.close()
