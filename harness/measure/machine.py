"""Whether this machine, and not the service, made answers late: what they would have been on a quiet one.

During a drill the load of the machine is noted: `contention` is how many processes wanted a core for each core that
it has, at least 1, and `stall_s` how long a process that has only to wake up was kept from it. An answer that took L
would have taken about (L - stall) / contention on a quiet machine, since cores are dealt out in equal shares.

So a miss that vanishes when such answers are taken as in time cannot be blamed on the service, and is INCONCLUSIVE.
It never makes a drill pass. So with what is waited for, an alarm or a replica: of the time waited counts what a quiet
machine would have needed for it (`quiet_s`), so that on a crowded one a miss takes longer to prove.

Source: fair scheduling deals a core out evenly among who wants it (sched(7), SCHED_OTHER).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import msgspec

from harness.counting import counted
from harness.measure.journal import MACHINE, Journal, Operation
from harness.measure.method import Method

OVERLOADED = 2.0
"""Contention from which an answer that never came is no proof against the service: half the time was not its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The machine's load in [from_s, to_s)."""

    from_s: float
    to_s: float
    contention: float
    stall_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Excused:
    """Late answers that the machine explains; `journal` has them in time, `reason` says what was found."""

    journal: Journal
    count: int
    reason: str


def loads_of(journal: Journal) -> list[Load]:
    """The loads that were noted, in order of time."""
    return [
        Load(
            from_s=float(event.detail.get("from_s", event.at_s)),
            to_s=event.at_s,
            contention=max(1.0, float(event.detail.get("contention", 1.0))),
            stall_s=max(0.0, float(event.detail.get("stall_s", 0.0))),
        )
        for event in journal.named(MACHINE)
    ]


def crowd(journal: Journal, *, from_s: float = -math.inf) -> float:
    """The mean contention from `from_s` on; 1 where nobody watched."""
    noted = [load.contention for load in loads_of(journal) if load.to_s > from_s]
    return fmean(noted) if noted else 1.0


def quiet_s(journal: Journal, from_s: float, to_s: float) -> float:
    """How long [from_s, to_s) would have been for a process on a quiet machine, at the least.

    Where nobody watched, the machine explains nothing.
    """
    quiet = to_s - from_s
    for load in loads_of(journal):
        span_s = min(load.to_s, to_s) - max(load.from_s, from_s)
        if span_s > 0.0:
            stall_s = load.stall_s * span_s / (load.to_s - load.from_s)
            quiet -= span_s - max(0.0, span_s - stall_s) / load.contention
    return quiet


def on_a_quiet_machine(journal: Journal, method: Method) -> Excused | None:
    """The journal with every late answer that the machine explains taken as in time; None when there is none."""
    loads, worst, count, operations = loads_of(journal), 1.0, 0, []
    for operation in journal.operations:
        excuse = _excuse(operation, loads, method)
        if excuse is not None:
            count, worst = count + 1, max(worst, excuse)
            end_s = operation.scheduled_s + method.latency_limit_s * (1.0 - 1e-9)  # in time whatever rounding does
            operations.append(msgspec.structs.replace(operation, outcome="ok", ended_s=end_s))
        else:
            operations.append(operation)
    if not count:
        return None
    reason = (
        f"{counted(count, 'answer was', 'answers were')} late while this machine was overloaded "
        f"({worst:.1f} processes for each core at the worst): on a quiet machine they would have been in time, "
        "so that the miss is not proven"
    )
    return Excused(journal=replace(journal, operations=tuple(operations)), count=count, reason=reason)


def _excuse(operation: Operation, loads: Sequence[Load], method: Method) -> float | None:
    """The contention that explains why an operation was late; None when it was in time, or is late by itself."""
    if operation.ended_s - operation.scheduled_s <= method.latency_limit_s or operation.outcome == "fail":
        return None
    beside = list(_beside(operation, loads))
    spans_s = [min(load.to_s, operation.ended_s) - max(load.from_s, operation.scheduled_s) for load in beside]
    if sum(spans_s) <= 0.0:
        return None
    contention = sum(load.contention * span_s for load, span_s in zip(beside, spans_s, strict=True)) / sum(spans_s)
    stall_s = sum(load.stall_s for load in beside)
    if operation.outcome == "ok" and operation.valid:
        took_s = operation.ended_s - operation.started_s - stall_s  # what the prober was late is its own
        return contention if took_s / contention <= method.latency_limit_s else None
    return contention if contention >= OVERLOADED or stall_s >= method.latency_limit_s else None


def _beside(operation: Operation, loads: Sequence[Load]) -> Iterator[Load]:
    return (load for load in loads if load.from_s < operation.ended_s and load.to_s > operation.scheduled_s)
