"""The property types of one resource, and reading them from `types/<module>.json`."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

TYPES_FOLDER = Path(__file__).with_name("types")
PACKAGES_FOLDER = Path(__file__).parents[2] / "types"
"""`<package>.json` for packages other than aws: small, and written by hand from their SDKs."""

Kind = Literal["string", "integer", "number", "boolean", "any", "asset", "list", "map", "object"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyType:
    """One type: a scalar, a list or map of `element`, or an object with `properties`."""

    kind: Kind
    element: PropertyType | None = None
    properties: Mapping[str, PropertyType] | None = None
    required: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceSchema:
    """The inputs and outputs of one resource type, by their Pulumi names."""

    token: str
    inputs: PropertyType
    outputs: Mapping[str, PropertyType]
    secret_outputs: frozenset[str]

    @property
    def tagged(self) -> bool:
        """True for a type that takes `tags` and reports `tagsAll`."""
        return "tagsAll" in self.outputs

    @property
    def regional(self) -> bool:
        """True for a type that takes `region` (new in version 7 of the provider)."""
        return "region" in (self.inputs.properties or {})


def schema_of(token: str) -> ResourceSchema:
    """The schema of `token`.

    Raises:
        KeyError: the type is in no file of `types/`; generate them anew after adding a resource.
    """
    package = token.split(":", maxsplit=1)[0]
    path = TYPES_FOLDER / f"{module_of(token)}.json" if package == "aws" else PACKAGES_FOLDER / f"{package}.json"
    return _schemas_in(path)[token]


def module_of(token: str) -> str:
    """The module of a token: `sqs` of `aws:sqs/queue:Queue`. Its types stand in `types/<module>.json`."""
    return token.split(":", maxsplit=2)[1].split("/", maxsplit=1)[0]


@functools.cache
def _schemas_in(path: Path) -> Mapping[str, ResourceSchema]:
    raw = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {token: parse_schema(token, entry) for token, entry in raw.items()}


def parse_schema(token: str, entry: Mapping[str, Any]) -> ResourceSchema:  # JSON
    """One entry of a types file as a value."""
    return ResourceSchema(
        token=token,
        inputs=_parse(entry["inputs"]),
        outputs={name: _parse(raw) for name, raw in entry["outputs"].items()},
        secret_outputs=frozenset(entry.get("secret", ())),
    )


def _parse(raw: Any) -> PropertyType:  # JSON: a kind's name or an object with one of three keys
    if isinstance(raw, str):
        return _SCALARS[raw]
    if "list" in raw:
        return PropertyType(kind="list", element=_parse(raw["list"]))
    if "map" in raw:
        return PropertyType(kind="map", element=_parse(raw["map"]))
    properties = {name: _parse(inner) for name, inner in raw["object"].items()}
    return PropertyType(kind="object", properties=properties, required=frozenset(raw.get("required", ())))


_SCALARS: Mapping[str, PropertyType] = {
    "string": PropertyType(kind="string"),
    "integer": PropertyType(kind="integer"),
    "number": PropertyType(kind="number"),
    "boolean": PropertyType(kind="boolean"),
    "any": PropertyType(kind="any"),
    "asset": PropertyType(kind="asset"),
}
