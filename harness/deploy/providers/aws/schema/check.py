"""Inputs against a schema: unknown names, missing and mistyped values, each with its path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.deploy.providers.aws.schema.model import PropertyType
from harness.deploy.providers.resource import Failure
from harness.errors import nearest


def failures(kind: PropertyType, value: Any, path: str = "") -> Iterator[Failure]:
    """What is wrong with `value`; nothing for values that are not known yet (a preview) and for assets."""
    if not isinstance(value, str | bool | int | float | list | Mapping):
        return
    match kind.kind:
        case "object":
            yield from _object(kind, value, path)
        case "list":
            yield from _list(kind, value, path)
        case "map":
            yield from _map(kind, value, path)
        case "any" | "asset":
            return
        case _:
            if not _is_scalar(kind.kind, value):
                yield path, f"expected {kind.kind}, got {_shown(value)}"


def _object(kind: PropertyType, value: Any, path: str) -> Iterator[Failure]:
    if isinstance(value, list) and len(value) == 1:  # old programs write a single block as a list of one
        value = value[0]
    if not isinstance(value, Mapping):
        yield path, f"expected an object, got {_shown(value)}"
        return
    known = kind.properties or {}
    for name, inner in value.items():
        where = f"{path}.{name}" if path else name
        if name.startswith("__"):
            continue
        if name not in known:
            yield where, f"is not a property of this type; {nearest(name, known)}"
        else:
            yield from failures(known[name], inner, where)
    for name in sorted(kind.required):
        if value.get(name) is None:
            yield (f"{path}.{name}" if path else name), "is required"


def _list(kind: PropertyType, value: Any, path: str) -> Iterator[Failure]:
    if not isinstance(value, list):
        yield path, f"expected a list, got {_shown(value)}"
        return
    if kind.element is not None:
        for position, item in enumerate(value):
            yield from failures(kind.element, item, f"{path}[{position}]")


def _map(kind: PropertyType, value: Any, path: str) -> Iterator[Failure]:
    if not isinstance(value, Mapping):
        yield path, f"expected a map, got {_shown(value)}"
        return
    if kind.element is not None:
        for key, item in value.items():
            yield from failures(kind.element, item, f"{path}[{key!r}]")


def _is_scalar(kind: str, value: Any) -> bool:
    """Whether `value` is, or reads as, the scalar: configuration arrives as text, and programs rely on that."""
    if isinstance(value, list | Mapping):
        return False
    if kind == "boolean":
        return isinstance(value, bool) or value in {"true", "false"}
    if kind in {"integer", "number"}:
        return not isinstance(value, bool) and _is_number(value, whole=kind == "integer")
    return True


def _is_number(value: Any, *, whole: bool) -> bool:
    try:
        number = float(value)
    except ValueError:
        return False
    return number.is_integer() or not whole


def _shown(value: Any) -> str:
    """A value's kind, not the value itself: it may be a secret."""
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list) else "an object"
