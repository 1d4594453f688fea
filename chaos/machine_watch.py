"""Watches this machine during a drill: how many processes want a core, and how late one is that only wakes up.

What is noted here decides nothing while the drill runs; `harness.measure.machine` says what it means.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from harness.clock import Clock
from harness.measure import journal as names
from harness.measure.journal import JournalWriter

TICK_S = 0.05
NOTE_EVERY_S = 0.5


@contextmanager
def watched(journal: JournalWriter, clock: Clock) -> Iterator[None]:
    """Notes the load twice a second while the body runs."""
    ending = threading.Event()
    thread = threading.Thread(target=_watch, args=(journal, clock, ending), name="machine-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(10.0)


def _watch(journal: JournalWriter, clock: Clock, ending: threading.Event) -> None:
    from_s = last_s = clock.now_s()
    wanted: list[float] = []
    stall_s = 0.0
    while not ending.wait(TICK_S):
        now_s = clock.now_s()
        stall_s += max(0.0, now_s - last_s - 2 * TICK_S)
        last_s = now_s
        wanted.append(contention())
        if now_s - from_s >= NOTE_EVERY_S:
            mean = round(sum(wanted) / len(wanted), 2)
            journal.event(names.MACHINE, now_s, from_s=from_s, contention=mean, stall_s=round(stall_s, 3))
            from_s, stall_s, wanted = now_s, 0.0, []


def contention() -> float:
    """Processes that want a core now, besides the one that asks, for each core there is.

    Where the kernel does not tell (macOS) it is the load of the last minute.
    """
    cores = os.cpu_count() or 1
    try:
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return float(psutil.getloadavg()[0]) / cores
    running = next((int(line.split()[1]) for line in lines if line.startswith("procs_running")), 1)
    return (running - 1) / cores
