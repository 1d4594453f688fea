"""What `stats` may call: one object a group, which is shown every row of it. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from harness.cloud.logs.insights.expressions import Evaluate, Row
from harness.cloud.logs.insights.functions import number, text
from harness.cloud.signals.statistics import percentile


class Aggregate(Protocol):
    """One aggregation of one group."""

    def add(self, row: Row) -> None:
        """One row of the group."""
        ...

    def result(self) -> Any:
        """The figure; None when there is none."""
        ...


class _Everything:
    """`count(*)`."""

    __slots__ = ("n",)

    def __init__(self) -> None:
        self.n = 0

    def add(self, row: Row) -> None:
        del row
        self.n += 1

    def result(self) -> int:
        return self.n


class _Count(_Everything):
    """Rows that have a value."""

    __slots__ = ("of",)

    def __init__(self, of: Evaluate) -> None:
        super().__init__()
        self.of = of

    def add(self, row: Row) -> None:
        if self.of(row) is not None:
            self.n += 1


class _Sum:
    __slots__ = ("n", "of", "total")

    def __init__(self, of: Evaluate) -> None:
        self.of, self.n, self.total = of, 0, 0.0

    def add(self, row: Row) -> None:
        value = self.of(row)
        if value.__class__ is not int and value.__class__ is not float:
            value = number(value)
            if value is None:
                return
        self.n += 1
        self.total += value

    def result(self) -> float | None:
        return self.total if self.n else None


class _Average(_Sum):
    __slots__ = ()

    def result(self) -> float | None:
        return self.total / self.n if self.n else None


class _Deviation:
    """Of a sample, by Welford's method."""

    __slots__ = ("mean", "n", "of", "squares")

    def __init__(self, of: Evaluate) -> None:
        self.of, self.n, self.mean, self.squares = of, 0, 0.0, 0.0

    def add(self, row: Row) -> None:
        value = number(self.of(row))
        if value is not None:
            self.n += 1
            delta = value - self.mean
            self.mean += delta / self.n
            self.squares += delta * (value - self.mean)

    def result(self) -> float | None:
        if self.n < 2:
            return 0.0 if self.n else None
        return math.sqrt(self.squares / (self.n - 1))


class _Extreme:
    __slots__ = ("best", "by", "most", "of")

    def __init__(self, of: Evaluate, *, most: bool, by: Callable[[Any], Any]) -> None:
        self.of, self.most, self.by = of, most, by
        self.best: Any = None

    def add(self, row: Row) -> None:
        value = self.by(self.of(row))
        if value is not None and (self.best is None or (value > self.best if self.most else value < self.best)):
            self.best = value

    def result(self) -> Any:
        return self.best


class _Timed:
    """The value of the event with the earliest or the latest time."""

    __slots__ = ("at_ms", "latest", "of", "value")

    def __init__(self, of: Evaluate, *, latest: bool) -> None:
        self.of, self.latest = of, latest
        self.at_ms: int | None = None
        self.value: Any = None

    def add(self, row: Row) -> None:
        value, at_ms = self.of(row), row["@timestamp"]
        if value is None:
            return
        if self.at_ms is None or (at_ms > self.at_ms if self.latest else at_ms < self.at_ms):
            self.at_ms, self.value = at_ms, value

    def result(self) -> Any:
        return self.value


class _Distinct:
    __slots__ = ("of", "seen")

    def __init__(self, of: Evaluate) -> None:
        self.of = of
        self.seen: set[str] = set()

    def add(self, row: Row) -> None:
        value = self.of(row)
        if value is not None:
            self.seen.add(text(value))

    def result(self) -> int:
        return len(self.seen)


class _Percentile:
    __slots__ = ("counts", "of", "percent")

    def __init__(self, of: Evaluate, percent: Evaluate) -> None:
        self.of, self.percent = of, float(percent({}) or 0.0)
        self.counts: dict[float, float] = {}

    def add(self, row: Row) -> None:
        value = number(self.of(row))
        if value is not None:
            self.counts[value] = self.counts.get(value, 0.0) + 1

    def result(self) -> float | None:
        return percentile(self.counts, self.percent) if self.counts else None


def _as_text(value: Any) -> str | None:
    return None if value is None else text(value)


MAKERS: Final[Mapping[str, tuple[Callable[..., Aggregate], int, int]]] = {
    # name in lower case → maker, fewest and most arguments
    "count": (lambda *of: _Count(*of) if of else _Everything(), 0, 1),
    "count_distinct": (_Distinct, 1, 1),
    "sum": (_Sum, 1, 1),
    "avg": (_Average, 1, 1),
    "stddev": (_Deviation, 1, 1),
    "min": (lambda of: _Extreme(of, most=False, by=number), 1, 1),
    "max": (lambda of: _Extreme(of, most=True, by=number), 1, 1),
    "pct": (_Percentile, 2, 2),
    "earliest": (lambda of: _Timed(of, latest=False), 1, 1),
    "latest": (lambda of: _Timed(of, latest=True), 1, 1),
    "sortsfirst": (lambda of: _Extreme(of, most=False, by=_as_text), 1, 1),
    "sortslast": (lambda of: _Extreme(of, most=True, by=_as_text), 1, 1),
}
