"""How much memory a process uses: Linux has it in `/proc` (proc(5)), elsewhere psutil asks.

The file stays open: one system call for a look, where opening it anew takes four, and each of them gives up Python's
lock in the middle of an invocation.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass, field
from io import FileIO

import psutil

_STATUS_BYTES = 8192
_RESIDENT, _PEAK = b"VmRSS:", b"VmHWM:"


@dataclass(slots=True)
class ProcessMemory:
    """Of one process; figures in bytes, 0 when it has ended."""

    pid: int
    _status: FileIO | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                self._status = FileIO(f"/proc/{self.pid}/status")

    def resident_bytes(self) -> int:
        """What it uses now."""
        return self._read(_RESIDENT)

    def peak_bytes(self) -> int:
        """The most that it has used so far; elsewhere than on Linux what it uses now."""
        return self._read(_PEAK)

    def close(self) -> None:
        """Give the file back."""
        if self._status is not None:
            self._status.close()

    def _read(self, key: bytes) -> int:
        if sys.platform != "linux":
            with contextlib.suppress(psutil.Error):
                return int(psutil.Process(self.pid).memory_info().rss)
            return 0
        if self._status is None or self._status.closed:
            return 0
        try:
            _, found, rest = os.pread(self._status.fileno(), _STATUS_BYTES, 0).partition(key)
        except (OSError, ValueError):  # ended, or closed just now
            return 0
        return int(rest.split(maxsplit=1)[0]) * 1024 if found else 0
