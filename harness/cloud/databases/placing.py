"""In which zone a new instance or node goes: those of its subnet group, the emptiest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.cloud.zones import Zone, ZoneKeeper


def zones_of_group(names: Iterable[str], region: str, keeper: ZoneKeeper) -> tuple[Zone, ...]:
    """The zones of a subnet group by the names of its subnets' zones; every zone of the region where it has none."""
    wanted = set(names)
    every = keeper.in_region(region)
    return tuple(zone for zone in every if zone.name in wanted) or every


def subnets_by_zone(group: Mapping[str, Any]) -> dict[str, str]:
    """Zone's name → subnet id of a subnet group as RDS and ElastiCache describe it."""
    subnets = group.get("Subnets") or ()
    return {one["SubnetAvailabilityZone"]["Name"]: one.get("SubnetIdentifier", "") for one in subnets}


def place(zones: Sequence[Zone], taken: Iterable[Zone], keeper: ZoneKeeper) -> Zone:
    """The zone with the fewest of `taken`, one with power before one without; the first by letter among equals."""
    count = Counter(taken)
    return min(zones, key=lambda zone: (not keeper.powered(zone), count[zone]))
