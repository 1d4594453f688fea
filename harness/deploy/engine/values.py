"""Property values as the engine holds them, beside plain JSON: unknowns, secrets, assets, references."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Value = Any  # JSON, or one of the classes below, nested at will


class Unknown:
    """A value that is not known before the deployment; there is one, `UNKNOWN`."""

    def __repr__(self) -> str:
        return "<unknown>"

    def __bool__(self) -> bool:
        return False


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must not be seen in state, logs or output."""

    value: Value

    def __repr__(self) -> str:
        return "[secret]"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: `kind` says what `value` is. Two assets are equal when their content is."""

    kind: Literal["path", "text", "uri"]
    value: str = field(compare=False)
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Archive:
    """Many files: a folder or zip (`path`), a `uri`, or `assets` by name. Equal when their content is."""

    kind: Literal["path", "uri", "assets"]
    value: str | Mapping[str, Asset | Archive] = field(compare=False)
    hash: str = ""


@dataclass(frozen=True, slots=True)
class ResourceReference:
    """A whole resource given as a value; providers see its id."""

    urn: str
    id: Value = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class OutputValue:
    """A value with its dependencies, as programs send it; the engine takes it apart before providers see it."""

    value: Value
    secret: bool = False
    dependencies: tuple[str, ...] = ()


def transform(value: Value, change: Callable[[Value], Value]) -> Value:
    """`value` with `change` applied to every part, innermost first."""
    if isinstance(value, dict):
        value = {key: transform(inner, change) for key, inner in value.items()}
    elif isinstance(value, list):
        value = [transform(inner, change) for inner in value]
    elif isinstance(value, Secret):
        value = Secret(transform(value.value, change))
    elif isinstance(value, OutputValue):
        value = OutputValue(transform(value.value, change), value.secret, value.dependencies)
    return change(value)


def plain(value: Value) -> Value:
    """What a provider works with: no secrets, no outputs, references as their ids."""

    def strip(part: Value) -> Value:
        if isinstance(part, Secret | OutputValue):
            return part.value
        if isinstance(part, ResourceReference):
            return part.id if part.id is not None else part.urn
        return part

    return transform(value, strip)


def without_outputs(value: Value) -> Value:
    """Output values as what they carry: secrets stay secrets, references become ids."""

    def lower(part: Value) -> Value:
        if isinstance(part, OutputValue):
            return Secret(part.value) if part.secret and not isinstance(part.value, Secret) else part.value
        if isinstance(part, ResourceReference):
            return part.id if part.id is not None else part.urn
        return part

    return transform(value, lower)


def contains(value: Value, test: Callable[[Value], bool]) -> bool:
    """True when `value` or a part of it passes `test`."""
    if test(value):
        return True
    if isinstance(value, Mapping):
        return any(contains(inner, test) for inner in value.values())
    if isinstance(value, list | tuple):
        return any(contains(inner, test) for inner in value)
    if isinstance(value, Secret | OutputValue):
        return contains(value.value, test)
    return False


def has_secret(value: Value) -> bool:
    """True when some part is a secret."""
    return contains(value, lambda part: isinstance(part, Secret) or (isinstance(part, OutputValue) and part.secret))


def has_unknown(value: Value) -> bool:
    """True when some part is unknown."""
    return contains(value, lambda part: part is UNKNOWN)


def dependencies(value: Value) -> set[str]:
    """The URNs that the output values in `value` depend on."""
    found: set[str] = set()

    def note(part: Value) -> bool:
        if isinstance(part, OutputValue):
            found.update(part.dependencies)
        return False

    contains(value, note)
    return found


def masked(value: Value) -> Value:
    """`value` as it may be shown: secrets as `[secret]`, unknowns as `[unknown]`, files and archives as hashes."""
    if isinstance(value, Secret) or (isinstance(value, OutputValue) and value.secret):
        return "[secret]"
    if isinstance(value, OutputValue):
        return masked(value.value)
    if value is UNKNOWN:
        return "[unknown]"
    if isinstance(value, Mapping):
        return {key: masked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    if isinstance(value, Asset | Archive):
        kind = "file" if value.kind == "path" else value.kind
        where = f" {{ {value.value} }}" if isinstance(value.value, str) and value.kind != "text" else ""
        return f"{type(value).__name__.lower()}({kind}:{value.hash[:7] or 'new'}){where}"
    if isinstance(value, ResourceReference):
        return masked(value.id) if value.id is not None else value.urn
    return value


def sealed_like(value: Value, model: Value) -> Value:
    """`value` with secrets where `model` has them; a part whose shape is another becomes one as a whole.

    >>> sealed_like({"a": 1, "b": 2}, {"a": Secret(0), "b": 0})
    {'a': [secret], 'b': 2}
    """
    if value is None or not has_secret(model):
        return value
    if isinstance(value, dict) and isinstance(model, Mapping):
        if all(key in value for key, part in model.items() if has_secret(part)):
            return {key: sealed_like(part, model.get(key)) for key, part in value.items()}
    elif isinstance(value, list) and isinstance(model, list) and len(value) == len(model):
        return [sealed_like(part, other) for part, other in zip(value, model, strict=True)]
    return Secret(plain(value))


class Hidden:
    """The plain texts of the secrets met so far, taken out of whatever is told to people.

    Texts shorter than `SHORTEST` are left: they would take words apart, and guessing them takes no time anyhow.
    """

    SHORTEST = 4

    def __init__(self) -> None:
        self._texts: set[str] = set()

    def note(self, value: Value) -> None:
        """Remember every text inside a secret of `value`."""

        def found(part: Value) -> bool:
            if isinstance(part, Secret) or (isinstance(part, OutputValue) and part.secret):
                contains(part.value, self._take)
            return False

        contains(value, found)

    def clean(self, text: str) -> str:
        """`text` with `[secret]` where one stood."""
        for hidden in sorted(self._texts, key=len, reverse=True):
            text = text.replace(hidden, "[secret]")
        return text

    def _take(self, part: Value) -> bool:
        if isinstance(part, str) and len(part) >= self.SHORTEST:
            self._texts.add(part)
        return False
