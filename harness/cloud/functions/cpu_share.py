"""Holds an environment to the share of a CPU that its memory buys, as Lambda does, without cgroups or root.

"At 1,769 MB, a function has the equivalent of one vCPU", and in proportion below and above.
Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html

The way is that of the kernel's bandwidth control: the process may use `share` of each period; once it has used that
up it is stopped (SIGSTOP) until it would have had it. What waits for others is not slowed; what computes is. It is on
only while a function is tuned: everything else runs as fast as the machine can.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

FULL_CPU_MB = 1769
"""The memory that buys one whole vCPU."""

PERIOD_S = 0.02
SUPPORTED = sys.platform == "linux"
"""Elsewhere a process's CPU clock cannot be read finely enough."""


def share_of(memory_mb: int) -> float:
    """How much of one vCPU this memory buys; more than 1 is more than one.

    >>> share_of(1769), round(share_of(128), 3)
    (1.0, 0.072)
    """
    return memory_mb / FULL_CPU_MB


def pause_s(used_s: float, elapsed_s: float, share: float) -> float:
    """How long a process must rest that used so much CPU in the time elapsed; 0 while it is within its share.

    >>> round(pause_s(used_s=0.02, elapsed_s=0.02, share=0.5), 6)
    0.02
    """
    return max(0.0, used_s / share - elapsed_s)


@contextmanager
def held_to(pid: int, share: float) -> Iterator[None]:
    """Hold a process to `share` of one CPU inside the body. One of a whole CPU or more is not held."""
    if share >= 1.0 or not SUPPORTED:
        yield
        return
    over = threading.Event()
    governor = threading.Thread(target=_govern, args=(pid, share, over), name=f"cpu share of {pid}", daemon=True)
    governor.start()
    try:
        yield
    finally:
        over.set()
        governor.join()


def _govern(pid: int, share: float, over: threading.Event) -> None:
    """Look once a period; what was not used in a period is lost, as with the kernel's."""
    with contextlib.suppress(OSError):  # it has ended
        began_s, began_cpu_s = time.monotonic(), _cpu_s(pid)
        while not over.wait(PERIOD_S / 4):
            used_s, elapsed_s = _cpu_s(pid) - began_cpu_s, time.monotonic() - began_s
            rest_s = pause_s(used_s, elapsed_s, share)
            if rest_s > 0:
                _rest(pid, rest_s, over)
            elif elapsed_s >= PERIOD_S:
                began_s, began_cpu_s = time.monotonic(), _cpu_s(pid)


def _rest(pid: int, rest_s: float, over: threading.Event) -> None:
    os.kill(pid, signal.SIGSTOP)
    try:
        over.wait(rest_s)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _cpu_s(pid: int) -> float:
    """The CPU time a process has used; the clock's id is made as `clock_getcpuclockid(3)` makes it."""
    return time.clock_gettime((~pid << 3) | 2)
