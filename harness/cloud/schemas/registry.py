"""Registries with their schemas and versions. State only, safe from any thread; `api` speaks for it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.cloud.schemas.inference import Shape

Where = tuple[str, str]
"""Account and region."""

DISCOVERED = "discovered-schemas"
"""The registry that discovery fills."""

MOST_CONTENT = 100_000


class RefusedError(Exception):
    """What the API refuses, with AWS's code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a schema; `content` is JSON."""

    number: int
    content: str
    created_s: float


@dataclass(slots=True, kw_only=True)
class Schema:
    """One schema. `learned` is the shape of the details that discovery has seen."""

    name: str
    type: str
    registry: str
    arn: str
    description: str = ""
    versions: list[Version] = field(default_factory=list)
    made: int = 0
    learned: Shape | None = None
    changed_s: float = 0.0

    def add(self, content: str) -> Version:
        """A new version with this content."""
        self.made, self.changed_s = self.made + 1, time.time()
        made = Version(self.made, content, self.changed_s)
        self.versions.append(made)
        return made

    def version(self, number: str = "") -> Version:
        """One version, the newest without a number.

        Raises:
            RefusedError: there is none.
        """
        found = self.versions[-1:] if not number else [one for one in self.versions if str(one.number) == number]
        if not found:
            raise RefusedError("NotFoundException", f"Schema {self.name} has no version {number}.")
        return found[0]


@dataclass(slots=True, kw_only=True)
class Registry:
    """One registry. `policy` is JSON, '' when there is none."""

    name: str
    arn: str
    description: str = ""
    policy: str = ""
    revision: int = 0
    schemas: dict[str, Schema] = field(default_factory=dict)


@dataclass(slots=True)
class Registries:
    """Every registry of one cloud, and the tags of everything the service has. `created` is told of each version."""

    created: Callable[[Where, Schema, Version], None] = lambda *_: None
    lock: threading.RLock = field(default_factory=threading.RLock)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    _known: dict[Where, dict[str, Registry]] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything."""
        with self.lock:
            self._known.clear()
            self.tags.clear()

    def every(self, where: Where) -> list[Registry]:
        """The registries of an account and region, by name."""
        return [one for _, one in sorted(self._known.get(where, {}).items())]

    def get(self, where: Where, name: str) -> Registry:
        """One registry.

        Raises:
            RefusedError: there is none.
        """
        found = self._known.get(where, {}).get(name)
        if found is None:
            raise RefusedError("NotFoundException", f"Registry with name {name} does not exist.")
        return found

    def create(self, where: Where, name: str, description: str) -> Registry:
        """A new registry.

        Raises:
            RefusedError: the name is taken.
        """
        with self.lock:
            known = self._known.setdefault(where, {})
            if name in known:
                raise RefusedError("ConflictException", f"Registry with name {name} already exists.")
            known[name] = Registry(name=name, arn=_arn(where, f"registry/{name}"), description=description)
            return known[name]

    def delete(self, where: Where, name: str) -> None:
        """Delete an empty registry.

        Raises:
            RefusedError: it has schemas, or there is none.
        """
        with self.lock:
            if self.get(where, name).schemas:
                raise RefusedError("BadRequestException", f"Registry {name} contains schemas: delete them first.")
            self.tags.pop(self._known[where].pop(name).arn, None)

    def schema(self, where: Where, registry: str, name: str) -> Schema:
        """One schema.

        Raises:
            RefusedError: there is none.
        """
        found = self.get(where, registry).schemas.get(name)
        if found is None:
            raise RefusedError("NotFoundException", f"Schema with name {name} does not exist.")
        return found

    def put(self, where: Where, schema: Schema, content: str) -> Version:
        """The next version of a schema, or its first; the same content again makes none.

        Raises:
            RefusedError: the content is not of the schema's type, or there is no such registry.
        """
        check(schema.type, content)
        with self.lock:
            if schema.versions and schema.versions[-1].content == content:
                return schema.versions[-1]
            made = schema.add(content)
            self.get(where, schema.registry).schemas[schema.name] = schema
        self.created(where, schema, made)
        return made

    def new_schema(self, where: Where, registry: str, name: str, kind: str) -> Schema:
        """A schema without a version yet; `put` keeps it."""
        return Schema(name=name, type=kind, registry=registry, arn=_arn(where, f"schema/{registry}/{name}"))


def check(kind: str, content: str) -> None:
    """Refuse a content that is not of the kind.

    Raises:
        RefusedError: saying why.
    """
    if kind not in {"OpenApi3", "JSONSchemaDraft4"}:
        raise RefusedError("BadRequestException", f"Type {kind!r} is neither OpenApi3 nor JSONSchemaDraft4.")
    if len(content) > MOST_CONTENT:
        raise RefusedError("BadRequestException", f"Content is longer than {MOST_CONTENT} characters.")
    try:
        document = json.loads(content)
    except ValueError as error:
        raise RefusedError("BadRequestException", f"Content is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise RefusedError("BadRequestException", "Content is no JSON object.")
    if kind == "OpenApi3" and not str(document.get("openapi", "")).startswith("3."):
        raise RefusedError("BadRequestException", "Content is no OpenAPI 3 document: `openapi` must be 3.x.")


def _arn(where: Where, resource: str) -> str:
    return f"arn:aws:schemas:{where[1]}:{where[0]}:{resource}"
