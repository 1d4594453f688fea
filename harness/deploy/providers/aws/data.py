"""Data sources that programs ask before they create anything."""

from __future__ import annotations

from harness.deploy.providers.resource import Context, Invoke, Properties


def caller_identity(context: Context, arguments: Properties) -> Properties:
    """Who we are."""
    del arguments
    answer = context.client("sts").get_caller_identity()
    return {
        "accountId": answer["Account"],
        "arn": answer["Arn"],
        "userId": answer["UserId"],
        "id": answer["Account"],
    }


def region(context: Context, arguments: Properties) -> Properties:
    """Where we are."""
    del arguments
    name = context.region
    return {
        "name": name,
        "id": name,
        "region": name,
        "description": name,
        "endpoint": f"ec2.{name}.amazonaws.com",
    }


def partition(context: Context, arguments: Properties) -> Properties:
    """The part of AWS that the region belongs to."""
    del arguments
    name = "aws-cn" if context.region.startswith("cn-") else "aws"
    suffix = "amazonaws.com.cn" if name == "aws-cn" else "amazonaws.com"
    reverse = ".".join(reversed(suffix.split(".")))
    return {"partition": name, "id": name, "dnsSuffix": suffix, "reverseDnsPrefix": reverse}


def availability_zones(context: Context, arguments: Properties) -> Properties:
    """The region's zones that are available."""
    found = context.client("ec2").describe_availability_zones()["AvailabilityZones"]
    wanted = arguments.get("state") or "available"
    zones = sorted((z for z in found if z["State"] == wanted), key=lambda zone: str(zone["ZoneName"]))
    return {
        **arguments,
        "names": [zone["ZoneName"] for zone in zones],
        "zoneIds": [zone["ZoneId"] for zone in zones],
        "groupNames": [context.region],
        "id": context.region,
    }


INVOKES: dict[str, Invoke] = {
    "aws:index/getCallerIdentity:getCallerIdentity": caller_identity,
    "aws:index/getRegion:getRegion": region,
    "aws:index/getPartition:getPartition": partition,
    "aws:index/getAvailabilityZones:getAvailabilityZones": availability_zones,
}
