"""Takes every figure of one drill run from its journal.

The parts below return mappings with field names of `DrillRunFigures`; their values are `Any` because they differ
by field, and the struct's own names are checked when it is built.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.measure.availability import Availability, Latency, availability, latency
from harness.measure.doubts import Doubts
from harness.measure.figures import DrillRunFigures
from harness.measure.history import History, compare, last_pass, unreadable, writes_of
from harness.measure.journal import (
    ALARM,
    CONTROL_PLANE_CALL,
    CPU,
    DRILL_STARTED,
    EXPERIMENT_STARTED,
    ROLLBACK,
    VERIFICATION_ENDED,
    Event,
    Journal,
)
from harness.measure.loss import Loss, loss
from harness.measure.method import Method
from harness.measure.phases import Phases, between
from harness.measure.recovery import Recovery, Samples, recovery

Default = TypeVar("Default")

CPU_LIMIT_PERCENT = 70.0
"""Above this in steady state the harness measures itself: see docs/measures.md."""

_OWN_SERVICE = "fis"  # starting and stopping the experiment is not part of the recovery


def samples_of(journal: Journal, method: Method) -> Samples:
    """The operations as recovery sees them."""
    return Samples(
        scheduled_s=[operation.scheduled_s for operation in journal.operations],
        ended_s=[operation.ended_s for operation in journal.operations],
        good=[method.good(operation) for operation in journal.operations],
    )


def take_figures(
    doubts: Doubts, journal: Journal, phases: Phases, samples: Samples, method: Method
) -> DrillRunFigures:
    """Every figure that the journal gives; what cannot be told leaves a doubt. The verdict is still open."""
    back = doubts.attempt("recovery", lambda: _recovery(phases, samples, method))
    if back is not None and not back.felt and method.must_be_felt:
        doubts.add("all", "the fault fired, and no operation felt it although this drill has to be felt")
    history = doubts.attempt("data", lambda: _history(doubts, journal))
    lost = doubts.attempt("rpo", lambda: _loss(phases, history, method))
    doubts.add("rpo", lost.doubt if lost is not None else "")
    served = doubts.attempt("availability", lambda: _served(journal, phases, method))
    calls = _control_plane_calls(journal, phases, back)
    fields = {
        **_story(journal, phases),
        **_recovery_fields(back, phases, method),
        **_data_fields(history, lost),
        **_served_fields(served),
        "control_plane_calls": calls,
        "notes": _notes(journal, phases, back),
    }
    return DrillRunFigures(**fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    whole: Availability
    in_fault: Availability | None
    latency: Latency | None


def _recovery(phases: Phases, samples: Samples, method: Method) -> Recovery | None:
    if phases.fault_s is None or phases.fired < 1:
        return None
    return recovery(samples, fault_s=phases.fault_s, end_s=phases.ended_s, method=method)


def _history(doubts: Doubts, journal: Journal) -> History | None:
    writes = writes_of(journal.operations)
    history = compare(writes, last_pass(journal.readings))
    if journal.first(VERIFICATION_ENDED) is None:
        doubts.add("data", "the writes were not verified")
    elif not history.acked:
        doubts.add("data", "no write was acknowledged, so none could be lost")
    else:
        doubts.add("data", unreadable(writes, journal.readings))
    return history


def _loss(phases: Phases, history: History | None, method: Method) -> Loss | None:
    if phases.fault_s is None or phases.fired < 1 or history is None:
        return None
    return loss(history, fault_s=phases.fault_s, guard_s=method.rpo_guard_s)


def _served(journal: Journal, phases: Phases, method: Method) -> _Served:
    start_s = phases.started_s if phases.baseline_started_s is None else phases.baseline_started_s
    whole = between(journal.operations, start_s, phases.ended_s)
    window = phases.fault_window
    return _Served(
        whole=availability(whole, method),
        in_fault=availability(between(journal.operations, *window), method) if window else None,
        latency=latency(whole),
    )


def _control_plane_calls(journal: Journal, phases: Phases, back: Recovery | None) -> list[dict[str, Any]]:
    """The calls that may have been part of the recovery: from the fault until it was both healed and recovered."""
    window = phases.fault_window
    if window is None:
        return []
    recovered_s = phases.ended_s if back is None or back.recovered_s is None else back.recovered_s
    end_s = max(window[1], recovered_s)
    return [
        {"at_s": event.at_s - phases.started_s, **event.detail}
        for event in journal.named(CONTROL_PLANE_CALL)
        if window[0] <= event.at_s <= end_s and event.detail.get("service") != _OWN_SERVICE
    ]


def _story(journal: Journal, phases: Phases) -> dict[str, Any]:
    rollback = journal.first(ROLLBACK)
    return {
        "seed": _detail(journal.first(DRILL_STARTED), "seed", 0),
        "experiment_id": _detail(journal.first(EXPERIMENT_STARTED), "experiment_id", ""),
        "fired": phases.fired,
        "fault_s": _since(phases.fault_s, phases),
        "healed_s": _since(phases.healed_s, phases),
        "ended_s": _since(phases.ended_s, phases),
        "detect_s": _detected(journal, phases),
        "rollback": "unknown" if rollback is None else "clean" if rollback.detail.get("clean") is True else "dirty",
        "left": _left(rollback),
        "cpu_percent": _cpu_percent(journal),
    }


def _recovery_fields(back: Recovery | None, phases: Phases, method: Method) -> dict[str, Any]:
    if back is None:
        return {}
    return {
        "felt": back.felt,
        "recovered_s": _since(back.recovered_s, phases),
        "rto_s": back.rto_s,
        "rto_interval_s": back.rto_interval_s,
        "rto_at_least_s": back.at_least_s,
        "outage_s": back.outage_s,
        "only_after_fault": method.must_recover_in_fault and _only_after_fault(back, phases),
    }


def _only_after_fault(back: Recovery, phases: Phases) -> bool:
    """True when good answers came back no earlier than the fault was ended."""
    return (
        back.felt
        and back.recovered_s is not None
        and phases.healed_s is not None
        and back.recovered_s >= phases.healed_s
    )


def _data_fields(history: History | None, lost: Loss | None) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if lost is not None:
        fields |= {"rpo_s": lost.rpo_s, "split_brain": lost.split_brain}
    if history is not None:
        fields |= {
            "acked": len(history.acked),
            "lost": len(history.lost),
            "holes": len(history.holes),
            "phantom": len(history.phantom),
            "duplicate": history.duplicates,
            "unfulfilled": len(history.unfulfilled),
            "unknown": history.unknown,
            "unknown_applied": history.unknown_applied,
        }
    return fields


def _served_fields(served: _Served | None) -> dict[str, Any]:
    if served is None:
        return {}
    return {
        "operations": served.whole.scheduled,
        "availability": served.whole.ratio,
        "availability_in_fault": served.in_fault.ratio if served.in_fault is not None else None,
        "availability_by_kind": served.whole.by_kind,
        "p50_ms": _finite(served.latency.p50_ms) if served.latency else None,
        "p95_ms": _finite(served.latency.p95_ms) if served.latency else None,
        "p99_ms": _finite(served.latency.p99_ms) if served.latency else None,
    }


def _notes(journal: Journal, phases: Phases, back: Recovery | None) -> list[str]:
    notes = []
    if back is not None and not back.felt:
        notes.append(f"not felt: {phases.fired} effects fired and every operation stayed good")
    cpu = _cpu_percent(journal)
    if cpu is not None and cpu > CPU_LIMIT_PERCENT:
        notes.append(
            f"the machine was {cpu:.0f} % busy in steady state (limit {CPU_LIMIT_PERCENT:.0f} %): "
            "latencies include the harness itself"
        )
    return notes


def _detected(journal: Journal, phases: Phases) -> float | None:
    """Seconds from the fault to the first alarm that went into ALARM."""
    if phases.fault_s is None:
        return None
    alarms = [e.at_s for e in journal.named(ALARM) if e.detail.get("state") == "ALARM" and e.at_s >= phases.fault_s]
    return min(alarms) - phases.fault_s if alarms else None


def _cpu_percent(journal: Journal) -> float | None:
    return max((float(event.detail.get("percent", 0.0)) for event in journal.named(CPU)), default=None)


def _detail(event: Event | None, key: str, default: Default) -> Default:
    return default if event is None else event.detail.get(key, default)


def _left(rollback: Event | None) -> list[str]:
    left: list[Any] = _detail(rollback, "left", [])  # JSON as the drill wrote it
    return [str(item) for item in left]


def _since(instant_s: float | None, phases: Phases) -> float | None:
    return None if instant_s is None else instant_s - phases.started_s


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
