"""Data sources of EC2: what is there already."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.deploy.providers.aws.ec2_type import filters
from harness.deploy.providers.aws.tags import EC2
from harness.deploy.providers.resource import Context, Invoke, Properties
from harness.errors import ProviderError

Found = dict[str, Any]
Ask = Callable[[Any, list[dict[str, Any]]], list[Found]]
"""A client and filters in, what is described out."""


def asked(arguments: Properties, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """EC2's filters for a data source's arguments: its own `filters`, its tags, and those in `names`."""
    wanted = [{"Name": one["name"], "Values": list(one["values"])} for one in arguments.get("filters") or ()]
    wanted += [{"Name": f"tag:{key}", "Values": [text]} for key, text in (arguments.get("tags") or {}).items()]
    for name, filter_name in names.items():
        if arguments.get(name) is not None:
            text = arguments[name]
            value = ("true" if text else "false") if isinstance(text, bool) else str(text)
            wanted += [{"Name": filter_name, "Values": [value]}]
    return wanted


def only(found: Sequence[Found], what: str) -> Found:
    """The one that was found.

    Raises:
        ProviderError: none, or several.
    """
    if len(found) != 1:
        raise ProviderError(
            f"{len(found) or 'no'} {what} match", where=what, hint="the arguments must match exactly one"
        )
    return found[0]


def plain(found: Found) -> Properties:
    """AWS's answer under Pulumi's names, tags as a map."""
    told: Properties = {}
    for name, value in found.items():
        told[name[0].lower() + name[1:]] = value.isoformat() if hasattr(value, "isoformat") else value
    return {**told, "tags": EC2.plain(found.get("Tags"))}


def _vpcs(client: Any, wanted: list[dict[str, Any]]) -> list[Found]:
    found: list[Found] = client.describe_vpcs(Filters=wanted)["Vpcs"]
    return found


def _subnets(client: Any, wanted: list[dict[str, Any]]) -> list[Found]:
    found: list[Found] = client.describe_subnets(Filters=wanted)["Subnets"]
    return found


def _groups(client: Any, wanted: list[dict[str, Any]]) -> list[Found]:
    found: list[Found] = client.describe_security_groups(Filters=wanted)["SecurityGroups"]
    return found


_VPC = {"id": "vpc-id", "cidrBlock": "cidr", "default": "is-default", "dhcpOptionsId": "dhcp-options-id",
        "state": "state"}  # fmt: skip
_SUBNET = {"id": "subnet-id", "vpcId": "vpc-id", "cidrBlock": "cidr-block", "availabilityZone": "availability-zone",
           "availabilityZoneId": "availability-zone-id", "defaultForAz": "default-for-az",
           "state": "state"}  # fmt: skip
_GROUP = {"id": "group-id", "name": "group-name", "vpcId": "vpc-id"}


def _kept(found: list[Found], arguments: Properties, keys: Mapping[str, str]) -> list[Found]:
    """Those that match by their members too: an emulator does not know every filter."""
    pairs = [(member, arguments[name]) for name, member in keys.items() if arguments.get(name) is not None]
    return [one for one in found if all(str(one.get(member)) == str(value) for member, value in pairs)]


def vpc(context: Context, arguments: Properties) -> Properties:
    """One VPC."""
    client = context.client("ec2")
    keys = {"id": "VpcId", "cidrBlock": "CidrBlock", "default": "IsDefault", "dhcpOptionsId": "DhcpOptionsId"}
    one = only(_kept(_vpcs(client, asked(arguments, _VPC)), arguments, keys), "VPCs")
    main = [*filters(vpc_id=one["VpcId"]), *filters(association__main="true")]
    tables = client.describe_route_tables(Filters=main)["RouteTables"]
    return {
        **plain(one),
        "id": one["VpcId"],
        "arn": f"arn:aws:ec2:{context.region}:{context.account_id}:vpc/{one['VpcId']}",
        "default": bool(one.get("IsDefault")),
        "mainRouteTableId": next((table["RouteTableId"] for table in tables), ""),
        "enableDnsSupport": True,
        "enableDnsHostnames": bool(one.get("IsDefault")),
    }


def vpcs(context: Context, arguments: Properties) -> Properties:
    """Ids of VPCs."""
    found = _vpcs(context.client("ec2"), asked(arguments, {}))
    return {**arguments, "id": context.region, "ids": sorted(one["VpcId"] for one in found)}


def subnet(context: Context, arguments: Properties) -> Properties:
    """One subnet."""
    keys = {"id": "SubnetId", "vpcId": "VpcId", "cidrBlock": "CidrBlock", "availabilityZone": "AvailabilityZone"}
    found = _kept(_subnets(context.client("ec2"), asked(arguments, _SUBNET)), arguments, keys)
    one = only(found, "subnets")
    arn = f"arn:aws:ec2:{context.region}:{context.account_id}:subnet/{one['SubnetId']}"
    return {**plain(one), "id": one["SubnetId"], "arn": one.get("SubnetArn", arn)}


def subnets(context: Context, arguments: Properties) -> Properties:
    """Ids of subnets."""
    found = _subnets(context.client("ec2"), asked(arguments, {}))
    return {**arguments, "id": context.region, "ids": sorted(one["SubnetId"] for one in found)}


def security_group(context: Context, arguments: Properties) -> Properties:
    """One security group."""
    keys = {"id": "GroupId", "name": "GroupName", "vpcId": "VpcId"}
    one = only(_kept(_groups(context.client("ec2"), asked(arguments, _GROUP)), arguments, keys), "security groups")
    arn = f"arn:aws:ec2:{context.region}:{context.account_id}:security-group/{one['GroupId']}"
    return {**plain(one), "id": one["GroupId"], "name": one["GroupName"], "arn": arn}


def security_groups(context: Context, arguments: Properties) -> Properties:
    """Ids, ARNs and VPCs of security groups."""
    found = sorted(_groups(context.client("ec2"), asked(arguments, {})), key=lambda one: str(one["GroupId"]))
    arn = f"arn:aws:ec2:{context.region}:{context.account_id}:security-group/"
    ids = [one["GroupId"] for one in found]
    told = {"ids": ids, "arns": [arn + one for one in ids], "vpcIds": [one.get("VpcId", "") for one in found]}
    return {**arguments, "id": context.region, **told}


def route_table(context: Context, arguments: Properties) -> Properties:
    """One route table."""
    names = {"routeTableId": "route-table-id", "vpcId": "vpc-id", "subnetId": "association.subnet-id",
             "gatewayId": "association.gateway-id"}  # fmt: skip
    found = context.client("ec2").describe_route_tables(Filters=asked(arguments, names))["RouteTables"]
    if arguments.get("subnetId"):
        wanted = arguments["subnetId"]
        found = [t for t in found if any(a.get("SubnetId") == wanted for a in t.get("Associations", ()))]
    one = only(_kept(found, arguments, {"routeTableId": "RouteTableId", "vpcId": "VpcId"}), "route tables")
    arn = f"arn:aws:ec2:{context.region}:{context.account_id}:route-table/{one['RouteTableId']}"
    inner = {name: [plain(part) for part in one.get(member, ())]
             for name, member in (("associations", "Associations"), ("routes", "Routes"))}  # fmt: skip
    return {**plain(one), **inner, "id": one["RouteTableId"], "arn": arn, "ownerId": context.account_id}


def prefix_list(context: Context, arguments: Properties) -> Properties:
    """The ranges of a service."""
    wanted = {"PrefixListId": arguments.get("prefixListId"), "PrefixListName": arguments.get("name")}
    keys = {member: value for member, value in wanted.items() if value}
    found = context.client("ec2").describe_prefix_lists(Filters=asked(arguments, {}))["PrefixLists"]
    one = only([one for one in found if all(one[k] == v for k, v in keys.items())], "prefix lists")
    return {"id": one["PrefixListId"], "name": one["PrefixListName"], "cidrBlocks": one.get("Cidrs", []), **arguments}


def ami(context: Context, arguments: Properties) -> Properties:
    """The machine image that matches, the newest when that is asked for."""
    wanted = {"Filters": asked(arguments, {}), "Owners": arguments.get("owners")}
    found = context.client("ec2").describe_images(**{name: value for name, value in wanted.items() if value})[
        "Images"
    ]
    found = sorted(found or _published(context, arguments), key=lambda image: str(image.get("CreationDate", "")))
    if not found:
        raise ProviderError("no AMI matches", where="aws:ec2/getAmi:getAmi", hint="owners and filters must match one")
    one = found[-1] if arguments.get("mostRecent") else only(found, "AMIs")
    arn = f"arn:aws:ec2:{context.region}::image/{one['ImageId']}"
    return {**plain(one), "id": one["ImageId"], "arn": arn, "owners": arguments.get("owners") or []}


def _published(context: Context, arguments: Properties) -> list[Found]:
    """An image that a publisher of AMIs would have under the name that is asked for; none on real AWS.

    An emulator holds a few images and runs none of them, while publishers have thousands. So a name that is one of
    theirs gets an image: always the same id for the same pattern and region.
    """
    names = [one["values"][0] for one in arguments.get("filters") or () if one["name"] == "name" and one["values"]]
    owners = [owner for owner in arguments.get("owners") or () if owner in _PUBLISHERS]
    if context.target.kind == "aws" or not names or not owners:
        return []
    pattern = str(names[0])
    name = pattern.replace("*", "20260101").replace("?", "1")
    if not fnmatch.fnmatchcase(name, pattern):
        return []
    digits = hashlib.sha256(f"{context.region} {owners[0]} {pattern}".encode()).hexdigest()[:17]
    return [
        {
            "ImageId": f"ami-0{digits[:16]}",
            "Name": name,
            "Architecture": "arm64" if "arm64" in name else "x86_64",
            "CreationDate": "2026-01-01T00:00:00.000Z",
            "OwnerId": _PUBLISHERS[owners[0]],
            "RootDeviceName": "/dev/sda1" if "ubuntu" in name else "/dev/xvda",
            "RootDeviceType": "ebs",
            "VirtualizationType": "hvm",
            "State": "available",
            "ImageType": "machine",
            "Public": True,
        }
    ]


_PUBLISHERS = {
    "amazon": "137112412989",
    "137112412989": "137112412989",
    "591542846629": "591542846629",
    "099720109477": "099720109477",
    "136693071363": "136693071363",
    "309956199498": "309956199498",
    "801119661308": "801119661308",
}
"""Owners of public images → their account: Amazon, its ECS images, Canonical, Debian, Red Hat, Microsoft."""


def ami_ids(context: Context, arguments: Properties) -> Properties:
    """Ids of machine images."""
    found = context.client("ec2").describe_images(Filters=asked(arguments, {}), Owners=arguments["owners"])["Images"]
    return {**arguments, "id": context.region, "ids": [one["ImageId"] for one in found]}


def availability_zone(context: Context, arguments: Properties) -> Properties:
    """One zone."""
    found = context.client("ec2").describe_availability_zones()["AvailabilityZones"]
    keys = {"name": "ZoneName", "zoneId": "ZoneId", "state": "State"}
    one = only(_kept(found, arguments, keys), "availability zones")
    name = one["ZoneName"]
    return {
        "id": name,
        "name": name,
        "nameSuffix": name.removeprefix(context.region),
        "zoneId": one["ZoneId"],
        "state": one["State"],
        "region": context.region,
        "groupName": one.get("GroupName", context.region),
        "networkBorderGroup": one.get("NetworkBorderGroup", context.region),
        "optInStatus": one.get("OptInStatus", "opt-in-not-required"),
        "zoneType": "availability-zone",
    }


def endpoint_service(context: Context, arguments: Properties) -> Properties:
    """One service that endpoints lead to."""
    kind = arguments.get("serviceType") or "Interface"
    name = arguments.get("serviceName") or f"com.amazonaws.{context.region}.{arguments.get('service')}"
    zones = [one["ZoneName"] for one in context.client("ec2").describe_availability_zones()["AvailabilityZones"]]
    told = {"serviceName": name, "serviceType": kind, "availabilityZones": sorted(zones), "owner": "amazon"}
    return {**arguments, **told, "id": name, "acceptanceRequired": False, "vpcEndpointPolicySupported": True}


def instance_type(context: Context, arguments: Properties) -> Properties:
    """What a type of instance has."""
    wanted = arguments["instanceType"]
    one = context.client("ec2").describe_instance_types(InstanceTypes=[wanted])["InstanceTypes"][0]
    return {
        **plain(one),
        "id": wanted,
        "defaultVcpus": (one.get("VCpuInfo") or {}).get("DefaultVCpus"),
        "memorySize": (one.get("MemoryInfo") or {}).get("SizeInMiB"),
        "supportedArchitectures": (one.get("ProcessorInfo") or {}).get("SupportedArchitectures", []),
    }


INVOKES: dict[str, Invoke] = {
    "aws:ec2/getVpc:getVpc": vpc,
    "aws:ec2/getVpcs:getVpcs": vpcs,
    "aws:ec2/getSubnet:getSubnet": subnet,
    "aws:ec2/getSubnets:getSubnets": subnets,
    "aws:ec2/getSecurityGroup:getSecurityGroup": security_group,
    "aws:ec2/getSecurityGroups:getSecurityGroups": security_groups,
    "aws:ec2/getRouteTable:getRouteTable": route_table,
    "aws:ec2/getPrefixList:getPrefixList": prefix_list,
    "aws:ec2/getAmi:getAmi": ami,
    "aws:ec2/getAmiIds:getAmiIds": ami_ids,
    "aws:ec2/getVpcEndpointService:getVpcEndpointService": endpoint_service,
    "aws:ec2/getInstanceType:getInstanceType": instance_type,
    "aws:index/getAvailabilityZone:getAvailabilityZone": availability_zone,
}
