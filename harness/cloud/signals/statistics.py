"""One number from the buckets of a period, by CloudWatch's names, from Average to p99.9."""

from __future__ import annotations

import re
from collections.abc import Iterable

from harness.cloud.signals.series import Bucket, MetricId, MetricStore

BASIC = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")
_PERCENTILE = re.compile(r"[pP](\d{1,2}(?:\.\d{1,10})?|100)$")


def is_statistic(name: str) -> bool:
    """True for what `statistic` can compute. The trimmed ones (`tm99`, `wm98`, `PR(…)`) are not among them."""
    return name in BASIC or _PERCENTILE.match(name) is not None


def statistic(buckets: Iterable[Bucket], name: str) -> float | None:
    """The statistic over all buckets together; None when there are no data, or no percentile of them.

    A percentile needs values: it is None once only statistic sets are left, and for negative values, as on AWS.

    Raises:
        ValueError: no such statistic.
    """
    whole = Bucket(0)
    for bucket in buckets:
        whole = whole.merged(bucket)
    if whole.count == 0:
        return None
    if name in BASIC:
        average = whole.total / whole.count
        figures = dict(zip(BASIC, (average, whole.total, whole.low, whole.high, whole.count), strict=True))
        return figures[name]
    match = _PERCENTILE.match(name)
    if match is None:
        raise ValueError(f"{name} is not a supported statistic: {', '.join(BASIC)}, p0 to p100")
    if whole.values is None or whole.low < 0:
        return None
    return percentile(whole.values, float(match[1]))


def percentile(values: dict[float, float], percent: float) -> float:
    """The percentile of weighted values: between the two nearest ranks, linearly.

    >>> percentile({1.0: 1, 2.0: 1, 3.0: 2}, 50)
    2.5
    """
    ordered = sorted(values.items())
    rank = percent / 100 * max(sum(values.values()) - 1, 0)
    low = _at_rank(ordered, int(rank))
    share = rank - int(rank)
    return low if share == 0 else low + share * (_at_rank(ordered, int(rank) + 1) - low)


def _at_rank(ordered: list[tuple[float, float]], rank: int) -> float:
    seen = 0.0
    for value, times in ordered:
        seen += times
        if rank < seen:
            return value
    return ordered[-1][0]


def by_period(
    store: MetricStore, metric: MetricId, name: str, *, start_s: float, end_s: float, period_s: int
) -> dict[float, float]:
    """The statistic of each period that has data, by the period's start; periods are counted from `start_s`.

    Raises:
        ValueError: no such statistic.
    """
    groups: dict[float, list[Bucket]] = {}
    for bucket in store.buckets(metric, start_s, end_s):
        groups.setdefault(start_s + (bucket.start_s - start_s) // period_s * period_s, []).append(bucket)
    found = {start: statistic(buckets, name) for start, buckets in sorted(groups.items())}
    return {start: value for start, value in found.items() if value is not None}
