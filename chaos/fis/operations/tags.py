"""Tags of templates and experiments."""

from __future__ import annotations

from chaos.fis.errors import ResourceNotFoundException, ValidationException
from chaos.fis.region import Members, Region

_MOST = 50


def tag(region: Region, members: Members) -> Members:
    """Add tags."""
    tags = _tags(region, members["resourceArn"])
    if len({*tags, *members["tags"]}) > _MOST:
        raise ValidationException(f"A resource may have at most {_MOST} tags.")
    tags.update(members["tags"])
    return {}


def untag(region: Region, members: Members) -> Members:
    """Take tags away; all of them where no key is given."""
    tags = _tags(region, members["resourceArn"])
    for key in members.get("tagKeys") or tuple(tags):
        tags.pop(key, None)
    return {}


def listing(region: Region, members: Members) -> Members:
    """The tags of one resource."""
    return {"tags": dict(_tags(region, members["resourceArn"]))}


def _tags(region: Region, arn: str) -> dict[str, str]:
    kind, _, identity = arn.rpartition(":")[2].partition("/")
    found: dict[str, str] | None = None
    if kind == "experiment-template" and identity in region.templates:
        found = region.templates[identity]["tags"]
    if kind == "experiment" and identity in region.experiments:
        found = region.experiments[identity].tags
    if found is None or region.arn(kind, identity) != arn:
        raise ResourceNotFoundException(f"{arn} not found.")
    return found
