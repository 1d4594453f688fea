"""A pass must be earned: whatever makes a figure doubtful keeps its objective from passing."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.measure.figures import ObjectiveVerdict
from harness.measure.journal import (
    ALARM,
    ALARMS_WATCHED,
    CHECK_FAILED,
    CONTROL_PLANE_CALL,
    EVIDENCE,
    ROLLBACK,
    VERIFICATION_ENDED,
    Event,
    Journal,
    Operation,
    journal_path,
)
from harness.measure.method import Method
from harness.measure.objectives import DrillObjectives, parse_objectives
from harness.measure.scripted import Outage, Script, play
from harness.measure.verdict import RunJudgement, drill_record, judge, not_supported_record, overall

OBJECTIVES = DrillObjectives(rto_s=5.0, rpo_s=0.0, availability=0.9, lost=0, duplicates=0, unfulfilled=0)
METHOD = Method()
THREE_SECONDS = (Outage(start_s=12.0, end_s=15.0),)
GOOD = Script(outages=THREE_SECONDS)
WATCHED = Event(at_s=0.5, name=ALARMS_WATCHED, detail={"names": ["errors"], "missing": []})


def verdicts(judgement: RunJudgement) -> dict[str, str]:
    return {objective.name: objective.verdict for objective in judgement.objectives}


def without(journal: Journal, name: str) -> Journal:
    return replace(journal, events=tuple(event for event in journal.events if event.name != name))


def test_a_three_second_outage_meets_five_seconds() -> None:
    judged = judge(play(GOOD), OBJECTIVES, METHOD)
    assert judged.verdict == "pass"
    assert set(verdicts(judged).values()) == {"pass"}
    figures = judged.figures
    assert figures.rto_s == pytest.approx(3.0)
    assert figures.rto_interval_s == pytest.approx((2.98, 3.0))
    assert (figures.fault_s, figures.recovered_s) == (12.0, pytest.approx(15.0))
    assert (figures.acked, figures.unknown, figures.lost) == (925, 75, 0)
    assert figures.availability == pytest.approx(0.925)
    assert figures.availability_in_fault == pytest.approx(0.75)
    assert figures.availability_by_kind == {"place_order": 0.925, "read_order": 0.925}
    assert figures.rollback == "clean"
    assert figures.experiment_id.startswith("EXP")
    assert figures.doubts == []


@pytest.mark.parametrize(
    ("script", "missed"),
    [
        (replace(GOOD, outages=(Outage(start_s=12.0, end_s=18.0),)), {"rto", "availability"}),
        (replace(GOOD, lost_keys=frozenset({"order-00590"})), {"rpo", "lost"}),
        (replace(GOOD, double_keys=frozenset({"order-00100"})), {"duplicates"}),
        (replace(GOOD, open_keys=frozenset({"order-00100"})), {"unfulfilled"}),
        (replace(GOOD, outages=(Outage(start_s=12.0, end_s=40.0),)), {"rto", "availability"}),
    ],
)
def test_a_missed_objective_fails_and_the_others_keep_their_verdict(script: Script, missed: set[str]) -> None:
    judged = judge(play(script), OBJECTIVES, METHOD)
    assert judged.verdict == "fail"
    assert {name for name, verdict in verdicts(judged).items() if verdict == "fail"} == missed
    assert "inconclusive" not in verdicts(judged).values()


def _cut(journal: Journal) -> Journal:
    return replace(journal, complete=False, flaw="line 7 of the journal is damaged")


def _early(journal: Journal) -> Journal:
    return replace(journal, events=(*journal.events, Event(at_s=5.0, name="fault_fired")))


def _checker_failed(journal: Journal) -> Journal:
    return replace(
        journal,
        events=(*journal.events, Event(at_s=41.0, name=CHECK_FAILED, detail={"check": "probe", "error": "x"})),
    )


@pytest.mark.parametrize(
    ("journal", "reason"),
    [
        (play(replace(GOOD, fired=0)), "never fired"),
        (play(replace(GOOD, fault_s=None)), "no evidence"),
        (without(play(GOOD), EVIDENCE), "no evidence"),
        (play(replace(GOOD, outages=(*THREE_SECONDS, Outage(start_s=2.0, end_s=3.0)))), "not steady"),
        (play(replace(GOOD, outages=(*THREE_SECONDS, Outage(start_s=2.0, end_s=3.0)))), "times place_order got "),
        (_cut(play(GOOD)), "damaged"),
        (_early(play(GOOD)), "before the baseline had ended"),
        (_checker_failed(play(GOOD)), "check 'probe' failed to run"),
        (without(play(GOOD), ROLLBACK), "rollback"),
        (without(play(GOOD), "baseline_ended"), "no baseline"),
        (replace(play(GOOD), operations=play(GOOD).operations[:1200]), "sent nothing"),
    ],
)
def test_a_doubtful_run_is_inconclusive_in_every_objective(journal: Journal, reason: str) -> None:
    judged = judge(journal, OBJECTIVES, METHOD)
    assert judged.verdict == "inconclusive"
    assert set(verdicts(judged).values()) == {"inconclusive"}
    assert any(reason in doubt for doubt in judged.figures.doubts)


def test_a_steady_state_probe_that_did_not_hold_is_inconclusive() -> None:
    journal = without(play(GOOD), "baseline_ended")
    ended = Event(at_s=11.0, name="baseline_ended", detail={"probes_hold": False, "reason": "queue not empty"})
    judged = judge(replace(journal, events=(*journal.events, ended)), OBJECTIVES, METHOD)
    assert judged.verdict == "inconclusive"
    assert "queue not empty" in judged.figures.doubts[0]


def test_readings_that_disagree_leave_only_the_data_objectives_open() -> None:
    journal = play(GOOD)
    flipped = replace(journal, readings=(*journal.readings[:-1], _absent(journal)))
    told = verdicts(judge(flipped, OBJECTIVES, METHOD))
    assert {name for name, verdict in told.items() if verdict == "inconclusive"} == {
        "rpo",
        "lost",
        "duplicates",
        "unfulfilled",
    }
    assert told["rto"] == "pass"


def _absent(journal: Journal):
    import msgspec

    return msgspec.structs.replace(journal.readings[-1], present=not journal.readings[-1].present)


def test_writes_that_nobody_verified_are_not_safe() -> None:
    told = verdicts(judge(without(play(GOOD), VERIFICATION_ENDED), OBJECTIVES, METHOD))
    assert told["lost"] == told["rpo"] == "inconclusive"


def test_no_acknowledgement_just_before_the_fault_leaves_only_rpo_open() -> None:
    late = replace(GOOD, outages=(*THREE_SECONDS, Outage(start_s=10.98, end_s=12.0)), fault_s=12.5)
    told = verdicts(judge(play(late), OBJECTIVES, replace(METHOD, theta=0.98)))
    assert told["rpo"] == "inconclusive"
    assert told["lost"] == "pass"


def test_a_loss_after_the_fault_is_no_recovery_point_at_all() -> None:
    judged = judge(play(replace(GOOD, lost_keys=frozenset({"order-01000"}))), OBJECTIVES, METHOD)
    assert verdicts(judged)["rpo"] == "fail"
    assert judged.figures.split_brain == 1


def test_not_recovered_while_watched_for_too_short_is_inconclusive_not_failed() -> None:
    judged = judge(
        play(replace(GOOD, outages=(Outage(start_s=12.0, end_s=40.0),))), DrillObjectives(rto_s=50.0), METHOD
    )
    assert verdicts(judged) == {"rto": "inconclusive"}
    assert judged.objectives[0].above == pytest.approx(28.0)


def test_not_recovered_by_the_deadline_is_a_miss_whatever_the_limit() -> None:
    method = Method(deadline_s=20.0)
    down = replace(GOOD, outages=(Outage(start_s=12.0, end_s=40.0),))
    judged = judge(play(down), DrillObjectives(rto_s=50.0), method)
    assert verdicts(judged) == {"rto": "fail"}
    assert (judged.objectives[0].measured, judged.objectives[0].above) == (None, 20.0)
    assert judged.objectives[0].reason == "not recovered by the deadline"


def test_a_dirty_rollback_fails_whatever_the_objectives_say() -> None:
    judged = judge(play(replace(GOOD, rollback_left=("rule r-1",))), OBJECTIVES, METHOD)
    assert set(verdicts(judged).values()) == {"pass"}
    assert judged.verdict == "fail"
    assert judged.figures.left == ["rule r-1"]
    assert overall([drill_record("d", "AZ", [judged], method=METHOD)]) == ("fail", 7)


def test_a_checker_that_raises_is_inconclusive(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("harness.measure.data.compare", broken)
    judged = judge(play(GOOD), OBJECTIVES, METHOD)
    told = verdicts(judged)
    assert told["lost"] == told["duplicates"] == told["rpo"] == "inconclusive"
    assert told["rto"] == "pass"
    assert judged.verdict == "inconclusive"


def test_static_stability_lists_every_control_plane_call_of_the_recovery() -> None:
    asked = replace(OBJECTIVES, static_stability=True)
    call = {"service": "lambda", "operation": "UpdateFunctionConfiguration", "resource": "fulfil"}
    extra = (
        Event(at_s=5.0, name=CONTROL_PLANE_CALL, detail=call),
        Event(at_s=13.0, name=CONTROL_PLANE_CALL, detail=call),
        Event(at_s=13.5, name=CONTROL_PLANE_CALL, detail={"service": "fis", "operation": "StopExperiment"}),
        Event(at_s=39.0, name=CONTROL_PLANE_CALL, detail=call),
    )
    broken = judge(play(replace(GOOD, extra=extra)), asked, METHOD)
    assert verdicts(broken)["static_stability"] == "fail"
    assert broken.figures.static_stability == "broken"
    assert [made["at_s"] for made in broken.figures.control_plane_calls] == [13.0]
    assert judge(play(GOOD), asked, METHOD).figures.static_stability == "held"
    assert judge(play(GOOD), OBJECTIVES, METHOD).figures.static_stability == "not_asked"


def test_time_to_detect_is_the_first_alarm_after_the_fault() -> None:
    alarms = tuple(
        Event(at_s=at_s, name=ALARM, detail={"alarm": "errors", "state": state})
        for at_s, state in ((3.0, "ALARM"), (9.0, "OK"), (16.5, "ALARM"), (20.0, "ALARM"))
    )
    alarms = (WATCHED, *alarms)
    asked = DrillObjectives(detect_s=5.0)
    judged = judge(play(replace(GOOD, extra=alarms)), asked, METHOD)
    assert judged.figures.detect_s == 4.5
    assert verdicts(judged) == {"detect": "pass"}
    assert verdicts(judge(play(replace(GOOD, extra=(WATCHED,))), asked, METHOD)) == {"detect": "fail"}


def test_latency_counts_what_was_never_acknowledged() -> None:
    asked = DrillObjectives(p50_s=0.1, p99_s=10.0)
    judged = judge(play(GOOD), asked, METHOD)
    assert judged.figures.p99_ms is None
    assert verdicts(judged) == {"p50": "pass", "p99": "fail"}


def test_a_late_answer_is_not_good() -> None:
    slow = Script(outages=(Outage(start_s=12.0, end_s=14.0, outcome="ok", status=201, latency_s=5.0),))
    judged = judge(play(slow), OBJECTIVES, METHOD)
    assert judged.figures.rto_s == pytest.approx(2.0)


def test_what_must_be_felt_and_is_not_is_inconclusive() -> None:
    script = Script()
    assert judge(play(script), OBJECTIVES, METHOD).verdict == "pass"
    assert judge(play(script), OBJECTIVES, METHOD).figures.notes
    assert judge(play(script), OBJECTIVES, replace(METHOD, must_be_felt=True)).verdict == "inconclusive"


def test_without_objectives_nothing_is_judged() -> None:
    judged = judge(play(GOOD), DrillObjectives(), METHOD)
    assert judged.verdict == "inconclusive"
    assert "no objective" in judged.figures.doubts[0]


def test_an_empty_journal_is_inconclusive() -> None:
    assert judge(Journal(), OBJECTIVES, METHOD).verdict == "inconclusive"


def test_what_the_target_cannot_measure_is_listed_and_never_a_pass() -> None:
    judged = judge(play(GOOD), OBJECTIVES, METHOD, not_supported=frozenset({"rpo"}))
    assert verdicts(judged)["rpo"] == "not_supported"
    assert judged.verdict == "not_supported"


def test_several_runs_report_every_value_and_the_worst() -> None:
    runs = [
        judge(play(replace(GOOD, outages=(Outage(start_s=12.0, end_s=end_s),))), OBJECTIVES, METHOD)
        for end_s in (13.0, 15.0, 14.0)
    ]
    drill = drill_record("zone-loss", "AZ", runs, method=METHOD)
    rto = next(objective for objective in drill.objectives if objective.name == "rto")
    assert rto.measured == pytest.approx(3.0)
    assert rto.values == pytest.approx([1.0, 3.0, 2.0])
    assert rto.median == pytest.approx(2.0)
    assert rto.median_interval is None
    assert drill.miss_rate_bound == pytest.approx(1 - 0.05 ** (1 / 3))


def test_a_run_that_never_recovered_is_not_averaged_away() -> None:
    runs = [
        judge(play(replace(GOOD, outages=(Outage(start_s=12.0, end_s=end_s),))), OBJECTIVES, METHOD)
        for end_s in (13.0, 40.0)
    ]
    rto = drill_record("zone-loss", "AZ", runs, method=METHOD).objectives[0]
    assert (rto.measured, rto.median, rto.verdict) == (None, None, "fail")
    assert rto.above == pytest.approx(28.0)


def test_what_is_past_any_figure_is_told_by_the_longest_that_was_watched() -> None:
    runs = [
        judge(play(replace(GOOD, ended_s=ended_s, outages=(Outage(start_s=12.0, end_s=60.0),))), OBJECTIVES, METHOD)
        for ended_s in (40.0, 44.0, 42.0)
    ]
    assert drill_record("zone-loss", "AZ", runs, method=METHOD).objectives[0].above == pytest.approx(32.0)


def open_run(name: str, measured: float | None, *, at_least: bool, reason: str) -> RunJudgement:
    figures = judge(play(GOOD), OBJECTIVES, METHOD).figures
    objective = ObjectiveVerdict(
        name=name, limit=0.5, measured=measured, verdict="inconclusive", unit="s", at_least=at_least, reason=reason
    )
    return RunJudgement(figures=figures, objectives=(objective,), verdict="inconclusive")


@pytest.mark.parametrize(
    ("at_least", "values", "worst"),
    [
        (True, [0.9, 0.2, 0.4], "1"),
        (False, [0.9, 0.2, 0.4], "0"),
        (True, [0.1, None, 0.2], "1"),
        (False, [0.9, None, 1.2], "1"),
    ],
)
def test_of_verdicts_alike_the_worst_figure_gives_the_reason_and_an_unknown_one_is_worse(
    at_least: bool, values: list[float | None], worst: str
) -> None:
    runs = [open_run("x", value, at_least=at_least, reason=str(n)) for n, value in enumerate(values)]
    record = drill_record("d", "AZ", runs, method=METHOD)
    assert record.objectives[0].reason == worst
    assert record.miss_rate_bound is None  # nothing was shown


def test_each_run_of_a_drill_has_a_journal_of_its_own() -> None:
    assert journal_path(Path("runs/x"), "zone-loss", 2) == Path("runs/x/journals/zone-loss-2.jsonl")


def test_a_drill_is_called_by_its_title_and_by_its_name_without_one() -> None:
    assert drill_record("d", "AZ", [], method=METHOD).title == "d"
    assert drill_record("d", "AZ", [], method=METHOD, title="A zone").title == "A zone"
    assert not_supported_record("d", "AZ", reason="").title == "d"
    assert not_supported_record("d", "AZ", reason="", title="A zone").title == "A zone"


def test_an_objective_without_a_budget_burns_none() -> None:
    assert judge(play(GOOD), DrillObjectives(availability=1.0), METHOD).figures.burn_rate is None


def test_the_whole_run_takes_the_worst() -> None:
    passed = drill_record("a", "AZ", [judge(play(GOOD), OBJECTIVES, METHOD)], method=METHOD)
    open_ = drill_record("b", "AZ", [judge(play(replace(GOOD, fired=0)), OBJECTIVES, METHOD)], method=METHOD)
    missed = drill_record("c", "AZ", [judge(play(GOOD), DrillObjectives(rto_s=1.0), METHOD)], method=METHOD)
    lacking = not_supported_record("d", "AZ", reason="no zones here")
    assert overall([]) == ("pass", 0)
    assert overall([passed, lacking]) == ("pass", 0)
    assert overall([lacking]) == ("inconclusive", 5)
    assert overall([passed, open_]) == ("inconclusive", 5)
    assert overall([passed, open_, missed]) == ("fail", 1)
    assert overall([passed], scenarios_failed=1) == ("fail", 1)


def test_the_same_journal_gives_the_same_answer() -> None:
    assert judge(play(GOOD), OBJECTIVES, METHOD) == judge(play(GOOD), OBJECTIVES, METHOD)


def test_objectives_are_read_as_a_drill_writes_them() -> None:
    told = {"rto": "30s", "rpo": "0s", "availability": 0.99, "lost": 0, "p99": "250ms", "static_stability": True}
    assert parse_objectives(told) == DrillObjectives(
        rto_s=30.0, rpo_s=0.0, availability=0.99, lost=0, p99_s=0.25, static_stability=True
    )
    assert parse_objectives(told).names == ("rto", "rpo", "availability", "lost", "p99", "static_stability")


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"rt0": "30s"}, "did you mean 'rto'"),
        ({"rto": 30}, "not a duration"),
        ({"rto": "soon"}, "not a duration"),
        ({"availability": 1.5}, "cannot be met"),
        ({"lost": -1}, "cannot be met"),
        ({"lost": 0.5}, "whole number"),
        ({"lost": True}, "not a number"),
        ({"static_stability": "yes"}, "neither true nor false"),
    ],
)
def test_an_impossible_objective_is_refused(told: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_objectives(told)


@pytest.mark.parametrize("terms", [{"theta": 0.0}, {"theta": 1.5}, {"window_s": 0.0}, {"hold_s": 1.0}])
def test_an_impossible_method_is_refused(terms: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        Method(**terms)


def test_a_hold_as_long_as_a_window_is_long_enough() -> None:
    assert Method(window_s=2.0, hold_s=2.0).hold_s == 2.0


@pytest.mark.parametrize(("ended_s", "good"), [(12.0, True), (12.001, False)])
def test_an_answer_just_in_time_is_good(ended_s: float, good: bool) -> None:
    one = Operation(id=1, kind="k", scheduled_s=10.0, started_s=10.1, ended_s=ended_s, outcome="ok")
    assert Method(latency_limit_s=2.0).good(one) is good
    assert one.latency_s == ended_s - 10.0


def test_good_answers_that_wait_for_the_end_of_the_fault_are_no_recovery() -> None:
    waited = replace(GOOD, outages=(Outage(start_s=12.0, end_s=24.5),))
    shorter_than_the_fault = judge(play(waited), replace(OBJECTIVES, rto_s=8.0), METHOD)
    assert verdicts(shorter_than_the_fault)["rto"] == "fail"
    assert shorter_than_the_fault.figures.rto_s == pytest.approx(12.5)
    longer_than_the_fault = judge(play(waited), replace(OBJECTIVES, rto_s=30.0), METHOD)
    assert verdicts(longer_than_the_fault)["rto"] == "inconclusive"
    rto = next(objective for objective in longer_than_the_fault.objectives if objective.name == "rto")
    assert (rto.measured, rto.above) == (None, 12.0)
    assert "once the fault was ended" in rto.reason


def test_a_drill_may_count_a_recovery_after_the_fault() -> None:
    waited = replace(GOOD, outages=(Outage(start_s=12.0, end_s=24.5),))
    judged = judge(play(waited), replace(OBJECTIVES, rto_s=30.0), Method(must_recover_in_fault=False))
    assert verdicts(judged)["rto"] == "pass"
    assert not judged.figures.only_after_fault


def test_an_alarm_that_rang_before_leaves_the_others_to_tell() -> None:
    watched = Event(at_s=0.5, name=ALARMS_WATCHED, detail={"names": ["errors", "dead"], "missing": []})
    before = Event(at_s=1.0, name=ALARM, detail={"alarm": "dead", "state": "ALARM"})
    asked = DrillObjectives(detect_s=5.0)
    assert verdicts(judge(play(replace(GOOD, extra=(watched, before))), asked, METHOD)) == {"detect": "fail"}
    told = Event(at_s=14.0, name=ALARM, detail={"alarm": "errors", "state": "ALARM"})
    judged = judge(play(replace(GOOD, extra=(watched, before, told))), asked, METHOD)
    assert (judged.verdict, judged.figures.detect_s, judged.figures.detected_by) == ("pass", 2.0, "errors")
    stranger = Event(at_s=14.0, name=ALARM, detail={"alarm": "another stack's", "state": "ALARM"})
    assert judge(play(replace(GOOD, extra=(watched, stranger))), asked, METHOD).figures.detect_s is None
