"""Regions and availability zones: names, ids, power, and who lives where.

Zone names (`us-east-1a`) and ids (`use1-az1`) are as AWS gives them. On AWS the letter-to-id mapping
differs by account; here a is az1, b is az2, c is az3.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from harness.cloud.evidence import Evidence
from harness.cloud.links import Links, Place
from harness.cloud.resource_power import ResourcePower
from harness.errors import UsageError, nearest

_DIRECTIONS = {
    "north": "n", "south": "s", "east": "e", "west": "w", "central": "c",
    "northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw", "gov": "g",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Zone:
    """One availability zone, for example Zone('us-east-1', 'us-east-1a', 'use1-az1')."""

    region: str
    name: str
    id: str

    def place(self, subnet: str = "") -> Place:
        """As an end of a flow."""
        return Place(region=self.region, zone_id=self.id, zone_name=self.name, subnet_id=subnet)


class Resident(Protocol):
    """Something that lives in zones and dies with them: the Lambda pool, databases, tasks."""

    def power_lost(self, zone: Zone, *, owner: str) -> int:
        """Kill every process in the zone at once; returns how many died."""
        ...

    def power_restored(self, zone: Zone, *, owner: str) -> None:
        """The zone may be used again; processes start cold when next needed."""
        ...


def zone_id(region: str, number: int) -> str:
    """The zone id that AWS uses, for example `use1-az1` for zone 1 of `us-east-1`.

    Source: https://docs.aws.amazon.com/ram/latest/userguide/working-with-az-ids.html
    """
    area, *middle, last = region.split("-")
    return f"{area}{''.join(_DIRECTIONS.get(part, part) for part in middle)}{last}-az{number}"


def zones_of(region: str, count: int) -> tuple[Zone, ...]:
    """The first `count` zones of a region, in the order of their letters."""
    return tuple(Zone(region, f"{region}{chr(ord('a') + i)}", zone_id(region, i + 1)) for i in range(count))


@dataclass(slots=True)
class ZoneKeeper:
    """Keeps the power of every zone and tells the residents. Safe from any thread."""

    zones: tuple[Zone, ...]
    evidence: Evidence
    _dark: dict[str, dict[str, float]] = field(default_factory=dict)
    """Zone id → owner that cut its power → the instant its lease ends (monotonic seconds, or infinity)."""
    _residents: list[Resident] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    of_resources: ResourcePower = field(init=False)
    links: Links = field(init=False)

    def __post_init__(self) -> None:
        self.of_resources = ResourcePower(self.evidence)
        self.links = Links(self.evidence)

    def add_resident(self, resident: Resident) -> None:
        """Tell `resident` about power from now on."""
        self._residents.append(resident)

    def find(self, name_or_id: str) -> Zone:
        """The zone with this name or id.

        Raises:
            UsageError: no such zone here.
        """
        for zone in self.zones:
            if name_or_id in (zone.name, zone.id):
                return zone
        known = [z.id for z in self.zones]
        raise UsageError(f"no availability zone {name_or_id!r} here", where="zone", hint=nearest(name_or_id, known))

    def in_region(self, region: str) -> tuple[Zone, ...]:
        """The zones of one region."""
        return tuple(zone for zone in self.zones if zone.region == region)

    def powered(self, zone: Zone) -> bool:
        """True while nobody has cut the zone's power."""
        return not self._dark.get(zone.id)

    def lost(self, region: str) -> bool:
        """True while no zone of the region has power: then nothing of it answers."""
        zones = self.in_region(region) if self._dark else ()
        return bool(zones) and not any(self.powered(zone) for zone in zones)

    def dark(self) -> dict[str, list[str]]:
        """Zone ids without power, with the owners that cut it."""
        with self._lock:
            return {zone: sorted(owners) for zone, owners in self._dark.items() if owners}

    def cut_power(self, zone: Zone, *, owner: str, lease_s: float = math.inf) -> int:
        """Take the zone's power away; its residents die now. May be repeated, which renews the lease.

        Returns how many processes died. With a lease, `expire` gives the power back when it is over: an owner in
        another process takes one, so that its death does not leave the zone dark.
        """
        return self.cut_together((zone,), owner=owner, lease_s=lease_s)

    def cut_together(
        self, zones: Sequence[Zone], *, owner: str, lease_s: float = math.inf, wire_s: float = 0.0
    ) -> int:
        """Take the power of several zones at one instant, and let their residents die `wire_s` later.

        Returns how many died.
        """
        with self._lock:
            gone = [zone for zone in zones if not self._dark.get(zone.id)]
            for zone in zones:
                self._dark.setdefault(zone.id, {})[owner] = self.evidence.clock.now_s() + lease_s
        for zone in gone:
            self.evidence.add("power_lost", owner=owner, zone=zone.id)
        died = 0
        time.sleep(wire_s)
        for zone in gone:
            killed = sum(resident.power_lost(zone, owner=owner) for resident in self._residents)
            self.evidence.add("power_loss_applied", owner=owner, zone=zone.id, processes_killed=killed)
            died += killed
        return died

    def restore_power(self, zone: Zone, *, owner: str = "") -> bool:
        """Give back what `owner` (or, with '', everybody) took. May be repeated. True when the zone lights up."""
        with self._lock:
            owners = self._dark.get(zone.id)
            if not owners:
                return False
            if owner:
                owners.pop(owner, None)
            else:
                owners.clear()
            if owners:
                return False
            del self._dark[zone.id]
        self.evidence.add("power_restored", owner=owner, zone=zone.id)
        for resident in self._residents:
            resident.power_restored(zone, owner=owner)
        return True

    def renew(self, owner: str, lease_s: float) -> int:
        """Extend the lease of every cut of `owner`; returns how many there are."""
        with self._lock:
            mine = [owners for owners in self._dark.values() if owner in owners]
            for owners in mine:
                owners[owner] = self.evidence.clock.now_s() + lease_s
        return len(mine)

    def expire(self) -> None:
        """Give back the power whose lease is over."""
        now_s = self.evidence.clock.now_s()
        with self._lock:
            over = [
                (zone, o) for zone, owners in self._dark.items() for o, until_s in owners.items() if until_s <= now_s
            ]
        for zone_name, owner in over:
            self.restore_power(self.find(zone_name), owner=owner)
        self.of_resources.expire()
        self.links.expire()

    def heal(self, *, owner: str = "") -> Sequence[str]:
        """Restore every zone and resource that `owner` (or anybody) darkened; returns what lights up."""
        resources = [*self.of_resources.heal(owner=owner), *self.links.remove(owner=owner)]
        return resources + [z.id for z in self.zones if z.id in self._dark and self.restore_power(z, owner=owner)]
