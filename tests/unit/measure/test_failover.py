"""Where an RTO went, and what a procedure that failed or did nothing does to a verdict."""

from typing import Any

import pytest

from harness.measure.failover import FailoverFigures, failover
from harness.measure.journal import (
    NAME_ANSWERED,
    PROCEDURE_ENDED,
    PROCEDURE_STARTED,
    PROCEDURE_STEP,
    Event,
    Journal,
)
from harness.measure.method import Method
from harness.measure.objectives import DrillObjectives
from harness.measure.scripted import Outage, Script, play
from harness.measure.verdict import RunJudgement, judge

FAULT_S, BACK_S = 12.0, 24.0
METHOD = Method(
    latency_limit_s=1.0, baseline_s=10.0, hold_s=5.0, window_s=2.0, deadline_s=20.0, must_recover_in_fault=False
)
BEFORE = Event(at_s=1.0, name=NAME_ANSWERED, detail={"answer": "home"})


def told(name: str, at_s: float, **detail: Any) -> Event:
    return Event(at_s=at_s, name=name, detail={"what": "failover", "procedure": "p:f", **detail})


def judged(*extra: Event, back_s: float = BACK_S) -> RunJudgement:
    outage = Outage(start_s=FAULT_S, end_s=back_s)
    return judge(play(Script(outages=(outage,), extra=extra)), DrillObjectives(rto_s=15.0), METHOD)


def procedure(code: int = 0, error: str = "", begin_s: float = 16.0, end_s: float = 21.0) -> list[Event]:
    return [
        told(PROCEDURE_STARTED, begin_s, why="the test"),
        told(PROCEDURE_STEP, begin_s + 1.0, step="restore"),
        told(PROCEDURE_STEP, begin_s + 3.0, step="deploy"),
        told(PROCEDURE_ENDED, end_s, code=code, error=error),
    ]


def test_the_rto_is_detection_then_procedure_then_names_without_a_gap() -> None:
    moved = Event(at_s=22.5, name=NAME_ANSWERED, detail={"answer": "standby"})
    over = judged(BEFORE, *procedure(), moved).figures.failover
    assert over is not None
    assert (over.detection_s, over.procedure_s, over.names_s) == pytest.approx((4.0, 5.0, 3.0))
    assert over.name_moved_s == pytest.approx(10.5)
    assert [(step.name, step.at_s, step.took_s) for step in over.steps] == [
        ("restore", pytest.approx(5.0), pytest.approx(2.0)),
        ("deploy", pytest.approx(7.0), pytest.approx(2.0)),
    ]


def test_a_procedure_after_the_recovery_has_no_part_of_it() -> None:
    moved = Event(at_s=20.0, name=NAME_ANSWERED, detail={"answer": "standby"})
    over = judged(BEFORE, moved, *procedure(begin_s=30.0, end_s=35.0)).figures.failover
    assert over is not None
    assert (over.detection_s, over.procedure_s, over.names_s) == pytest.approx((8.0, 0.0, 4.0))


def test_names_that_alternate_before_the_fault_have_not_moved() -> None:
    other = Event(at_s=2.0, name=NAME_ANSWERED, detail={"answer": "other"})
    again = Event(at_s=15.0, name=NAME_ANSWERED, detail={"answer": "other"})
    over = judged(BEFORE, other, again).figures.failover
    assert over is not None
    assert over.name_moved_s is None


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (procedure(1, "no such table"), "failed at step 'deploy': no such table"),
        (procedure()[:1], "the failover procedure did not end"),
        ([told(PROCEDURE_ENDED, 40.0, code=-1, error="it was not begun")], "failed: it was not begun"),
        ([told(PROCEDURE_STARTED, 16.0), told(PROCEDURE_ENDED, 17.0, code=0)], "did nothing: no step"),
    ],
)
def test_what_came_back_without_the_procedure_proves_nothing_of_it(events: list[Event], said: str) -> None:
    found = judged(BEFORE, *events)
    assert found.verdict == "inconclusive"
    assert said in found.figures.doubts[0]


def test_what_did_not_come_back_is_a_miss_and_says_how_the_procedure_failed() -> None:
    found = judged(BEFORE, *procedure(1, "Route 53 did not answer"), back_s=40.0)
    assert found.verdict == "fail"
    assert "Route 53 did not answer" in found.figures.notes[0]


def figures(*events: Event, recovered_s: float = BACK_S, calls: int | None = None) -> FailoverFigures:
    found = failover(Journal(events=events), fault_s=FAULT_S, recovered_s=recovered_s, calls=calls)
    assert found is not None
    return found


def parts(one: FailoverFigures) -> tuple[float | None, float | None, float | None]:
    return one.detection_s, one.procedure_s, one.names_s


def test_what_begins_just_as_the_service_is_back_has_no_part_of_it() -> None:
    moved = Event(at_s=20.0, name=NAME_ANSWERED, detail={"answer": "standby"})
    assert parts(figures(BEFORE, moved, *procedure(begin_s=BACK_S))) == (8.0, 0.0, 4.0)


def test_what_comes_back_before_names_move_was_found_all_the_time() -> None:
    moved = Event(at_s=BACK_S + 1.0, name=NAME_ANSWERED, detail={"answer": "standby"})
    assert parts(figures(BEFORE, moved)) == (12.0, 0.0, 0.0)


def test_a_name_that_moves_at_the_very_instant_of_the_fault_has_moved() -> None:
    moved = Event(at_s=FAULT_S, name=NAME_ANSWERED, detail={"answer": "standby"})
    assert figures(BEFORE, moved).name_moved_s == 0.0


def test_data_are_as_old_as_their_last_protection() -> None:
    protected = Event(at_s=3.0, name=PROCEDURE_STARTED, detail={"what": "protect"})
    assert figures(BEFORE, protected).protected_s == 9.0


@pytest.mark.parametrize(
    ("steps", "calls", "nothing"), [(True, 0, False), (False, 2, False), (False, None, False), (False, 0, True)]
)
def test_a_procedure_did_nothing_when_neither_steps_nor_calls_tell_of_it(
    steps: bool, calls: int | None, nothing: bool
) -> None:
    events = procedure() if steps else [procedure()[0], procedure()[-1]]
    assert bool(figures(*events, calls=calls).problem) is nothing


def test_a_drill_without_a_failover_has_none() -> None:
    assert judged().figures.failover is None
