"""Which resources a target is: asked of the cloud's own APIs once, before the first action.

Source: https://docs.aws.amazon.com/fis/latest/userguide/targets.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.fis.clients import Clients
from chaos.fis.finders import FINDERS
from chaos.fis.finding import Resource
from chaos.fis.resource_types import RESOURCE_TYPES
from chaos.fis.selection import select
from harness.cloud.doors import Doors

_ZONE_PARAMETERS = (
    "availabilityZoneIdentifier",
    "availabilityZoneIdentifiers",
    "writerAvailabilityZoneIdentifiers",
)


class ResolutionError(Exception):
    """A target cannot be resolved; `code` is what the experiment's error says."""

    def __init__(self, message: str, code: str = "InvalidTarget") -> None:
        super().__init__(message)
        self.code = code


def resolve(target: Mapping[str, Any], doors: Doors, clients: Clients, seed: int) -> list[Resource]:
    """The resources of a target, sorted by ARN where none is drawn by chance.

    Raises:
        ResolutionError: an ARN does not exist, the cloud refused the question, or tags pick too many.
        UsageError: a parameter names no zone of this cloud.
    """
    kind = target["resourceType"]
    arns = target.get("resourceArns")
    if kind not in FINDERS:
        if arns:
            raise ResolutionError(f"{arns[0]} does not exist: there are no resources of type {kind} here")
        return []
    try:
        every = FINDERS[kind][1](clients, tagged=bool(target.get("resourceTags")))
    except (ClientError, BotoCoreError) as error:
        if _unknown_operation(error) and not arns:
            return []  # the cloud has no such API, hence no such resource
        raise ResolutionError(f"{kind} could not be listed: {error}", "DependentServiceFailure") from error
    if arns:
        by_arn = {resource.arn: resource for resource in every}
        missing = [arn for arn in arns if arn not in by_arn]
        if missing:
            raise ResolutionError(f"{missing[0]} does not exist")
        found = [by_arn[arn] for arn in arns]
    else:
        found = [resource for resource in every if _fits(resource, target, doors)]
    chosen = select(target["selectionMode"], sorted(found, key=lambda resource: resource.arn), seed)
    quota = RESOURCE_TYPES[kind].by_tag_quota
    if not arns and quota and len(chosen) > quota:
        raise ResolutionError(
            f"tags or parameters pick {len(chosen)} resources of type {kind}; the quota is {quota}",
            "QuotaExceededFailure",
        )
    zone = (target.get("parameters") or {}).get("availabilityZoneIdentifier")
    return [replace(one, zone=zone) for one in chosen] if zone else chosen


def _unknown_operation(error: Exception) -> bool:
    response = getattr(error, "response", {})
    return response.get("Error", {}).get("Code") in {"InvalidAction", "UnknownOperationException"}


def _fits(resource: Resource, target: Mapping[str, Any], doors: Doors) -> bool:
    tags, parameters = target.get("resourceTags") or {}, target.get("parameters") or {}
    if any(resource.tags.get(key) != value for key, value in tags.items()):
        return False
    if not _in_zone(resource, parameters, doors):
        return False
    vpc = parameters.get("vpc")
    if vpc and str(vpc).rpartition("/")[2] != resource.described.get("VpcId"):
        return False
    if not _of_service(resource, parameters):
        return False
    return all(_passes(resource.described, one) for one in target.get("filters") or ())


def _of_service(resource: Resource, parameters: Mapping[str, str]) -> bool:
    """Whether an ECS task is of the cluster and service asked for, each a name or an ARN."""
    cluster, service = (str(parameters.get(key) or "").rpartition("/")[2] for key in ("cluster", "service"))
    home = str(resource.described.get("ClusterArn", "")).rpartition("/")[2]
    return (not cluster or cluster == home) and (
        not service or resource.described.get("Group") == f"service:{service}"
    )


def _in_zone(resource: Resource, parameters: Mapping[str, str], doors: Doors) -> bool:
    """Whether a resource is in one of the zones asked for; for a database cluster that is where its writer is."""
    wanted = next((parameters[name] for name in _ZONE_PARAMETERS if parameters.get(name)), "all")
    if wanted == "all":
        return True
    zones = [doors.zones.find(name.strip()) for name in wanted.split(",")]
    places = resource.zones or ((resource.zone,) if resource.zone else ())
    return any(doors.zones.find(place) in zones for place in places)


def _passes(described: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    found = {_text(value) for value in _at(described, one["path"].split("."))}
    return bool(found & set(one["values"]))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _at(value: Any, steps: Sequence[str]) -> Iterable[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _at(item, steps)
    elif not steps:
        yield value
    elif isinstance(value, Mapping) and steps[0] in value:
        yield from _at(value[steps[0]], steps[1:])
