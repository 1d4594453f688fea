"""Power that one resource loses in one zone while the zone itself keeps it: a replication group's nodes there, say.

On AWS such interruptions exist only as FIS actions: no API of the service does them.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from harness.cloud.evidence import Evidence

if TYPE_CHECKING:
    from harness.cloud.zones import Zone


class PartResident(Protocol):
    """What has processes of resources in zones."""

    def resource_power_lost(self, resource: str, zone: Zone) -> int:
        """Kill the resource's processes in the zone; returns how many died, 0 for a resource of others."""
        ...

    def resource_power_restored(self, resource: str, zone: Zone) -> None:
        """They may start again."""
        ...


@dataclass(slots=True)
class ResourcePower:
    """The interruptions in force, by ARN and zone. Safe from any thread; each may be asked for twice."""

    evidence: Evidence
    _cut: dict[tuple[str, Zone], dict[str, float]] = field(default_factory=dict)
    """Resource and zone → who cut its power → when that ends (monotonic seconds, or infinity)."""
    _residents: list[PartResident] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add_resident(self, resident: PartResident) -> None:
        """Tell `resident` from now on."""
        self._residents.append(resident)

    def powered(self, resource: str, zone: Zone) -> bool:
        """False while somebody has cut this resource's power in the zone."""
        return not self._cut or not self._cut.get((resource, zone))

    def cut(self, resource: str, zone: Zone, *, owner: str, lease_s: float = math.inf) -> int:
        """Take the power; returns how many processes died."""
        with self._lock:
            owners = self._cut.setdefault((resource, zone), {})
            first = not owners
            owners[owner] = self.evidence.clock.now_s() + lease_s
        if not first:
            return 0
        self.evidence.add("power_lost", owner=owner, zone=zone.id, resource=resource)
        died = sum(resident.resource_power_lost(resource, zone) for resident in self._residents)
        for _ in range(died):
            self.evidence.add("environment_killed", owner=owner, zone=zone.id, resource=resource)
        return died

    def restore(self, resource: str, zone: Zone, *, owner: str) -> bool:
        """Give back what `owner` took; True when the resource lights up."""
        with self._lock:
            owners = self._cut.get((resource, zone), {})
            if owners.pop(owner, None) is None or owners:
                return False
            del self._cut[resource, zone]
        self.evidence.add("power_restored", owner=owner, zone=zone.id, resource=resource)
        for resident in self._residents:
            resident.resource_power_restored(resource, zone)
        return True

    def heal(self, *, owner: str = "") -> list[str]:
        """Give everything back that `owner` (or anybody) took; returns the ARNs."""
        with self._lock:
            mine = [(place, o) for place, owners in self._cut.items() for o in owners if not owner or o == owner]
        return [place[0] for place, o in mine if self.restore(*place, owner=o)]

    def expire(self) -> None:
        """Give back the power whose lease is over."""
        now_s = self.evidence.clock.now_s()
        with self._lock:
            over = [
                (place, o) for place, owners in self._cut.items() for o, end_s in owners.items() if end_s <= now_s
            ]
        for place, owner in over:
            self.restore(*place, owner=owner)
