"""Which commands are at work in this folder: what takes things down asks before it pulls the ground from under them.

Each leaves a file with its process id and start time while it works; one whose process is gone does not count.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from harness import processes
from harness.errors import RefusedError
from harness.files import write_atomically
from harness.workspace import Workspace

_ROLLS_BACK_S = 120.0
"""How long a command that was asked to end may take to heal and write its reports."""

_LOOK_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command at work, by the word that called it."""

    word: str
    pid: int
    started: float

    def __str__(self) -> str:
        """`run (pid 12)`."""
        return f"{self.word} (pid {self.pid})"

    @property
    def alive(self) -> bool:
        """True while its process runs."""
        return processes.is_running(self.pid, self.started)


@contextlib.contextmanager
def at_work(workspace: Workspace, word: str) -> Iterator[None]:
    """While open, other commands can see that the command `word` is at work here."""
    pid = os.getpid()
    path = workspace.commands / f"{pid}.json"
    write_atomically(path, json.dumps(asdict(Command(word=word, pid=pid, started=processes.started_at(pid)))))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def commands(workspace: Workspace) -> list[Command]:
    """The commands at work here but this one; files of commands that were killed are deleted."""
    found = []
    for path in sorted(workspace.commands.glob("*.json")):
        command = _read(path)
        if command is None or not command.alive:
            path.unlink(missing_ok=True)
        elif command.pid != os.getpid():
            found.append(command)
    return found


def make_way(workspace: Workspace, words: Collection[str], *, consent: bool, tell: Callable[[str], None]) -> None:
    """Return when none of the commands `words` is at work here; with `consent` they are ended, with their rollback.

    Raises:
        RefusedError: one is, and nobody consented to end it.
    """
    others = [command for command in commands(workspace) if command.word in words]
    if not others:
        return
    named = ", ".join(map(str, others))
    if not consent:
        raise RefusedError(
            f"at work here: {named}",
            where=str(workspace.root),
            hint=f"wait for it, or end it with its rollback: kill {' '.join(str(one.pid) for one in others)}; "
            "with --yes that is done first",
        )
    tell(f"ending {named}")
    for command in others:
        with contextlib.suppress(ProcessLookupError):
            os.kill(command.pid, signal.SIGTERM)
    until_s = time.monotonic() + _ROLLS_BACK_S
    while any(one.alive for one in others) and time.monotonic() < until_s:
        time.sleep(_LOOK_S)


def _read(path: Path) -> Command | None:
    try:
        return Command(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
