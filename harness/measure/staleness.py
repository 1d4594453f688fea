"""Staleness of a replica: how long after its acknowledgement a write could be read there.

staleness(w) = the end of the first look at the replica that returned w, less the acknowledgement of w, at least 0.
That is an upper bound, as far apart as the looks are. A write that no look returned is infinitely stale: it is
censored, so that a percentile becomes infinite rather than better. Percentiles are nearest rank.

Source: Bailis et al., "Probabilistically Bounded Staleness for Practical Partial Quorums", VLDB 2012 (t-visibility).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.measure.history import Write
from harness.measure.journal import REPLICA_LOOK, Journal
from harness.measure.statistics import percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One read of the replica, answered at `at_s`: the keys that it returned."""

    at_s: float
    keys: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Staleness:
    """Seconds; infinite where writes never came. `writes` were measured, of which `unseen` were never returned."""

    p50_s: float
    p95_s: float
    max_s: float
    writes: int
    unseen: tuple[Write, ...]


def looks_of(journal: Journal) -> list[Look]:
    """The looks at the replica, oldest first; an event tells only the keys that were new to it."""
    return [
        Look(at_s=event.at_s, keys=frozenset(map(str, event.detail.get("new", ()))))
        for event in journal.named(REPLICA_LOOK)
    ]


def first_seen(looks: Iterable[Look]) -> dict[str, float]:
    """The instant of the first look that returned each key."""
    found: dict[str, float] = {}
    for look in sorted(looks, key=lambda look: look.at_s):
        for key in look.keys:
            found.setdefault(key, look.at_s)
    return found


def staleness(writes: Mapping[str, Write], looks: Iterable[Look]) -> Staleness | None:
    """The staleness of every acknowledged write that a look could have returned; None without any.

    A write acknowledged after the last look could not be seen by anybody and is left out.
    """
    ordered = list(looks)
    first_seen_s = first_seen(ordered)
    last_s = max((look.at_s for look in ordered), default=-math.inf)
    looked_for = [(write, write.acked_s) for write in writes.values() if write.acked_s is not None]
    looked_for = [(write, acked_s) for write, acked_s in looked_for if acked_s <= last_s]
    delays_s = sorted(max(0.0, first_seen_s.get(write.key, math.inf) - acked_s) for write, acked_s in looked_for)
    if not delays_s:
        return None
    return Staleness(
        p50_s=percentile(delays_s, 0.50),
        p95_s=percentile(delays_s, 0.95),
        max_s=delays_s[-1],
        writes=len(delays_s),
        unseen=tuple(write for write, _ in looked_for if write.key not in first_seen_s),
    )
