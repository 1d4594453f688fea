"""What a prober sends: operations as data, filled in for each request.

Texts may hold `{key}` (this request's own key), `{sequence}`, `{outputs.NAME}` (stack outputs) and `{acked.NAME}`
(something captured from an earlier acknowledged write).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

import msgspec

from harness.errors import ConfigError, nearest

_PLACEHOLDER = re.compile(r"\{([a-z_]+(?:\.[A-Za-z0-9_\-]+)?)\}")


class HttpOperation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of request.

    `ok` are the statuses that acknowledge it; any other 4xx means certainly not applied, anything else unknown.
    `capture` keeps parts of an acknowledged write's JSON for later reads: name → member. `expect` are members that
    a good answer must have with these values, in which placeholders may stand. A request of unknown outcome is sent
    up to `attempts` times with the same key, as a client with an idempotency key does; each attempt is a record of
    its own. `fallback` is the URL that clients use once `url` was bad three times in a row, as a health check would
    have them; they stay.
    """

    kind: str
    method: str
    url: str
    fallback: str = ""
    weight: float = 1.0
    headers: dict[str, str] = {}
    body: Any = None  # JSON, with placeholders in its texts
    ok: tuple[int, ...] = (200,)
    write: bool = False
    attempts: int = 1
    capture: dict[str, str] = {}
    expect: dict[str, Any] = {}


class ProberSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run of the prober. `rate` is requests a second; it ends by itself after `duration_s`, or at `ends_s`.

    `ends_s` is an instant of the monotonic clock. `run` begins every key: it must be another one for each run against
    the same stack, or a run would find the writes of the one before it.
    """

    operations: list[HttpOperation]
    outputs: dict[str, Any]
    journal: str
    rate: float = 50.0
    duration_s: float = 600.0
    ends_s: float | None = None
    timeout_s: float = 5.0
    seed: int = 0
    run: str = "run"
    front_door: str = ""
    """URL of the proxy on loopback that resolves the names of `url` as a client would; '' sends without one."""
    remote: bool = False
    """True allows hosts other than loopback: real AWS, behind the guard."""


def drawn(operations: Sequence[HttpOperation], seed: int) -> Iterator[HttpOperation]:
    """An endless sequence of operations by weight; the same seed gives the same sequence."""
    chance = random.Random(seed)  # noqa: S311 - a seeded workload
    weights = list(accumulate(operation.weight for operation in operations))
    while True:
        yield chance.choices(operations, cum_weights=weights)[0]


def fill(value: Any, known: Mapping[str, str]) -> Any:
    """`value` with every placeholder replaced.

    Raises:
        KeyError: a placeholder is not known (yet).
    """
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda match: known[match[1]], value)
    if isinstance(value, list):
        return [fill(item, known) for item in value]
    if isinstance(value, dict):
        return {key: fill(item, known) for key, item in value.items()}
    return value


def output_names(outputs: Mapping[str, Any]) -> dict[str, str]:
    """The stack's outputs as placeholders: `outputs.NAME` → text."""
    return {f"outputs.{name}": str(value) for name, value in outputs.items()}


def needs(value: Any) -> set[str]:
    """The names of all placeholders in `value`."""
    if isinstance(value, str):
        return set(_PLACEHOLDER.findall(value))
    if isinstance(value, list):
        return {name for item in value for name in needs(item)}
    if isinstance(value, dict):
        return {name for item in value.values() for name in needs(item)}
    return set()


def check_placeholders(text: str, outputs: Mapping[str, Any], *, where: str) -> None:
    """Refuse outputs that the stack does not have.

    Raises:
        ConfigError: says which, with the nearest name.
    """
    known = {f"outputs.{name}" for name in outputs}
    for name in sorted(needs(text) - known):
        raise ConfigError(f"unknown placeholder {{{name}}}", where=where, hint=nearest(name, known))


def placeholders_of(operation: HttpOperation) -> set[str]:
    """The names of all placeholders of an operation."""
    return needs([operation.url, operation.fallback, operation.headers, operation.body, operation.expect])


def check_operations(operations: list[HttpOperation], outputs: Mapping[str, Any], *, where: str) -> None:
    """Refuse what can never be sent.

    Raises:
        ConfigError: no operation, an unknown placeholder, or a read of something that no write captures.
    """
    if not operations:
        raise ConfigError("the workload has no operation", where=where)
    captured = {name for operation in operations for name in operation.capture}
    known = {"key", "sequence"} | {f"outputs.{n}" for n in outputs} | {f"acked.{n}" for n in captured}
    for operation in operations:
        for name in sorted(placeholders_of(operation) - known):
            raise ConfigError(
                f"unknown placeholder {{{name}}} in operation {operation.kind!r}",
                where=where,
                hint=nearest(name, known),
            )
