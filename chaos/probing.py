"""The prober's process beside a drill: from before the baseline until after the observation."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from harness import processes
from harness.clock import Clock
from harness.errors import NotReadyError
from harness.load.workload import ProberSpec
from harness.measure import journal as names
from harness.measure.journal import Journal, JournalWriter

_START_S = 15.0
_POLL_S = 0.2


@contextmanager
def probing(
    spec: ProberSpec, journal: JournalWriter, *, read: Callable[[], Journal], registry: Path, clock: Clock
) -> Iterator[None]:
    """Runs while the body does; that it ended by itself is noted as a check that failed.

    Raises:
        NotReadyError: it sent nothing.
    """
    path = journal.path.with_suffix(".prober.json")
    path.write_bytes(msgspec.json.encode(spec))
    with path.with_suffix(".log").open("wb") as log:
        process = processes.spawn(
            [sys.executable, "-m", "harness.load.prober", str(path)],
            role="prober",
            registry=registry,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for_first_operation(process, path.with_suffix(".log"), read, clock)
            yield
            if process.poll() is not None:
                error = f"it ended with code {process.returncode}"
                journal.event(names.CHECK_FAILED, clock.now_s(), check="prober", error=error)
        finally:
            processes.stop(process, registry=registry, grace_s=spec.timeout_s + 2.0)


def _wait_for_first_operation(
    process: subprocess.Popen[bytes], log: Path, read: Callable[[], Journal], clock: Clock
) -> None:
    until_s = clock.now_s() + _START_S
    while not read().operations:
        if process.poll() is not None or clock.now_s() > until_s:
            raise NotReadyError(f"the prober does not work: {log.read_text()[-400:]}", where=str(log))
        time.sleep(_POLL_S)
