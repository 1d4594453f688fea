"""Availability, error budget and latency of the operations of a drill."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

from harness.measure.journal import Operation
from harness.measure.statistics import percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """`ratio` is good / scheduled, None when nothing was scheduled. `by_kind` tells each kind of operation apart."""

    scheduled: int
    good: int
    by_kind: dict[str, float]

    @property
    def ratio(self) -> float | None:
        """Good operations over scheduled ones, in 0..1."""
        return self.good / self.scheduled if self.scheduled else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Percentiles from the scheduled instant, in milliseconds; infinite where the answer never came."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


def availability(operations: Sequence[Operation], good: Sequence[bool]) -> Availability:
    """Good / scheduled over `operations`, of which `good` says one by one whether it was good.

    In a drill every operation counts, the baseline's too.
    """
    kinds = [operation.kind for operation in operations]
    scheduled, well = Counter(kinds), Counter(compress(kinds, good))
    return Availability(
        scheduled=len(kinds),
        good=well.total(),
        by_kind={kind: well[kind] / count for kind, count in sorted(scheduled.items())},
    )


def burn_rate(ratio: float, slo: float) -> float:
    """How fast the error budget burns: error rate / (1 - SLO); 1 uses it up exactly in the SLO's period.

    Source: Google, The Site Reliability Workbook, chapter 5, "Alerting on SLOs".
    """
    if slo >= 1.0:
        return 0.0 if ratio >= 1.0 else math.inf
    return (1.0 - ratio) / (1.0 - slo)


def latency(operations: Sequence[Operation]) -> Latency | None:
    """Percentiles of all operations; None when there is none.

    An operation without acknowledgement counts as infinitely late: fast errors must not improve a percentile,
    and a timeout must not vanish from it.
    """
    if not operations:
        return None
    ordered = sorted([(o.ended_s - o.scheduled_s) * 1000.0 if o.outcome == "ok" else math.inf for o in operations])
    return Latency(
        p50_ms=percentile(ordered, 0.50), p95_ms=percentile(ordered, 0.95), p99_ms=percentile(ordered, 0.99)
    )
