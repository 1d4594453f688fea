"""Every process we start: in a group of its own, recorded on disk, reaped when its owner is gone.

A record is one JSON file `<registry>/<pid>.json` with role, process group, start time and owner. The
start time guards against a recycled process id. `reap` ends every recorded process whose owner died,
so that a `kill -9` of us leaves nothing running after the next command.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import IO

import psutil

from harness.files import write_atomically

_START_TOLERANCE_S = 0.05  # a start time is rounded to the kernel's clock tick
_STAT_START_FIELD = 19  # of /proc/PID/stat, counted from the state that follows the name (proc(5): field 22)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """One process of ours, as written to the registry. `notes` are whatever its reader has to know of it."""

    pid: int
    started: float
    role: str
    owner_pid: int
    owner_started: float
    detached: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def alive(self) -> bool:
        """True while this very process (not a later one with its id) runs."""
        return is_running(self.pid, self.started)

    @property
    def orphaned(self) -> bool:
        """True when the owner is gone and the process was not meant to outlive it."""
        return not self.detached and not is_running(self.owner_pid, self.owner_started)


def started_at(pid: int) -> float:
    """When a process started, in seconds of a clock that every process of this machine shares; 0 for none.

    On Linux since boot: the wall clock, which psutil would add, moves while a process lives.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        return int(stat.rpartition(b")")[2].split()[_STAT_START_FIELD]) / os.sysconf("SC_CLK_TCK")
    except OSError:
        pass
    if Path("/proc/self/stat").exists():
        return 0.0
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0


def family(pid: int) -> list[psutil.Process]:
    """A process and those that descend from it, it first.

    For figures: who looks often asks the kernel for the children of each (proc(5)), where psutil reads every process
    of the machine. What begins or ends meanwhile may be missed.

    Raises:
        psutil.NoSuchProcess: the process itself is gone.
    """
    first = psutil.Process(pid)
    if not Path(f"/proc/self/task/{os.getpid()}/children").exists():
        return [first, *first.children(recursive=True)]
    found, parents = [first], [pid]
    while parents:
        for listed in Path(f"/proc/{parents.pop()}/task").glob("*/children"):
            with contextlib.suppress(psutil.Error, OSError):
                children = [psutil.Process(int(child)) for child in listed.read_bytes().split()]
                found += children
                parents += [child.pid for child in children]
    return found


def is_running(pid: int, started: float) -> bool:
    """True while the process `pid` that started at `started` runs; a later one with its id does not count."""
    try:
        same = abs(started_at(pid) - started) < _START_TOLERANCE_S
        return bool(same and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def spawn(
    argv: Sequence[str],
    *,
    role: str,
    registry: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdout: IO[bytes] | int | None = None,
    stderr: IO[bytes] | int | None = None,
    stdin: IO[bytes] | int | None = subprocess.DEVNULL,
    detached: bool = False,
    own_session: bool = True,
) -> subprocess.Popen[bytes]:
    """Start `argv` as leader of a new process group and record it under `registry`.

    A `detached` process may outlive us (the cloud of `blackstart up --detach`); any other is reaped
    once we are gone. Without an `own_session` it shares our part of the processor where the kernel deals it out by
    session (sched(7), autogrouping); only then is its nice value one against us.

    Raises:
        OSError: the program cannot be started.
    """
    process = subprocess.Popen(
        list(argv),
        env=None if env is None else dict(env),
        cwd=cwd,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=own_session,
        process_group=None if own_session else 0,
    )
    record(process.pid, role=role, registry=registry, detached=detached)
    return process


def record(
    pid: int,
    *,
    role: str,
    registry: Path,
    detached: bool = False,
    notes: Mapping[str, str] = MappingProxyType({}),
    durable: bool = False,
) -> None:
    """Leave a record of a process under `registry`: of one that we started, or of our own.

    All survive our death; a `durable` one the machine's too, which costs milliseconds.
    """
    written = ProcessRecord(
        pid=pid,
        started=started_at(pid),
        role=role,
        owner_pid=os.getpid(),
        owner_started=started_at(os.getpid()),
        detached=detached,
        notes=dict(notes),
    )
    write_atomically(registry / f"{pid}.json", json.dumps(asdict(written)), durable=durable)


def forget(registry: Path, pid: int) -> None:
    """Drop the record of a process that has ended and was waited for."""
    (registry / f"{pid}.json").unlink(missing_ok=True)


def stop(process: subprocess.Popen[bytes], *, registry: Path, grace_s: float = 5.0) -> int:
    """End a process we started: SIGTERM to its group, SIGKILL after `grace_s`; returns its exit code."""
    _signal_group(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(grace_s)
    _signal_group(process.pid, signal.SIGKILL)
    code = process.wait()
    forget(registry, process.pid)
    return code


def records(registry: Path) -> list[ProcessRecord]:
    """All records under `registry`, stale and unreadable ones left out."""
    found = []
    for path in sorted(registry.glob("*.json")):
        with contextlib.suppress(OSError, ValueError, TypeError):
            found.append(ProcessRecord(**json.loads(path.read_text())))
    return found


def reap(registry: Path, *, everything: bool = False, grace_s: float = 3.0) -> list[ProcessRecord]:
    """End recorded processes whose owner is gone (or all of them); returns those that were still alive."""
    doomed = [r for r in records(registry) if everything or r.orphaned or not r.alive]
    alive = [r for r in doomed if r.alive]
    for record in alive:
        _signal_group(record.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while any(r.alive for r in alive) and time.monotonic() < deadline:
        time.sleep(0.02)
    for record in alive:
        if record.alive:
            _signal_group(record.pid, signal.SIGKILL)
    for record in doomed:
        # A dead leader may have left members of its group behind.
        if not is_running(record.pid, record.started):
            _signal_group_if_ours(record)
        forget(registry, record.pid)
    return alive


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _signal_group_if_ours(record: ProcessRecord) -> None:
    """End what is left of a group whose leader died, unless its id now belongs to a newer process."""
    if not psutil.pid_exists(record.pid):
        _signal_group(record.pid, signal.SIGKILL)
