"""What is taken from a journal beside the great measures: spans, probes, notes, who is told first, limits of load."""

import json
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.detection import has_cleared
from harness.measure.effects import effects_of, wrong_answers
from harness.measure.journal import (
    ALARM,
    ALARMS_WATCHED,
    BASELINE_STARTED,
    CONTROL_PLANE_CALL,
    COUNTER_READ,
    CPU,
    EVIDENCE,
    PROBE,
    PROCEDURE_ENDED,
    PROCEDURE_STARTED,
    REPLICA_LOOK,
    STORE_CHECKED,
    STORE_FINDING,
    Event,
    Journal,
    Operation,
    Reading,
)
from harness.measure.load_limits import judge_load
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


# -- what only FIS tells of, what never fired, what came between the fault and the recovery


def fis_says(journal: Journal, *more: Event) -> Journal:
    """As on real AWS: nobody of ours saw the effect."""
    told = [
        msgspec.structs.replace(e, detail={**e.detail, "source": "fis"}) if e.name == EVIDENCE else e
        for e in journal.events
    ]
    return also(replace(journal, events=tuple(told)), *more)


def alarm(at_s: float, state: str) -> Event:
    return Event(at_s=at_s, name=ALARM, detail={"alarm": "errors", "state": state})


@pytest.mark.parametrize(
    ("outages", "alarms", "verdict"),
    [
        (GOOD.outages, (), "pass"),
        ((), (), "inconclusive"),
        ((), (alarm(14.0, "ALARM"), alarm(20.0, "OK")), "pass"),
        ((), (alarm(12.0, "ALARM"),), "pass"),
        ((), (alarm(11.9, "ALARM"), alarm(20.0, "OK")), "inconclusive"),
    ],
)
def test_what_only_fis_tells_of_must_be_felt_or_told(
    outages: tuple[Outage, ...], alarms: tuple[Event, ...], verdict: str
) -> None:
    judgement = judge(fis_says(play(replace(GOOD, outages=outages)), *alarms), OBJECTIVES, METHOD)
    assert judgement.verdict == verdict
    said = [doubt for doubt in judgement.figures.doubts if doubt.startswith("FIS says that it hit 25 resources")]
    assert bool(said) == (verdict == "inconclusive")


def test_what_never_fired_has_neither_recovery_nor_recovery_point() -> None:
    figures = judge(play(replace(GOOD, fired=0)), OBJECTIVES, METHOD).figures
    assert (figures.rto_s, figures.felt, figures.rpo_s) == (None, None, None)
    unknown = judge(play(replace(GOOD, fault_s=None)), OBJECTIVES, METHOD).figures
    assert (unknown.rto_s, unknown.rpo_s, unknown.detect_s) == (None, None, None)


@pytest.mark.parametrize(
    ("healed_s", "recovered_s", "called_s", "counted"),
    [
        (14.0, 18.0, 16.0, True),  # healed, and not yet recovered
        (24.0, 15.0, 20.0, True),  # recovered, and the fault still in force
        (24.0, 15.0, 12.0, True),
        (24.0, 15.0, 24.0, True),
        (24.0, 15.0, 11.99, False),
        (24.0, 15.0, 24.01, False),
    ],
)
def test_calls_count_until_it_is_both_healed_and_recovered(
    healed_s: float, recovered_s: float, called_s: float, counted: bool
) -> None:
    script = Script(outages=(Outage(start_s=12.0, end_s=recovered_s),), healed_s=healed_s)
    call = Event(
        at_s=called_s, name=CONTROL_PLANE_CALL, detail={"service": "lambda", "operation": "UpdateFunctionCode"}
    )
    method = Method(must_recover_in_fault=False)
    found = judge(also(play(script), call), DrillObjectives(static_stability=True), method).figures
    assert bool(found.control_plane_calls) is counted


def test_what_never_recovered_counts_calls_to_the_end() -> None:
    script = Script(outages=(Outage(start_s=12.0, end_s=40.0),))
    call = Event(at_s=39.0, name=CONTROL_PLANE_CALL, detail={"service": "lambda", "operation": "UpdateFunctionCode"})
    assert len(judge(also(play(script), call), OBJECTIVES, METHOD).figures.control_plane_calls) == 1


# -- steady-state probes, machine, limits


def probe(at_s: float, phase: str, *, holds: bool, name: str = "depth") -> Event:
    return Event(
        at_s=at_s, name=PROBE, detail={"probe": name, "phase": phase, "holds": holds, "why": "9 is more than 5"}
    )


def test_a_probe_says_when_it_stopped_holding_and_whether_it_holds_again() -> None:
    events = (
        probe(5.0, "before", holds=True),
        probe(13.5, "during", holds=False),
        probe(14.5, "during", holds=False),
        probe(15.0, "during", holds=True, name="status"),
        probe(39.0, "after", holds=True),
        probe(39.0, "after", holds=False, name="status"),
    )
    figures = judge(also(play(GOOD), *events), DrillObjectives(probes=0), METHOD).figures
    assert figures.probes_broken == 1
    assert figures.notes == ["probe 'depth' did not hold 1.5 s after the fault: 9 is more than 5; at the end it did"]
    never = judge(also(play(GOOD), *events[1:2], probe(39.0, "after", holds=False)), OBJECTIVES, METHOD).figures
    assert never.notes == ["probe 'depth' did not hold 1.5 s after the fault: 9 is more than 5; nor at the end"]


@pytest.mark.parametrize(("percent", "noted"), [(70.0, False), (70.1, True)])
def test_a_busy_machine_is_noted(percent: float, noted: bool) -> None:
    figures = judge(
        also(play(GOOD), Event(at_s=11.0, name=CPU, detail={"percent": percent})), OBJECTIVES, METHOD
    ).figures
    assert figures.cpu_percent == percent
    assert any("busy in steady state" in note for note in figures.notes) is noted


def test_goods_at_the_end_are_those_in_a_row_before_it() -> None:
    figures = judge(play(replace(GOOD, outages=(Outage(start_s=12.0, end_s=35.0),))), OBJECTIVES, METHOD).figures
    assert figures.goods_at_end == 250
    assert figures.residual_error == pytest.approx(1 - 0.05 ** (1 / 250))
    none = judge(play(replace(GOOD, outages=(Outage(start_s=12.0, end_s=40.0),))), OBJECTIVES, METHOD).figures
    assert (none.goods_at_end, none.residual_error) == (0, None)


@pytest.mark.parametrize(("calls", "amplification"), [(0, None), (600, 1.0), (1800, 3.0)])
def test_amplification_is_calls_for_each_operation_while_the_fault_was_in_force(
    calls: int, amplification: float | None
) -> None:
    counted = Event(at_s=40.0, name=EVIDENCE, detail={"fired": 25, "calls": calls})
    assert judge(also(play(GOOD), counted), OBJECTIVES, METHOD).figures.amplification == amplification


def test_limits_of_a_load_are_held_to_their_edge() -> None:
    judged_load = judge_load({"failures": 0.01, "p50": 20.0}, {"p50": 20.0, "p95": 99.0, "failures": 0.011})
    assert [(one.name, one.held) for one in judged_load] == [("p50", True), ("failures", False)]


# -- where time begins changes nothing; edges


def moved(journal: Journal, by_s: float) -> Journal:
    """The same drill on a clock that began earlier."""

    def later(record: Operation | Event | Reading) -> Operation | Event | Reading:
        named = [name for name in ("at_s", "scheduled_s", "started_s", "ended_s") if hasattr(record, name)]
        changed: dict[str, object] = {name: getattr(record, name) + by_s for name in named}
        if isinstance(record, Event) and "found_s" in record.detail:
            changed["detail"] = {**record.detail, "found_s": record.detail["found_s"] + by_s}
        return msgspec.structs.replace(record, **changed)

    return replace(
        journal,
        operations=tuple(map(later, journal.operations)),
        events=tuple(map(later, journal.events)),
        readings=tuple(map(later, journal.readings)),
    )


WRONG_ONE = replace(
    GOOD,
    lost_keys=frozenset({"order-00100"}),
    extra=(
        Event(at_s=0.5, name=ALARMS_WATCHED, detail={"names": ["errors"], "missing": []}),
        alarm(14.0, "ALARM"),
        Event(at_s=13.0, name=CONTROL_PLANE_CALL, detail={"service": "lambda", "operation": "UpdateFunctionCode"}),
        Event(at_s=20.0, name=REPLICA_LOOK, detail={"new": ["order-00002", "order-00004"]}),
        probe(13.5, "during", holds=False),
        probe(39.0, "after", holds=True),
        Event(at_s=40.0, name=STORE_CHECKED, detail={"store": "bank", "anomalies": 1, "calls_ok": 9}),
        Event(at_s=40.0, name=STORE_FINDING, detail={"store": "bank", "kind": "wrong total", "found_s": 13.0}),
    ),
)


@given(st.sampled_from([-32.0, 8.0, 1024.0]))
def test_where_the_clock_began_changes_no_figure(by_s: float) -> None:
    """Powers of two, so that the sums are exact enough for the nearest millisecond."""
    operations = play(WRONG_ONE).operations
    about_another = msgspec.structs.replace(operations[601], valid=False)
    whole = replace(play(WRONG_ONE), operations=(*operations[:601], about_another, *operations[602:]))
    asked = DrillObjectives(rto_s=5.0, rpo_s=0.0, lost=0, detect_s=9.0, staleness_s=30.0, static_stability=True)
    told = [
        json.loads(
            msgspec.json.encode(judge(one, asked, METHOD).figures), parse_float=lambda text: round(float(text), 5)
        )
        for one in (whole, moved(whole, by_s))
    ]
    assert told[0] == told[1]
    assert told[0]["findings"]
    assert told[0]["control_plane_calls"]


def test_one_effect_is_a_fault() -> None:
    figures = judge(play(replace(GOOD, fired=1)), OBJECTIVES, METHOD).figures
    assert (figures.rto_s, figures.rpo_s) == (pytest.approx(3.0), 0.0)


def test_what_was_sent_before_the_baseline_is_in_no_availability() -> None:
    journal = play(replace(GOOD, outages=(Outage(start_s=0.0, end_s=1.0), *GOOD.outages)))
    events = tuple(msgspec.structs.replace(e, at_s=1.0) if e.name == BASELINE_STARTED else e for e in journal.events)
    figures = judge(replace(journal, events=events), DrillObjectives(availability=0.9), METHOD).figures
    assert (figures.operations, figures.availability) == (1950, pytest.approx(1800 / 1950))
    without = tuple(e for e in journal.events if e.name != BASELINE_STARTED)
    assert judge(replace(journal, events=without), OBJECTIVES, METHOD).figures.operations == 2000


def test_without_an_operation_in_the_fault_nothing_was_amplified() -> None:
    journal = play(GOOD)
    quiet = tuple(o for o in journal.operations if not 12.0 <= o.scheduled_s < 24.0)
    counted = Event(at_s=40.0, name=EVIDENCE, detail={"fired": 25, "calls": 9})
    assert judge(also(replace(journal, operations=quiet), counted), OBJECTIVES, METHOD).figures.amplification is None


def test_back_at_the_very_instant_of_healing_is_back_only_after_the_fault() -> None:
    figures = judge(play(replace(GOOD, outages=(Outage(start_s=12.0, end_s=24.0),))), OBJECTIVES, METHOD).figures
    assert figures.recovered_s == 24.0
    assert figures.only_after_fault


@pytest.mark.parametrize(
    ("after", "duplicates", "unfulfilled"), [(1000.0, 0, 925), (75.0, 0, 0), (72.0, 3, 0), (77.0, 0, 2)]
)
def test_a_counter_that_moved_too_often_or_too_seldom_is_told(
    after: float, duplicates: int, unfulfilled: int
) -> None:
    counted = Event(
        at_s=42.0,
        name=COUNTER_READ,
        detail={"key": "stock", "before": 1000.0, "after": after, "each": -1.0, "writes": 925},
    )
    judgement = judge(also(play(GOOD), counted), DrillObjectives(duplicates=0, unfulfilled=0), METHOD)
    figures = judgement.figures
    assert (figures.duplicate, figures.unfulfilled) == (duplicates, unfulfilled)
    assert judgement.verdict == ("fail" if duplicates or unfulfilled else "pass")
    said = [f.detail for f in figures.findings if f.kind == "miscount"]
    moved_to = f"went from 1000 to {after:g}, by -1 for each of 925 writes"
    assert said == ([moved_to] if duplicates or unfulfilled else [])


def test_an_unsteady_baseline_repeats_what_the_bad_ones_of_it_were_told() -> None:
    told = judge(play(replace(GOOD, outages=(Outage(start_s=2.0, end_s=3.0), *GOOD.outages))), OBJECTIVES, METHOD)
    assert told.figures.doubts[0].endswith("; 25 times place_order got HTTP 503")
    first = judge(play(replace(GOOD, outages=(Outage(start_s=0.0, end_s=1.0),))), OBJECTIVES, METHOD)
    assert "; 25 times place_order" in first.figures.doubts[0]
    silent = judge(play(replace(GOOD, outages=(Outage(start_s=2.0, end_s=3.0, status=0),))), OBJECTIVES, METHOD)
    assert silent.figures.doubts[0].endswith("; 25 times place_order got no answer")
    late = Outage(start_s=2.0, end_s=3.0, outcome="ok", status=201, latency_s=5.0)
    assert "got" not in judge(play(replace(GOOD, outages=(late,))), OBJECTIVES, METHOD).figures.doubts[0]


@pytest.mark.parametrize(
    ("later", "cleared"),
    [
        ([], False),
        ([(21.0, "errors", "OK")], True),
        ([(20.0, "errors", "OK")], False),  # at the instant that it told
        ([(9.0, "errors", "OK")], False),
        ([(21.0, "other", "OK")], False),
        ([(21.0, "errors", "INSUFFICIENT_DATA")], False),
        ([(21.0, "errors", "OK"), (22.0, "errors", "ALARM")], True),
    ],
)
def test_an_alarm_has_cleared_once_it_was_ok_after_it_told(
    later: list[tuple[float, str, str]], cleared: bool
) -> None:
    told = Event(at_s=20.0, name=ALARM, detail={"alarm": "errors", "state": "ALARM"})
    changes = [Event(at_s=at_s, name=ALARM, detail={"alarm": name, "state": state}) for at_s, name, state in later]
    assert has_cleared(also(play(GOOD), told, *changes), told) is cleared


def test_where_nobody_counts_calls_a_procedure_is_not_said_to_have_made_none() -> None:
    did_nothing = [
        Event(at_s=16.0, name=PROCEDURE_STARTED, detail={"what": "failover", "procedure": "p:f"}),
        Event(at_s=17.0, name=PROCEDURE_ENDED, detail={"what": "failover", "procedure": "p:f", "code": 0}),
    ]
    counted = judge(also(play(GOOD), *did_nothing), OBJECTIVES, METHOD).figures.failover
    uncounted = judge(fis_says(play(GOOD), *did_nothing), OBJECTIVES, METHOD).figures.failover
    assert counted is not None
    assert uncounted is not None
    assert counted.problem
    assert not uncounted.problem


def test_a_wrong_answer_has_its_instant_in_the_drill() -> None:
    wrong = Operation(
        id=7, kind="read", scheduled_s=20.0, started_s=20.0, ended_s=20.5, outcome="ok", valid=False, detail="{}"
    )
    (found,) = wrong_answers(Journal(operations=(wrong,)), started_s=8.0)
    assert (found.kind, found.key, found.at_s, found.detail) == ("wrong", "read 7", 12.5, "answered {}")


@pytest.mark.parametrize(("after", "each", "writes"), [(2.1, 0.3, 7), (0.3, 0.1, 3)])
def test_what_decimals_lack_is_no_movement(after: float, each: float, writes: int) -> None:
    """2.1 / 0.3 is a little more than 7, and 0.3 / 0.1 a little less than 3."""
    detail = {"key": "k", "before": 0.0, "after": after, "each": each, "writes": writes}
    found = effects_of(also(play(GOOD), Event(at_s=42.0, name=COUNTER_READ, detail=detail)))
    assert (found.surplus, found.missing, found.findings) == (0, 0, ())
