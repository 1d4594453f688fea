"""The way out of private subnets: through a NAT gateway, which is in one zone and is lost with it; or there is none.

A function in a subnet without a default route to something other than an internet gateway (it has no public address)
reaches only the services that its VPC has an endpoint of: other calls are never answered.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html

A subnet whose default route leads to a NAT gateway in another zone is cut off from every AWS service without a VPC
endpoint of its own when that zone loses its power, although the subnet's own zone is well.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html ("If you have resources in multiple
Availability Zones and they share one NAT gateway, and if the NAT gateway's Availability Zone is down, resources in
the other Availability Zones lose internet access").
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from harness.cloud.faults import Blackhole, FaultRule, RuleBook, Selector
from harness.cloud.faults.rule import MAX_LEASE_S
from harness.cloud.zones import Zone

_LOOK_AGAIN_S = 1.0
"""How long a change of routes takes to be felt, at most."""

_NO_WAY = (
    "functions in %s cannot reach %s: their route table needs a default route to a NAT gateway, or their VPC an "
    "endpoint of the service"
)
_ENDPOINTS = {"states": "stepfunctions", "sync-states": "stepfunctions", "monitoring": "cloudwatch"}
"""An endpoint's name → the SDK's of the service, where they differ."""

_HOLD_S = 60.0
"""Packets into a lost gateway vanish: callers wait for as long as they are patient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOut:
    """A subnet and what it reaches by endpoints.

    `gateway_zone` is that of the NAT gateway that its default route leads to, '' without; `leads_out` is False when
    no default route takes anything without a public address along.
    """

    subnet: str
    gateway_zone: str = ""
    endpoints: tuple[str, ...] = ()
    leads_out: bool = True


@dataclass(slots=True)
class Egress:
    """A resident of the zones: what it loses is other subnets' way out. Safe from any thread."""

    rules: RuleBook
    ways_out: Callable[[str], Iterable[WayOut]]
    """Region → how each of its subnets gets out."""

    _cut: dict[str, list[str]] = field(default_factory=dict)
    """Zone id → the rules in force for its gateways."""

    _known: dict[str, tuple[float, dict[str, frozenset[str]]]] = field(default_factory=dict)
    """Region → until when this holds, and its subnets without a way out with the services they reach."""

    _told: set[tuple[str, str]] = field(default_factory=set)

    def shut_in(self, region: str, subnet: str, service: str) -> bool:
        """Whether nothing that a function in the subnet sends to the service leaves its VPC."""
        now_s = time.monotonic()
        until_s, shut = self._known.get(region, (0.0, {}))
        if now_s >= until_s:
            ways = self.ways_out(region)
            shut = {way.subnet: frozenset(map(_service_of, way.endpoints)) for way in ways if not way.leads_out}
            self._known[region] = (now_s + _LOOK_AGAIN_S, shut)
        if subnet not in shut or service in shut[subnet]:
            return False
        if (subnet, service) not in self._told:
            self._told.add((subnet, service))
            logging.getLogger(__name__).warning(_NO_WAY, subnet, service)
        return True

    def power_lost(self, zone: Zone, *, owner: str) -> int:
        """Cut off what goes out through the zone's gateways; no process dies of it."""
        for way in self.ways_out(zone.region):
            if way.gateway_zone != zone.name:
                continue
            rule = FaultRule(
                id=f"{owner}/nat/{zone.id}/{way.subnet}",
                owner=owner,
                selector=Selector(caller_subnet=way.subnet, except_services=tuple(map(_service_of, way.endpoints))),
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


def _service_of(endpoint: str) -> str:
    return _ENDPOINTS.get(endpoint, endpoint)
