"""A running experiment on a terminal: a table that stays in its place; elsewhere a line for each change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.live import Live
from rich.markup import escape
from rich.table import Table

from chaos.fis.watching import Watched
from harness.terminal import Progress, TerminalProgress

_COLOURS = {
    "running": "yellow", "completed": "green", "failed": "red", "stopping": "magenta", "stopped": "magenta",
    "ALARM": "red", "OK": "green",
}  # fmt: skip


@contextmanager
def live(progress: Progress) -> Iterator[Callable[[Watched], None]]:
    """What shows an experiment as it changes, while the block lasts."""
    if isinstance(progress, TerminalProgress) and progress.console.is_terminal:
        with Live(console=progress.console, refresh_per_second=5) as shown:
            yield lambda watched: shown.update(table(watched))
    else:
        yield _Lines(progress)


class _Lines:
    """Tells each change once."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._told: dict[str, str] = {}

    def __call__(self, watched: Watched) -> None:
        states = {"experiment": watched.status}
        states |= {
            action.name: action.status + (f", fired {action.fired}" if action.fired else "")
            for action in watched.actions
        }
        states |= {f"alarm {name}": state for name, state in watched.alarms}
        for name, state in states.items():
            if self._told.get(name) != state:
                self._progress.note(f"{name}: {state}")
        self._told = states


def table(watched: Watched) -> Table:
    """The experiment as a table: a row for each action, the alarms below."""
    caption = "  ".join(f"{escape(name)} {_coloured(state)}" for name, state in watched.alarms)
    title = f"{watched.id} {_coloured(watched.status)} {watched.elapsed_s:.0f} s"
    shown = Table(title=title, caption=caption or None, title_justify="left", caption_justify="left")
    for column in ("action", "does", "state"):
        shown.add_column(column)
    for column in ("targets", "fired", "seconds"):
        shown.add_column(column, justify="right")
    for action in watched.actions:
        shown.add_row(
            escape(action.name),
            action.action_id,
            _coloured(action.status),
            str(action.targets or ""),
            "" if action.fired is None else str(action.fired),
            "" if action.elapsed_s is None else f"{action.elapsed_s:.0f}",
        )
    return shown


def _coloured(state: str) -> str:
    colour = _COLOURS.get(state, "")
    return f"[{colour}]{state}[/]" if colour else state
