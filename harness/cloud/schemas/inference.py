"""The schema of events, from events. Pure.

A shape is JSON Schema without references: `{"type": "object", "properties": {...}, "required": [...]}`. `{}` is what
a null leaves open; `{"any": True}` is what two events contradict each other in. Shapes of one kind of event merge: a
property that one of them lacks is not required. Written as AWS writes what it discovers:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-schemas-infer-from-json.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

Shape = dict[str, Any]  # JSON Schema
ANY: Shape = {"any": True}
DEEPEST = 255
"""Levels of nesting that are looked into. https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-discover.html"""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")
_ENVELOPE = ("detail-type", "resources", "detail", "id", "source", "time", "region", "version", "account")
_COMPONENTS, _DEFINITIONS = "#/components/schemas/", "#/definitions/"


def shape_of(value: Any, depth: int = 0) -> Shape:
    """The shape of one value."""
    if value is None or depth > DEEPEST:
        return {}
    if isinstance(value, Mapping):
        properties = {str(name): shape_of(inner, depth + 1) for name, inner in value.items()}
        return {"type": "object", "required": sorted(properties), "properties": properties}
    if isinstance(value, list):
        return {"type": "array", "items": _common(shape_of(one, depth + 1) for one in value)}
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return {"type": "integer", "format": "int64"}
    if isinstance(value, float):
        return {"type": "number", "format": "double"}
    return {"type": "string", "format": "date-time"} if _INSTANT.fullmatch(str(value)) else {"type": "string"}


def merged(one: Shape, other: Shape) -> Shape:
    """The shape of what has either shape."""
    if one == other or not other:
        return one
    if not one:
        return other
    kinds = {one.get("type"), other.get("type")}
    if kinds == {"object"}:
        properties = dict(one["properties"])
        for name, shape in other["properties"].items():
            properties[name] = merged(properties.get(name, {}), shape)
        required = sorted({*one["required"]} & {*other["required"]})
        return {"type": "object", "required": required, "properties": properties}
    if kinds == {"array"}:
        return {"type": "array", "items": merged(one["items"], other["items"])}
    if kinds == {"integer", "number"}:
        return {"type": "number", "format": "double"}
    return {"type": "string"} if kinds == {"string"} else ANY


def _common(shapes: Iterable[Shape]) -> Shape:
    nothing: Shape = {}
    return reduce(merged, shapes, nothing)


def titled(text: str) -> str:
    """A name for a type: `order placed` → `OrderPlaced`."""
    return "".join(word[0].upper() + word[1:] for word in re.split(r"[^0-9A-Za-z]+", text) if word) or "Event"


def is_event(event: Any) -> bool:
    """Whether it has EventBridge's envelope."""
    return isinstance(event, Mapping) and {"detail-type", "source", "detail"} <= event.keys()


def openapi(events: Iterable[Any]) -> dict[str, Any]:
    """The OpenAPI 3 document of events of one kind, with EventBridge's envelope or without."""
    several = list(events)
    first = several[0]
    if is_event(first):
        detail = _common(shape_of(event["detail"]) for event in several)
        return openapi_of_event(str(first["source"]), str(first["detail-type"]), detail)
    document = _Document("Event")
    document.schemas["Event"] = document.written(_common(map(shape_of, several)), "Event", outermost=True)
    return document.whole()


def openapi_of_event(source: str, detail_type: str, detail: Shape) -> dict[str, Any]:
    """The OpenAPI 3 document of an event on a bus whose `detail` has this shape."""
    title = titled(detail_type)
    document = _Document(title)
    text: Shape = {"type": "string"}
    document.schemas["AWSEvent"] = {
        "type": "object",
        "required": list(_ENVELOPE),
        "x-amazon-events-detail-type": detail_type,
        "x-amazon-events-source": source,
        "properties": {
            "detail": document.written(detail, title),
            **dict.fromkeys(("account", "detail-type", "id", "region", "source", "version"), text),
            "resources": {"type": "array", "items": text},
            "time": {"type": "string", "format": "date-time"},
        },
    }
    return document.whole()


def json_schema(document: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema (draft 4) of an OpenAPI 3 document, its first schema at the root."""
    schemas = dict(document["components"]["schemas"])
    root_name = "AWSEvent" if "AWSEvent" in schemas else next(iter(schemas))
    root = _moved(schemas.pop(root_name))
    found = {"$schema": "http://json-schema.org/draft-04/schema#", "title": document["info"]["title"], **root}
    return {**found, "definitions": {name: _moved(shape) for name, shape in schemas.items()}} if schemas else found


class _Document:
    """An OpenAPI document under way: each object in a schema of its own, as AWS writes them."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.schemas: dict[str, Any] = {}

    def whole(self) -> dict[str, Any]:
        return {
            "openapi": "3.0.0",
            "info": {"version": "1.0.0", "title": self.title},
            "paths": {},
            "components": {"schemas": self.schemas},
        }

    def written(self, shape: Shape, name: str, *, outermost: bool = False) -> dict[str, Any]:
        kind = shape.get("type")
        if kind == "array":
            items = self.written(shape["items"], f"{name}Items")
            return {"type": "array", "items": items or {"type": "object"}}
        if kind != "object":
            return {key: value for key, value in shape.items() if key != "any"}
        properties = shape["properties"]
        found: dict[str, Any] = {"type": "object"}
        if shape["required"]:
            found["required"] = shape["required"]
        found["properties"] = {key: self.written(inner, titled(key)) for key, inner in properties.items()}
        return found if outermost else {"$ref": _COMPONENTS + self._kept(name, found)}

    def _kept(self, name: str, schema: dict[str, Any]) -> str:
        """Keep a schema under its name, or a numbered one where another has it; equal ones are one."""
        number, free = 0, name
        while free in {"AWSEvent", *self.schemas} and self.schemas.get(free) != schema:
            number += 1
            free = f"{name}{number}"
        self.schemas[free] = schema
        return free


def _moved(shape: Any) -> Any:
    """A schema of OpenAPI as JSON Schema: references to definitions, no formats of OpenAPI's own."""
    if isinstance(shape, list):
        return [_moved(one) for one in shape]
    if not isinstance(shape, Mapping):
        return shape.replace(_COMPONENTS, _DEFINITIONS) if isinstance(shape, str) else shape
    own = {"int64", "int32", "double", "float"}
    return {key: _moved(inner) for key, inner in shape.items() if not (key == "format" and inner in own)}
