"""What a deployment has done since the checkpoint was written: one line for each step, appended and synced.

The checkpoint is written once at the end; until then `<stack>.journal` beside it grows line by line, so that
the time for state grows with the number of steps and not with its square. A deployment that is killed leaves
the journal, and the next reader replays it (`replay`). Its first line names the checkpoint it continues; one
that continues another checkpoint is out of date and counts for nothing.

    {"base": sha256 of the checkpoint's bytes, '' for none}
    {"secrets": {...}}                                once, before the first secret
    {"begin": {"type": "creating", "resource": {...}}}
    {"put": {...}, "over": index, "keep": bool}       done; the old one at `index` is superseded, or kept for deletion
    {"end": urn}                                      failed, and nothing is left of it
    {"gone": index}                                   deleted
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.errors import StateError

Line = dict[str, Any]  # as in the module's docstring


@dataclass(slots=True)
class Journal:
    """Appends lines; threads that ask at the same time share one write and one sync."""

    checkpoint: Path
    _waiting: list[bytes] = field(default_factory=list)
    _asked: int = 0
    _synced: int = 0
    _descriptor: int = -1
    _lines: threading.Lock = field(default_factory=threading.Lock)
    _file: threading.Lock = field(default_factory=threading.Lock)

    @property
    def path(self) -> Path:
        """`<stack>.journal`, beside the checkpoint."""
        return self.checkpoint.with_suffix(".journal")

    @property
    def used(self) -> bool:
        """True once a line was noted."""
        return self._asked > 0

    def note(self, line: Line) -> None:
        """Queue a line; it is on disk once a later `sync` has returned."""
        text = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        with self._lines:
            self._waiting.append(text)
            self._asked += 1

    def sync(self) -> None:
        """Return when every line noted so far is on disk.

        Raises:
            StateError: the disk is full or read-only.
        """
        with self._lines:
            mine = self._asked
        with self._file:
            if self._synced >= mine:
                return
            with self._lines:
                lines, self._waiting, written = self._waiting, [], self._asked
            try:
                self._append(b"".join(lines))
            except OSError as error:
                with self._lines:
                    self._waiting = lines + self._waiting
                raise StateError(
                    f"the state cannot be written: {error.strerror}",
                    where=str(self.path),
                    hint="free some space and run again; the last state is intact and what was begun is found again",
                ) from error
            self._synced = written

    def close(self) -> None:
        """The checkpoint says everything by now: the journal goes."""
        with self._file:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1
            self.path.unlink(missing_ok=True)

    def _append(self, data: bytes) -> None:
        if self._descriptor < 0:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self.path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_APPEND, 0o600)
            data = json.dumps({"base": digest(self.checkpoint)}).encode() + b"\n" + data
        while data:
            data = data[os.write(self._descriptor, data) :]
        os.fsync(self._descriptor)


def digest(path: Path) -> str:
    """The checkpoint's sha256, '' when there is none."""
    return sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def lines_after(checkpoint: Path) -> list[Line]:
    """The lines of a killed deployment that continue this checkpoint. A last line cut short was never relied on.

    Raises:
        StateError: a line in the middle is damaged; nothing is changed.
    """
    path = checkpoint.with_suffix(".journal")
    if not path.exists():
        return []
    try:
        lines = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
        current = bool(lines) and lines[0]["base"] == digest(checkpoint)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StateError(
            f"the journal of an interrupted deployment is damaged: {error}",
            where=str(path),
            hint="nothing was changed; move it away to go on from the last complete state",
        ) from error
    return lines[1:] if current else []
