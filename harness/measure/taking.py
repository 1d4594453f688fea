"""Takes every figure of one drill run from its journal.

The parts below return mappings with field names of `DrillRunFigures`; their values are `Any` because they differ
by field, and the struct's own names are checked when it is built.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, TypeVar

from harness.measure.availability import Availability, Latency, availability, latency
from harness.measure.checkers.linearizable import UNDECIDED
from harness.measure.doubts import Doubts
from harness.measure.effects import Effects, effects_of, wrong_answers
from harness.measure.evidence import findings_of
from harness.measure.failover import FailoverFigures, failover
from harness.measure.figures import DrillRunFigures
from harness.measure.finding import MOST_FINDINGS, Finding
from harness.measure.history import History, Write, compare, passes_of, unreadable, writes_of
from harness.measure.journal import (
    ALARM,
    ALARMS_WATCHED,
    CONTROL_PLANE_CALL,
    CPU,
    DRILL_STARTED,
    EVIDENCE,
    EXPERIMENT_STARTED,
    PROBE,
    QUEUES_WAITING,
    RESTORE,
    ROLLBACK,
    STORE_CHECKED,
    STORE_FINDING,
    VERIFICATION_ENDED,
    Event,
    Journal,
)
from harness.measure.loss import Loss, loss
from harness.measure.method import Method
from harness.measure.pacing import pacing
from harness.measure.phases import Phases
from harness.measure.recovery import Recovery, Samples, recovery
from harness.measure.staleness import Staleness, looks_of, staleness
from harness.measure.statistics import residual_error_bound

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
    data = doubts.attempt("data", lambda: _data(doubts, journal, phases))
    lost = doubts.attempt("rpo", lambda: _loss(phases, data, method))
    doubts.add("rpo", lost.doubt if lost is not None else "")
    served = doubts.attempt("availability", lambda: _served(journal, phases, samples))
    stores = doubts.attempt("stores", lambda: _store_fields(doubts, journal, phases))
    stale = doubts.attempt("staleness", lambda: _staleness(doubts, journal, data))
    calls = _control_plane_calls(journal, phases, back)
    wrong = wrong_answers(journal, started_s=phases.started_s)
    over = doubts.attempt("recovery", lambda: _failover(journal, phases, back, len(calls)))
    if over is not None and back is not None and not back.past_deadline:
        # What was never back is a miss, whoever failed. What came back by itself is not this procedure's doing.
        doubts.add("all", over.problem)
    fields = {
        **_story(journal, phases),
        **_recovery_fields(back, phases, method),
        **_data_fields(
            data, lost, effects_of(journal), [*wrong[:MOST_FINDINGS], *_unseen(stale, phases), *(stores or [])]
        ),
        "waiting": sum(int(event.detail.get("messages", 0)) for event in journal.named(QUEUES_WAITING)),
        **_served_fields(served),
        **_staleness_fields(stale),
        **_end_fields(samples, phases),
        **_pacing_fields(journal),
        "wrong": len(wrong),
        "failover": over,
        "anomalies": _anomalies(journal),
        "amplification": _amplification(journal, phases, samples),
        "probes_broken": _probes_broken(doubts, journal),
        "control_plane_calls": calls,
        "notes": [*([over.problem] if over is not None and over.problem else []), *_notes(journal, phases, back)],
    }
    return DrillRunFigures(**fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    whole: Availability
    in_fault: Availability | None
    latency: Latency | None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Data:
    writes: dict[str, Write]
    history: History
    findings: list[Finding]


def _data(doubts: Doubts, journal: Journal, phases: Phases) -> _Data:
    writes = writes_of(journal.operations)
    passes = passes_of(journal.readings)
    history = compare(writes, passes.last)
    if journal.first(VERIFICATION_ENDED) is None:
        doubts.add("data", "the writes were not verified")
    elif not history.acked:
        doubts.add("data", "no write was acknowledged, so none could be lost")
    else:
        doubts.add("data", unreadable(writes, passes))
    verified = journal.first(VERIFICATION_ENDED) is not None  # what nobody looked for is not missing
    findings = findings_of(history, writes, passes.last, started_s=phases.started_s) if verified else []
    return _Data(writes=writes, history=history, findings=findings)


def _failover(journal: Journal, phases: Phases, back: Recovery | None, calls: int) -> FailoverFigures | None:
    evidence = journal.first(EVIDENCE)
    counted = evidence is not None and evidence.detail.get("source") != "fis"
    recovered_s = None if back is None else back.recovered_s
    return failover(journal, fault_s=phases.fault_s, recovered_s=recovered_s, calls=calls if counted else None)


def _loss(phases: Phases, data: _Data | None, method: Method) -> Loss | None:
    if phases.fault_s is None or phases.fired < 1 or data is None:
        return None
    return loss(data.history, fault_s=phases.fault_s, guard_s=method.rpo_guard_s)


def _served(journal: Journal, phases: Phases, samples: Samples) -> _Served:
    start_s = phases.started_s if phases.baseline_started_s is None else phases.baseline_started_s
    whole, in_fault = _span(samples, start_s, phases.ended_s), phases.fault_window
    return _Served(
        whole=_available(journal, samples, whole),
        in_fault=_available(journal, samples, _span(samples, *in_fault)) if in_fault else None,
        latency=latency(journal.operations[whole]),
    )


def _span(samples: Samples, start_s: float, end_s: float) -> slice:
    """The operations scheduled in [start_s, end_s)."""
    return slice(bisect_left(samples.scheduled_s, start_s), bisect_left(samples.scheduled_s, end_s))


def _available(journal: Journal, samples: Samples, span: slice) -> Availability:
    return availability(journal.operations[span], samples.good[span])


def _end_fields(samples: Samples, phases: Phases) -> dict[str, Any]:
    """How many good answers in a row ended the observation, and which error rate they leave possible."""
    seen = samples.good[: bisect_left(samples.scheduled_s, phases.ended_s)]
    goods = sum(1 for _ in takewhile(bool, reversed(seen)))
    return {"goods_at_end": goods, "residual_error": residual_error_bound(goods) if goods else None}


def _anomalies(journal: Journal) -> int | None:
    checked = [int(event.detail.get("anomalies", 0)) for event in journal.named(STORE_CHECKED)]
    return sum(checked) if checked else None


def _amplification(journal: Journal, phases: Phases, samples: Samples) -> float | None:
    """Calls that met a fault rule, for each operation that was sent while it was in force; None where none did.

    Source: Google, Site Reliability Engineering, chapter 22, "Addressing Cascading Failures": retries multiply load.
    """
    calls = sum(int(event.detail.get("calls", 0)) for event in journal.named(EVIDENCE))
    if phases.fault_window is None or not calls:
        return None
    span = _span(samples, *phases.fault_window)
    return calls / (span.stop - span.start) if span.stop > span.start else None


def _probes_broken(doubts: Doubts, journal: Journal) -> int | None:
    """How many steady-state probes did not hold at the last look, after the observation."""
    last = [event for event in journal.named(PROBE) if event.detail.get("phase") == "after"]
    if not last:
        doubts.add("probes", "no steady-state probe was asked after the fault")
        return None
    return sum(event.detail.get("holds") is not True for event in last)


def _probe_notes(journal: Journal, phases: Phases) -> list[str]:
    """Each probe that stopped holding: when first, and whether it holds again at the end."""
    notes: dict[str, str] = {}
    for event in journal.named(PROBE):
        name, phase = str(event.detail.get("probe")), event.detail.get("phase")
        if phase == "during" and not event.detail.get("holds") and name not in notes and phases.fault_s is not None:
            after_s = event.at_s - phases.fault_s
            notes[name] = f"probe {name!r} did not hold {after_s:.1f} s after the fault: {event.detail.get('why')}"
        elif phase == "after" and name in notes:
            notes[name] += "; at the end it did" if event.detail.get("holds") else "; nor at the end"
    return list(notes.values())


def _pacing_fields(journal: Journal) -> dict[str, Any]:
    late = pacing(journal.operations)
    return {} if late is None else {"late_p50_ms": round(late.p50_ms, 3), "late_p99_ms": round(late.p99_ms, 3)}


def _kept(data: _Data) -> dict[str, Write]:
    """The writes that were not lost: those could not come to the replica, and are counted as lost."""
    lost = {write.key for write in data.history.lost}
    return {key: write for key, write in data.writes.items() if key not in lost}


def _staleness(doubts: Doubts, journal: Journal, data: _Data | None) -> Staleness | None:
    stale = staleness(_kept(data), looks_of(journal)) if data is not None else None
    if stale is None:
        doubts.add("staleness", "no acknowledged write was looked for at a replica")
    return stale


def _unseen(stale: Staleness | None, phases: Phases) -> list[Finding]:
    """What never came to the replica, by key, and when it was acknowledged."""
    return [
        Finding(
            kind="unseen",
            key=write.key,
            at_s=_since(write.acked_s, phases),
            detail="acknowledged, and no look at the replica returned it",
        )
        for write in (stale.unseen[:MOST_FINDINGS] if stale is not None else ())
    ]


def _staleness_fields(stale: Staleness | None) -> dict[str, Any]:
    if stale is None:
        return {}
    return {
        "staleness_p50_s": _finite(stale.p50_s),
        "staleness_p95_s": _finite(stale.p95_s),
        "staleness_max_s": _finite(stale.max_s),
        "stale_writes": stale.writes,
        "unseen_writes": len(stale.unseen),
    }


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
        **_detection_fields(journal, phases),
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


def _store_fields(doubts: Doubts, journal: Journal, phases: Phases) -> list[Finding]:
    """The broken promises of single stores; a search that gave up, or a store that took nothing, is a doubt."""
    checked = list(journal.named(STORE_CHECKED))
    if not checked:
        doubts.add("stores", "no store was worked beside the drill")
    for event in checked:
        if not event.detail.get("calls_ok"):
            doubts.add("stores", f"no call of the store {event.detail.get('store', '?')} was acknowledged")
    found = []
    for event in journal.named(STORE_FINDING):
        kind, at_s = str(event.detail.get("kind", "")), event.detail.get("found_s")
        if kind == UNDECIDED:
            doubts.add("stores", f"{event.detail.get('store')}: {event.detail.get('detail')}")
            continue
        found.append(
            Finding(
                kind=f"{event.detail.get('store')}: {kind}",
                key=str(event.detail.get("key", "")),
                at_s=at_s - phases.started_s if isinstance(at_s, int | float) else None,
                detail=str(event.detail.get("detail", "")),
            )
        )
    return found


def _data_fields(data: _Data | None, lost: Loss | None, effects: Effects, stores: list[Finding]) -> dict[str, Any]:
    fields: dict[str, Any] = {"findings": stores}
    if lost is not None:
        fields |= {"rpo_s": lost.rpo_s, "split_brain": lost.split_brain}
    if data is not None:
        history = data.history
        fields |= {
            "findings": [*data.findings, *effects.findings, *stores],
            "acked": len(history.acked),
            "lost": len(history.lost),
            "holes": len(history.holes),
            "phantom": len(history.phantom) + effects.strays,
            "duplicate": history.duplicates + effects.surplus,
            "unfulfilled": len(history.unfulfilled) + len(history.partial) + effects.missing,
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
    return notes + _probe_notes(journal, phases)


def first_alarm(journal: Journal, fault_s: float) -> Event | None:
    """The first watched alarm that went into ALARM after the fault."""
    watched = journal.first(ALARMS_WATCHED)
    names = watched.detail.get("names", ()) if watched is not None else ()
    told = (e for e in journal.named(ALARM) if e.at_s >= fault_s and e.detail.get("state") == "ALARM")
    return next((event for event in told if event.detail.get("alarm") in names), None)


def has_cleared(journal: Journal, told: Event) -> bool:
    """Whether an alarm that told was seen OK again after it did."""
    name = told.detail.get("alarm")
    later = (e for e in journal.named(ALARM) if e.at_s > told.at_s and e.detail.get("alarm") == name)
    return any(event.detail.get("state") == "OK" for event in later)


def _detection_fields(journal: Journal, phases: Phases) -> dict[str, Any]:
    """Seconds from the fault to the first watched alarm that went into ALARM, and which it was."""
    alarm = None if phases.fault_s is None else first_alarm(journal, phases.fault_s)
    if alarm is None or phases.fault_s is None:
        return {}
    return {"detect_s": alarm.at_s - phases.fault_s, "detected_by": str(alarm.detail.get("alarm", ""))}


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
