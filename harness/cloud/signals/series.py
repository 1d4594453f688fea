"""Metrics over time, compact: statistics of each second or minute, rolled up with age as CloudWatch does.

A bucket is five numbers in arrays (40 bytes), and the values it has seen as long as percentiles are of use.
Retention: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#metrics-retention
"""

from __future__ import annotations

import itertools
import threading
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

HOUR_S, DAY_S = 3600, 86400
RETENTION_S: Mapping[int, int] = {1: 3 * HOUR_S, 60: 15 * DAY_S, 300: 63 * DAY_S, 3600: 455 * DAY_S}
"""How long a bucket of so many seconds is kept; then it is part of a longer one."""

MOST_VALUES = 200
"""Distinct values kept in a bucket; further ones are rounded to three significant digits (0.5 % at the most)."""

MOST_SOON = 20_000
"""Values that wait for a reader at the most."""

VALUES_KEPT_S = 3 * HOUR_S


class MetricId(NamedTuple):
    """One metric: where, and what. `dimensions` are sorted (name, value) pairs."""

    account: str
    region: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Bucket:
    """What was published for one stretch of time, from `start_s` (Unix seconds) on."""

    start_s: int
    count: float = 0.0
    total: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")
    values: dict[float, float] | None = None  # value → how often; None when only statistics were published

    def take(self, other: Bucket) -> None:
        """Merge `other` into this one, in place."""
        self.count += other.count
        self.total += other.total
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        if self.values is None or other.values is None:
            self.values = None
            return
        for value, times in other.values.items():
            key = value if len(self.values) < MOST_VALUES else float(f"{value:.3g}")
            self.values[key] = self.values.get(key, 0.0) + times

    def merged(self, other: Bucket) -> Bucket:
        """Both together, at this one's start. Values are lost when either has only statistics."""
        values = {} if self.values is None and self.count == 0 else self.values
        found = Bucket(
            self.start_s, self.count, self.total, self.low, self.high, None if values is None else dict(values)
        )
        found.take(other)
        return found


class Rows:
    """The buckets of one length, by time. The newest is kept apart, as it is where nearly every datum goes."""

    __slots__ = ("_counts", "_highs", "_lows", "_newest", "_starts", "_totals", "_values", "length_s")

    def __init__(self, length_s: int) -> None:
        self.length_s = length_s
        self._starts = array("q")
        self._counts, self._totals, self._lows, self._highs = (array("d") for _ in range(4))
        self._values: dict[int, bytes] = {}  # packed: 16 bytes a value, a fifth of a dictionary
        self._newest: Bucket | None = None

    def __len__(self) -> int:
        return len(self._starts) + (self._newest is not None)

    def add(self, bucket: Bucket) -> None:
        """Merge `bucket` into the one that its start falls into."""
        start_s = bucket.start_s - bucket.start_s % self.length_s
        if self._newest is not None and self._newest.start_s == start_s:
            self._newest.take(bucket)
        elif self._newest is None or start_s > self._newest.start_s:
            if self._newest is not None:
                self._insert(self._newest)
            self._newest = Bucket(start_s, values={})
            self._newest.take(bucket)
        else:
            self._insert(bucket)

    def _insert(self, bucket: Bucket) -> None:
        start_s = bucket.start_s - bucket.start_s % self.length_s
        at = len(self._starts)
        if at and self._starts[-1] >= start_s:
            at = bisect_left(self._starts, start_s)
        if at == len(self._starts) or self._starts[at] != start_s:
            self._starts.insert(at, start_s)
            for column, value in zip(self._columns(), (0.0, 0.0, float("inf"), float("-inf")), strict=True):
                column.insert(at, value)
        merged = self._at(at).merged(bucket)
        self._counts[at], self._totals[at] = merged.count, merged.total
        self._lows[at], self._highs[at] = merged.low, merged.high
        if merged.values is None:
            self._values.pop(start_s, None)
        else:
            self._values[start_s] = _packed(merged.values)

    def between(self, start_s: float, end_s: float) -> Iterator[Bucket]:
        """The buckets that start in [start_s, end_s), oldest first."""
        at = bisect_left(self._starts, start_s)
        while at < len(self._starts) and self._starts[at] < end_s:
            yield self._at(at)
            at += 1
        if self._newest is not None and start_s <= self._newest.start_s < end_s:
            yield self._newest.merged(Bucket(0, values={}))  # a copy: the newest still grows

    def drop_before(self, instant_s: float) -> list[Bucket]:
        """Take out and return the buckets that end at or before `instant_s`."""
        if self._newest is not None and self._newest.start_s + self.length_s <= instant_s:
            self._insert(self._newest)
            self._newest = None
        gone = bisect_left(self._starts, instant_s - self.length_s + 1)
        old = [self._at(at) for at in range(gone)]
        if gone:
            del self._starts[:gone]
            for column in self._columns():
                del column[:gone]
            for bucket in old:
                self._values.pop(bucket.start_s, None)
        return old

    def forget_values_before(self, instant_s: float) -> None:
        """Keep only statistics of what is older: percentiles are asked of the present."""
        for start_s in [start_s for start_s in self._values if start_s < instant_s]:
            del self._values[start_s]

    def _columns(self) -> tuple[array[float], ...]:
        return self._counts, self._totals, self._lows, self._highs

    def _at(self, at: int) -> Bucket:
        start_s = self._starts[at]
        return Bucket(
            start_s,
            self._counts[at],
            self._totals[at],
            self._lows[at],
            self._highs[at],
            _unpacked(self._values.get(start_s)),
        )


def _packed(values: Mapping[float, float]) -> bytes:
    """Values and how often, as doubles one after the other."""
    return array("d", itertools.chain.from_iterable(values.items())).tobytes()


def _unpacked(data: bytes | None) -> dict[float, float] | None:
    if data is None:
        return None
    numbers = array("d")
    numbers.frombytes(data)
    return dict(zip(numbers[::2], numbers[1::2], strict=True))


@dataclass(slots=True)
class Series:
    """One metric's buckets, from the finest to the coarsest, and the unit it was last published with."""

    unit: str = "None"
    rows: dict[int, Rows] = field(default_factory=dict)

    def add(self, bucket: Bucket, *, resolution_s: int) -> None:
        """Publish into the buckets of `resolution_s`, 1 or 60."""
        if resolution_s not in self.rows:
            self.rows[resolution_s] = Rows(resolution_s)
        self.rows[resolution_s].add(bucket)

    def buckets(self, start_s: float, end_s: float) -> Iterator[Bucket]:
        """Every bucket that starts in [start_s, end_s), of whatever length."""
        for rows in self.rows.values():
            yield from rows.between(start_s, end_s)

    def roll_up(self, now_s: float) -> None:
        """Move what is older than its retention into longer buckets; drop what is older than the longest."""
        lengths = list(RETENTION_S)
        for length_s, longer_s in zip(lengths, [*lengths[1:], 0], strict=True):
            rows = self.rows.get(length_s)
            if rows is None:
                continue
            for bucket in rows.drop_before(now_s - RETENTION_S[length_s]):
                if longer_s:
                    self.add(bucket, resolution_s=longer_s)
            rows.forget_values_before(now_s - VALUES_KEPT_S)


class MetricStore:
    """Every metric of the cloud. Safe from any thread."""

    def __init__(self) -> None:
        self._series: dict[MetricId, Series] = {}
        self._lock = threading.Lock()
        self._soon: deque[tuple[MetricId, float, float, str, int]] = deque()

    def publish(self, metric: MetricId, bucket: Bucket, *, unit: str = "None", resolution_s: int = 60) -> None:
        """Add a datum: a value seen some times, or a statistic set."""
        if bucket.count <= 0:
            return
        with self._lock:
            series = self._series.get(metric)
            if series is None:
                series = self._series[metric] = Series()
            series.unit = unit
            series.add(bucket, resolution_s=resolution_s)

    def value(self, metric: MetricId, value: float, at_s: float, *, unit: str = "None", times: float = 1.0) -> None:
        """Add one value at one instant, at standard resolution."""
        self.publish(metric, one(value, at_s, times), unit=unit)

    def value_soon(
        self, metric: MetricId, value: float, at_s: float, *, unit: str = "None", resolution_s: int = 60
    ) -> None:
        """Add one value, cheaply: it is taken in by the next reader. For what is measured at every call."""
        self._soon.append((metric, value, at_s, unit, resolution_s))
        if len(self._soon) > MOST_SOON:
            self._take_in()

    def _take_in(self) -> None:
        """Publish what `value_soon` was told, a bucket of a metric at a time."""
        gathered: dict[tuple[MetricId, int, int], Bucket] = {}
        units: dict[MetricId, str] = {}
        while self._soon:
            try:
                metric, value, at_s, unit, resolution_s = self._soon.popleft()
            except IndexError:  # another thread was faster
                break
            start_s = int(at_s) // resolution_s * resolution_s
            bucket = gathered.get((metric, start_s, resolution_s))
            if bucket is None:
                bucket = gathered[metric, start_s, resolution_s] = Bucket(start_s, values={})
            bucket.take(one(value, start_s))
            units[metric] = unit
        for (metric, _, resolution_s), bucket in gathered.items():
            self.publish(metric, bucket, unit=units[metric], resolution_s=resolution_s)

    def buckets(self, metric: MetricId, start_s: float, end_s: float) -> list[Bucket]:
        """The buckets of a metric that start in [start_s, end_s)."""
        self._take_in()
        with self._lock:
            series = self._series.get(metric)
            return [] if series is None else list(series.buckets(start_s, end_s))

    def unit(self, metric: MetricId) -> str:
        """The unit it was last published with, `None` when it is unknown."""
        with self._lock:
            series = self._series.get(metric)
            return "None" if series is None else series.unit

    def metrics(self, account: str, region: str) -> list[MetricId]:
        """Every metric of one account and region."""
        self._take_in()
        with self._lock:
            return [metric for metric in self._series if metric[:2] == (account, region)]

    def roll_up(self, now_s: float) -> None:
        """Let old data age; called now and then."""
        self._take_in()
        with self._lock:
            for series in self._series.values():
                series.roll_up(now_s)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._soon.clear()
            self._series.clear()


def one(value: float, at_s: float, times: float = 1.0) -> Bucket:
    """A value seen `times` times at one instant."""
    return Bucket(int(at_s), times, value * times, value, value, {value: times})
