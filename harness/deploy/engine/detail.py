"""Property changes as they may be shown: paths, old and new values, secrets masked, files as hashes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.deploy.engine.diff import changes, parse_path
from harness.deploy.engine.events import PropertyChange
from harness.deploy.engine.values import UNKNOWN, Secret, Value, masked, plain

Inputs = Mapping[str, Value]


def never(_path: str) -> bool:
    """No path asks for a new resource."""
    return False


def property_changes(
    old: Inputs,
    new: Inputs,
    *,
    json_keys: frozenset[str] = frozenset(),
    replaces: Callable[[str], bool] = never,
) -> tuple[PropertyChange, ...]:
    """What differs between two sets of inputs, in the order of the paths.

    A path ends where a secret begins: what changed inside it is not to be seen.

    >>> property_changes({"a": [1]}, {"a": [2]})
    (PropertyChange(path='a[0]', kind='update', old=1, new=2, replaces=False),)
    """
    found: dict[str, PropertyChange] = {}
    for path, kind in sorted(changes(plain(dict(old)), plain(dict(new)), json_keys).items()):
        seen = _until_secret(path, old, new)
        left, right = value_at(old, seen), value_at(new, seen)
        if isinstance(left, Secret) or isinstance(right, Secret):  # what was or becomes a secret is one here
            left, right = (side if side is None else Secret(side) for side in (left, right))
        kind_seen = kind if seen == path else "update"
        found.setdefault(
            seen,
            PropertyChange(path=seen, kind=kind_seen, old=masked(left), new=masked(right), replaces=replaces(path)),
        )
    return tuple(found.values())


def every(inputs: Inputs, kind: Any) -> tuple[PropertyChange, ...]:  # "add" or "delete"
    """All of `inputs` as added or deleted."""
    side = "new" if kind == "add" else "old"
    return tuple(
        PropertyChange(path=key, kind=kind, **{side: masked(value)})
        for key, value in sorted(inputs.items())
        if value is not None
    )


def value_at(value: Value, path: str) -> Value:
    """The part of `value` at a property path, None when there is none; a secret on the way is returned as it is."""
    for step in parse_path(path):
        if isinstance(value, Secret) or value is UNKNOWN:
            return value
        if isinstance(value, Mapping):
            value = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _until_secret(path: str, *sides: Inputs) -> str:
    """`path`, cut after the step at which one of the sides is a secret."""
    steps = parse_path(path)
    for count in range(1, len(steps)):
        shorter = join(steps[:count])
        if any(isinstance(value_at(side, shorter), Secret) for side in sides):
            return shorter
    return path


def join(steps: list[str | int]) -> str:
    """The property path of `steps`; what `parse_path` takes apart."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.isidentifier():
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text
