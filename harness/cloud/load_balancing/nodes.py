"""A load balancer's nodes: one in each of its zones, and which of them a new client meets.

On AWS the load balancer's name leads to the addresses of its nodes; here one socket stands for all of them, and a new
connection meets the next node in turn.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from harness.cloud.links import Place
from harness.cloud.zones import Zone, ZoneKeeper


@dataclass(slots=True, kw_only=True)
class Nodes:
    """The nodes of one load balancer.

    Args:
        zones: where it has a subnet.
        detection_s: how long a dead node is still met.
        subnets: zone's name → the subnet of its node there.
        away: zones that traffic was shifted away from (ids).
    """

    keeper: ZoneKeeper
    detection_s: float
    subnets: Mapping[str, str] = field(default_factory=dict)
    zones: tuple[Zone, ...] = ()
    away: frozenset[str] = frozenset()
    _dark_since_s: dict[str, float] = field(default_factory=dict)
    _turn: itertools.count[int] = field(default_factory=itertools.count)

    def next_node(self, fit: Collection[str] | None = None) -> Zone:
        """The zone of the node that the next client meets; of those named in `fit`, where any is left."""
        usable = [zone for zone in self.zones if zone.id not in self.away and not self.known_dark(zone)]
        chosen = [zone for zone in usable if fit is None or zone.name in fit] or usable or list(self.zones)
        return chosen[next(self._turn) % len(chosen)]

    def place(self, zone: Zone) -> Place:
        """Where the zone's node is, as an end of a flow."""
        return zone.place(self.subnets.get(zone.name, ""))

    def is_dark(self, zone: Zone) -> bool:
        """True while the node's zone has no power."""
        return not self.keeper.powered(zone)

    def went_dark(self, zone: Zone) -> None:
        """The power is gone as of now."""
        self._dark_since_s.setdefault(zone.id, self.keeper.evidence.clock.now_s())

    def lit_up(self, zone: Zone) -> None:
        """The power is back."""
        self._dark_since_s.pop(zone.id, None)

    def known_dark(self, zone: Zone) -> bool:
        """True once the loss of the zone has been noticed."""
        since_s = self._dark_since_s.get(zone.id)
        return since_s is not None and self.keeper.evidence.clock.now_s() - since_s >= self.detection_s
