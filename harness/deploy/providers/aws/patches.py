"""API Gateway's updates: a list of patch operations, computed from what the settings were and what they shall be.

https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.deploy.providers.aws.shapes import scalar_text

Patch = dict[str, str]


def patches(old: Mapping[str, Any], new: Mapping[str, Any], path: str = "") -> Iterator[Patch]:
    """What turns `old` into `new`, both in AWS's names.

    >>> list(patches({"name": "a", "variables": {"x": "1"}}, {"name": "b", "variables": {}}))
    [{'op': 'replace', 'path': '/name', 'value': 'b'}, {'op': 'remove', 'path': '/variables/x'}]
    """
    for name in {**old, **new}:
        before, after, where = old.get(name), new.get(name), f"{path}/{escaped(name)}"
        if before == after:
            continue
        if isinstance(before, Mapping) or isinstance(after, Mapping):
            yield from patches(before or {}, after or {}, where)
        elif isinstance(before, list) or isinstance(after, list):
            yield from _items(before or [], after or [], where)
        elif after is None:
            yield {"op": "replace", "path": where, "value": ""} if not path else {"op": "remove", "path": where}
        else:
            yield {"op": "replace", "path": where, "value": scalar_text(after)}


def _items(before: list[Any], after: list[Any], where: str) -> Iterator[Patch]:
    for item in before:
        if item not in after:
            yield {"op": "remove", "path": where, "value": scalar_text(item)}
    for item in after:
        if item not in before:
            yield {"op": "add", "path": where, "value": scalar_text(item)}


def escaped(name: str) -> str:
    """A name as one step of a JSON pointer: `image/png` is `image~1png`."""
    return name.replace("~", "~0").replace("/", "~1")
