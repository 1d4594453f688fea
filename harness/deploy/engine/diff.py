"""What changed between two sets of inputs, as property paths, and the path options of Pulumi programs."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from harness.deploy.engine.values import UNKNOWN, Value

Change = Literal["add", "delete", "update"]
_STEP = re.compile(r'\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\[(\*)\]|([^.\[\]]+)')
_PLAIN_KEY = re.compile(r"\w+")


def changes(old: Value, new: Value, json_keys: frozenset[str] = frozenset()) -> dict[str, Change]:
    """Property path → kind of change; empty when nothing changed. `json_keys` are compared by meaning.

    >>> changes({"a": [1]}, {"a": [2], "b": 1})
    {'a[0]': 'update', 'b': 'add'}
    """
    found = _changes(old, new, "")
    for key in json_keys & {root(path) for path in found}:
        if same_json(old.get(key), new.get(key)):
            found = {path: change for path, change in found.items() if root(path) != key}
    return found


def _changes(old: Value, new: Value, path: str) -> dict[str, Change]:
    found: dict[str, Change] = {}
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in {**old, **new}:
            found |= _entry(old.get(key), new.get(key), _join(path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            left = old[index] if index < len(old) else None
            right = new[index] if index < len(new) else None
            found |= _entry(left, right, f"{path}[{index}]")
    elif new is UNKNOWN or old != new:
        found[path] = "update"
    return found


def _entry(old: Value, new: Value, path: str) -> dict[str, Change]:
    if old is None and new is None:
        return {}
    if old is None:
        return {path: "add"}
    if new is None:
        return {path: "delete"}
    return _changes(old, new, path)


def _join(path: str, key: str) -> str:
    if not _PLAIN_KEY.fullmatch(key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def same_json(left: Any, right: Any) -> bool:
    """True when two JSON texts (or values) mean the same: key order and white space do not count."""

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            return value

    return bool(read(left) == read(right))


def parse_path(path: str) -> list[str | int]:
    """The steps of a property path; `*` stands for any.

    >>> parse_path('a.b[0]["c d"][*]')
    ['a', 'b', 0, 'c d', '*']
    """
    return [int(number) if number else quoted or star or plain for number, quoted, star, plain in _STEP.findall(path)]


def root(path: str) -> str:
    """The property that a path starts with."""
    return str(parse_path(path)[0])


def is_below(selector: str, path: str) -> bool:
    """True when `path` is what `selector` names, or below it."""
    steps, wanted = parse_path(path), parse_path(selector)
    return len(wanted) <= len(steps) and all(w in ("*", s) for w, s in zip(wanted, steps, strict=False))


def with_ignored(old: Mapping[str, Value], new: Mapping[str, Value], paths: Iterable[str]) -> dict[str, Value]:
    """`new`, with the old value at every path of `paths` (Pulumi's ignoreChanges)."""
    kept: dict[str, Value] = copy.deepcopy(dict(new))
    for path in paths:
        _keep_old(old, kept, parse_path(path))
    return kept


def _keep_old(old: Any, new: Any, steps: list[str | int]) -> None:
    step, rest = steps[0], steps[1:]
    for key in _keys(old, new) if step == "*" else [step]:
        here, there = _has(old, key), _has(new, key)
        if not rest and here and (there or isinstance(new, dict)):
            new[key] = copy.deepcopy(old[key])
        elif not rest and there and not here and isinstance(new, dict):
            del new[key]
        elif rest and there:
            _keep_old(old[key] if here else {}, new[key], rest)


def _keys(old: Any, new: Any) -> list[str | int]:
    if isinstance(new, dict) and isinstance(old, Mapping):
        return [*{**old, **new}]
    return list(range(len(new))) if isinstance(new, list) else []


def _has(container: Any, key: str | int) -> bool:
    if isinstance(container, Mapping):
        return key in container
    return isinstance(container, list) and isinstance(key, int) and key < len(container)
