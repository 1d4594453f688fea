"""Limits on a load: what it may not exceed, and what came of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

LIMITS = ("p50", "p95", "p99", "failures")
"""Percentiles in seconds, over all requests; `failures` is a share of all requests."""


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
    """Every limit with what was measured, in the order of `LIMITS`."""
    return [LoadLimit(name=name, limit=limits[name], measured=measured[name]) for name in LIMITS if name in limits]
