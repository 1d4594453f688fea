"""Staleness, lateness, availability and the end of the observation, against their definitions taken literally."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.availability import availability, burn_rate, latency
from harness.measure.finding import MOST_FINDINGS, Finding
from harness.measure.history import Write
from harness.measure.journal import (
    EVIDENCE,
    PROBE,
    REPLICA_LOOK,
    STORE_CHECKED,
    STORE_FINDING,
    Event,
    Operation,
    Outcome,
)
from harness.measure.method import Method
from harness.measure.objectives import DrillObjectives
from harness.measure.pacing import pacing
from harness.measure.scripted import Outage, Script, play
from harness.measure.staleness import Look, staleness
from harness.measure.statistics import goods_needed, residual_error_bound
from harness.measure.verdict import judge

TENTHS = st.integers(0, 60).map(lambda n: n / 10)


def operation(number: int, *, late_s: float = 0.0, took_s: float = 0.01, outcome: Outcome = "ok") -> Operation:
    due_s = float(number)
    return Operation(
        id=number,
        kind="write" if number % 2 else "read",
        scheduled_s=due_s,
        started_s=due_s + late_s,
        ended_s=due_s + late_s + took_s,
        outcome=outcome,
    )


def literal_staleness(acked_s: dict[str, float], looks: list[Look]) -> list[float]:
    """For each write that some later look could have returned: the wait until the first look that did."""
    waits = []
    for key, at_s in acked_s.items():
        if not any(look.at_s >= at_s for look in looks):
            continue
        seen = [look.at_s for look in looks if key in look.keys]
        waits.append(max(0.0, min(seen) - at_s) if seen else math.inf)
    return sorted(waits)


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), TENTHS, max_size=8),
    st.lists(st.tuples(TENTHS, st.frozensets(st.sampled_from("abcdefgh"))), max_size=8),
)
def test_staleness_is_the_wait_until_the_first_look_that_returns_the_write(
    acked_s: dict[str, float], told: list[tuple[float, frozenset[str]]]
) -> None:
    looks = [Look(at_s=at_s, keys=keys) for at_s, keys in told]
    writes = {key: Write(key=key, outcome="ok", acked_s=at_s, sequence=None) for key, at_s in acked_s.items()}
    expected = literal_staleness(acked_s, looks)
    found = staleness(writes, looks)
    if not expected:
        assert found is None
        return
    assert found is not None
    assert (found.writes, len(found.unseen)) == (len(expected), sum(map(math.isinf, expected)))
    assert all(write.key not in frozenset().union(*(look.keys for look in looks)) for write in found.unseen)
    assert found.max_s == max(expected)
    assert found.p50_s == next(v for v in expected if sum(w <= v for w in expected) >= len(expected) / 2)


def look(at_s: float, *keys: str) -> Event:
    return Event(at_s=at_s, name=REPLICA_LOOK, detail={"new": list(keys)})


def test_a_write_that_never_reaches_the_replica_fails_the_objective_and_says_how_many() -> None:
    keys = [o.key for o in play(Script()).operations if o.write]
    script = replace(Script(), extra=(look(41.0, *keys[1:]),))
    (open_still,) = judge(play(script), DrillObjectives(staleness_s=60.0), Method()).objectives
    assert (open_still.verdict, open_still.reason) == (
        "inconclusive",
        "it was waited for 41.0 s, and might have come within 60 s",
    )
    judged = judge(play(script), DrillObjectives(staleness_s=30.0), Method())
    assert judged.objectives[0].verdict == "fail"
    first_s = next(o.ended_s for o in play(Script()).operations if o.write)
    (edge,) = judge(play(script), DrillObjectives(staleness_s=41.0 - first_s), Method()).objectives
    assert edge.reason.startswith("it was waited for 41.0 s")
    assert "1 writes never reached" in judged.objectives[0].reason
    (unseen,) = (one for one in judged.figures.findings if one.kind == "unseen")
    assert (unseen.key, unseen.at_s) == (keys[0], pytest.approx(0.01, abs=0.01))
    gone = replace(script, lost_keys=frozenset(keys[:1]))  # lost at the source too: no question of staleness
    assert judge(play(gone), DrillObjectives(staleness_s=60.0), Method()).verdict == "pass"
    all_there = replace(Script(), extra=(look(41.0, *keys),))
    judged = judge(play(all_there), DrillObjectives(staleness_s=60.0), Method())
    assert judged.verdict == "pass"
    assert judged.figures.staleness_max_s == pytest.approx(41.0, abs=0.1)
    assert judge(play(all_there), DrillObjectives(staleness_s=10.0), Method()).verdict == "fail"


def test_staleness_that_nobody_looked_for_is_inconclusive() -> None:
    assert judge(play(Script()), DrillObjectives(staleness_s=60.0), Method()).verdict == "inconclusive"


@given(st.lists(st.floats(0, 5), min_size=1, max_size=40))
def test_the_prober_is_as_late_as_its_requests_left_after_they_were_due(late: list[float]) -> None:
    found = pacing([operation(number, late_s=late_s) for number, late_s in enumerate(late)])
    assert found is not None
    assert found.max_ms == pytest.approx(max(late) * 1000, abs=1e-6)
    assert sum(v * 1000 <= found.p99_ms + 1e-6 for v in late) >= 0.99 * len(late) - 1e-9
    assert found.p50_ms <= found.p99_ms <= found.max_ms


def test_a_prober_that_sent_nothing_was_not_late() -> None:
    assert pacing([]) is None


@given(
    st.lists(st.tuples(st.sampled_from(["ok", "fail", "unknown"]), st.floats(0.001, 2.0)), min_size=1, max_size=50)
)
def test_availability_and_latency_are_counts(told: list[tuple[Outcome, float]]) -> None:
    method = Method(latency_limit_s=1.0)
    operations = [operation(n, took_s=took_s, outcome=outcome) for n, (outcome, took_s) in enumerate(told)]
    good = [outcome == "ok" and o.ended_s - o.scheduled_s <= 1.0 for o, (outcome, _) in zip(operations, told)]  # noqa: B905
    assert [method.good(o) for o in operations] == good
    found = availability(operations, good)
    assert found.ratio == sum(good) / len(good)
    for kind, ratio in found.by_kind.items():
        of_kind = [g for g, o in zip(good, operations, strict=True) if o.kind == kind]
        assert ratio == sum(of_kind) / len(of_kind)
    times = sorted((o.ended_s - o.scheduled_s) * 1000 if o.outcome == "ok" else math.inf for o in operations)
    percentiles = latency(operations)
    assert percentiles is not None
    assert percentiles.p95_ms == next(v for v in times if sum(w <= v for w in times) >= 0.95 * len(times) - 1e-9)


@pytest.mark.parametrize(
    ("ratio", "slo", "rate"),
    [(0.999, 0.999, 1.0), (0.99, 0.999, 10.0), (1.0, 0.99, 0.0), (1.0, 1.0, 0.0), (0.5, 1.0, math.inf)],
)
def test_burn_rate_is_error_rate_over_budget(ratio: float, slo: float, rate: float) -> None:
    assert burn_rate(ratio, slo) == pytest.approx(rate)


@given(st.floats(0.0005, 0.5))
def test_the_residual_bound_is_the_inverse_of_the_goods_that_are_needed(error_rate: float) -> None:
    needed = goods_needed(error_rate)
    assert residual_error_bound(needed) <= error_rate + 1e-12
    assert needed == 1 or residual_error_bound(needed - 1) > error_rate - 1e-12


def test_the_good_answers_at_the_end_bound_what_may_still_fail() -> None:
    script = Script(outages=(Outage(start_s=12.0, end_s=15.0), Outage(start_s=30.0, end_s=30.02)))
    figures = judge(play(script), DrillObjectives(rto_s=5.0), Method()).figures
    assert figures.goods_at_end == 499  # 10 s at 50/s, less the bad one at their beginning
    assert figures.residual_error == pytest.approx(1 - 0.05 ** (1 / 499))
    assert residual_error_bound(0) == 1.0


def test_what_is_wrong_is_told_by_key_and_instant() -> None:
    script = Script(lost_keys=frozenset({"order-00590"}), double_keys=frozenset({"order-00100"}))
    findings = judge(play(script), DrillObjectives(lost=0), Method()).figures.findings
    by_kind = {finding.kind: finding for finding in findings}
    assert set(by_kind) == {"lost", "duplicate", "hole"}
    lost = by_kind["lost"]
    assert lost == Finding(kind="lost", key="order-00590", at_s=lost.at_s, detail="acknowledged and absent")
    assert lost.at_s == pytest.approx(590 / 50, abs=0.05)
    assert by_kind["duplicate"].detail == "2 effects"


def test_many_findings_are_cut_and_the_counts_are_not() -> None:
    lost = frozenset(f"order-{n:05d}" for n in range(0, 200, 2))
    figures = judge(play(Script(lost_keys=lost)), DrillObjectives(lost=0), Method()).figures
    assert figures.lost == 100
    assert sum(finding.kind == "lost" for finding in figures.findings) == MOST_FINDINGS


def store(anomalies: int, **detail: object) -> Event:
    return Event(at_s=41.0, name=STORE_CHECKED, detail={"store": "s3-versions", "anomalies": anomalies, **detail})


def test_broken_promises_of_stores_are_counted_and_told() -> None:
    asked = DrillObjectives(anomalies=0)
    kept = replace(Script(), extra=(store(0, calls_ok=40),))
    assert judge(play(kept), asked, Method()).verdict == "pass"
    lost = {"store": "s3-versions", "kind": "lost", "key": "a", "found_s": 14.0, "detail": "gone"}
    broken = replace(Script(), extra=(store(1, calls_ok=40), Event(at_s=41.0, name=STORE_FINDING, detail=lost)))
    judged = judge(play(broken), asked, Method())
    assert judged.verdict == "fail"
    assert judged.figures.findings == [Finding(kind="s3-versions: lost", key="a", at_s=14.0, detail="gone")]


@pytest.mark.parametrize(
    "extra",
    [
        (),
        (store(0),),
        (store(0, calls_ok=9), Event(at_s=41.0, name=STORE_FINDING, detail={"kind": "undecided", "key": "a"})),
    ],
)
def test_stores_that_nobody_worked_or_could_judge_prove_nothing(extra: tuple[Event, ...]) -> None:
    assert (
        judge(play(replace(Script(), extra=extra)), DrillObjectives(anomalies=0), Method()).verdict == "inconclusive"
    )


def probe(phase: str, *, holds: bool, at_s: float) -> Event:
    detail = {
        "probe": "empty",
        "phase": phase,
        "holds": holds,
        "found": "3",
        "why": "" if holds else "3 is more than 0",
    }
    return Event(at_s=at_s, name=PROBE, detail=detail)


def test_a_steady_state_probe_must_hold_again_at_the_end() -> None:
    asked = DrillObjectives(probes=0)
    during = probe("during", holds=False, at_s=15.0)
    back = judge(play(replace(Script(), extra=(during, probe("after", holds=True, at_s=40.0)))), asked, Method())
    assert (back.verdict, back.figures.probes_broken) == ("pass", 0)
    told = "probe 'empty' did not hold 3.0 s after the fault: 3 is more than 0; at the end it did"
    assert told in back.figures.notes
    gone = judge(play(replace(Script(), extra=(during, probe("after", holds=False, at_s=40.0)))), asked, Method())
    assert (gone.verdict, gone.figures.probes_broken) == ("fail", 1)
    assert gone.figures.notes[-1].endswith("; nor at the end")


@pytest.mark.parametrize("extra", [(), (probe("before", holds=True, at_s=5.0),)])
def test_probes_that_nobody_asked_after_the_fault_prove_nothing(extra: tuple[Event, ...]) -> None:
    judged = judge(play(replace(Script(), extra=extra)), DrillObjectives(probes=0), Method())
    assert judged.verdict == "inconclusive"


def test_retries_multiply_the_calls_of_what_is_broken() -> None:
    # 12 s of fault at 50 operations a second
    evidence = Event(at_s=40.0, name=EVIDENCE, detail={"fired": 25, "calls": 1800})
    judged = judge(play(replace(Script(), extra=(evidence,))), DrillObjectives(amplification=2.5), Method())
    assert judged.figures.amplification == pytest.approx(3.0, abs=0.01)
    assert judged.verdict == "fail"
    assert (
        judge(play(replace(Script(), extra=(evidence,))), DrillObjectives(amplification=3.5), Method()).verdict
        == "pass"
    )


def test_without_calls_of_what_is_broken_nothing_was_multiplied() -> None:
    judged = judge(play(Script()), DrillObjectives(amplification=2.5), Method())
    assert (judged.figures.amplification, judged.verdict) == (None, "inconclusive")
