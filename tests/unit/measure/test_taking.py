"""What is taken from a journal beside the great measures: spans, probes, notes, who is told first, limits of load."""

from dataclasses import replace

import pytest

from harness.measure.journal import Event, Journal
from harness.measure.method import Method
from harness.measure.objectives import DrillObjectives
from harness.measure.scripted import Outage, Script, play
from harness.measure.verdict import RunJudgement, drill_record, judge

METHOD = Method()
OBJECTIVES = DrillObjectives(rto_s=5.0, lost=0)
GOOD = Script(outages=(Outage(start_s=12.0, end_s=15.0),))


def also(journal: Journal, *events: Event) -> Journal:
    return replace(journal, events=tuple(sorted((*journal.events, *events), key=lambda event: event.at_s)))


def judged(*ends_s: float, objectives: DrillObjectives = OBJECTIVES) -> list[RunJudgement]:
    return [
        judge(play(replace(GOOD, outages=(Outage(start_s=12.0, end_s=end_s),))), objectives, METHOD)
        for end_s in ends_s
    ]


def test_over_runs_the_reason_is_that_of_the_worst_of_the_gravest() -> None:
    """A run that felt nothing must not lend its words to the figure of another."""
    rto = drill_record("d", "AZ", judged(12.0, 15.0), method=METHOD).objectives[0]
    assert (rto.measured, rto.verdict, rto.reason) == (pytest.approx(3.0), "pass", "")
    rto = drill_record("d", "AZ", judged(15.0, 12.0), method=METHOD).objectives[0]
    assert (rto.measured, rto.reason) == (pytest.approx(3.0), "")
    missed = drill_record("d", "AZ", judged(19.0, 40.0, 20.0), method=METHOD).objectives[0]
    assert (missed.measured, missed.verdict) == (None, "fail")
    assert missed.reason == "not recovered, or not for long enough, while it was watched"
    share = drill_record(
        "d", "AZ", judged(13.0, 12.0, objectives=DrillObjectives(availability=0.5)), method=METHOD
    ).objectives[0]
    assert share.measured == pytest.approx(0.975)
