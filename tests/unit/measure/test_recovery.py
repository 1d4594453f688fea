"""RTO from windows of good operations, checked by example and against the definition taken literally."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.method import Method
from harness.measure.recovery import Samples, recovery, silence, unsteady

METHOD = Method(window_s=2.0, hold_s=4.0, deadline_s=20.0, theta=0.9)


def samples(good: list[bool], *, rate: float = 10.0, latency_s: float = 0.01) -> Samples:
    due = [number / rate for number in range(len(good))]
    return Samples(scheduled_s=due, ended_s=[at + latency_s for at in due], good=good)


def up_down_up(up_s: float, down_s: float, again_s: float, rate: float = 10.0) -> list[bool]:
    return [True] * round(up_s * rate) + [False] * round(down_s * rate) + [True] * round(again_s * rate)


def test_an_outage_of_three_seconds_has_an_rto_of_three_seconds() -> None:
    found = recovery(samples(up_down_up(5, 3, 10)), fault_s=5.0, end_s=18.0, method=METHOD)
    assert found.rto_s == pytest.approx(3.0)
    assert found.recovered_s == pytest.approx(8.0)
    assert found.outage_s == pytest.approx(3.0)
    assert found.rto_interval_s == pytest.approx((2.9, 3.0))


def test_rto_counts_from_the_fault_and_the_outage_from_the_first_bad_operation() -> None:
    found = recovery(samples(up_down_up(6, 2, 10)), fault_s=5.0, end_s=18.0, method=METHOD)
    assert found.rto_s == pytest.approx(3.0)
    assert found.outage_s == pytest.approx(2.0)


def test_a_fault_that_nobody_felt_has_an_rto_of_zero() -> None:
    found = recovery(samples([True] * 150), fault_s=5.0, end_s=15.0, method=METHOD)
    assert not found.felt
    assert found.rto_s == 0.0


def test_not_felt_for_less_than_the_hold_proves_nothing() -> None:
    found = recovery(samples([True] * 150), fault_s=12.0, end_s=15.0, method=METHOD)
    assert found.rto_s is None


def test_an_operation_in_flight_when_the_fault_hits_makes_it_felt() -> None:
    slow = Samples(scheduled_s=[n / 10 for n in range(150)], ended_s=[n / 10 + 0.01 for n in range(150)], good=[])
    ended, good = list(slow.ended_s), [True] * 150
    ended[49], good[49] = 6.0, False
    found = recovery(
        Samples(scheduled_s=slow.scheduled_s, ended_s=ended, good=good), fault_s=5.0, end_s=15.0, method=METHOD
    )
    assert found.felt
    assert found.rto_s == pytest.approx(0.0)


def test_what_was_bad_and_over_before_the_fault_is_not_part_of_it() -> None:
    good = [True] * 150
    good[10] = False
    assert not recovery(samples(good), fault_s=5.0, end_s=15.0, method=METHOD).felt


def test_a_relapse_moves_recovery_behind_it() -> None:
    good = up_down_up(5, 1, 4) + up_down_up(0, 2, 10)
    found = recovery(samples(good), fault_s=5.0, end_s=22.0, method=METHOD)
    assert found.rto_s == pytest.approx(7.0)


def test_never_back_is_censored_at_what_was_watched() -> None:
    found = recovery(samples(up_down_up(5, 12, 0)), fault_s=5.0, end_s=17.0, method=METHOD)
    assert found.rto_s is None
    assert found.recovered_s is None
    assert found.at_least_s == pytest.approx(12.0)


def test_back_but_not_held_is_not_recovered() -> None:
    found = recovery(samples(up_down_up(5, 3, 3.5)), fault_s=5.0, end_s=11.5, method=METHOD)
    assert found.rto_s is None
    assert found.at_least_s == pytest.approx(3.0)


def test_back_after_the_deadline_is_censored_at_the_deadline() -> None:
    found = recovery(samples(up_down_up(5, 25, 20)), fault_s=5.0, end_s=50.0, method=METHOD)
    assert found.rto_s is None
    assert found.at_least_s == 20.0


@pytest.mark.parametrize(("watched_s", "past"), [(19.9, False), (20.0, True), (25.0, True)])
def test_only_what_was_watched_until_the_deadline_is_known_to_be_past_it(watched_s: float, past: bool) -> None:
    found = recovery(samples(up_down_up(5, 30, 0)), fault_s=5.0, end_s=5.0 + watched_s, method=METHOD)
    assert found.past_deadline is past
    assert found.at_least_s == pytest.approx(min(watched_s, 20.0))


def literal_recovery(given_samples: Samples, fault_s: float, end_s: float, method: Method) -> float | None:
    """The definition of docs/measures.md, word by word, in quadratic time."""
    due = [(at, good) for at, good in zip(given_samples.scheduled_s, given_samples.good, strict=True) if at < end_s]
    after = [(at, good) for at, good in due if at >= fault_s]

    def window_holds(start_s: float) -> bool:
        inside = [good for at, good in due if start_s <= at < start_s + method.window_s]
        return inside.count(False) <= (1 - method.theta) * len(inside) + 1e-9

    for start_s, good in after:
        full = [at for at, _ in after if at >= start_s and at + method.window_s <= end_s]
        if good and all(window_holds(at) for at in full):
            held = start_s + method.hold_s <= end_s and start_s - fault_s <= method.deadline_s
            return start_s if held else None
    return None


@given(
    runs=st.lists(st.tuples(st.booleans(), st.integers(1, 25)), min_size=1, max_size=10),
    fault_at=st.integers(0, 60),
    theta=st.sampled_from([0.5, 0.9, 0.95, 1.0]),
)
def test_recovery_agrees_with_the_definition_taken_literally(
    runs: list[tuple[bool, int]], fault_at: int, theta: float
) -> None:
    method = Method(window_s=2.0, hold_s=3.0, deadline_s=8.0, theta=theta)
    given_samples = samples([good for good, count in runs for _ in range(count)])
    end_s = len(given_samples.good) / 10
    found = recovery(given_samples, fault_s=fault_at / 10, end_s=end_s, method=method)
    expected = literal_recovery(given_samples, fault_at / 10, end_s, method)
    if found.felt:
        assert found.recovered_s == expected
    if found.rto_s is not None and found.rto_interval_s is not None:
        low, high = found.rto_interval_s
        assert 0.0 <= low <= high == found.rto_s


def test_a_steady_baseline_has_no_objection() -> None:
    assert unsteady(samples([True] * 110), start_s=0.0, end_s=11.0, method=METHOD) == ""


@pytest.mark.parametrize(
    ("good", "start_s", "end_s", "reason"),
    [
        ([True] * 110, None, None, "no baseline"),
        ([True] * 110, 0.0, 4.0, "lasted 4.0 s of the 10 s"),
        ([], 0.0, 11.0, "no operation ran"),
        ([True] * 90 + [False] * 20, 0.0, 11.0, "90 of 110"),
        ([True] * 60, 0.0, 11.0, "sent nothing for 5.1 s"),
    ],
)
def test_an_unsteady_baseline_says_why(
    good: list[bool], start_s: float | None, end_s: float | None, reason: str
) -> None:
    assert reason in unsteady(samples(good), start_s=start_s, end_s=end_s, method=METHOD)


def test_a_prober_that_stops_is_heard() -> None:
    assert silence(samples([True] * 50), start_s=0.0, end_s=5.0, longest_s=2.0) == ""
    assert "5.1 s, from 4.9 s on" in silence(samples([True] * 50), start_s=0.0, end_s=10.0, longest_s=2.0)


def test_a_baseline_is_as_long_as_from_its_beginning_to_its_end() -> None:
    late = Samples(
        scheduled_s=[100 + n / 10 for n in range(110)],
        ended_s=[100.01 + n / 10 for n in range(110)],
        good=[True] * 110,
    )
    assert unsteady(late, start_s=100.0, end_s=111.0, method=METHOD) == ""
    assert unsteady(late, start_s=100.0, end_s=110.0, method=METHOD) == ""
    assert "lasted 9.0 s" in unsteady(late, start_s=100.0, end_s=109.0, method=METHOD)


def test_the_edges_belong_to_what_is_good_enough() -> None:
    exact = samples([True] * 99 + [False] * 11)
    assert (
        unsteady(exact, start_s=0.0, end_s=11.0, method=METHOD) == ""
    )  # nine in ten are good, nine in ten are needed
    assert recovery(samples([True] * 90), fault_s=5.0, end_s=9.0, method=METHOD).rto_s == 0.0
    assert silence(samples([True] * 10, rate=0.5), start_s=0.0, end_s=20.0, longest_s=2.0) == ""


def test_a_lone_bad_answer_within_theta_does_not_move_recovery() -> None:
    good = up_down_up(5, 1, 10)
    good[80] = False  # one in the twenty of each window around it
    assert recovery(samples(good), fault_s=5.0, end_s=16.0, method=METHOD).rto_s == pytest.approx(1.0)


def test_a_window_that_ends_with_the_observation_counts() -> None:
    good = up_down_up(5, 1, 6)
    good[117:120] = [False] * 3  # three in twenty, in the very last window only
    assert recovery(samples(good), fault_s=5.0, end_s=12.0, method=METHOD).rto_s is None


def test_held_exactly_as_long_as_needed_and_back_exactly_at_the_deadline_count() -> None:
    assert recovery(samples(up_down_up(5, 3, 4)), fault_s=5.0, end_s=12.0, method=METHOD).rto_s == 3.0
    found = recovery(samples(up_down_up(5, 20, 6)), fault_s=5.0, end_s=31.0, method=METHOD)
    assert (found.rto_s, found.past_deadline) == (20.0, False)


def test_what_ran_before_the_baseline_is_no_part_of_it() -> None:
    assert unsteady(samples([True] * 130), start_s=3.0, end_s=13.0, method=METHOD) == ""
    assert unsteady(samples([True] * 130), start_s=3.0, end_s=13.0 - 1e-9, method=METHOD) == ""


def test_where_the_prober_was_silent_counts_from_the_beginning_of_the_phase() -> None:
    assert "from 2.9 s on" in silence(samples([True] * 50), start_s=2.0, end_s=10.0, longest_s=2.0)


def test_exactly_theta_in_every_window_is_good_enough() -> None:
    good = up_down_up(5, 1, 10)
    good[90] = good[91] = False  # two in twenty: exactly nine in ten are good
    assert recovery(samples(good), fault_s=5.0, end_s=16.0, method=METHOD).rto_s == pytest.approx(1.0)
