"""Whether two sets of runs differ: against every way to deal the values, and against the tables."""

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.comparison import compare_all, exact_p, runs_needed, smallest_p

VALUES = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=5)


def literal_p(before: list[float], after: list[float]) -> float:
    """Deal the values in every way; count the deals whose rank sum is as far from the middle."""
    pooled = [*before, *after]
    ranks = [sum(w < v for w in pooled) + (sum(w == v for w in pooled) + 1) / 2 for v in pooled]
    middle = len(after) * (len(pooled) + 1) / 2
    far = abs(sum(ranks[len(before) :]) - middle)
    deals = list(combinations(range(len(pooled)), len(after)))
    return sum(abs(sum(ranks[i] for i in deal) - middle) >= far - 1e-9 for deal in deals) / len(deals)


@given(VALUES, VALUES)
def test_p_counts_every_way_to_deal_the_values(before: list[float], after: list[float]) -> None:
    assert exact_p(before, after) == pytest.approx(literal_p(before, after))


@pytest.mark.parametrize(("before", "after", "p"), [(4, 4, 2 / 70), (5, 5, 2 / 252), (3, 3, 0.1), (1, 1, 1.0)])
def test_p_of_complete_separation_is_that_of_the_tables(before: int, after: int, p: float) -> None:
    values = [float(n) for n in range(before + after)]
    assert exact_p(values[:before], values[before:]) == pytest.approx(p) == smallest_p(before, after)


@pytest.mark.parametrize(("share", "runs"), [(1, 4), (2, 5), (6, 5), (7, 6), (100, 8)])
def test_so_many_runs_are_needed_before_anything_can_show(share: int, runs: int) -> None:
    assert runs_needed(share) == runs


def test_too_few_runs_cannot_tell_even_what_looks_plain() -> None:
    told = compare_all({"rto": ([1.0, 1.1, 1.2], [9.0, 9.1, 9.2])})["rto"]
    assert told.answer == "cannot tell"
    assert told.reason == "3 and 3 runs are too few: 4 and 4 are the least"
    assert told.shift == pytest.approx(8.0)


def test_a_difference_shows_with_its_shift() -> None:
    told = compare_all({"rto": ([1.0, 1.1, 1.2, 1.3], [2.0, 2.1, 2.2, 2.3])})["rto"]
    assert (told.answer, told.p) == ("differs", pytest.approx(2 / 70))
    assert told.shift == pytest.approx(1.0)


def test_what_does_not_differ_is_not_called_the_same() -> None:
    told = compare_all({"rto": ([1.0, 1.2, 1.4, 1.6], [1.1, 1.3, 1.5, 1.7])})["rto"]
    assert told.answer == "no difference shown"
    assert "no proof" in told.reason


def test_many_figures_at_once_need_more() -> None:
    apart = ([1.0, 1.1, 1.2, 1.3], [2.0, 2.1, 2.2, 2.3])
    told = compare_all({f"figure {n}": apart for n in range(3)})
    assert {comparison.answer for comparison in told.values()} == {"cannot tell"}
    assert "5 and 5 are the least" in told["figure 0"].reason


def test_holm_corrects_each_figure_for_those_that_are_left() -> None:
    apart = ([float(n) for n in range(5)], [float(n) for n in range(5, 10)])
    close = ([0.0, 2.0, 4.0, 6.0, 8.0], [1.0, 3.0, 5.0, 7.0, 9.0])
    told = compare_all({"close": close, "apart": apart})
    assert (told["apart"].answer, told["apart"].p) == ("differs", pytest.approx(2 * 2 / 252))
    assert (told["close"].answer, told["close"].p) == ("no difference shown", pytest.approx(exact_p(*close)))


def test_a_run_that_never_recovered_ranks_last_and_has_no_shift() -> None:
    told = compare_all({"rto": ([1.0, 1.1, 1.2, 1.3], [math.inf] * 4)})["rto"]
    assert (told.answer, told.shift) == ("differs", None)


@given(VALUES, VALUES)
def test_the_answer_is_the_same_the_other_way_round(before: list[float], after: list[float]) -> None:
    one, other = compare_all({"x": (before, after)})["x"], compare_all({"x": (after, before)})["x"]
    assert (one.answer, one.p) == (other.answer, other.p)
    assert (
        one.shift == -other.shift if one.shift is not None and other.shift is not None else one.shift == other.shift
    )
