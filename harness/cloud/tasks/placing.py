"""In which zone the next task goes: those of its subnets, the one with the fewest, none that is known to be dark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.tasks import emulated
from harness.cloud.tasks.emulated import Record
from harness.cloud.zones import Zone, ZoneKeeper


@dataclass(frozen=True, slots=True)
class Place:
    """A zone, and the subnet there; '' for a task without a VPC."""

    zone: Zone
    subnet: str = ""


@dataclass(slots=True)
class Placing:
    """A zone that went dark is still used for `detection_s` seconds: what is placed there fails."""

    zones: ZoneKeeper
    detection_s: float
    _dark_since_s: dict[str, float] = field(default_factory=dict)

    def next_place(self, network: Mapping[str, Any], region: str, taken: Iterable[Zone]) -> Place | None:
        """Where the next task goes, `taken` being where the others are; None when no zone is usable."""
        count = Counter(zone.id for zone in taken)
        usable = [place for place in self.places(network, region) if not self._known_dark(place.zone)]
        return min(usable, key=lambda place: count[place.zone.id], default=None)

    def places(self, network: Mapping[str, Any], region: str) -> Sequence[Place]:
        """One place for each zone that the network configuration names; every zone of the region without one."""
        every = {zone.name: zone for zone in self.zones.in_region(region)}
        found: dict[str, Place] = {}
        for subnet in (network.get("awsvpcConfiguration") or {}).get("subnets") or ():
            name, _ = emulated.subnet_of(subnet)
            if name in every:
                found.setdefault(name, Place(every[name], subnet))
        return list(found.values()) or [Place(zone) for zone in every.values()]

    def went_dark(self, zone: Zone) -> None:
        """The power is gone as of now."""
        self._dark_since_s.setdefault(zone.id, self.zones.evidence.clock.now_s())

    def lit_up(self, zone: Zone) -> None:
        """The power is back; the zone is used again at once."""
        self._dark_since_s.pop(zone.id, None)

    def _known_dark(self, zone: Zone) -> bool:
        since_s = self._dark_since_s.get(zone.id)
        return since_s is not None and self.zones.evidence.clock.now_s() - since_s >= self.detection_s


def capacity_of(request: Mapping[str, Any], cluster: Record) -> tuple[str, str]:
    """Launch type and capacity provider of a task or service; everything runs as on Fargate.

    Raises:
        EcsError: both were given.
    """
    strategy, launch_type = request.get("capacityProviderStrategy"), request.get("launchType")
    if strategy and launch_type:
        raise emulated.EcsError(
            "InvalidParameterException",
            "Specifying both a launch type and capacity provider strategy is not supported.",
        )
    if launch_type:
        return str(launch_type), ""
    chosen = strategy or cluster.get("defaultCapacityProviderStrategy") or ()
    if chosen:
        provider = max(chosen, key=lambda one: (one.get("base", 0), one.get("weight", 0)))["capacityProvider"]
        return ("FARGATE" if str(provider).startswith("FARGATE") else "EC2"), str(provider)
    return "EC2", ""
