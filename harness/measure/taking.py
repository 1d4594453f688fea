"""Takes every figure of one drill run from its journal.

The parts below return mappings with field names of `DrillRunFigures`; their values are `Any` because they differ
by field, and the struct's own names are checked when it is built.
"""

from __future__ import annotations

from typing import Any, TypeVar

from harness.measure.data import data_fields, data_of, loss_in, staleness_fields, staleness_of, unseen
from harness.measure.detection import detection_fields
from harness.measure.doubts import Doubts
from harness.measure.effects import effects_of, wrong_answers
from harness.measure.failover import FailoverFigures, failover
from harness.measure.figures import DrillRunFigures
from harness.measure.finding import MOST_FINDINGS
from harness.measure.journal import (
    ALARM,
    CONTROL_PLANE_CALL,
    CPU,
    DRILL_STARTED,
    EVIDENCE,
    EXPERIMENT_STARTED,
    QUEUES_WAITING,
    RESTORE,
    ROLLBACK,
    Event,
    Journal,
)
from harness.measure.method import Method
from harness.measure.pacing import pacing
from harness.measure.phases import Phases, since
from harness.measure.probes import probe_notes, probes_broken
from harness.measure.recovery import Recovery, Samples, recovery
from harness.measure.service import amplification, end_fields, served_fields, served_in
from harness.measure.stores import anomalies, store_fields

Default = TypeVar("Default")

CPU_LIMIT_PERCENT = 70.0
"""Above this in steady state the harness measures itself: see docs/measures.md."""

_OWN_SERVICE = "fis"  # starting and stopping the experiment is not part of the recovery


def samples_of(journal: Journal, method: Method) -> Samples:
    """The operations as recovery sees them."""
    return Samples(
        scheduled_s=[operation.scheduled_s for operation in journal.operations],
        ended_s=[operation.ended_s for operation in journal.operations],
        good=method.goods(journal.operations),
        kind=[operation.kind for operation in journal.operations],
    )


def take_figures(
    doubts: Doubts, journal: Journal, phases: Phases, samples: Samples, method: Method
) -> DrillRunFigures:
    """Every figure that the journal gives; what cannot be told leaves a doubt. The verdict is still open."""
    back = doubts.attempt("recovery", lambda: _recovery(phases, samples, method))
    if back is not None and not back.felt and method.must_be_felt:
        doubts.add("all", "the fault fired, and no operation felt it although this drill has to be felt")
    doubts.add("all", _only_claimed(journal, phases, back))
    data = doubts.attempt("data", lambda: data_of(doubts, journal, phases))
    lost = doubts.attempt("rpo", lambda: loss_in(phases, data, method))
    doubts.add("rpo", lost.doubt if lost is not None else "")
    served = doubts.attempt("availability", lambda: served_in(journal, phases, samples))
    stores = doubts.attempt("stores", lambda: store_fields(doubts, journal, phases))
    stale = doubts.attempt("staleness", lambda: staleness_of(doubts, journal, data))
    calls = _control_plane_calls(journal, phases, back)
    wrong = wrong_answers(journal, started_s=phases.started_s)
    over = doubts.attempt("recovery", lambda: _failover(journal, phases, back, len(calls)))
    if over is not None and back is not None and not back.past_deadline:
        # What was never back is a miss, whoever failed. What came back by itself is not this procedure's doing.
        doubts.add("all", over.problem)
    fields = {
        **_story(journal, phases),
        **_recovery_fields(back, phases, method),
        **data_fields(
            data, lost, effects_of(journal), [*wrong[:MOST_FINDINGS], *unseen(stale, phases), *(stores or [])]
        ),
        "waiting": sum(int(event.detail.get("messages", 0)) for event in journal.named(QUEUES_WAITING)),
        **served_fields(served),
        **staleness_fields(stale),
        **end_fields(samples, phases),
        **_pacing_fields(journal),
        "wrong": len(wrong),
        "failover": over,
        "anomalies": anomalies(journal),
        "amplification": amplification(journal, phases, samples),
        "probes_broken": probes_broken(doubts, journal),
        "control_plane_calls": calls,
        "notes": [*([over.problem] if over is not None and over.problem else []), *_notes(journal, phases, back)],
    }
    return DrillRunFigures(**fields)


def _only_claimed(journal: Journal, phases: Phases, back: Recovery | None) -> str:
    """Why an effect that only FIS tells of is no proof, or '': a probe felt it, an alarm told, our gate saw it."""
    evidence = journal.first(EVIDENCE)
    if evidence is None or evidence.detail.get("source") != "fis":
        return ""
    if back is None or back.felt or phases.fault_s is None:
        return ""
    if any(e.detail.get("state") == "ALARM" and e.at_s >= phases.fault_s for e in journal.named(ALARM)):
        return ""
    return f"FIS says that it hit {phases.fired} resources, but no probe felt it and no alarm told of it"


def _recovery(phases: Phases, samples: Samples, method: Method) -> Recovery | None:
    if phases.fault_s is None or phases.fired < 1:
        return None
    return recovery(samples, fault_s=phases.fault_s, end_s=phases.ended_s, method=method)


def _failover(journal: Journal, phases: Phases, back: Recovery | None, calls: int) -> FailoverFigures | None:
    evidence = journal.first(EVIDENCE)
    counted = evidence is not None and evidence.detail.get("source") != "fis"
    recovered_s = None if back is None else back.recovered_s
    return failover(journal, fault_s=phases.fault_s, recovered_s=recovered_s, calls=calls if counted else None)


def _pacing_fields(journal: Journal) -> dict[str, Any]:
    late = pacing(journal.operations)
    return {} if late is None else {"late_p50_ms": round(late.p50_ms, 3), "late_p99_ms": round(late.p99_ms, 3)}


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
        "fault_s": since(phases.fault_s, phases),
        "healed_s": since(phases.healed_s, phases),
        "ended_s": since(phases.ended_s, phases),
        **detection_fields(journal, phases),
        "rollback": "unknown" if rollback is None else "clean" if rollback.detail.get("clean") is True else "dirty",
        "left": _left(rollback),
        "cpu_percent": _cpu_percent(journal),
    }


def _recovery_fields(back: Recovery | None, phases: Phases, method: Method) -> dict[str, Any]:
    if back is None:
        return {}
    return {
        "felt": back.felt,
        "recovered_s": since(back.recovered_s, phases),
        "rto_s": back.rto_s,
        "rto_interval_s": back.rto_interval_s,
        "rto_at_least_s": back.at_least_s,
        "past_deadline": back.past_deadline,
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


def _notes(journal: Journal, phases: Phases, back: Recovery | None) -> list[str]:
    notes = []
    if back is not None and not back.felt:
        notes.append(f"not felt: {phases.fired} effects fired and every operation stayed good")
    if back is not None and back.down:
        notes.append(f"{', '.join(back.down)} was down to the end, whatever the other operations did")
    cpu = _cpu_percent(journal)
    if cpu is not None and cpu > CPU_LIMIT_PERCENT:
        notes.append(
            f"the machine was {cpu:.0f} % busy in steady state (limit {CPU_LIMIT_PERCENT:.0f} %): "
            "latencies include the harness itself"
        )
    refused = [str(event.detail["refused"]) for event in journal.named(RESTORE) if event.detail.get("refused")]
    notes += [f"the table could not be restored, so everything in it is lost: {reason}" for reason in refused]
    return notes + probe_notes(journal, phases)


def _cpu_percent(journal: Journal) -> float | None:
    return max((float(event.detail.get("percent", 0.0)) for event in journal.named(CPU)), default=None)


def _detail(event: Event | None, key: str, default: Default) -> Default:
    return default if event is None else event.detail.get(key, default)


def _left(rollback: Event | None) -> list[str]:
    left: list[Any] = _detail(rollback, "left", [])  # JSON as the drill wrote it
    return [str(item) for item in left]
