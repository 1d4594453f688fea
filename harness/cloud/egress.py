"""The way out of private subnets: through a NAT gateway, which is in one zone and is lost with it.

A subnet whose default route leads to a NAT gateway in another zone is cut off from every AWS service without a VPC
endpoint of its own when that zone loses its power, although the subnet's own zone is well.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html ("If you have resources in multiple
Availability Zones and they share one NAT gateway, and if the NAT gateway's Availability Zone is down, resources in
the other Availability Zones lose internet access").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from harness.cloud.faults import Blackhole, FaultRule, RuleBook, Selector
from harness.cloud.faults.rule import MAX_LEASE_S
from harness.cloud.zones import Zone

_HOLD_S = 60.0
"""Packets into a lost gateway vanish: callers wait for as long as they are patient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOut:
    """A subnet, the zone of the NAT gateway that its default route leads to, and what it reaches by endpoints."""

    subnet: str
    gateway_zone: str
    endpoints: tuple[str, ...] = ()


@dataclass(slots=True)
class Egress:
    """A resident of the zones: what it loses is other subnets' way out. Safe from any thread."""

    rules: RuleBook
    ways_out: Callable[[str], Iterable[WayOut]]
    """Region → its subnets behind NAT gateways."""

    _cut: dict[str, list[str]] = field(default_factory=dict)
    """Zone id → the rules in force for its gateways."""

    def power_lost(self, zone: Zone, *, owner: str) -> int:
        """Cut off what goes out through the zone's gateways; no process dies of it."""
        for way in self.ways_out(zone.region):
            if way.gateway_zone != zone.name:
                continue
            rule = FaultRule(
                id=f"{owner}/nat/{zone.id}/{way.subnet}",
                owner=owner,
                selector=Selector(caller_subnet=way.subnet, except_services=way.endpoints),
                effect=Blackhole(hold_s=_HOLD_S),
                lease_s=MAX_LEASE_S,
            )
            self.rules.put(rule)
            self._cut.setdefault(zone.id, []).append(rule.id)
        return 0

    def power_restored(self, zone: Zone, *, owner: str) -> None:
        """Let them out again."""
        del owner
        for rule in self._cut.pop(zone.id, ()):
            self.rules.remove(rule_id=rule)
