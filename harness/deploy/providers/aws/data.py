"""Data sources about where and who we are; most programs ask them before they create anything."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties

_REVERSED = "com.amazonaws"
_BILLING_ACCOUNT = "386209384616"  # docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/billing-getting-started.html


def caller_identity(context: Context, arguments: Properties) -> Properties:
    """Who we are."""
    answer = context.client("sts").get_caller_identity()
    account = answer["Account"]
    return {"accountId": account, "arn": answer["Arn"], "userId": answer["UserId"], "id": account}


@functools.cache
def _described() -> Mapping[str, str]:
    """Region → AWS's description of it, `US East (N. Virginia)`, from botocore's list of endpoints."""
    import botocore.session

    partitions = botocore.session.Session().get_data("endpoints")["partitions"]
    return {name: one["description"] for part in partitions for name, one in part["regions"].items()}


def region(context: Context, arguments: Properties) -> Properties:
    """Where we are, or the region that is named."""
    endpoint = str(arguments.get("endpoint") or "").split(".")
    name = arguments.get("region") or arguments.get("name") or (endpoint[1] if len(endpoint) > 2 else context.region)
    if name not in _described():
        raise CheckError([("region", f"there is no region {name}")])
    told = {"name": name, "id": name, "region": name, "description": _described()[name]}
    return {**told, "endpoint": f"ec2.{name}.{_suffix(name)}"}


def regions(context: Context, arguments: Properties) -> Properties:
    """The regions that the account may use."""
    asked: dict[str, Any] = {"AllRegions": bool(arguments.get("allRegions"))}
    if arguments.get("filters"):
        asked["Filters"] = [{"Name": one["name"], "Values": one["values"]} for one in arguments["filters"]]
    found = context.client("ec2").describe_regions(**asked)["Regions"]
    names = sorted(str(one["RegionName"]) for one in found)
    return {**arguments, "names": names, "id": _partition(context.region)}


def _partition(name: str) -> str:
    return "aws-cn" if name.startswith("cn-") else "aws-us-gov" if name.startswith("us-gov-") else "aws"


def _suffix(name: str) -> str:
    return "amazonaws.com.cn" if name.startswith("cn-") else "amazonaws.com"


def partition(context: Context, arguments: Properties) -> Properties:
    """The part of AWS that the region belongs to."""
    name, suffix = _partition(context.region), _suffix(context.region)
    return {"partition": name, "id": name, "dnsSuffix": suffix, "reverseDnsPrefix": ".".join(suffix.split(".")[::-1])}


def service(context: Context, arguments: Properties) -> Properties:
    """A service's names in a region, from any of them."""
    forward = str(arguments.get("dnsName") or "").split(".")
    backward = str(arguments.get("reverseDnsName") or "").removeprefix("cn.").split(".")
    place = arguments.get("region") or context.region
    name = arguments.get("serviceId") or ""
    if len(forward) > 2:
        name, place = forward[0], forward[1]
    elif len(backward) > 3:
        place, name = backward[2], backward[3]
    if not name:
        raise CheckError([("serviceId", "is required (or dnsName, or reverseDnsName)")])
    prefix = arguments.get("reverseDnsPrefix") or ".".join(_suffix(place).split(".")[::-1])
    reverse = f"{prefix}.{place}.{name}"
    return {
        **arguments, "id": reverse, "serviceId": name, "region": place, "partition": _partition(place),
        "dnsName": f"{name}.{place}.{_suffix(place)}", "reverseDnsName": reverse, "reverseDnsPrefix": prefix,
        "supported": True,
    }  # fmt: skip


def service_principal(context: Context, arguments: Properties) -> Properties:
    """The principal of a service in the region's partition."""
    place, name = arguments.get("region") or context.region, arguments["serviceName"]
    suffix = "amazonaws.com"
    return {
        **arguments,
        "id": f"{name}.{place}.{suffix}",
        "name": f"{name}.{suffix}",
        "region": place,
        "suffix": suffix,
    }


def default_tags(context: Context, arguments: Properties) -> Properties:
    """The tags that the provider puts on everything."""
    return {"id": _partition(context.region), "tags": dict(context.default_tags)}


def arn(context: Context, arguments: Properties) -> Properties:
    """The parts of an ARN."""
    parts = str(arguments["arn"]).split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        raise CheckError([("arn", "is not an ARN")])
    names = ("partition", "service", "region", "account", "resource")
    return {**arguments, "id": arguments["arn"], **dict(zip(names, parts[1:], strict=True))}


def billing_service_account(context: Context, arguments: Properties) -> Properties:
    """The account that writes billing reports."""
    return {"id": _BILLING_ACCOUNT, "arn": f"arn:aws:iam::{_BILLING_ACCOUNT}:root"}


def availability_zones(context: Context, arguments: Properties) -> Properties:
    """The region's zones that are available."""
    found = context.client("ec2").describe_availability_zones()["AvailabilityZones"]
    wanted = arguments.get("state") or "available"
    names, ids = set(arguments.get("excludeNames") or ()), set(arguments.get("excludeZoneIds") or ())
    zones = sorted((zone for zone in found if zone["State"] == wanted), key=lambda zone: str(zone["ZoneName"]))
    zones = [zone for zone in zones if zone["ZoneName"] not in names and zone["ZoneId"] not in ids]
    return {
        **arguments,
        "names": [zone["ZoneName"] for zone in zones],
        "zoneIds": [zone["ZoneId"] for zone in zones],
        "groupNames": [context.region],
        "id": context.region,
    }


INVOKES: dict[str, Invoke] = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": availability_zones,
    "aws:index/getCallerIdentity:getCallerIdentity": caller_identity,
    "aws:index/getRegion:getRegion": region,
    "aws:index/getRegions:getRegions": regions,
    "aws:index/getPartition:getPartition": partition,
    "aws:index/getService:getService": service,
    "aws:index/getServicePrincipal:getServicePrincipal": service_principal,
    "aws:index/getDefaultTags:getDefaultTags": default_tags,
    "aws:index/getArn:getArn": arn,
    "aws:index/getBillingServiceAccount:getBillingServiceAccount": billing_service_account,
}
