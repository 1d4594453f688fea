"""The operations of a journal as series over time, for the charts and for the table behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.measure.journal import Journal, Operation
from harness.measure.method import Method
from harness.measure.statistics import percentile

_LONG_S = 90.0
_POINTS = 400
"""Charts stay readable and the page small: a long drill gets wider buckets, never more of them."""


@dataclass(slots=True, kw_only=True)
class Bucket:
    """The operations scheduled in [at_s, at_s + length). Every one is in exactly one of the four counts."""

    at_s: float
    good: int = 0
    late: int = 0
    failed: int = 0
    unknown: int = 0
    latencies_ms: list[float] = field(default_factory=list)

    @property
    def scheduled(self) -> int:
        """How many operations were due."""
        return self.good + self.late + self.failed + self.unknown

    def percentile_ms(self, share: float) -> float | None:
        """A percentile of the acknowledged operations, None when there were none."""
        return percentile(sorted(self.latencies_ms), share) if self.latencies_ms else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Buckets of one length, without gaps, from the start of the drill to the end of the observation."""

    bucket_s: float
    buckets: tuple[Bucket, ...]


def series_of(journal: Journal, method: Method, *, start_s: float, end_s: float) -> Series:
    """Buckets of half a second for a short drill, of a second or more for a long one; instants from `start_s`."""
    length_s = max(end_s - start_s, 0.0)
    bucket_s = 0.5 if length_s <= _LONG_S else max(1.0, float(round(length_s / _POINTS)))
    count = max(1, int(length_s / bucket_s + 0.999999))
    buckets = tuple(Bucket(at_s=number * bucket_s) for number in range(count))
    for operation in journal.operations:
        if start_s <= operation.scheduled_s < end_s:
            _count(buckets[min(count - 1, int((operation.scheduled_s - start_s) / bucket_s))], operation, method)
    return Series(bucket_s=bucket_s, buckets=buckets)


def _count(bucket: Bucket, operation: Operation, method: Method) -> None:
    if operation.outcome == "ok":
        bucket.latencies_ms.append(operation.latency_s * 1000.0)
        if method.good(operation):
            bucket.good += 1
        else:
            bucket.late += 1
    elif operation.outcome == "fail":
        bucket.failed += 1
    else:
        bucket.unknown += 1


def columns(series: Series) -> dict[str, Sequence[float | None]]:
    """The series column by column, rates per second, rounded for the page."""
    buckets = series.buckets

    def rate(counts: Sequence[int]) -> list[float | None]:
        return [round(count / series.bucket_s, 2) for count in counts]

    def latency(share: float) -> list[float | None]:
        values = [bucket.percentile_ms(share) for bucket in buckets]
        return [None if value is None else round(value, 2) for value in values]

    return {
        "at": [round(bucket.at_s, 3) for bucket in buckets],
        "scheduled": rate([bucket.scheduled for bucket in buckets]),
        "good": rate([bucket.good for bucket in buckets]),
        "late": rate([bucket.late for bucket in buckets]),
        "failed": rate([bucket.failed for bucket in buckets]),
        "unknown": rate([bucket.unknown for bucket in buckets]),
        "p50": latency(0.50),
        "p95": latency(0.95),
        "p99": latency(0.99),
    }
