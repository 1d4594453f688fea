"""One deployment at a time for each stack: the kernel's lock on a file that names its owner.

The kernel lets go of the lock when its owner dies, however it dies, so a stale one cannot exist and two
processes cannot both take it over.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import StateError
from harness.processes import started_at


@contextmanager
def locked(state: Path) -> Iterator[None]:
    """Hold the lock of the state file `state`.

    Raises:
        StateError: another living process holds it; says which, and since when.
    """
    path = state.with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _take(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _take(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise StateError(
                f"the state is locked by {_owner(path)}",
                where=str(path),
                hint="wait for that deployment, or end its process; the lock goes with it",
            ) from None
        if _is_at(path, descriptor):
            break
        os.close(descriptor)  # its owner took the file away between our opening and locking it
    body = {"pid": os.getpid(), "started": started_at(os.getpid()), "since": time.time()}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(body).encode(), 0)
    return descriptor


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def _owner(path: Path) -> str:
    """`process 12 since 10:00:00 (for 5 s)`, as far as the owner has told."""
    try:
        owner = json.loads(path.read_text())
        since = float(owner["since"])
        at = datetime.fromtimestamp(since, UTC).astimezone().strftime("%H:%M:%S")
        return f"process {int(owner['pid'])} since {at} (for {time.time() - since:.0f} s)"
    except (OSError, ValueError, KeyError, TypeError):
        return "a deployment that started this moment"
