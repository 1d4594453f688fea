"""What AWS answers, in the form of the inputs of before: so that a refresh finds drift, and nothing but drift.

AWS gives numbers as text, sets in any order, JSON with other white space, and defaults that nobody asked
for. Only what the program has set is compared; of maps (tags, variables) every key is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.deploy.engine.diff import same_json
from harness.deploy.engine.values import Archive, Asset
from harness.deploy.providers.aws.schema.model import PropertyType
from harness.deploy.providers.aws.shapes import scalar_text
from harness.deploy.providers.resource import Properties

_ANY = PropertyType(kind="any")
NOT_ON_AWS = frozenset(
    {
        "namePrefix", "bucketPrefix", "identifierPrefix", "clusterIdentifierPrefix", "nodeGroupNamePrefix",
        "forceDestroy", "forceDelete", "forceDetachPolicies", "forceOverwriteReplicaSecret", "skipDestroy",
        "skipFinalSnapshot", "applyImmediately", "recoveryWindowInDays", "deletionWindowInDays", "publish",
        "finalSnapshotIdentifier", "waitForSteadyState", "bypassPolicyLockoutSafetyCheck", "region", "tagsAll",
    }
)  # fmt: skip
"""Inputs that steer the provider and have no counterpart on AWS, so that a refresh has nothing to compare."""


def comparable(
    kind: PropertyType, inputs: Properties, seen: Mapping[str, Any], json_keys: frozenset[str]
) -> Properties:
    """The inputs of before that AWS told something about: as before where it means the same, else as AWS has it."""
    kinds = kind.properties or {}
    found: Properties = {}
    for name, known in inputs.items():
        if name not in seen or name in NOT_ON_AWS or isinstance(known, Asset | Archive):
            continue
        if name in json_keys and same_json(known, seen[name]):
            found[name] = known
        else:
            found[name] = in_form(kinds.get(name, _ANY), known, seen[name])
    return found


def in_form(kind: PropertyType, known: Any, seen: Any) -> Any:
    """`seen` in the form of `known`; `known` itself where both mean the same."""
    if _same(known, seen):
        return known
    if isinstance(known, list) and isinstance(seen, list):
        return _list_in_form(kind.element or _ANY, known, seen)
    if isinstance(known, list) and len(known) == 1 and isinstance(seen, Mapping):  # a block written as a list of one
        return [in_form(kind.element or _ANY, known[0], seen)]
    if isinstance(known, Mapping) and isinstance(seen, list) and len(seen) == 1:
        seen = seen[0]
    if isinstance(known, Mapping) and isinstance(seen, Mapping):
        return _mapping_in_form(kind, known, seen)
    if isinstance(known, bool) and isinstance(seen, str) and seen.lower() in {"true", "false"}:
        return seen.lower() == "true"
    if isinstance(known, int | float) and isinstance(seen, str) and seen.lstrip("-").isdigit():
        return int(seen)
    return seen


def _mapping_in_form(kind: PropertyType, known: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, Any]:
    element, kinds = kind.element or _ANY, kind.properties or {}
    found = {key: in_form(kinds.get(key, element), value, seen.get(key)) for key, value in known.items()}
    if kind.kind == "map":
        found |= {key: value for key, value in seen.items() if key not in known}
    return {key: value for key, value in found.items() if value is not None}


def _list_in_form(kind: PropertyType, known: list[Any], seen: list[Any]) -> list[Any]:
    """`seen` with each item that `known` has in its form and its place, and what is new behind them."""
    left = list(seen)
    placed = []
    for item in known:
        match = next((other for other in left if _same(item, in_form(kind, item, other))), None)
        if match is not None:
            left.remove(match)
            placed.append(item)
    if len(placed) == len(known) and not left:
        return known
    if len(known) == len(seen):
        return [in_form(kind, item, other) for item, other in zip(known, seen, strict=True)]
    return placed + left


def _same(known: Any, seen: Any) -> bool:
    if known == seen:
        return True
    if known in (None, "", [], {}, False) and seen in (None, "", [], {}, False):
        return True
    plain = str | int | float | bool
    return isinstance(known, plain) and isinstance(seen, plain) and scalar_text(known) == scalar_text(seen)
