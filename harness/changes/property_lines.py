"""One property change as lines: `~ delaySeconds: 1 => 2`, each leaf under its path, JSON texts taken apart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.deploy.engine.detail import join
from harness.deploy.engine.detail import value_at as part_at
from harness.deploy.engine.diff import changes, parse_path
from harness.deploy.engine.events import PropertyChange

SIGNS = {"add": "+", "delete": "-", "update": "~"}
_BARE = ("[secret]", "[unknown]")
_FILES = ("asset(", "archive(")


@dataclass(frozen=True, slots=True)
class PropertyLine:
    """One leaf: its sign, its path, and the values as they are written. `replaces`: it asks for a new resource."""

    sign: str
    path: str
    old: str = ""
    new: str = ""
    replaces: bool = False

    @property
    def text(self) -> str:
        """Everything behind the sign, in one line."""
        return f"{self.path}: {self.values}" + ("  (replaces)" if self.replaces else "")

    @property
    def values(self) -> str:
        """`old => new`, or the one there is."""
        return " => ".join(side for side in (self.old, self.new) if side)


def property_lines(change: PropertyChange) -> list[PropertyLine]:
    """The leaves of one change.

    >>> [line.text for line in property_lines(PropertyChange(path="tags", kind="add", new={"a": "1", "b": "2"}))]
    ['tags.a: "1"', 'tags.b: "2"']
    """
    if change.kind != "update":
        value = change.new if change.kind == "add" else change.old
        side = "new" if change.kind == "add" else "old"
        return [
            PropertyLine(SIGNS[change.kind], path, **{side: written(leaf)}, replaces=change.replaces)
            for path, leaf in _leaves(change.path, value)
        ]
    old, new = _container(change.old), _container(change.new)
    if old is not None and new is not None and type(old) is type(new):
        inner = _json_lines(change, old, new)
        if inner:
            return inner
    return [PropertyLine("~", change.path, written(change.old), written(change.new), change.replaces)]


def written(value: Any) -> str:  # any JSON
    """A value as it is shown: JSON, but what stands for a secret, an unknown or a file without quotes."""
    if isinstance(value, str) and (value in _BARE or value.startswith(_FILES)):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)


def _json_lines(change: PropertyChange, old: Any, new: Any) -> list[PropertyLine]:
    """What differs between two JSON texts, under `path (json)`."""
    found: list[PropertyLine] = []
    for path, kind in changes(old, new).items():
        inner = PropertyChange(path=path, kind=kind, old=part_at(old, path), new=part_at(new, path))
        found += property_lines(replace(inner, replaces=change.replaces))
    return [replace(line, path=f"{change.path} (json) {line.path}") for line in found]


def _container(text: Any) -> Any:
    """The object or list that a JSON text holds, None for everything else."""
    if not isinstance(text, str) or text[:1] not in "{[":
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict | list) else None


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    inside = _container(value)
    if inside:
        yield from ((f"{path} (json) {inner}", leaf) for inner, leaf in _leaves("", inside))
    elif isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(join([*parse_path(path), str(key)]), inner)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _leaves(join([*parse_path(path), index]), inner)
    else:
        yield path, value
