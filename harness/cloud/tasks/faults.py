"""What experiments do to tasks: the door of FIS's ECS actions. A fault has an owner and a lease, as a rule has.

- network: what a task's interface does to the traffic that passes it
- CPU stress: the task's processes are throttled as a container is whose quota is used up by others
- I/O stress: a process of the task writes to disk
"""

from __future__ import annotations

import contextlib
import functools
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from harness import processes
from harness.cloud.evidence import Evidence
from harness.cloud.tasks.interface import Impairment, TaskInterface

_PERIOD_S = 0.1
"""A container's quota is counted over 100 ms (`cpu.cfs_period_us`,
https://docs.kernel.org/scheduler/sched-bwc.html): who has used it up stands still until the next period."""

_WRITER = """
import os, sys, time
path, size = sys.argv[1], int(sys.argv[2])
block = os.urandom(1 << 20)
with open(path, "wb", buffering=0) as file:
    while True:
        file.seek(0)
        for _ in range(max(1, size >> 20)):
            file.write(block)
            os.fsync(file.fileno())
"""
_MOST_WRITTEN_BYTES = 256 << 20
"""What one writer keeps on disk at the most, whatever share of the file system was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuStress:
    """`load` of each of `workers` workers on each of the task's CPUs, in 0..1."""

    load: float = 1.0
    workers: int = 1

    @property
    def share_lost(self) -> float:
        """The share of CPU time that the task's own processes lose to the workers, when all are scheduled fairly."""
        return self.load * self.workers / (self.workers + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class IoStress:
    """`share` of the free space, in 0..1, written again and again by each of `workers` workers."""

    share: float = 0.8
    workers: int = 1


TaskFault = Impairment | CpuStress | IoStress


class Faulty(Protocol):
    """A task, as faults see it."""

    @property
    def arn(self) -> str:
        """Its ARN."""
        ...

    @property
    def status(self) -> str:
        """Its last status."""
        ...

    interface: TaskInterface | None

    def processes(self) -> list[psutil.Process]:
        """Those that run now."""
        ...


@dataclass(slots=True, eq=False)
class _Active:
    fault: TaskFault
    task: Faulty
    owner: str
    lease_s: float
    expires_s: float
    ended: threading.Event = field(default_factory=threading.Event)
    hit_before: int = 0
    told: bool = False


@dataclass(slots=True)
class TaskFaults:
    """The faults in force. Safe from any thread; each may be put and ended twice."""

    evidence: Evidence
    registry: Path
    """Where the processes of stress are recorded: those of the tasks."""
    find: Callable[[str], Faulty | None] = lambda _arn: None
    """The task with an ARN; set by who runs tasks."""
    _active: dict[str, _Active] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def put(self, fault_id: str, task: str, fault: TaskFault, *, owner: str, lease_s: float) -> bool:
        """Put a fault in force, or renew its lease; False when there is no such task (any more)."""
        expires_s = self.evidence.clock.now_s() + lease_s
        with self._lock:
            known = self._active.get(fault_id)
            if known is not None:
                known.expires_s = expires_s
                return True
            found = self.find(task)
            if found is None or found.status == "STOPPED":
                return False
            hit = found.interface.hit if found.interface else 0
            made = self._active[fault_id] = _Active(fault, found, owner, lease_s, expires_s, hit_before=hit)
        self.evidence.add("fault_injected", owner=owner, rule=fault_id, effect=type(fault).__name__, resource=task)
        if isinstance(fault, Impairment):
            self._impair(found)
            threading.Thread(target=self._watch_hits, args=(fault_id, made), name=fault_id, daemon=True).start()
        else:
            write = functools.partial(_write, self.registry)
            work = _throttle if isinstance(fault, CpuStress) else write
            threading.Thread(target=self._stress, args=(fault_id, made, work), name=fault_id, daemon=True).start()
        return True

    def remove(self, *, prefix: str = "", owner: str = "") -> list[str]:
        """End faults by the beginning of their ids, or all of an owner, or all; returns the ids of what ended."""
        with self._lock:
            ended = {
                name: one
                for name, one in self._active.items()
                if name.startswith(prefix) and (not owner or one.owner == owner)
            }
            for name in ended:
                del self._active[name]
        for name, one in ended.items():
            one.ended.set()
            if isinstance(one.fault, Impairment):
                self._impair(one.task)
            fired = int(one.told)
            self.evidence.add("fault_healed", owner=one.owner, rule=name, matched=fired, fired=fired)
        return list(ended)

    def renew(self, owner: str) -> int:
        """Extend the lease of every fault of `owner`; returns how many there are."""
        with self._lock:
            mine = [one for one in self._active.values() if one.owner == owner]
            for one in mine:
                one.expires_s = self.evidence.clock.now_s() + one.lease_s
        return len(mine)

    def expire(self) -> None:
        """End what nobody renewed."""
        now_s = self.evidence.clock.now_s()
        for name in [name for name, one in list(self._active.items()) if one.expires_s <= now_s]:
            self.remove(prefix=name)

    def kill_process(self, task: str, name: str, number: signal.Signals, *, owner: str) -> int:
        """Send a signal to the task's processes of this name; returns how many there were."""
        found, hit = self.find(task), 0
        for process in found.processes() if found is not None else ():
            with contextlib.suppress(psutil.Error):
                if name in {process.name(), *(word.rpartition("/")[2] for word in process.cmdline()[:2])}:
                    process.send_signal(number)
                    hit += 1
        for _ in range(hit):
            self.evidence.add("environment_killed", owner=owner, resource=task, process=name, signal=number.name)
        return hit

    def _impair(self, task: Faulty) -> None:
        """Let a task's interface do what all of its network faults together say."""
        if task.interface is None:
            return
        with self._lock:
            ours = [one.fault for one in self._active.values() if one.task is task]
        task.interface.impair(together([one for one in ours if isinstance(one, Impairment)]))

    def _watch_hits(self, name: str, one: _Active) -> None:
        """A connection that felt it is the proof that it had an effect."""
        while not one.ended.wait(0.02):
            if one.task.interface is not None and one.task.interface.hit > one.hit_before:
                self._tell(name, one)
                return

    def _stress(self, name: str, one: _Active, work: Callable[[_Active], Iterator[None]]) -> None:
        for _ in work(one):
            self._tell(name, one)

    def _tell(self, name: str, one: _Active) -> None:
        if not one.told:
            one.told = True
            self.evidence.add("fault_fired", owner=one.owner, rule=name, service="ecs", resource=one.task.arn)


def together(impairments: list[Impairment]) -> Impairment:
    """Several impairments of one interface as one."""
    arrives = 1.0
    for one in impairments:
        arrives *= 1.0 - one.loss
    return Impairment(
        delay_s=sum(one.delay_s for one in impairments),
        jitter_s=sum(one.jitter_s for one in impairments),
        loss=1.0 - arrives,
        flows=max((one.flows for one in impairments if one.delay_s or one.loss), default=1.0),
        closed=frozenset[int]().union(*(one.closed for one in impairments)),
    )


def _throttle(one: _Active) -> Iterator[None]:
    """Stop the task's processes for their lost share of each period, until the fault ends."""
    if not isinstance(one.fault, CpuStress):
        return
    still_s = _PERIOD_S * one.fault.share_lost
    while not one.ended.is_set() and one.task.status != "STOPPED":
        family = one.task.processes()
        _send(family, signal.SIGSTOP)
        one.ended.wait(still_s)
        _send(family, signal.SIGCONT)
        yield
        one.ended.wait(_PERIOD_S - still_s)


def _send(family: list[psutil.Process], number: signal.Signals) -> None:
    for process in family:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)


def _write(registry: Path, one: _Active) -> Iterator[None]:
    """Write to disk beside the task until the fault ends."""
    if not isinstance(one.fault, IoStress):
        return
    with tempfile.TemporaryDirectory(prefix="io-stress-") as folder:
        free = psutil.disk_usage(folder).free
        size = min(int(free * one.fault.share / one.fault.workers), _MOST_WRITTEN_BYTES)
        writers = [
            processes.spawn(
                [sys.executable, "-S", "-c", _WRITER, f"{folder}/{number}", str(size)],
                role="io stress",
                registry=registry,
            )
            for number in range(one.fault.workers)
        ]
        try:
            yield
            while not one.ended.wait(_PERIOD_S) and one.task.status != "STOPPED":
                pass
        finally:
            for writer in writers:
                processes.stop(writer, registry=registry, grace_s=0.0)
