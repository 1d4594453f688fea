"""One deployment at a time for each stack: a lock file with its owner, taken over when the owner is dead."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import StateError
from harness.processes import is_running, started_at


@contextmanager
def locked(state: Path) -> Iterator[None]:
    """Hold the lock of the state file `state`.

    Raises:
        StateError: another living process holds it; says which, and since when.
    """
    path = state.with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    _take(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _take(path: Path) -> None:
    body = {"pid": os.getpid(), "started": started_at(os.getpid()), "since": time.time()}
    for _ in range(2):
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            _refuse_if_held(path)
            path.unlink(missing_ok=True)
            continue
        with os.fdopen(descriptor, "w") as file:
            json.dump(body, file)
        return
    raise StateError("the state is locked by a deployment that started this moment", where=str(path))


def _refuse_if_held(path: Path) -> None:
    try:
        owner = json.loads(path.read_text())
        pid, started, since = int(owner["pid"]), float(owner["started"]), float(owner["since"])
    except (OSError, ValueError, KeyError, TypeError):
        return  # half-written by a process that was killed
    if is_running(pid, started):
        raise StateError(
            f"the state is locked by process {pid} for {time.time() - since:.0f} s",
            where=str(path),
            hint="wait for that deployment, or end it",
        )
