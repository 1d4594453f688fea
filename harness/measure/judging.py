"""Judges figures against objectives, one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.measure.doubts import Area, Doubts
from harness.measure.figures import DrillRunFigures, ObjectiveVerdict, Unit, Verdict
from harness.measure.objectives import DrillObjectives


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure as an objective sees it. `value` None with `above` set: worse than `above`, how much is unknown.

    `missed` is a miss whatever the limit is.
    """

    value: float | None
    above: float | None = None
    reason: str = ""
    missed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measure:
    """How one objective is measured: which doubts touch it, and how to read it from the figures."""

    field: str
    area: Area
    read: Callable[[DrillRunFigures], Measured]
    unit: Unit = "s"
    at_least: bool = False


def _rto(figures: DrillRunFigures) -> Measured:
    if figures.past_deadline:
        return Measured(None, figures.rto_at_least_s, "not recovered by the deadline", missed=True)
    if figures.rto_s is None:
        return Measured(None, figures.rto_at_least_s, "not recovered, or not for long enough, while it was watched")
    if figures.only_after_fault:
        lasted_s = (figures.healed_s or 0.0) - (figures.fault_s or 0.0)
        reason = f"good answers came back only once the fault was ended, {figures.rto_s:.1f} s after it began"
        return Measured(None, lasted_s, reason)
    return Measured(figures.rto_s, reason="" if figures.felt else "not felt")


def _rpo(figures: DrillRunFigures) -> Measured:
    if figures.split_brain:
        reason = f"{figures.split_brain} writes acknowledged after the fault were lost; no recovery point covers them"
        return Measured(None, float("inf"), reason)
    return Measured(figures.rpo_s)


def _seconds(milliseconds: float | None) -> Measured:
    if milliseconds is None:
        return Measured(None, float("inf"), "too many operations were never acknowledged")
    return Measured(milliseconds / 1000.0)


def _staleness(figures: DrillRunFigures) -> Measured:
    if figures.unseen_writes:
        return Measured(None, float("inf"), f"{figures.unseen_writes} writes never reached the replica")
    return Measured(figures.staleness_max_s)


def _duplicates(figures: DrillRunFigures) -> Measured:
    """None yet is none only when nothing can come any more."""
    if figures.waiting and not figures.duplicate:
        return Measured(None, reason=f"{figures.waiting} messages were still under way, and may do their work again")
    return Measured(figures.duplicate)


def _detect(figures: DrillRunFigures) -> Measured:
    if figures.detect_s is None and figures.fault_s is not None and figures.ended_s is not None:
        return Measured(None, figures.ended_s - figures.fault_s, "no alarm went into ALARM")
    return Measured(figures.detect_s)


_MEASURES = {
    "rto": _Measure(field="rto_s", area="recovery", read=_rto),
    "rpo": _Measure(field="rpo_s", area="rpo", read=_rpo),
    "availability": _Measure(
        field="availability",
        area="availability",
        read=lambda f: Measured(f.availability),
        unit="ratio",
        at_least=True,
    ),
    "availability_in_fault": _Measure(
        field="availability_in_fault",
        area="availability",
        read=lambda f: Measured(f.availability_in_fault),
        unit="ratio",
        at_least=True,
    ),
    "lost": _Measure(field="lost", area="data", read=lambda f: Measured(f.lost), unit="count"),
    "duplicates": _Measure(field="duplicates", area="data", read=_duplicates, unit="count"),
    "phantom": _Measure(field="phantom", area="data", read=lambda f: Measured(f.phantom), unit="count"),
    "unfulfilled": _Measure(field="unfulfilled", area="data", read=lambda f: Measured(f.unfulfilled), unit="count"),
    "wrong": _Measure(field="wrong", area="availability", read=lambda f: Measured(f.wrong), unit="count"),
    "anomalies": _Measure(field="anomalies", area="stores", read=lambda f: Measured(f.anomalies), unit="count"),
    "probes": _Measure(field="probes", area="probes", read=lambda f: Measured(f.probes_broken), unit="count"),
    "amplification": _Measure(
        field="amplification", area="stability", read=lambda f: Measured(f.amplification), unit="count"
    ),
    "unknown": _Measure(field="unknown", area="data", read=lambda f: Measured(f.unknown), unit="count"),
    "p50": _Measure(field="p50_s", area="availability", read=lambda f: _seconds(f.p50_ms)),
    "p95": _Measure(field="p95_s", area="availability", read=lambda f: _seconds(f.p95_ms)),
    "p99": _Measure(field="p99_s", area="availability", read=lambda f: _seconds(f.p99_ms)),
    "detect": _Measure(field="detect_s", area="detect", read=_detect),
    "staleness": _Measure(field="staleness_s", area="staleness", read=_staleness),
    "static_stability": _Measure(
        field="static_stability", area="stability", read=lambda f: Measured(len(f.control_plane_calls)), unit="count"
    ),
}


def judge_objectives(
    figures: DrillRunFigures, objectives: DrillObjectives, doubts: Doubts, *, not_supported: frozenset[str]
) -> tuple[ObjectiveVerdict, ...]:
    """A verdict for each objective that is set."""
    judged = []
    for name in objectives.names:
        limit = _limit(name, objectives)
        if name in not_supported:
            judged.append(_verdict(name, limit, Measured(None), "not_supported", "this target cannot measure it"))
        else:
            measured = _MEASURES[name].read(figures)
            judged.append(_judge(name, limit, measured, doubts.about(_MEASURES[name].area)))
    return tuple(judged)


def area_of(objective: str) -> Area:
    """What an objective rests on."""
    return _MEASURES[objective].area


def areas_of(objectives: DrillObjectives) -> frozenset[Area]:
    """The areas that the objectives which are set rest on."""
    return frozenset(_MEASURES[name].area for name in objectives.names)


def _judge(name: str, limit: float, measured: Measured, doubt: str) -> ObjectiveVerdict:
    if doubt:
        return _verdict(name, limit, measured, "inconclusive", doubt)
    if measured.value is None:
        missed = measured.missed or (measured.above is not None and measured.above >= limit)
        reason = measured.reason or "it could not be measured"
        return _verdict(name, limit, measured, "fail" if missed else "inconclusive", reason)
    met = measured.value >= limit if _MEASURES[name].at_least else measured.value <= limit
    return _verdict(name, limit, measured, "pass" if met else "fail", measured.reason)


def _verdict(name: str, limit: float, measured: Measured, verdict: Verdict, reason: str) -> ObjectiveVerdict:
    known = measured.above if measured.above is not None and measured.above != float("inf") else None
    return ObjectiveVerdict(
        name=name,
        limit=limit,
        measured=measured.value,
        verdict=verdict,
        unit=_MEASURES[name].unit,
        at_least=_MEASURES[name].at_least,
        above=known,
        reason=reason,
        values=[measured.value],
    )


def _limit(name: str, objectives: DrillObjectives) -> float:
    """The limit as a number; static stability allows no control-plane call."""
    value = getattr(objectives, _MEASURES[name].field)
    return 0.0 if isinstance(value, bool) else float(value)
