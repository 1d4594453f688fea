"""Progress for people: a live line on a terminal, plain lines elsewhere. Everything goes to stderr."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.text import Text

from harness.changes.board import Board
from harness.deploy.api import StepEvent


class Progress(Protocol):
    """What a long command tells while it works."""

    def phase(self, title: str) -> None:
        """A new part of the work begins; the one before is done."""
        ...

    def detail(self, text: str) -> None:
        """What is happening right now; may be dropped where there is no live line."""
        ...

    def step(self, event: StepEvent) -> None:
        """A step of a deployment began or ended."""
        ...

    def note(self, text: str) -> None:
        """A line worth keeping."""
        ...

    def close(self, *, failed: bool = False) -> None:
        """The last part is done, or was broken off."""
        ...


@dataclass(slots=True)
class Silent:
    """Says nothing; for tests and for library use."""

    def phase(self, title: str) -> None:
        """Drop it."""

    def detail(self, text: str) -> None:
        """Drop it."""

    def step(self, event: StepEvent) -> None:
        """Drop it."""

    def note(self, text: str) -> None:
        """Drop it."""

    def close(self, *, failed: bool = False) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class TerminalProgress:
    """Phases with their durations; a spinner with the current detail where `console` is a terminal."""

    console: Console
    verbose: bool = False
    _title: str = ""
    _started_s: float = 0.0
    _status: Status | None = field(default=None, repr=False)
    _board: Board | None = None

    def phase(self, title: str) -> None:
        """End the current phase and begin `title`."""
        self.close()
        self._title, self._started_s = title, time.monotonic()
        if self.console.is_terminal:
            self._status = self.console.status(f"[bold]{escape(title)}[/]")
            self._status.start()
        else:
            self.console.print(f"… {escape(title)}", soft_wrap=True)

    def detail(self, text: str) -> None:
        """Show `text` behind the phase's title; a line of its own with -v."""
        if self.verbose:
            self.note(text)
        elif self._status is not None:
            room = max(20, self.console.width - len(self._title) - 8)
            self._status.update(f"[bold]{escape(self._title)}[/] [dim]{escape(text[:room])}[/]")

    def step(self, event: StepEvent) -> None:
        """Show what is being done, for how long, as which of how many; keep a line for each change."""
        if self._board is None:
            self._board = Board(self._title)
            if self._status is not None:
                self._status.update(self._board)
        line = self._board.note(event)
        if line is not None:
            self.console.print(Text("  ").append(line), highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Print a line that stays."""
        self.console.print(f"  {escape(text)}", highlight=False, soft_wrap=True)

    def close(self, *, failed: bool = False) -> None:
        """End the current phase, with its duration."""
        if self._status is not None:
            self._status.stop()
            self._status = None
        self._board = None
        if self._title:
            took_s = time.monotonic() - self._started_s
            mark = "[red]✗[/]" if failed else "[green]✓[/]"
            self.console.print(f"{mark} {escape(self._title)} [dim]{took_s:.1f} s[/]", highlight=False)
            self._title = ""
