"""aws:network:disrupt-connectivity: what runs in the target subnets no longer gets through.

On AWS the subnets get network ACLs that deny traffic. Here the calls that would take a denied way get no answer from
the gate. Source: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#disrupt-connectivity
"""

from __future__ import annotations

import ipaddress
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from chaos.fis.actions.action import DURATION, Parameter, RuleAction, Work
from chaos.fis.actions.values import check_one_of
from chaos.fis.actions.vpc_paths import interface_endpoints, service_of, subnets_of
from chaos.fis.errors import ActionError, ValidationException
from chaos.fis.finding import Resource
from harness.cloud.faults import Blackhole, Dose, Selector
from harness.cloud.links import LinkFault

_MOST_ENTRIES = 10
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """Calls that are lost: of one service (or of all but some), by a share."""

    service: str = ""
    resource: str = ""
    but: tuple[str, ...] = ()
    share: float = 1.0


def _everything(work: Work, subnet: Resource) -> Iterator[Denied]:
    """In and out of the subnet; only an endpoint's interface in this very subnet is still reached."""
    endpoints = interface_endpoints(work.clients, subnet.described["VpcId"])
    yield Denied(but=tuple(one.service for one in endpoints if subnet.name in one.subnets))


def _other_zones(work: Work, subnet: Resource) -> Iterator[Denied]:
    """Traffic to other zones of the VPC: the endpoint interfaces there, which DNS deals out evenly."""
    zones = {one["SubnetId"]: one["AvailabilityZone"] for one in subnets_of(work.clients, subnet.described["VpcId"])}
    for endpoint in interface_endpoints(work.clients, subnet.described["VpcId"]):
        away = [one for one in endpoint.subnets if zones.get(one) != subnet.described["AvailabilityZone"]]
        if away:
            yield Denied(service=endpoint.service, share=len(away) / len(endpoint.subnets))


def _outside_vpc(work: Work, subnet: Resource) -> Iterator[Denied]:
    """In and out of the VPC; its interface endpoints are inside."""
    endpoints = interface_endpoints(work.clients, subnet.described["VpcId"])
    yield Denied(but=tuple(one.service for one in endpoints))


def _prefix_list(work: Work, subnet: Resource) -> Iterator[Denied]:
    """Traffic to the addresses of a prefix list: a service for AWS's own lists, endpoints in its ranges else."""
    listed = _listed(work)
    if isinstance(listed, str):
        yield Denied(service=listed)
        return
    if any(one.prefixlen == 0 for one in listed):
        yield Denied()
        return
    vpc = subnet.described["VpcId"]
    hit = _within(listed, subnets_of(work.clients, vpc))
    for endpoint in interface_endpoints(work.clients, vpc):
        share = len(hit & set(endpoint.subnets)) / max(len(endpoint.subnets), 1)
        if share:
            yield Denied(service=endpoint.service, share=share)


def _listed(work: Work) -> str | list[Network]:
    """What the prefix list of the scope holds: the service of one of AWS's own lists, or address ranges.

    Raises:
        ActionError: there is no such list, or it has too many entries.
    """
    ec2, identity = work.clients.get("ec2"), work.parameters["prefixListIdentifier"].rpartition("/")[2]
    found = ec2.describe_managed_prefix_lists(PrefixListIds=[identity])["PrefixLists"]
    if not found:
        raise ActionError(f"prefix list {identity} does not exist", "InvalidTarget")
    if found[0]["PrefixListName"].startswith("com.amazonaws."):
        return service_of(found[0]["PrefixListName"])
    entries = ec2.get_managed_prefix_list_entries(PrefixListId=identity)["Entries"]
    if len(entries) > _MOST_ENTRIES:
        raise ActionError(f"prefix list {identity} has {len(entries)} entries; at most {_MOST_ENTRIES} are taken")
    return [ipaddress.ip_network(entry["Cidr"]) for entry in entries]


def _within(ranges: list[Network], subnets: Sequence[Mapping[str, Any]]) -> set[str]:
    """The subnets that have addresses in the ranges."""
    return {
        one["SubnetId"]
        for one in subnets
        if any(_overlap(ipaddress.ip_network(one["CidrBlock"]), other) for other in ranges)
    }


def _overlap(one: Network, other: object) -> bool:
    return type(one) is type(other) and one.overlaps(other)


def _service(name: str, resource: str = "") -> Callable[[Work, Resource], Iterator[Denied]]:
    def denied(_work: Work, _subnet: Resource) -> Iterator[Denied]:
        yield Denied(service=name, resource=resource)

    return denied


SCOPES: Mapping[str, Callable[[Work, Resource], Iterator[Denied]]] = {
    "all": _everything,
    "availability-zone": _other_zones,
    "dynamodb": _service("dynamodb"),
    "prefix-list": _prefix_list,
    "s3": _service("s3"),
    "s3express": _service("s3", "*--x-s3*"),
    "vpc": _outside_vpc,
}


def _links(work: Work, subnet: Resource) -> list[tuple[str, tuple[str, ...]]]:
    """Where connections from and to the subnet no longer lead ('' is everywhere), and which places are spared."""
    zone, vpc = subnet.described["AvailabilityZone"], subnet.described["VpcId"]
    match work.parameters["scope"]:
        case "all":
            return [("", ())]
        case "availability-zone":
            every = work.doors.zones.in_region(zone.rstrip(string.ascii_lowercase))
            return [(other.name, ()) for other in every if other.name != zone]
        case "vpc":
            return [("", tuple(one["SubnetId"] for one in subnets_of(work.clients, vpc)))]
        case "prefix-list":
            listed = _listed(work)
            if isinstance(listed, str):
                return []
            if any(one.prefixlen == 0 for one in listed):
                return [("", ())]
            hit = _within(listed, work.clients.get("ec2").describe_subnets()["Subnets"])
            return [(one, ()) for one in sorted(hit - {subnet.name})]
    return []


class DisruptConnectivity(RuleAction):
    """What runs in the subnets no longer reaches what the scope says."""

    id: ClassVar = "aws:network:disrupt-connectivity"
    description: ClassVar = "Disrupts network connectivity of the target subnets."
    parameters: ClassVar = {
        "duration": DURATION,
        "scope": Parameter(f"What is cut off: {', '.join(SCOPES)}."),
        "prefixListIdentifier": Parameter("The prefix list of scope prefix-list, by id or ARN.", required=False),
    }
    targets: ClassVar[Mapping[str, str]] = {"Subnets": "aws:ec2:subnet"}
    capability: ClassVar[str] = "lambda-zones"
    difference: ClassVar = (
        "cuts AWS calls of Lambda functions and tasks in the subnets by the way they would take (interface endpoints "
        "in and out of the subnet, zone and VPC), and their connections to and from databases, caches, load "
        "balancers and each other; no network ACL is cloned, so DescribeNetworkAcls shows none"
    )

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration, scope, and a prefix list where the scope needs one and nowhere else."""
        super().check(parameters)
        scope = check_one_of(parameters["scope"], "scope", SCOPES)
        if (scope == "prefix-list") != bool(parameters.get("prefixListIdentifier")):
            raise ValidationException("prefixListIdentifier is for scope prefix-list, which needs it")

    def inject(self, work: Work) -> None:
        """A rule for each subnet and each way that is denied; for connections past the gate, cut links."""
        for subnet in work.resources["Subnets"]:
            for far, but in _links(work, subnet):
                name = f"{subnet.name}/{far}"
                fault = LinkFault(id=name, owner="", near=subnet.name, far=far, but=but, cut=True, services=False)
                work.disturb(fault)
        for subnet in work.resources["Subnets"]:
            for number, denied in enumerate(SCOPES[work.parameters["scope"]](work, subnet)):
                selector = Selector(
                    service=denied.service,
                    resource=denied.resource,
                    except_services=denied.but,
                    caller_subnet=subnet.name,
                )
                dose = Dose(probability=denied.share)
                work.put(f"{subnet.name}/{number}", selector, Blackhole(hold_s=work.duration_s), dose)
