"""Metrics over time: merged, percentiled, and rolled up with age."""

import random

import pytest

from harness.cloud.signals.series import Bucket, MetricId, MetricStore, one
from harness.cloud.signals.statistics import by_period, is_statistic, statistic

METRIC = MetricId("000000000000", "us-east-1", "Shop", "Orders", (("Table", "t"),))
NOON_S = 1_800_000_000 - 1_800_000_000 % 3600


def stored(values: list[tuple[float, float]], *, resolution_s: int = 60) -> MetricStore:
    store = MetricStore()
    for at_s, value in values:
        store.publish(METRIC, one(value, NOON_S + at_s), resolution_s=resolution_s)
    return store


def test_a_minute_is_one_bucket_whatever_order_its_data_come_in() -> None:
    times = [0, 59, 61, 30, 125, 10]
    store = stored([(at, 1.0) for at in times])
    counts = [(b.start_s - NOON_S, b.count) for b in store.buckets(METRIC, 0, 2**53)]
    assert counts == [(0, 4.0), (60, 1.0), (120, 1.0)]


def test_every_basic_statistic_is_that_of_the_values() -> None:
    buckets = stored([(0, 1.0), (1, 2.0), (70, 6.0)]).buckets(METRIC, 0, 2**53)
    names = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")
    assert [statistic(buckets, name) for name in names] == [3.0, 9.0, 1.0, 6.0, 3.0]


def test_percentiles_interpolate_between_the_nearest_ranks() -> None:
    buckets = stored([(0, float(value)) for value in range(1, 101)]).buckets(METRIC, 0, 2**53)
    assert statistic(buckets, "p50") == 50.5
    assert statistic(buckets, "p99") == pytest.approx(99.01)
    assert statistic(buckets, "p100") == 100.0


def test_many_distinct_values_cost_half_a_percent_of_accuracy_at_most() -> None:
    drawn = random.Random(1)  # noqa: S311 - a fixed sequence
    values = [drawn.uniform(1, 1000) for _ in range(5000)]
    store = stored([(0, value) for value in values])
    (bucket,) = store.buckets(METRIC, 0, 2**53)
    assert bucket.values is not None
    assert len(bucket.values) < 3000
    exact = sorted(values)[int(0.9 * 4999)]
    assert statistic([bucket], "p90") == pytest.approx(exact, rel=0.006)
    assert statistic([bucket], "Sum") == pytest.approx(sum(values))


def test_a_statistic_set_has_no_percentiles() -> None:
    buckets = [one(1.0, 0), Bucket(0, 2, 5.0, 2.0, 3.0)]
    assert statistic(buckets, "Sum") == 6.0
    assert statistic(buckets, "p50") is None


def test_periods_are_counted_from_the_start() -> None:
    store = stored([(0, 1.0), (60, 2.0), (120, 4.0)])
    found = by_period(store, METRIC, "Sum", start_s=NOON_S - 60, end_s=NOON_S + 180, period_s=120)
    assert found == {NOON_S - 60: 1.0, NOON_S + 60: 6.0}


def test_old_data_become_coarser_and_lose_nothing_of_their_sums() -> None:
    store = stored([(at, 1.0) for at in range(120)], resolution_s=1)
    store.roll_up(NOON_S + 4 * 3600)
    assert [(b.start_s - NOON_S, b.count) for b in store.buckets(METRIC, 0, 2**53)] == [(0, 60.0), (60, 60.0)]
    store.roll_up(NOON_S + 16 * 86400)
    assert [(b.start_s - NOON_S, b.count) for b in store.buckets(METRIC, 0, 2**53)] == [(0, 120.0)]
    store.roll_up(NOON_S + 500 * 86400)
    assert store.buckets(METRIC, 0, 2**53) == []


def test_what_is_told_in_passing_is_there_for_the_next_reader() -> None:
    store = stored([(0, 1.0)])
    for value in (2.0, 3.0):
        store.value_soon(METRIC, value, NOON_S + 61.5)
    assert [(b.start_s - NOON_S, b.count, b.total) for b in store.buckets(METRIC, 0, 2**53)] == [
        (0, 1.0, 1.0),
        (60, 2.0, 5.0),
    ]
    store.value_soon(METRIC, 4.0, NOON_S)
    store.clear()
    assert store.buckets(METRIC, 0, 2**53) == []


@pytest.mark.parametrize(("name", "known"), [("p99.9", True), ("Sum", True), ("tm99", False), ("p101", False)])
def test_unknown_statistics_are_known_to_be_unknown(name: str, known: bool) -> None:
    assert is_statistic(name) is known
