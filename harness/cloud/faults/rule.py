"""One fault in force, as data: selector, effect, dose, seed and lease; and what cannot be meant."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

import msgspec

from harness.cloud.faults.effects import (
    ApiError,
    Blackhole,
    CommitThenFail,
    Effect,
    FunctionError,
    HttpResponse,
    Latency,
    Reset,
)
from harness.cloud.faults.selector import Selector
from harness.cloud.service_names import operations, services, suggestion
from harness.errors import ConfigError, nearest

MAX_LEASE_S = 12 * 3600.0
"""FIS's longest action (12 h); nothing of ours stays in force longer unattended."""


class Dose(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many of the matching calls are hit."""

    probability: float = 1.0
    limit: int | None = None
    """At most this many calls in all; then the rule matches on but fires no more ("fail N, then pass")."""


class FaultRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault in force. `owner` is the experiment (or test) that holds it."""

    id: str
    owner: str
    selector: Selector
    effect: Effect
    dose: Dose = Dose()
    seed: int = 0
    lease_s: float = 30.0


class RuleReport(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with the proof of what it did. Instants are monotonic seconds."""

    rule: FaultRule
    matched: int
    fired: int
    first_fired_s: float | None
    expires_s: float


def parse_rule(data: bytes) -> FaultRule:
    """A rule from JSON.

    Raises:
        ConfigError: unknown key, missing key, a value outside its range, or a service or operation that AWS does
            not have: such a fault would wait for calls that never come.
    """
    try:
        rule = msgspec.json.decode(data, type=FaultRule)
    except msgspec.ValidationError as error:
        raise ConfigError(f"not a fault rule: {error}", where="fault rule", hint=_key_hint(str(error))) from error
    except msgspec.DecodeError as error:
        raise ConfigError(f"not JSON: {error}", where="fault rule") from error
    check_rule(rule)
    _check_names(rule)
    return rule


def check_rule(rule: FaultRule) -> None:
    """Refuse what cannot be meant.

    Raises:
        ConfigError: a probability outside 0..1, a negative delay, a lease outside (0, 12 h], an effect on
            a layer that cannot have it.
    """
    where = f"fault rule {rule.id!r}"
    if not 0.0 <= rule.dose.probability <= 1.0:
        raise ConfigError(f"probability {rule.dose.probability} is outside 0..1", where=f"{where} dose.probability")
    if rule.dose.limit is not None and rule.dose.limit < 1:
        raise ConfigError(f"limit {rule.dose.limit} is below 1", where=f"{where} dose.limit")
    if not 0.0 < rule.lease_s <= MAX_LEASE_S:
        raise ConfigError(f"lease of {rule.lease_s} s is outside (0, {MAX_LEASE_S:g}]", where=f"{where} lease_s")
    for name in ("delay_s", "hold_s"):
        value = getattr(rule.effect, name, 0.0)
        if not 0.0 <= value <= MAX_LEASE_S:
            raise ConfigError(f"{name} of {value} is outside 0..{MAX_LEASE_S:g}", where=f"{where} effect.{name}")
    on_invocation = rule.selector.layer == "invocation"
    invocation_only = isinstance(rule.effect, FunctionError | HttpResponse)
    api_only = isinstance(rule.effect, Reset | Blackhole | ApiError | CommitThenFail)
    if (invocation_only and not on_invocation) or (api_only and on_invocation):
        raise ConfigError(
            f"effect {type(rule.effect).__name__} cannot act on layer {rule.selector.layer!r}",
            where=f"{where} selector.layer",
            hint="use layer 'invocation'" if invocation_only else "use layer 'api'",
        )


def _check_names(rule: FaultRule) -> None:
    chosen, where = rule.selector, f"fault rule {rule.id!r} selector"
    for key, name in [("service", chosen.service), *(("except_services", one) for one in chosen.except_services)]:
        if name and not fnmatch.filter(services(), name):
            raise ConfigError(f"no service {name!r}", where=f"{where}.{key}", hint=suggestion(name))
    if chosen.operation and chosen.service in services():
        known = operations(chosen.service)
        if not fnmatch.filter(known, chosen.operation):
            told = f"{chosen.service} has no operation {chosen.operation!r}"
            raise ConfigError(told, where=f"{where}.operation", hint=nearest(chosen.operation, known))


def _key_hint(message: str) -> str:
    """The nearest valid key for msgspec's "unknown field" message."""
    marker = "unknown field `"
    if marker not in message:
        return ""
    key = message.split(marker, 1)[1].split("`", 1)[0]
    return nearest(
        key, _all_keys((FaultRule, Selector, Dose, Latency, Blackhole, ApiError, FunctionError, HttpResponse))
    )


def _all_keys(structs: Iterable[type[msgspec.Struct]]) -> set[str]:
    return {name for struct in structs for name in struct.__struct_fields__}
