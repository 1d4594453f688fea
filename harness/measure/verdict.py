"""From a finished journal to a verdict. Pure: the same journal always gives the same answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

import msgspec

from harness.measure.availability import burn_rate
from harness.measure.awaited import for_a_replica, for_an_alarm
from harness.measure.doubts import Area, Doubts, doubt_the_run
from harness.measure.figures import DrillRecord, DrillRunFigures, ObjectiveVerdict, Verdict, worst
from harness.measure.journal import Journal
from harness.measure.judging import area_of, areas_of, judge_objectives
from harness.measure.machine import crowd, on_a_quiet_machine, quiet_s
from harness.measure.method import Method
from harness.measure.objectives import DrillObjectives
from harness.measure.phases import phases_of
from harness.measure.statistics import median, median_interval, miss_rate_bound
from harness.measure.taking import samples_of, take_figures

_IN_TIME: frozenset[Area] = frozenset({"recovery", "availability"})
"""What rests on answers being in time."""

_GRAVEST_FIRST: tuple[Verdict, ...] = ("fail", "inconclusive", "not_supported", "pass")

_AWAITED = {"detect": for_an_alarm, "staleness": for_a_replica}
"""The objectives that are waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunJudgement:
    """One run of a drill: its figures, its objectives and its verdict."""

    figures: DrillRunFigures
    objectives: tuple[ObjectiveVerdict, ...]
    verdict: Verdict


def judge(
    journal: Journal,
    objectives: DrillObjectives,
    method: Method,
    *,
    not_supported: frozenset[str] = frozenset(),
) -> RunJudgement:
    """The figures and verdicts of one run of a drill.

    A miss in time that this machine explains is inconclusive: `harness.measure.machine`.

    Args:
        journal: everything observed, as `read_journal` gives it.
        objectives: the drill's limits; without any the run is inconclusive.
        method: how the figures are taken.
        not_supported: names of objectives that the target cannot measure; they are listed as such.
    """
    judged = _judge(journal, objectives, method, not_supported)
    missed = {o.name: area_of(o.name) for o in judged.objectives if o.verdict == "fail"}
    if _IN_TIME & set(missed.values()) and (quiet := on_a_quiet_machine(journal, method)) is not None:
        spared = {o.name: o.verdict for o in _judge(quiet.journal, objectives, method, not_supported).objectives}
        excused = {name for name, area in missed.items() if area in _IN_TIME and spared[name] != "fail"}
        judged = _excuse(judged, excused, quiet.reason)
    phases = phases_of(journal)
    for objective in judged.objectives:
        if objective.name in _AWAITED and objective.verdict == "fail":
            waits = _AWAITED[objective.name](journal, phases)
            if all(quiet_s(journal, *wait) <= objective.limit for wait in waits):
                longest_s = max((until_s - since_s for since_s, until_s in waits), default=0.0)
                reason = _not_long_enough(objective, longest_s, crowd(journal, from_s=phases.started_s))
                judged = _excuse(judged, {objective.name}, reason)
    return judged


def _not_long_enough(objective: ObjectiveVerdict, longest_s: float, crowded: float) -> str:
    if longest_s <= objective.limit:
        return f"it was waited for {longest_s:.1f} s, and might have come within {objective.limit:g} s"
    return (
        f"this machine had {crowded:.1f} processes for each core while it was waited for: on a quiet one that would "
        "not have been longer than the limit, so that the miss is not proven"
    )


def _excuse(judged: RunJudgement, excused: AbstractSet[str], reason: str) -> RunJudgement:
    """The judgement with these misses open, because the machine explains them."""
    if not excused:
        return judged
    objectives = tuple(
        msgspec.structs.replace(o, verdict="inconclusive", reason=reason) if o.name in excused else o
        for o in judged.objectives
    )
    verdict = "fail" if judged.figures.rollback == "dirty" else worst([o.verdict for o in objectives])
    doubts = [*judged.figures.doubts, reason]
    figures = msgspec.structs.replace(judged.figures, verdict=verdict, doubts=doubts)
    return RunJudgement(figures=figures, objectives=objectives, verdict=verdict)


def _judge(
    journal: Journal, objectives: DrillObjectives, method: Method, not_supported: frozenset[str]
) -> RunJudgement:
    doubts = Doubts()
    phases = phases_of(journal)
    samples = samples_of(journal, method)
    doubt_the_run(doubts, journal, phases, samples, method)
    figures = take_figures(doubts, journal, phases, samples, method)
    judged = judge_objectives(figures, objectives, doubts, not_supported=not_supported)
    if not judged:
        doubts.add("all", "the drill has no objective, so nothing was judged")
    verdict = worst([objective.verdict for objective in judged])
    if figures.rollback == "dirty":
        verdict = "fail"
    figures = msgspec.structs.replace(
        figures,
        verdict=verdict,
        doubts=doubts.reasons(areas_of(objectives)),
        static_stability=_static_stability(figures, asked=objectives.static_stability),
        burn_rate=_burn_rate(figures, objectives),
    )
    return RunJudgement(figures=figures, objectives=judged, verdict=verdict)


def drill_record(
    name: str,
    disruption: str,
    judgements: Sequence[RunJudgement],
    *,
    method: Method,
    title: str = "",
    reason: str = "",
) -> DrillRecord:
    """All runs of a drill as one entry of run.json: every value, the worst, the median with its interval."""
    verdict = worst([judgement.verdict for judgement in judgements])
    by_name: dict[str, list[ObjectiveVerdict]] = {}
    for judgement in judgements:
        for objective in judgement.objectives:
            by_name.setdefault(objective.name, []).append(objective)
    return DrillRecord(
        name=name,
        title=title or name,
        disruption=disruption,
        verdict=verdict,
        reason=reason,
        method=method,
        runs=[judgement.figures for judgement in judgements],
        objectives=[_over_runs(objectives) for objectives in by_name.values()],
        miss_rate_bound=miss_rate_bound(len(judgements)) if judgements and verdict == "pass" else None,
    )


def not_supported_record(name: str, disruption: str, *, reason: str, title: str = "") -> DrillRecord:
    """A drill that the target cannot run; it says so and is never a pass."""
    return DrillRecord(name=name, title=title or name, disruption=disruption, verdict="not_supported", reason=reason)


def overall(drills: Sequence[DrillRecord], *, scenarios_failed: int = 0) -> tuple[Verdict, int]:
    """The verdict of a whole run and its exit code, the worst first: rollback 7, fail 1, inconclusive 5, pass 0.

    Drills that the target does not support are listed and colour nothing, unless no drill passed at all.
    """
    verdicts = [drill.verdict for drill in drills]
    if any(run.rollback == "dirty" for drill in drills for run in drill.runs):
        return "fail", 7
    if scenarios_failed or "fail" in verdicts:
        return "fail", 1
    if "inconclusive" in verdicts or (verdicts and "pass" not in verdicts):
        return "inconclusive", 5
    return "pass", 0


def _over_runs(objectives: Sequence[ObjectiveVerdict]) -> ObjectiveVerdict:
    """The objective over all runs. A run without a value makes the worst unknown, never an average."""
    values = [objective.measured for objective in objectives]
    known = [value for value in values if value is not None]
    first = objectives[0]
    complete = len(known) == len(values)
    gravest = min(objectives, key=_from_the_worst)
    return msgspec.structs.replace(
        first,
        measured=(min(known) if first.at_least else max(known)) if complete and known else None,
        above=max((o.above for o in objectives if o.above is not None), default=None),
        verdict=gravest.verdict,
        reason=gravest.reason,
        values=values,
        median=median(known) if complete and known else None,
        median_interval=median_interval(known) if complete else None,
    )


def _from_the_worst(objective: ObjectiveVerdict) -> tuple[int, float]:
    """Sorts the runs' verdicts: the gravest first, and of these the one whose value is the worst or unknown."""
    if objective.measured is None:
        return _GRAVEST_FIRST.index(objective.verdict), -math.inf
    return _GRAVEST_FIRST.index(objective.verdict), objective.measured * (1.0 if objective.at_least else -1.0)


def _static_stability(figures: DrillRunFigures, *, asked: bool) -> Literal["held", "broken", "not_asked"]:
    if not asked or figures.fault_s is None:
        return "not_asked"
    return "broken" if figures.control_plane_calls else "held"


def _burn_rate(figures: DrillRunFigures, objectives: DrillObjectives) -> float | None:
    if figures.availability is None or objectives.availability is None or objectives.availability >= 1.0:
        return None
    return burn_rate(figures.availability, objectives.availability)
