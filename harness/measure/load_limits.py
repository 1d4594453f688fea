"""Limits on a load: what it may not exceed, and what came of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from harness.errors import InconclusiveError, nearest

LIMITS = ("p50", "p95", "p99", "failures")
"""Percentiles in seconds, over all requests; `failures` is a share of all requests.

`REQUEST LIMIT` is one of them over the requests of that name alone, such as `POST /orders p95`.
"""


class LoadLimit(msgspec.Struct, frozen=True, kw_only=True):
    """One limit; percentiles in milliseconds, `failures` a ratio."""

    name: str
    limit: float
    measured: float

    @property
    def held(self) -> bool:
        """True when the limit was not exceeded."""
        return self.measured <= self.limit


def judge_load(limits: Mapping[str, float], measured: Mapping[str, float]) -> list[LoadLimit]:
    """Every limit with what was measured: first of all requests, in the order of `LIMITS`, then of single ones.

    Raises:
        InconclusiveError: a limit on a request that nobody sent.
    """
    for name in sorted(limits.keys() - measured.keys()):
        raise InconclusiveError(
            f"nothing was measured of {name!r}",
            where="[load] limits",
            hint=nearest(name, sorted(measured)),
        )
    named = sorted(limits, key=lambda name: LIMITS.index(name) if name in LIMITS else len(LIMITS))
    return [LoadLimit(name=name, limit=limits[name], measured=measured[name]) for name in named]
