"""Reasons not to trust a figure. A pass must be earned: a doubt turns a verdict into inconclusive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from harness.counting import counted
from harness.measure.clocks import clock_flaw
from harness.measure.journal import (
    ALARM,
    ALARMS_WATCHED,
    BASELINE_ENDED,
    CHECK_FAILED,
    DRILL_STARTED,
    EVIDENCE,
    EXPERIMENT_STARTED,
    ROLLBACK,
    Journal,
)
from harness.measure.method import Method
from harness.measure.pacing import pacing
from harness.measure.phases import Phases
from harness.measure.recovery import Samples, silence, unsteady

Area = Literal[
    "all", "recovery", "data", "rpo", "availability", "stability", "detect", "staleness", "stores", "probes"
]
"""What a doubt touches; `all` touches every objective."""

Result = TypeVar("Result")

_CHECK_AREAS: dict[str, Area] = {"verification": "data", "alarms": "detect", "stores": "stores"}
"""What rests on a check that could not run; on any other check everything does."""


_SAID = 160
"""Characters of an answer that a doubt repeats."""

_LOOKS_S, _SLACK = 1.0, 0.1
"""How much earlier than planned a fault may be seen to end: seconds, and a share of its length."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why figures of `area` prove nothing."""

    area: Area
    reason: str


@dataclass(slots=True)
class Doubts:
    """The doubts about one run, collected while its figures are taken."""

    found: list[Doubt] = field(default_factory=list)

    def add(self, area: Area, reason: str) -> None:
        """Note a doubt; '' is none."""
        if reason:
            self.found.append(Doubt(area, reason))

    def attempt(self, area: Area, checker: Callable[[], Result]) -> Result | None:
        """The checker's result; None and a doubt in `area` when it raises."""
        try:
            return checker()
        except Exception as error:  # noqa: BLE001 - every defect of a checker has one answer: no verdict
            self.add(area, f"a checker raised {type(error).__name__}: {error}")
            return None

    def about(self, area: Area) -> str:
        """The first doubt that touches `area`, or ''."""
        touching = {"all", area} | ({"data"} if area == "rpo" else set())  # RPO rests on the data that was read back
        return next((doubt.reason for doubt in self.found if doubt.area in touching), "")

    def reasons(self, areas: frozenset[Area]) -> list[str]:
        """Every reason that touches one of the areas, once, in the order found."""
        touching = areas | {"all"} | ({"data"} if "rpo" in areas else set())
        return list(dict.fromkeys(doubt.reason for doubt in self.found if doubt.area in touching))


def doubt_the_run(doubts: Doubts, journal: Journal, phases: Phases, samples: Samples, method: Method) -> None:
    """Note what makes the whole run worthless: a cut journal, an unsteady baseline, a fault that never fired."""
    doubts.add("all", journal.flaw or ("" if journal.complete else "the journal is not complete"))
    if (drills := sum(1 for _ in journal.named(DRILL_STARTED))) > 1:
        doubts.add("all", f"the journal holds {drills} drills, and what proves one may belong to another")
    for event in journal.named(CHECK_FAILED):
        area = _CHECK_AREAS.get(event.detail.get("check", ""), "all")
        doubts.add(area, f"check {event.detail.get('check', '?')!r} failed to run: {event.detail.get('error', '')}")
    doubts.add(
        "all",
        doubts.attempt(
            "all",
            lambda: _with_what_was_said(
                unsteady(samples, start_s=phases.baseline_started_s, end_s=phases.baseline_ended_s, method=method),
                journal,
                phases,
            ),
        )
        or "",
    )
    baseline = journal.first(BASELINE_ENDED)
    if baseline is not None and baseline.detail.get("probes_hold", True) is not True:
        doubts.add("all", f"a steady-state probe did not hold: {baseline.detail.get('reason', 'no reason given')}")
    doubts.add("all", doubts.attempt("all", lambda: clock_flaw(journal)) or "")
    doubts.add("all", _no_proof(journal, phases))
    doubts.add("all", _ended_early(journal, phases))
    doubts.add("detect", _no_alarm(journal, phases))
    if journal.first(ROLLBACK) is None:
        doubts.add("all", "nobody checked whether the rollback was clean")
    if phases.fault_s is not None and phases.ended_s > phases.fault_s:
        reason = silence(samples, start_s=phases.fault_s, end_s=phases.ended_s, longest_s=method.window_s)
        doubts.add("all", f"after the fault {reason}" if reason else "")
    late = doubts.attempt("all", lambda: pacing(journal.operations))
    if late is not None and late.p99_ms > method.latency_limit_s * 1000.0:
        doubts.add(
            "all",
            f"the prober itself was late: 1 % of its requests left more than {method.latency_limit_s:g} s after they "
            "were due, so that it measured this machine",
        )


def _with_what_was_said(reason: str, journal: Journal, phases: Phases) -> str:
    """`reason`, with the answer that bad operations of the baseline got most often: people look there first."""
    start_s, end_s = phases.baseline_started_s, phases.baseline_ended_s
    if not reason or start_s is None or end_s is None:
        return reason
    said = Counter(
        (one.kind, one.status, one.detail[:_SAID])
        for one in journal.operations
        if start_s <= one.scheduled_s < end_s and one.outcome != "ok"
    )
    if not said:
        return reason
    ((kind, status, detail), count), *_ = said.most_common(1)
    answer = f"HTTP {status}" if status else "no answer"
    detail = detail.strip().removesuffix(":")  # an exception without words
    return f"{reason}; {counted(count, 'time', 'times')} {kind} got {answer}{f': {detail}' if detail else ''}"


def _no_alarm(journal: Journal, phases: Phases) -> str:
    """Why no alarm can tell of the fault, or '': there is none, or each was in ALARM before."""
    watched = journal.first(ALARMS_WATCHED)
    if watched is None:
        return "nobody watched the alarms"
    if missing := watched.detail.get("missing"):
        return f"the alarm {missing[0]} does not exist"
    alarms = {str(name) for name in watched.detail.get("names", ())}
    if not alarms:
        return "there is no alarm that could have told"
    if phases.fault_s is not None and alarms <= _ringing(journal, phases.fault_s):
        return f"{' and '.join(sorted(alarms))} was in ALARM before the fault"
    return ""


def _ringing(journal: Journal, instant_s: float) -> set[str]:
    """The alarms that were in ALARM at an instant."""
    states = {str(e.detail.get("alarm")): e.detail.get("state") for e in journal.named(ALARM) if e.at_s < instant_s}
    return {alarm for alarm, state in states.items() if state == "ALARM"}


def _ended_early(journal: Journal, phases: Phases) -> str:
    """Why the fault was not in force for as long as the experiment says, or ''.

    `lasts_s` is the longest of its actions; what FIS itself tells of an end is off by a look or two.
    """
    started = journal.first(EXPERIMENT_STARTED)
    lasts_s = float(started.detail.get("lasts_s", 0.0)) if started is not None else 0.0
    if started is None or phases.healed_s is None:
        return ""
    lasted_s = phases.healed_s - started.at_s
    if lasted_s >= lasts_s - max(_LOOKS_S, _SLACK * lasts_s):
        return ""
    return (
        f"the fault was ended after {lasted_s:.1f} s of {lasts_s:g} s: somebody else healed it, or its lease ran out"
    )


def _no_proof(journal: Journal, phases: Phases) -> str:
    """Why the injection is not proven, or ''."""
    if journal.first(EVIDENCE) is None:
        return "there is no evidence that the fault was injected"
    if phases.fired < 1:
        return "the fault never fired on anything the workload uses"
    if phases.beside:
        return f"the fault fired only on {', '.join(phases.beside)}, which the workload does not use"
    if phases.fault_s is None:
        return "the instant of the first effect is not known"
    if phases.baseline_ended_s is not None and phases.fault_s < phases.baseline_ended_s:
        return "the fault fired before the baseline had ended"
    return ""
