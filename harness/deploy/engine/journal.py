"""What a deployment has done since the checkpoint was written: one line for each step, appended as it happens.

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


class _Batch:
    """Lines that one write takes, and the threads that wait for it."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.written = threading.Event()


@dataclass(slots=True)
class Journal:
    """Appends lines; threads that ask at the same time share one write.

    What is written survives our death. `durable` also waits for the disk, so that it survives the machine's: for
    real AWS, which goes on without this machine.
    """

    checkpoint: Path
    durable: bool = True
    used: bool = False  # a line was noted
    _batch: _Batch = field(default_factory=_Batch)
    _writing: bool = False
    _error: OSError | None = None
    _descriptor: int = -1
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def path(self) -> Path:
        """`<stack>.journal`, beside the checkpoint."""
        return self.checkpoint.with_suffix(".journal")

    def note(self, line: Line) -> None:
        """Queue a line; it is in the file once a later `sync` has returned."""
        text = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            self.used = True
            self._batch.lines.append(text)

    def sync(self) -> None:
        """Return when every line noted so far is in the file.

        Nothing is held while a write waits for the disk, or for the interpreter: threads that came meanwhile
        wait for their batch, not for one another.

        Raises:
            StateError: the disk is full or read-only.
        """
        with self._lock:
            mine = self._batch
            leads, self._writing = not self._writing, True
        if leads:
            self._write_all()
        mine.written.wait()
        if self._error is not None:
            raise StateError(
                f"the state cannot be written: {self._error.strerror}",
                where=str(self.path),
                hint="free some space and run again; the last state is intact and what was begun is found again",
            ) from self._error

    def close(self) -> None:
        """The checkpoint says everything by now: the journal goes."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self.path.unlink(missing_ok=True)

    def _write_all(self) -> None:
        while True:
            with self._lock:
                batch, self._batch = self._batch, _Batch()
            try:
                self._append(b"".join(batch.lines))
            except OSError as error:
                self._error = error  # for good: what is lost here must stop the deployment
            batch.written.set()
            with self._lock:
                if not self._batch.lines:
                    self._writing = False
                    self._batch.written.set()  # of those who came without a line meanwhile
                    self._batch = _Batch()
                    return

    def _append(self, data: bytes) -> None:
        if self._descriptor < 0:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self.path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_APPEND, 0o600)
            data = json.dumps({"base": digest(self.checkpoint)}).encode() + b"\n" + data
        while data:
            data = data[os.write(self._descriptor, data) :]
        if self.durable:
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
