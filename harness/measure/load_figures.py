"""What a load's requests come to: percentiles and failures, of all, of each second, of each name. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from harness.measure.statistics import percentile

_SHARES = (0.50, 0.95, 0.99)


class LoadRequest(msgspec.Struct, frozen=True, array_like=True):
    """One request, or one user who stumbled over an answer, which takes no time of its own.

    `at_s` is the whole second since the load began in which it ended.
    """

    at_s: int
    name: str
    ms: float | None
    failed: bool


class RequestFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What became of all requests of one name; percentiles are None where not one was answered."""

    name: str
    requests: int
    failures: int
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None

    def measured(self) -> dict[str, float]:
        """Limit's name → what it is held against: milliseconds, and a ratio."""
        share = self.failures / self.requests
        found = {"p50": self.p50_ms, "p95": self.p95_ms, "p99": self.p99_ms, "failures": share}
        return {f"{self.name} {limit}".lstrip(): value for limit, value in found.items() if value is not None}


def figures_of(requests: Sequence[LoadRequest], name: str = "") -> RequestFigures:
    """The figures of these requests. Percentiles by nearest rank.

    >>> figures_of([LoadRequest(0, "GET /", ms, False) for ms in (1.0, 2.0, 9.0)]).p50_ms
    2.0
    """
    times = sorted(request.ms for request in requests if request.ms is not None)
    p50, p95, p99 = (round(percentile(times, share), 2) if times else None for share in _SHARES)
    failures = sum(request.failed for request in requests)
    return RequestFigures(name=name, requests=len(requests), failures=failures, p50_ms=p50, p95_ms=p95, p99_ms=p99)


def by_name(requests: Sequence[LoadRequest]) -> list[RequestFigures]:
    """The figures of each name, in the order of the names."""
    parted = _parted(requests, lambda request: request.name)
    return [figures_of(parted[name], name) for name in sorted(parted)]


def by_second(requests: Sequence[LoadRequest]) -> list[tuple[int, RequestFigures]]:
    """Each second with its figures, from the first on, also those in which nothing ended."""
    parted = _parted(requests, lambda request: request.at_s)
    return [(at_s, figures_of(parted.get(at_s, ()))) for at_s in range(max(parted, default=-1) + 1)]


def _parted(requests: Sequence[LoadRequest], key: Callable[[LoadRequest], Any]) -> dict[Any, list[LoadRequest]]:
    found: dict[Any, list[LoadRequest]] = {}
    for request in requests:
        found.setdefault(key(request), []).append(request)
    return found
