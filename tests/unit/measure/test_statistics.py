"""Percentiles, intervals and bounds, against the numbers of the law and against brute force."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.statistics import goods_needed, median, median_interval, miss_rate_bound, percentile


@given(
    st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=60),
    st.sampled_from([0.01, 0.5, 0.95, 0.99, 1.0]),
)
def test_a_percentile_is_the_smallest_value_with_that_share_at_or_below(values: list[float], share: float) -> None:
    ordered = sorted(values)
    expected = next(v for v in ordered if sum(w <= v for w in ordered) >= share * len(ordered) - 1e-9)
    assert percentile(ordered, share) == expected


def test_the_median_of_an_even_number_is_between_the_middle_two() -> None:
    assert median([4.0, 1.0, 3.0, 2.0]) == 2.5
    assert median([9.0, 1.0, 2.0]) == 2.0


@pytest.mark.parametrize(("count", "ranks"), [(5, None), (6, (1, 6)), (9, (2, 8)), (15, (4, 12)), (20, (6, 15))])
def test_the_interval_of_the_median_is_that_of_the_tables(count: int, ranks: tuple[int, int] | None) -> None:
    assert median_interval([float(n) for n in range(1, count + 1)]) == ranks


@pytest.mark.parametrize(("trials", "percent"), [(5, 45), (10, 26), (29, 10), (59, 5)])
def test_no_miss_in_n_drills_bounds_the_miss_rate(trials: int, percent: int) -> None:
    assert round(miss_rate_bound(trials) * 100) == percent


def test_299_good_answers_claim_less_than_one_percent_errors() -> None:
    assert goods_needed(0.01) == 299


@pytest.mark.parametrize(
    "call",
    [
        lambda: percentile([], 0.5),
        lambda: percentile([1.0], 0.0),
        lambda: percentile([1.0], math.nan),
        lambda: median([]),
        lambda: miss_rate_bound(0),
        lambda: goods_needed(0.0),
    ],
)
def test_what_has_no_answer_is_refused(call: object) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match=r"no |outside"):
        call()
