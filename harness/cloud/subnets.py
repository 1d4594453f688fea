"""The subnets of the emulator: in which zone each is, and how it reaches what is outside of its VPC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.cloud.egress import WayOut

_ANYWHERE = frozenset({"0.0.0.0/0", "::/0"})


def zone_name_of(subnet: str) -> str:
    """The zone's name of a subnet, '' when there is none. Needs the caller's account and region context."""
    from ministack.services import ec2

    return str(ec2._subnets.get(subnet, {}).get("AvailabilityZone", ""))  # noqa: SLF001


def ways_out(account: str, region: str) -> list[WayOut]:
    """How each subnet of a region that has a route table reaches what is outside of its VPC."""
    from ministack.core.responses import request_scope
    from ministack.services import ec2

    with request_scope(account, region):
        tables = list(ec2._route_tables.values())  # noqa: SLF001
        of = [(one, table) for table in tables for one in table["Associations"]]
        by_subnet = {one["SubnetId"]: table for one, table in of if one.get("SubnetId")}
        by_vpc = {table["VpcId"]: table for one, table in of if one.get("Main")}
        return [
            _way_out(name, table)
            for name, subnet in list(ec2._subnets.items())  # noqa: SLF001
            if (table := by_subnet.get(name) or by_vpc.get(subnet["VpcId"])) is not None
        ]


def _way_out(subnet: str, table: Mapping[str, Any]) -> WayOut:
    from ministack.services import ec2

    leads_out, zone = False, ""
    for route in table["Routes"]:
        if _ANYWHERE.isdisjoint((route.get("DestinationCidrBlock"), route.get("DestinationIpv6CidrBlock"))):
            continue
        gateway = ec2._nat_gateways.get(route.get("NatGatewayId") or "", {})  # noqa: SLF001
        if route.get("NatGatewayId") and gateway.get("State") != "available":
            continue
        leads_out = leads_out or not str(route.get("GatewayId") or "").startswith("igw-")
        zone = zone_name_of(gateway["SubnetId"]) if gateway else zone
    endpoints = tuple(
        one["ServiceName"].rpartition(".")[2]
        for one in list(ec2._vpc_endpoints.values())  # noqa: SLF001
        if one.get("VpcId") == table["VpcId"]
        and (one.get("VpcEndpointType") == "Interface" or table["RouteTableId"] in one.get("RouteTableIds", ()))
    )
    return WayOut(subnet=subnet, gateway_zone=zone, endpoints=endpoints, leads_out=leads_out)
