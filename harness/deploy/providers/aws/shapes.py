"""Pulumi properties to AWS requests and back, along botocore's shapes.

Terraform, and so Pulumi, renames as little as it must: `messageRetentionSeconds` differs from AWS's word,
`maximumBatchingWindowInSeconds` and `kmsMasterKeyId` (AWS: `KMSMasterKeyID`) only in case. So names are
matched without case, what does differ is written in a table of the handler, and values take the type
that the shape asks for.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from harness.deploy.providers.aws.schema.model import PropertyType

Renames = Mapping[str, str]
"""Pulumi's property name → AWS's member name, at any depth; an empty member name leaves the property out."""

NO_RENAMES: Renames = {}


def to_request(shape: Any, properties: Mapping[str, Any], renames: Renames = NO_RENAMES) -> dict[str, Any]:
    """The members of `shape` (a botocore StructureShape) that `properties` give, in AWS's names and types.

    Properties that the shape does not know are left out: they belong to another call of the handler.
    """
    by_member = {_plain(renames.get(name, name)): value for name, value in properties.items()}
    request = {}
    for member, inner in shape.members.items():
        value = by_member.get(_plain(member))
        if value is not None:
            request[member] = _value_to_wire(inner, value, renames)
    return request


def _value_to_wire(shape: Any, value: Any, renames: Renames) -> Any:
    match shape.type_name:
        case "structure":
            # The provider's older types write a block that occurs at most once as a list of one.
            block = next(iter(value), {}) if isinstance(value, list) else value
            return to_request(shape, block, renames)
        case "list":
            if isinstance(value, Mapping) and (pair := _pair(shape.member)):  # tags and the like: a map in Pulumi
                return [dict(zip(pair, (key, scalar_text(text)), strict=True)) for key, text in value.items()]
            items = value if isinstance(value, list) else [value]
            return [_value_to_wire(shape.member, item, renames) for item in items]
        case "map":
            return {key: _value_to_wire(shape.value, item, renames) for key, item in value.items()}
        case "string":
            return scalar_text(value)
        case "integer" | "long":
            return int(value)
        case "double" | "float":
            return float(value)
        case "boolean":
            return value if isinstance(value, bool) else str(value).lower() == "true"
        case "blob":
            return value if isinstance(value, bytes) else str(value).encode()
        case _:
            return value


_PAIRS = (("Key", "Value"), ("Name", "Value"), ("key", "value"), ("name", "value"), ("TagKey", "TagValue"))
"""How AWS writes an entry of a map where it takes a list."""


def _pair(shape: Any) -> tuple[str, str] | None:
    members = set(shape.members) if shape.type_name == "structure" else set()
    return next((pair for pair in _PAIRS if members == set(pair)), None)


def empty_of(shape: Any) -> Any:
    """The value that empties a member of this shape; None where AWS takes no empty one."""
    if shape.metadata.get("min") or shape.metadata.get("enum"):
        return None
    if shape.type_name == "structure":
        return None if shape.required_members else {}
    empty: Mapping[str, Any] = {"string": "", "list": [], "map": {}, "boolean": False}
    return empty.get(shape.type_name)


def seen_as(given: Any, found: Any, kind: PropertyType | None = None) -> Any:
    """What AWS says of an input, in the terms in which it was given, so that only real differences show.

    A block is told with the given members only, a list in another order is the given one. A map is told as it is.
    """
    if isinstance(given, list) and len(given) == 1 and isinstance(found, Mapping):
        return [seen_as(given[0], found, kind)]
    if isinstance(given, Mapping) and isinstance(found, Mapping):
        inner = (kind.properties if kind else None) or {}
        if kind is not None and kind.kind == "map":
            return {key: seen_as(given.get(key), value, kind.element) for key, value in found.items()}
        return {key: seen_as(value, found.get(key, value), inner.get(key)) for key, value in given.items()}
    if isinstance(given, list) and isinstance(found, list):
        element = kind.element if kind else None
        seen = [seen_as(one, other, element) for one, other in zip(given, found, strict=False)]
        if len(given) != len(found):
            return found
        return given if sorted(map(repr, seen)) == sorted(map(repr, given)) else seen
    return given if not isinstance(given, list | Mapping) and scalar_text(given) == scalar_text(found) else found


def scalar_text(value: Any) -> str:
    """A scalar as AWS writes it in a string attribute: `true`, `30`, `0.5`; blocks as JSON."""
    if isinstance(value, dict | list):
        return json.dumps(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def to_properties(kinds: Mapping[str, PropertyType], response: Mapping[str, Any], renames: Renames) -> dict[str, Any]:
    """What `response` says about the properties in `kinds`, in Pulumi's names and types.

    What has another form in AWS's answer (blocks where Pulumi has names) is left out: the SDK refuses what it did
    not expect, and the handler tells it in its own words.
    """
    by_member = {_plain(member): value for member, value in response.items()}
    found = {}
    for name, kind in kinds.items():
        value = by_member.get(_plain(renames.get(name, name)))
        told = None if value is None else _value_to_property(kind, value, renames)
        if told is not None:
            found[name] = told
    return found


def _value_to_property(kind: PropertyType, value: Any, renames: Renames) -> Any:
    match kind.kind:
        case "map" if isinstance(value, list) and all(isinstance(one, Mapping) for one in value):
            pairs = [(one, next((pair for pair in _PAIRS if pair[0] in one), _PAIRS[0])) for one in value]
            return {one.get(key, ""): one.get(text, "") for one, (key, text) in pairs}
        case "object":
            if isinstance(value, list):
                value = value[0] if value else None
            return to_properties(kind.properties or {}, value, renames) if isinstance(value, Mapping) else None
        case "list" if kind.element is not None:
            items = value if isinstance(value, list) else [value]
            told = [_value_to_property(kind.element, item, renames) for item in items]
            return None if any(one is None for one in told) else told
        case "map" if kind.element is not None and isinstance(value, Mapping):
            return {key: _value_to_property(kind.element, item, renames) for key, item in value.items()}
        case "integer" | "number" | "boolean" if isinstance(value, list | Mapping):
            return None
        case "string" if isinstance(value, list):
            return None
        case "integer":
            return int(value)
        case "number":
            return float(value)
        case "boolean":
            return value if isinstance(value, bool) else str(value).lower() == "true"
        case "string":
            return _text(value)
        case _:
            return value


def _text(value: Any) -> str:
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):  # a list that takes one item only
        return value[0]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else scalar_text(value)


def _plain(name: str) -> str:
    return name.lower()
