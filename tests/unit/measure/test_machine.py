"""A miss that the machine explains is open; one that it does not explain stays a miss; nothing becomes green."""

from dataclasses import replace

import msgspec
import pytest

from harness.measure.awaited import for_a_replica
from harness.measure.journal import ALARM, ALARMS_WATCHED, MACHINE, REPLICA_LOOK, Event, Journal, Operation
from harness.measure.machine import crowd, on_a_quiet_machine, quiet_s
from harness.measure.method import Method
from harness.measure.objectives import DrillObjectives
from harness.measure.phases import phases_of
from harness.measure.scripted import Outage, Script, play
from harness.measure.verdict import RunJudgement, judge

METHOD = Method(latency_limit_s=1.0)
OBJECTIVES = DrillObjectives(rto_s=1.0, availability=0.99, lost=0)
SLOW_ANSWERS = Outage(start_s=13.0, end_s=18.0, outcome="ok", status=200, latency_s=2.8)
NO_ANSWERS = Outage(start_s=13.0, end_s=18.0, latency_s=2.8)
ERRORS = Outage(start_s=13.0, end_s=18.0, latency_s=0.02)


def judged(outage: Outage, *, contention: float = 1.0, stall_s: float = 0.0, until_s: float = 40.0) -> RunJudgement:
    noted = tuple(
        Event(
            at_s=at_s + 0.5,
            name=MACHINE,
            detail={"from_s": at_s, "contention": contention, "stall_s": stall_s},
        )
        for at_s in (n / 2 for n in range(80))
        if at_s < until_s
    )
    return judge(play(Script(outages=(outage,), extra=noted)), OBJECTIVES, METHOD)


def verdicts(judgement: RunJudgement) -> dict[str, str]:
    return {objective.name: objective.verdict for objective in judgement.objectives}


def test_answers_that_a_crowded_machine_made_late_prove_no_miss() -> None:
    judgement = judged(SLOW_ANSWERS, contention=7.0)
    assert verdicts(judgement) == {"rto": "inconclusive", "availability": "inconclusive", "lost": "pass"}
    assert judgement.verdict == judgement.figures.verdict == "inconclusive"
    assert "250 answers were late while this machine was overloaded (7.0 processes for each core" in (
        judgement.objectives[0].reason
    )
    assert judgement.figures.doubts == [judgement.objectives[0].reason]


@pytest.mark.parametrize("contention", [0.2, 1.0, 1.1])
def test_answers_that_were_late_on_a_quiet_machine_are_a_miss(contention: float) -> None:
    assert verdicts(judged(SLOW_ANSWERS, contention=contention))["rto"] == "fail"


def test_a_machine_that_was_crowded_at_another_time_explains_nothing() -> None:
    assert verdicts(judged(SLOW_ANSWERS, contention=7.0, until_s=13.0))["rto"] == "fail"


def test_errors_that_came_fast_are_the_services_own_however_crowded_the_machine_is() -> None:
    assert verdicts(judged(ERRORS, contention=9.0))["rto"] == "fail"


@pytest.mark.parametrize(("contention", "verdict"), [(1.9, "fail"), (2.0, "inconclusive")])
def test_an_answer_that_never_came_is_excused_by_an_overload_only(contention: float, verdict: str) -> None:
    assert verdicts(judged(NO_ANSWERS, contention=contention))["rto"] == verdict


def test_a_machine_that_stood_still_explains_what_it_kept_waiting() -> None:
    assert verdicts(judged(SLOW_ANSWERS, stall_s=0.9))["rto"] == "inconclusive"
    assert verdicts(judged(NO_ANSWERS, stall_s=0.9))["rto"] == "inconclusive"
    assert verdicts(judged(NO_ANSWERS, stall_s=0.1))["rto"] == "fail"


def test_what_the_prober_was_late_itself_is_not_the_services() -> None:
    journal = play(Script(outages=(Outage(start_s=13.0, end_s=14.0, outcome="ok", status=200, latency_s=1.3),)))
    late = [
        msgspec.structs.replace(o, started_s=o.scheduled_s + 1.2) if o.ended_s - o.scheduled_s > 1.0 else o
        for o in journal.operations
    ]
    load = Event(at_s=40.0, name=MACHINE, detail={"from_s": 0.0, "contention": 1.0, "stall_s": 0.0})
    excused = on_a_quiet_machine(replace(journal, operations=tuple(late), events=(load,)), METHOD)
    assert excused is not None
    assert excused.count == sum(o.ended_s - o.scheduled_s > 1.0 for o in late)
    assert all(o.ended_s - o.scheduled_s <= 1.0 for o in excused.journal.operations)


def test_an_overload_makes_nothing_green() -> None:
    missed = judge(play(Script(outages=(ERRORS,))), OBJECTIVES, METHOD)
    assert missed.verdict == "fail"
    for contention in (1.0, 7.0):
        assert judged(SLOW_ANSWERS, contention=contention).verdict != "pass"


def test_where_nobody_watched_the_machine_it_explains_nothing() -> None:
    journal: Journal = play(Script(outages=(SLOW_ANSWERS,)))
    assert on_a_quiet_machine(journal, METHOD) is None
    assert judge(journal, OBJECTIVES, METHOD).verdict == "fail"


@pytest.mark.parametrize(
    ("contention", "until_s", "verdict"), [(3.9, 40.0, "fail"), (4.0, 40.0, "inconclusive"), (9.0, 12.0, "fail")]
)
def test_an_alarm_that_never_came_is_missed_once_a_quiet_machine_would_have_told_in_time(
    contention: float, until_s: float, verdict: str
) -> None:
    watched = Event(at_s=0.5, name=ALARMS_WATCHED, detail={"names": ["errors"], "missing": []})
    loads = [
        Event(at_s=at_s + 1.0, name=MACHINE, detail={"from_s": float(at_s), "contention": contention, "stall_s": 0.0})
        for at_s in range(round(until_s))
    ]
    found = judge(play(Script(extra=(watched, *loads))), DrillObjectives(detect_s=7.0, lost=0), METHOD)
    assert verdicts(found) == {"detect": verdict, "lost": "pass"}  # it was waited for 28 s
    assert found.verdict == verdict


@pytest.mark.parametrize(("contention", "verdict"), [(1.9, "fail"), (2.1, "inconclusive")])
def test_an_alarm_that_came_late_is_excused_by_as_much_as_the_machine_was_crowded(
    contention: float, verdict: str
) -> None:
    told = [
        Event(at_s=0.5, name=ALARMS_WATCHED, detail={"names": ["errors"], "missing": []}),
        Event(at_s=22.0, name=ALARM, detail={"alarm": "errors", "state": "ALARM"}),
    ]
    script = Script(extra=(*told, load(0.0, 40.0, contention)))
    found = judge(play(script), DrillObjectives(detect_s=5.0), METHOD)
    assert verdicts(found) == {"detect": verdict}
    assert found.figures.detect_s == pytest.approx(10.0)


@pytest.mark.parametrize(("contention", "verdict"), [(3.9, "fail"), (4.1, "inconclusive")])
@pytest.mark.parametrize("comes", [True, False])
def test_one_write_that_came_too_late_to_the_replica_for_any_machine_is_a_miss(
    contention: float, verdict: str, comes: bool
) -> None:
    keys = [f"order-{number:05d}" for number in range(0, 2000, 2)]
    look = Event(at_s=40.1, name=REPLICA_LOOK, detail={"new": keys if comes else keys[1:]})
    script = Script(extra=(look, load(0.0, 41.0, contention)))
    found = judge(play(script), DrillObjectives(staleness_s=10.0), METHOD)
    assert verdicts(found) == {"staleness": verdict}


def test_it_was_waited_for_what_was_acknowledged_and_not_lost() -> None:
    looks = [
        Event(at_s=at_s, name=REPLICA_LOOK, detail={"new": new}) for at_s, new in ((3.0, ["order-00000"]), (5.0, []))
    ]
    script = Script(rate=1.0, ended_s=6.0, fault_s=4.0, lost_keys=frozenset({"order-00002"}), extra=tuple(looks))
    journal = play(script)
    waits = for_a_replica(journal, phases_of(journal))
    assert [(round(since_s), until_s) for since_s, until_s in waits] == [(0, 3.0), (4, 5.0)]


def load(from_s: float, to_s: float, contention: float, stall_s: float = 0.0) -> Event:
    return Event(at_s=to_s, name=MACHINE, detail={"from_s": from_s, "contention": contention, "stall_s": stall_s})


@pytest.mark.parametrize(
    ("loads", "quiet"),
    [
        ([], 15.0),
        ([load(0.0, 10.0, 2.0)], 12.5),
        ([load(0.0, 10.0, 2.0, 1.0)], 12.25),  # half of the stall was in it
        ([load(10.0, 20.0, 2.0, 2.0)], 9.0),
        ([load(0.0, 10.0, 1.0, 30.0)], 10.0),  # it stood still
        ([load(0.0, 5.0, 9.0), load(20.0, 30.0, 9.0, 5.0)], 15.0),  # before and after
        ([load(18.0, 30.0, 4.0), load(6.0, 8.0, 2.0)], 12.5),
    ],
)
def test_time_on_a_crowded_machine_is_less_on_a_quiet_one(loads: list[Event], quiet: float) -> None:
    journal = Journal(operations=(), events=tuple(loads), readings=())
    assert quiet_s(journal, 5.0, 20.0) == pytest.approx(quiet)


def alone(ended_s: float, *loads: tuple[float, float, float], outcome: str = "ok", stall_s: float = 0.0) -> bool:
    """Whether one operation, due at 10 s, is excused by loads of (from, to, contention)."""
    one = Operation(
        id=0, kind="k", scheduled_s=10.0, started_s=10.0, ended_s=ended_s, outcome=outcome  # type: ignore[arg-type] # by name
    )  # fmt: skip
    noted = tuple(
        Event(at_s=to_s, name=MACHINE, detail={"from_s": from_s, "contention": contention, "stall_s": stall_s})
        for from_s, to_s, contention in loads
    )
    return on_a_quiet_machine(Journal(operations=(one,), events=noted, readings=()), METHOD) is not None


@pytest.mark.parametrize(
    ("loads", "excused"),
    [
        (((0.0, 10.2, 9.0), (10.2, 30.0, 1.0)), False),  # crowded before it was due
        (((0.0, 11.8, 1.0), (11.8, 30.0, 9.0)), False),  # and after it had ended
        (((0.0, 10.5, 9.0), (10.5, 30.0, 1.0)), True),
        (((0.0, 30.0, 2.0),), True),  # just in time on a quiet machine
        (((0.0, 10.0, 9.0), (12.0, 30.0, 9.0)), False),  # nobody watched meanwhile
    ],
)
def test_the_load_counts_for_as_long_as_the_operation_was_under_way(
    loads: tuple[tuple[float, float, float], ...], excused: bool
) -> None:
    assert alone(12.0, *loads) is excused


def test_an_answer_just_in_time_needs_no_excuse() -> None:
    assert not alone(11.0, (0.0, 30.0, 9.0))


def test_a_stall_of_just_the_limit_explains_an_answer_that_never_came() -> None:
    assert alone(12.0, (0.0, 30.0, 1.0), outcome="unknown", stall_s=1.0)


def test_what_was_certainly_not_applied_has_no_excuse() -> None:
    assert not alone(12.0, (0.0, 30.0, 9.0), outcome="fail")


def test_the_crowd_is_of_what_was_noted_after_an_instant() -> None:
    journal = Journal(operations=(), events=(load(0.0, 5.0, 9.0), load(5.0, 10.0, 1.0)), readings=())
    assert (crowd(journal, from_s=5.0), crowd(journal)) == (1.0, 5.0)
