"""The edges of the measures, where one comparison, one bound or one term decides; found by `make mutate`."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from harness.measure.checkers.append_only import check_append_only
from harness.measure.checkers.bank import Transfer, check_bank
from harness.measure.checkers.calls import Call, Value
from harness.measure.checkers.counter import check_counter
from harness.measure.checkers.exactly_once import check_exactly_once
from harness.measure.checkers.linearizable import check_linearizable
from harness.measure.checkers.register import check_register
from harness.measure.checkers.versions import check_versions
from harness.measure.clocks import LARGEST_STEP_S, TIMER_S, clock_flaw
from harness.measure.comparison import compare_all, runs_needed
from harness.measure.doubts import Doubts
from harness.measure.history import compare, passes_of, unreadable, writes_of
from harness.measure.journal import (
    ALARM,
    ALARMS_WATCHED,
    CLOCK,
    DRILL_ENDED,
    DRILL_STARTED,
    EVIDENCE,
    FAULT_FIRED,
    FAULT_HEALED,
    OBSERVATION_ENDED,
    WORKLOAD,
    Event,
    Journal,
    Operation,
    Outcome,
    Reading,
)
from harness.measure.method import Method
from harness.measure.objectives import DrillObjectives
from harness.measure.phases import phases_of
from harness.measure.recovery import Samples, recovery, unsteady
from harness.measure.scripted import Outage, Script, play
from harness.measure.statistics import median_interval, percentile
from harness.measure.verdict import RunJudgement, judge


def operation(number: int, at_s: float, *, ended_s: float | None = None, outcome: Outcome = "ok") -> Operation:
    return Operation(
        id=number,
        kind="k",
        key=f"k{number}",
        write=True,
        scheduled_s=at_s,
        started_s=at_s,
        ended_s=at_s if ended_s is None else ended_s,
        outcome=outcome,
    )


def journal(*events: Event, operations: Sequence[Operation] = ()) -> Journal:
    return Journal(operations=tuple(operations), events=tuple(sorted(events, key=lambda e: e.at_s)), readings=())


def event(name: str, at_s: float, **detail: object) -> Event:
    return Event(at_s=at_s, name=name, detail=detail)


# -- recovery


def test_an_operation_that_ended_bad_at_the_very_instant_of_the_fault_felt_it() -> None:
    due = [n / 10 for n in range(150)]
    ended, good = [at_s + 0.01 for at_s in due], [True] * 150
    ended[49], good[49] = 5.0, False
    samples = Samples(scheduled_s=due, ended_s=ended, good=good)
    assert recovery(samples, fault_s=5.0, end_s=15.0, method=Method(window_s=2.0, hold_s=4.0)).felt


def test_an_operation_at_the_end_of_a_window_is_outside_of_it() -> None:
    due = [float(n) for n in range(30)]
    samples = Samples(scheduled_s=due, ended_s=due, good=[n not in {5, 8} for n in range(30)])
    found = recovery(samples, fault_s=5.0, end_s=30.0, method=Method(window_s=2.0, hold_s=4.0, theta=0.6))
    assert found.rto_s == 4.0


def test_an_unsteady_baseline_is_told_by_its_own_operations() -> None:
    due = [n / 10 for n in range(200)]
    samples = Samples(scheduled_s=due, ended_s=due, good=[n % 2 == 0 for n in range(200)])
    told = unsteady(samples, start_s=5.0, end_s=15.0, method=Method())
    assert told == "the baseline was not steady: 50 of 100 operations were good (50.00%, 99.00% needed)"


# -- history


def reading(pass_number: int, *, present: bool = True, at_s: float = 1.0) -> Reading:
    return Reading(at_s=at_s, pass_number=pass_number, key="a", present=present)


def test_passes_are_told_by_their_numbers_whatever_their_order() -> None:
    passes = passes_of([reading(3), reading(1, present=False), reading(2, at_s=7.0)])
    assert (passes.last["a"].pass_number, passes.before["a"].pass_number) == (3, 2)


def test_of_two_readings_in_the_pass_before_the_later_one_counts() -> None:
    passes = passes_of([reading(2), reading(1, at_s=1.0), reading(1, at_s=2.0)])
    assert passes.before["a"].at_s == 2.0


def test_two_readings_in_one_pass_are_no_second_pass() -> None:
    writes = writes_of([replace_key(operation(0, 1.0), "a")])
    assert "not read back twice" in unreadable(writes, passes_of([reading(1), reading(1)]))


def replace_key(one: Operation, key: str) -> Operation:
    import msgspec

    return msgspec.structs.replace(one, key=key)


def test_unknown_writes_that_are_there_are_counted() -> None:
    writes = writes_of([operation(n, 1.0, outcome="unknown") for n in range(3)])
    found = {"k0": Reading(at_s=9.0, pass_number=1, key="k0", present=True)}
    history = compare(writes, found)
    assert (history.unknown, history.unknown_applied) == (3, 1)


# -- statistics and comparison


def test_a_percentile_is_not_moved_by_rounding() -> None:
    assert percentile([float(n) for n in range(1, 101)], 0.07) == 7.0


def test_an_interval_that_has_just_the_confidence_is_one() -> None:
    assert median_interval([1.0, 2.0], confidence=0.5) == (1.0, 2.0)


EDGE = 2 / 70  # the smallest p of four runs and four


def test_as_many_runs_as_give_just_alpha_are_enough() -> None:
    assert runs_needed(alpha=EDGE) == 4


def test_a_p_of_just_alpha_is_a_difference_and_its_shift_is_told() -> None:
    found = compare_all({"rto": ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0])}, alpha=EDGE)["rto"]
    assert (found.answer, found.shift) == ("differs", 4.0)


def test_runs_that_could_have_shown_a_difference_and_did_not_can_tell() -> None:
    found = compare_all({"rto": ([1.0, 3.0, 5.0, 7.0], [2.0, 4.0, 6.0, 8.0])}, alpha=EDGE)["rto"]
    assert found.answer == "no difference shown"


def test_runs_that_never_came_back_on_both_sides_do_not_shift_anything() -> None:
    never = float("inf")
    assert compare_all({"rto": ([never, 1.0], [never, 5.0])})["rto"].shift == 4.0


# -- clocks


def test_a_wall_clock_that_moved_by_just_the_largest_step_is_believed() -> None:
    marks = [event(CLOCK, at_s, wall_s=1024.0 + at_s + moved) for at_s, moved in ((0.0, 0.0), (8.0, LARGEST_STEP_S))]
    assert clock_flaw(journal(*marks)) == ""


@pytest.mark.parametrize("early_s", [0.0, TIMER_S / 2, TIMER_S])
def test_an_operation_may_end_as_it_begins_and_begin_a_timer_early(early_s: float) -> None:
    import msgspec

    one = msgspec.structs.replace(operation(0, 1.0), started_s=1.0 - early_s, ended_s=1.0 - early_s)
    assert clock_flaw(journal(operations=[one])) == ""


def test_a_disorder_of_phases_is_told_by_how_much() -> None:
    told = clock_flaw(journal(event(DRILL_STARTED, 30.0), event(OBSERVATION_ENDED, 20.0)))
    assert told == "the clock jumped: observation_ended is 10.0 s before drill_started"


# -- phases


def test_the_first_effect_counts_whoever_vouches_for_it_where_nobody_knows_what_is_used() -> None:
    found = phases_of(journal(event(FAULT_FIRED, 12.0), event(EVIDENCE, 40.0, fired=1, first_fired_s=11.5)))
    assert found.fault_s == 11.5


def test_the_sum_is_enough_where_no_single_effect_was_told() -> None:
    used = event(WORKLOAD, 10.0, functions=["place"])
    assert phases_of(journal(used, event(EVIDENCE, 40.0, fired=1, first_fired_s=12.0))).fault_s == 12.0


def test_an_effect_on_what_is_not_used_is_not_the_fault_although_the_sum_begins_with_it() -> None:
    found = phases_of(
        journal(
            event(WORKLOAD, 10.0, functions=["place"]),
            event(FAULT_FIRED, 11.0, function="report"),
            event(FAULT_FIRED, 12.0, function="place"),
            event(EVIDENCE, 40.0, fired=2, first_fired_s=11.0),
        )
    )
    assert (found.fault_s, found.beside) == (12.0, ())


def test_a_fault_is_healed_with_its_last_effect_and_fired_as_often_as_the_largest_sum_says() -> None:
    found = phases_of(
        journal(
            event(FAULT_HEALED, 20.0),
            event(FAULT_HEALED, 24.0),
            event(EVIDENCE, 40.0, fired=5),
            event(EVIDENCE, 41.0, fired=0),
        )
    )
    assert (found.healed_s, found.fired) == (24.0, 5)


def test_a_journal_that_does_not_say_so_begins_and_ends_with_what_it_holds() -> None:
    found = phases_of(
        journal(
            event(FAULT_FIRED, 12.0), event(DRILL_ENDED, 99.0), operations=[operation(0, 3.0), operation(1, 30.0)]
        )
    )
    assert found.started_s == 3.0
    assert found.ended_s == pytest.approx(30.0)


# -- doubts and judging


def judged(script: Script, **objectives: object) -> RunJudgement:
    return judge(play(script), DrillObjectives(**objectives), Method())  # type: ignore[arg-type] # by name


def test_one_effect_that_fired_is_enough() -> None:
    assert judged(Script(fired=1), lost=0).verdict == "pass"


def test_a_fault_as_the_baseline_ends_is_not_before_its_end() -> None:
    assert judged(Script(extra=(event(FAULT_FIRED, 11.0),)), lost=0).verdict == "pass"


def test_an_alarm_at_the_instant_of_the_fault_did_not_ring_before() -> None:
    watched = event(ALARMS_WATCHED, 0.5, names=["errors"], missing=[])
    rang = event(ALARM, 12.0, alarm="errors", state="ALARM")
    assert judged(Script(extra=(watched, rang)), detect_s=5.0).verdict == "pass"


@pytest.mark.parametrize(("late_s", "doubted"), [(0.5, False), (1.0, False), (1.25, True)])
def test_a_prober_is_doubted_when_it_is_later_than_the_latency_limit(late_s: float, doubted: bool) -> None:
    import msgspec

    exact = play(Script(rate=8.0))
    late = [
        msgspec.structs.replace(o, started_s=o.scheduled_s + late_s, ended_s=o.scheduled_s + late_s)
        for o in exact.operations
    ]
    found = judge(replace(exact, operations=tuple(late)), DrillObjectives(lost=0), Method(latency_limit_s=1.0))
    assert any("prober itself was late" in doubt for doubt in found.figures.doubts) is doubted


def test_rpo_rests_on_the_data_and_nothing_else_does() -> None:
    doubts = Doubts()
    doubts.add("data", "unread")
    assert doubts.reasons(frozenset({"rpo"})) == ["unread"]
    assert doubts.reasons(frozenset({"recovery"})) == []


def test_an_objective_that_is_just_met_is_met() -> None:
    assert judged(Script(), availability=1.0).verdict == "pass"


def test_as_long_as_the_fault_is_longer_than_a_limit_of_its_length() -> None:
    down = Script(outages=(Outage(start_s=12.0, end_s=24.5),))
    assert judged(down, rto_s=12.0).verdict == "fail"
    assert judged(down, rto_s=12.1).verdict == "inconclusive"


def test_an_alarm_that_never_came_took_longer_than_was_watched() -> None:
    watched = event(ALARMS_WATCHED, 0.5, names=["errors"], missing=[])
    (objective,) = judged(Script(extra=(watched,)), detect_s=5.0).objectives
    assert (objective.verdict, objective.above) == ("fail", 28.0)


def test_what_is_worse_than_anything_has_no_figure() -> None:
    lost = frozenset({"order-00700"})  # acknowledged after the fault
    (objective,) = judged(Script(lost_keys=lost), rpo_s=5.0).objectives
    assert (objective.verdict, objective.measured, objective.above) == ("fail", None, None)


# -- checkers


def call(value: Value, start_s: float, end_s: float, *, action: str = "write", outcome: Outcome = "ok") -> Call:
    return Call(key="k", action=action, value=value, started_s=start_s, ended_s=end_s, outcome=outcome)  # type: ignore[arg-type] # by name


def test_writes_that_touch_in_time_may_have_come_in_either_order() -> None:
    assert check_register([call(1, 0.0, 1.0), call(2, 1.0, 2.0)], {"k": 1}) == []


def test_a_read_may_have_seen_a_write_that_began_as_it_ended() -> None:
    assert check_register([call(1, 0.0, 1.0, action="read"), call(1, 1.0, 2.0)], {"k": 1}) == []


def test_a_lost_update_is_told_with_the_last_acknowledged_write() -> None:
    (found,) = check_register([call(1, 0.0, 1.0), call(2, 2.0, 3.0)], {"k": None})
    assert (found.at_s, found.detail) == (3.0, "acknowledged 2, and the end was nothing")


def test_an_end_that_nobody_wrote_is_told_without_an_instant() -> None:
    (found,) = check_register([call(1, 0.0, 1.0, outcome="fail")], {"k": 9})
    assert (found.at_s, found.detail) == (None, "no acknowledged write, and the end was 9")


def test_elements_that_touch_in_time_may_stand_in_either_order() -> None:
    assert check_append_only([call("a", 0.0, 1.0), call("b", 1.0, 2.0)], {"k": ["b", "a"]}) == []


def test_an_addition_that_began_as_a_read_ended_may_count() -> None:
    calls = [call(5, 0.0, 1.0, action="read"), call(5, 1.0, 2.0)]
    assert check_counter(calls, {"k": 5}) == []


def test_a_read_that_is_too_low_is_found_although_the_end_is_right() -> None:
    (found,) = check_counter([call(5, 0.0, 1.0), call(3, 2.0, 3.0, action="read")], {"k": 5})
    assert (found.kind, found.at_s) == ("lost addition", 3.0)


def test_a_sum_between_those_that_are_possible_is_neither_lost_nor_doubled() -> None:
    (found,) = check_counter([call(5, 0.0, 1.0, outcome="unknown")], {"k": 3})
    assert (found.kind, found.detail) == ("impossible sum", "3, and between 0 and 5 is possible")


def test_a_read_without_an_answer_says_nothing() -> None:
    assert check_counter([call(5, 0.0, 1.0), call(3, 2.0, 3.0, action="read", outcome="unknown")], {"k": 5}) == []


def test_versions_that_touch_in_time_may_stand_in_either_order() -> None:
    assert check_versions([call("a", 0.0, 1.0), call("b", 1.0, 2.0)], {"k": ["a", "b"]}) == []


def test_an_account_may_be_empty() -> None:
    transfer = Transfer(source="a", target="b", amount=5, ended_s=1.0)
    assert check_bank([transfer], [(2.0, {"a": 0, "b": 5})], initial={"a": 5, "b": 0}) == []


def test_a_duplicate_is_told_with_the_first_acknowledgement() -> None:
    calls = [call(None, 0.0, 1.0), call(None, 2.0, 3.0)]
    (found,) = check_exactly_once(calls, {"charges": {"k": 2}})
    assert (found.kind, found.at_s) == ("duplicate", 1.0)


def test_an_order_that_one_attempt_may_have_placed_is_no_phantom() -> None:
    calls = [call(None, 0.0, 1.0, outcome="fail"), call(None, 2.0, 3.0, outcome="unknown")]
    assert check_exactly_once(calls, {"charges": {"k": 1}}) == []


def test_the_first_answer_that_nothing_explains_is_named_as_what_it_was() -> None:
    calls = [
        call(5, 0.0, 1.0, action="read"),  # of a write that began as it ended
        call(5, 1.0, 2.0, outcome="unknown"),
        call(None, 3.0, 4.0, action="read"),
    ]
    (found,) = check_linearizable(calls)
    assert (found.at_s, found.detail) == (4.0, "no order of the calls explains that this one read None")
