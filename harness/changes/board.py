"""What a deployment is doing at this moment: how many steps of how many, which ones, for how long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from harness.changes.record import COLOURS, DONE, SIGNS, kind_of
from harness.changes.tree import short_type
from harness.deploy.api import StepEvent

_ROWS = 8  # operations under way that are shown; the engine does up to 16 at once
_VERBS = {
    "create": "creating",
    "update": "updating",
    "replace": "replacing",
    "delete": "deleting",
    "read": "reading",
    "refresh": "looking at",
}


@dataclass(slots=True)
class Board:
    """Counts steps and remembers which ones are under way; renders itself anew at each look. Safe from any thread."""

    title: str = ""
    now_s: Callable[[], float] = time.monotonic
    done: int = 0
    planned: int = 0
    _began_s: float = 0.0
    _running: dict[tuple[str, str], tuple[StepEvent, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._began_s = self.now_s()

    def note(self, event: StepEvent) -> Text | None:
        """Take in one event; returns the line that is worth keeping, None for what changes nothing."""
        with self._lock:
            self.planned = max(self.planned, event.planned)
            if event.status == "started":
                self._running[event.urn, event.op] = (event, self.now_s())
                return None
            self._running.pop((event.urn, event.op), None)
            self.done += not event.copy
            return _line(event, self.progress)

    @property
    def progress(self) -> str:
        """`3 of 12`, or `3` where the end is not known."""
        return f"{self.done} of {self.planned}" if self.planned >= self.done and self.planned else str(self.done)

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """The title with its figures, and a row for each operation under way, the oldest first."""
        head = Text(f"{self.title} ", "bold", no_wrap=True, overflow="ellipsis")
        head.append(f"{self.progress} · {self.now_s() - self._began_s:.0f} s", "dim")
        yield head
        yield from self._rows(options.max_width)

    def _rows(self, width: int) -> Iterator[Text]:
        with self._lock:
            running = sorted(self._running.values(), key=lambda item: item[1])
        for event, since_s in running[:_ROWS]:
            text = f"  {_VERBS[event.op]} {short_type(event.type)} {event.name}"
            took = f" {self.now_s() - since_s:.1f} s"
            if len(text) + len(took) > width:
                text = text[: max(0, width - len(took) - 1)] + "…"
            yield Text.assemble(text, (took, "dim"), no_wrap=True)
        if len(running) > _ROWS:
            yield Text(f"  and {len(running) - _ROWS} more", "dim")


def _line(event: StepEvent, progress: str) -> Text | None:
    kind = kind_of(event)
    subject = f"{short_type(event.type)} {event.name}"
    if event.status == "failed":
        return Text.assemble(("✗  ", "bold red"), f"{event.op} {subject} failed: {event.message}")
    if kind == "same" or event.copy:
        return None
    line = Text.assemble((f"{SIGNS[kind]:2} ", f"bold {COLOURS[kind]}"), f"{DONE[kind]} {subject}")
    if event.message:
        line.append(f": {event.message}")
    took = f", {event.duration_s:.1f} s" if event.duration_s else ""
    return line.append(f"  ({progress}{took})", "dim")
