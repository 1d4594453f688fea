"""The prober's own error: how late it sent what was due. A late prober measures itself, not the service.

error(i) = started_s(i) - scheduled_s(i), at least 0; p50 and p99 are nearest rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.measure.journal import Operation
from harness.measure.statistics import percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """How late requests left, in milliseconds."""

    p50_ms: float
    p99_ms: float
    max_ms: float


def pacing(operations: Sequence[Operation]) -> Pacing | None:
    """How late the prober was; None when it sent nothing."""
    if not operations:
        return None
    late_s = sorted([o.started_s - o.scheduled_s for o in operations])

    def milliseconds(share: float) -> float:
        return max(0.0, percentile(late_s, share)) * 1000.0

    return Pacing(p50_ms=milliseconds(0.50), p99_ms=milliseconds(0.99), max_ms=milliseconds(1.0))
