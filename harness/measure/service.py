"""How the system served: availability and latency of the whole drill and of the fault, and how many calls it took.

Mappings that are returned have field names of `DrillRunFigures`; their values are `Any` because they differ by field.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from harness.measure.availability import Availability, Latency, availability, latency
from harness.measure.journal import EVIDENCE, Journal
from harness.measure.phases import Phases
from harness.measure.recovery import Samples
from harness.measure.statistics import finite, residual_error_bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Availability from the baseline to the end, and while the fault was in force; None without a fault."""

    whole: Availability
    in_fault: Availability | None
    latency: Latency | None


def served_in(journal: Journal, phases: Phases, samples: Samples) -> Served:
    """From the baseline to the end; from the start where there was no baseline."""
    start_s = phases.started_s if phases.baseline_started_s is None else phases.baseline_started_s
    whole, in_fault = _span(samples, start_s, phases.ended_s), phases.fault_window
    return Served(
        whole=_available(journal, samples, whole),
        in_fault=_available(journal, samples, _span(samples, *in_fault)) if in_fault else None,
        latency=latency(journal.operations[whole]),
    )


def _span(samples: Samples, start_s: float, end_s: float) -> slice:
    """The operations scheduled in [start_s, end_s)."""
    return slice(bisect_left(samples.scheduled_s, start_s), bisect_left(samples.scheduled_s, end_s))


def _available(journal: Journal, samples: Samples, span: slice) -> Availability:
    return availability(journal.operations[span], samples.good[span])


def end_fields(samples: Samples, phases: Phases) -> dict[str, Any]:
    """How many good answers in a row ended the observation, and which error rate they leave possible."""
    seen = samples.good[: bisect_left(samples.scheduled_s, phases.ended_s)]
    goods = sum(1 for _ in takewhile(bool, reversed(seen)))
    return {"goods_at_end": goods, "residual_error": residual_error_bound(goods) if goods else None}


def amplification(journal: Journal, phases: Phases, samples: Samples) -> float | None:
    """Calls that met a fault rule, for each operation that was sent while it was in force; None where none did.

    Source: Google, Site Reliability Engineering, chapter 22, "Addressing Cascading Failures": retries multiply load.
    """
    calls = sum(int(event.detail.get("calls", 0)) for event in journal.named(EVIDENCE))
    if phases.fault_window is None or not calls:
        return None
    span = _span(samples, *phases.fault_window)
    return calls / (span.stop - span.start) if span.stop > span.start else None


def served_fields(served: Served | None) -> dict[str, Any]:
    """Figures of availability and latency."""
    if served is None:
        return {}
    return {
        "operations": served.whole.scheduled,
        "availability": served.whole.ratio,
        "availability_in_fault": served.in_fault.ratio if served.in_fault is not None else None,
        "availability_by_kind": served.whole.by_kind,
        "p50_ms": finite(served.latency.p50_ms) if served.latency else None,
        "p95_ms": finite(served.latency.p95_ms) if served.latency else None,
        "p99_ms": finite(served.latency.p99_ms) if served.latency else None,
    }
