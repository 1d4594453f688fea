"""In which zone the next invocation of a function runs.

Lambda spreads a function over the zones it may use and notices a lost zone only after a while. A VPC
function may use the zones of its subnets; any other function all zones of its region. Source:
https://docs.aws.amazon.com/lambda/latest/dg/security-resilience.html and configuration-vpc.html.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.clock import Clock
from harness.cloud.functions.spec import FunctionSpec
from harness.cloud.zones import Zone, ZoneKeeper

SubnetZone = Callable[[str], str]
"""A subnet's id → its zone's name or id, '' when there is no such subnet in the function's region."""


@dataclass(frozen=True, slots=True)
class Place:
    """A zone, and the subnet there; '' for a function without a VPC."""

    zone: Zone
    subnet: str = ""


@dataclass(slots=True)
class Placement:
    """Deals zones out in turn. Safe from any thread.

    A zone that went dark is still dealt out for `detection_s` seconds: what is sent there fails. After that
    it is passed over until its power is back.
    """

    zones: ZoneKeeper
    clock: Clock
    detection_s: float
    subnet_zone: SubnetZone
    _turns: dict[str, int] = field(default_factory=dict)
    _dark_since_s: dict[str, float] = field(default_factory=dict)
    _subnets: dict[tuple[str, str], Zone] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next_place(self, spec: FunctionSpec) -> Place | None:
        """The place of the next invocation; None when every zone of the function is known to be dark."""
        places = self.places(spec)
        usable = [place for place in places if not self.known_dark(place.zone)]
        if not usable:
            return None
        with self._lock:
            turn = self._turns.get(spec.arn, 0)
            self._turns[spec.arn] = turn + 1
        return usable[turn % len(usable)]

    def places(self, spec: FunctionSpec) -> list[Place]:
        """Every place where the function may run."""
        if not spec.subnets:
            return [Place(zone) for zone in self.zones.in_region(spec.region)]
        found = ((self._zone_of(spec.region, subnet), subnet) for subnet in spec.subnets)
        return [Place(zone, subnet) for zone, subnet in found if zone is not None]

    def went_dark(self, zone: Zone) -> None:
        """The zone's power is gone as of now."""
        with self._lock:
            self._dark_since_s.setdefault(zone.id, self.clock.now_s())

    def lit_up(self, zone: Zone) -> None:
        """The zone's power is back; it is used again at once."""
        with self._lock:
            self._dark_since_s.pop(zone.id, None)

    def is_dark(self, zone: Zone) -> bool:
        """True while the zone has no power, noticed or not."""
        return zone.id in self._dark_since_s

    def known_dark(self, zone: Zone) -> bool:
        """True once the loss of the zone has been noticed."""
        since_s = self._dark_since_s.get(zone.id)
        return since_s is not None and self.clock.now_s() - since_s >= self.detection_s

    def _zone_of(self, region: str, subnet: str) -> Zone | None:
        """A subnet never moves, so its zone is asked for once; None when the subnet is gone before that."""
        key = (region, subnet)
        if key not in self._subnets:
            name = self.subnet_zone(subnet)
            if not name:
                return None
            self._subnets[key] = self.zones.find(name)
        return self._subnets[key]
