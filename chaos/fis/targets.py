"""Which resources a target is: asked of the cloud's own APIs once, before the first action.

Source: https://docs.aws.amazon.com/fis/latest/userguide/targets.html
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.fis.template import selection_count
from harness.cloud.doors import Doors


class ResolutionError(Exception):
    """A target cannot be resolved: an ARN that does not exist, or an API that does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource: its ARN, tags, and what its describe call says (for filters), in PascalCase."""

    arn: str
    tags: Mapping[str, str] = field(default_factory=dict)
    described: Mapping[str, Any] = field(default_factory=dict)
    zone: str = ""


def resolve(target: Mapping[str, Any], doors: Doors, seed: int) -> list[Resource]:
    """The resources of a target, sorted by ARN where none is drawn by chance.

    Raises:
        ResolutionError: an ARN does not exist, or the cloud refused the question.
    """
    try:
        every = _LISTERS[target["resourceType"]](doors)
    except (ClientError, BotoCoreError) as error:
        raise ResolutionError(f"{target['resourceType']} could not be listed: {error}") from error
    arns = target.get("resourceArns")
    if arns:
        by_arn = {resource.arn: resource for resource in every}
        missing = [arn for arn in arns if arn not in by_arn]
        if missing:
            raise ResolutionError(f"{missing[0]} does not exist")
        found = [by_arn[arn] for arn in arns]
    else:
        found = [resource for resource in every if _fits(resource, target, doors)]
    found.sort(key=lambda resource: resource.arn)
    count = selection_count(target["selectionMode"], len(found))
    return found if count == len(found) else random.Random(seed).sample(found, count)  # noqa: S311 - a seeded draw


def _fits(resource: Resource, target: Mapping[str, Any], doors: Doors) -> bool:
    tags = target.get("resourceTags") or {}
    if any(resource.tags.get(key) != value for key, value in tags.items()):
        return False
    wanted = (target.get("parameters") or {}).get("availabilityZoneIdentifier")
    if wanted and doors.zones.find(wanted).id != resource.zone:
        return False
    vpc = (target.get("parameters") or {}).get("vpc")
    if vpc and vpc not in {resource.described.get("VpcId"), resource.described.get("VpcArn")}:
        return False
    return all(_passes(resource.described, one) for one in target.get("filters") or ())


def _passes(described: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    found = {str(value) for value in _at(described, one["path"].split("."))}
    return bool(found & set(one["values"]))


def _at(value: Any, steps: Sequence[str]) -> Iterable[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _at(item, steps)
    elif not steps:
        yield value
    elif isinstance(value, Mapping) and steps[0] in value:
        yield from _at(value[steps[0]], steps[1:])


def _functions(doors: Doors) -> list[Resource]:
    client = doors.target.client("lambda")
    pages = client.get_paginator("list_functions").paginate()
    functions = [function for page in pages for function in page["Functions"]]
    return [
        Resource(
            arn=function["FunctionArn"],
            tags=client.list_tags(Resource=function["FunctionArn"]).get("Tags", {}),
            described=function,
        )
        for function in functions
    ]


def _subnets(doors: Doors) -> list[Resource]:
    client = doors.target.client("ec2")
    subnets = [s for page in client.get_paginator("describe_subnets").paginate() for s in page["Subnets"]]
    return [
        Resource(
            arn=subnet.get("SubnetArn")
            or f"arn:aws:ec2:{doors.target.region}:{doors.target.account_id}:subnet/{subnet['SubnetId']}",
            tags={tag["Key"]: tag["Value"] for tag in subnet.get("Tags") or ()},
            described=subnet,
            zone=doors.zones.find(subnet["AvailabilityZone"]).id,
        )
        for subnet in subnets
    ]


_LISTERS: Mapping[str, Callable[[Doors], list[Resource]]] = {
    "aws:lambda:function": _functions,
    "aws:ec2:subnet": _subnets,
}
