"""Faults as data: rules that the gate and the Lambda pool consult, each counting what it matched and fired.

A rule is a selector (which calls), an effect (what happens to them), a dose (how many of them), a seed
and a lease. Rules compose: every matching rule fires, in the order latency → reset or black hole →
error. A rule dies with its lease, so an owner that was killed leaves no fault in force.
"""

from __future__ import annotations

import fnmatch
import math
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from harness.clock import Clock
from harness.cloud.call import AwsCall, Layer
from harness.cloud.evidence import Evidence
from harness.errors import ConfigError, nearest

MAX_LEASE_S = 12 * 3600.0
"""FIS's longest action (12 h); nothing of ours stays in force longer unattended."""


class Selector(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which calls a rule is about. An empty field matches all; the others are shell patterns (`Put*`, an ARN)."""

    layer: Layer = "api"
    service: str = ""
    operation: str = ""
    region: str = ""
    account: str = ""
    resource: str = ""
    caller_zone: str = ""
    caller_subnet: str = ""
    caller_function: str = ""

    def may_match(self, layer: Layer, service: str) -> bool:
        """True when some call of this service on this layer can fit."""
        return self.layer == layer and (not self.service or fnmatch.fnmatchcase(service, self.service))

    def matches(self, call: AwsCall) -> bool:
        """True when every given field fits the call."""
        if self.layer != call.layer:
            return False
        for pattern, value in (
            (self.service, call.service),
            (self.operation, call.operation),
            (self.region, call.region),
            (self.account, call.account),
            (self.resource, call.resource),
        ):
            if pattern and pattern != value and not fnmatch.fnmatchcase(value, pattern):
                return False
        if not (self.caller_zone or self.caller_subnet or self.caller_function):
            return True
        caller = call.caller
        return caller is not None and all(
            not pattern or fnmatch.fnmatchcase(value, pattern)
            for pattern, value in (
                (self.caller_zone, caller.zone_id),
                (self.caller_subnet, caller.subnet_id),
                (self.caller_function, caller.function),
            )
        )


class Latency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="latency", tag_field="kind"):
    """The call starts `delay_s` seconds later."""

    delay_s: float


class Reset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="reset", tag_field="kind"):
    """The connection is reset before the backend sees the call."""


class Blackhole(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="blackhole", tag_field="kind"
):
    """No answer for `hold_s` seconds (or until healed), then a reset; the backend never sees the call."""

    hold_s: float = 60.0


class ApiError(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="error", tag_field="kind"):
    """The service's own error, in its exact wire form; `code` should be one the service's model knows."""

    code: str
    status: int = 0
    """HTTP status; 0 takes the one that botocore's model gives for the code, else 500."""
    message: str = ""


class CommitThenFail(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag="commit_then_fail",
    tag_field="kind",
):
    """The backend applies the call, the client sees a reset: what separates idempotent systems from others."""


class FunctionError(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag="function_error",
    tag_field="kind",
):
    """An invocation is marked failed; the handler runs first unless `prevent_execution`. Layer `invocation` only."""

    prevent_execution: bool = True
    error_type: str = "FaultInjectionError"
    message: str = "injected by AWS FIS"


class HttpResponse(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag="http_response",
    tag_field="kind",
):
    """An invocation answers with a proxy-integration response. Layer `invocation` only."""

    status: int
    content_type: str = "application/json"
    prevent_execution: bool = True


Effect = Latency | Reset | Blackhole | ApiError | CommitThenFail | FunctionError | HttpResponse

_ORDER: dict[type[Effect], int] = {
    Latency: 0,
    Reset: 1,
    Blackhole: 1,
    CommitThenFail: 2,
    ApiError: 3,
    FunctionError: 3,
    HttpResponse: 3,
}


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


@dataclass(slots=True)
class _Active:
    rule: FaultRule
    expires_s: float
    random: random.Random
    matched: int = 0
    fired: int = 0
    first_fired_s: float | None = None
    told: set[str] = field(default_factory=set)
    """The functions of which evidence was given that the rule hit them; '' for callers outside."""

    def fires(self) -> bool:
        """Count a matching call; True when the dose lets it be hit."""
        self.matched += 1
        dose = self.rule.dose
        if dose.limit is not None and self.fired >= dose.limit:
            return False
        if dose.probability < 1.0 and self.random.random() >= dose.probability:
            return False
        self.fired += 1
        return True


def parse_rule(data: bytes) -> FaultRule:
    """A rule from JSON.

    Raises:
        ConfigError: unknown key, missing key, or a value outside its range; says which.
    """
    try:
        rule = msgspec.json.decode(data, type=FaultRule)
    except msgspec.ValidationError as error:
        raise ConfigError(f"not a fault rule: {error}", where="fault rule", hint=_key_hint(str(error))) from error
    except msgspec.DecodeError as error:
        raise ConfigError(f"not JSON: {error}", where="fault rule") from error
    check_rule(rule)
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


@dataclass(frozen=True, slots=True)
class Hit:
    """One rule's effect on one call."""

    rule_id: str
    effect: Effect


@dataclass(slots=True)
class RuleBook:
    """The rules in force. Safe from any thread.

    A call of a service that no rule names costs one dictionary look-up: rules are kept by layer and service.
    """

    clock: Clock
    evidence: Evidence
    _active: dict[str, _Active] = field(default_factory=dict)
    _relevant: dict[tuple[Layer, str], tuple[_Active, ...]] = field(default_factory=dict)
    _next_expiry_s: float = math.inf
    _listeners: list[Callable[[str], None]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, rule: FaultRule) -> None:
        """Put a rule in force. The same rule again renews its lease; another under its id replaces it.

        Raises:
            ConfigError: the rule cannot be meant; see `check_rule`.
        """
        check_rule(rule)
        expires_s = self.clock.now_s() + rule.lease_s
        with self._lock:
            known = self._active.get(rule.id)
            same = known is not None and known.rule == rule
            if known is not None and same:
                known.expires_s = expires_s
            else:
                self._active[rule.id] = _Active(rule=rule, expires_s=expires_s, random=random.Random(rule.seed))  # noqa: S311
            self._changed()
        if not same:
            self.evidence.add("fault_injected", owner=rule.owner, rule=rule.id, effect=type(rule.effect).__name__)

    def renew(self, owner: str) -> int:
        """Extend the lease of every rule of `owner`; returns how many there are."""
        with self._lock:
            mine = [a for a in self._active.values() if a.rule.owner == owner]
            for active in mine:
                active.expires_s = self.clock.now_s() + active.rule.lease_s
            self._changed()
        return len(mine)

    def remove(self, *, rule_id: str = "", owner: str = "") -> list[RuleReport]:
        """End the rule `rule_id`, or all rules of `owner`, or all rules; may be repeated. Returns what ended."""
        with self._lock:
            ended = [
                a
                for a in self._active.values()
                if (not rule_id or a.rule.id == rule_id) and (not owner or a.rule.owner == owner)
            ]
            for active in ended:
                del self._active[active.rule.id]
            self._changed()
        for active in ended:
            self.evidence.add(
                "fault_healed",
                owner=active.rule.owner,
                rule=active.rule.id,
                matched=active.matched,
                fired=active.fired,
            )
            for listener in tuple(self._listeners):
                listener(active.rule.id)
        return [_report(a) for a in ended]

    def reports(self, *, owner: str = "") -> list[RuleReport]:
        """The rules in force with their counts."""
        self.expire()
        with self._lock:
            return [_report(a) for a in self._active.values() if not owner or a.rule.owner == owner]

    def on_removed(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with the id of each rule that ends, from whichever thread ends it."""
        self._listeners.append(listener)

    def in_force(self, rule_id: str) -> bool:
        """True while the rule has neither been removed nor outlived its lease."""
        active = self._active.get(rule_id)
        return active is not None and active.expires_s > self.clock.now_s()

    def concerns(self, layer: Layer, service: str) -> bool:
        """True when some rule may match calls of this service; else there is no need to look closer."""
        return bool(self._rules_for(layer, service))

    def needs_resource(self, layer: Layer, service: str) -> bool:
        """True when some rule for this service asks which resource a call is about."""
        return any(active.rule.selector.resource for active in self._rules_for(layer, service))

    def decide(self, call: AwsCall) -> list[Effect]:
        """The effects that hit this call, in the order they apply; counts what matched and fired."""
        return [hit.effect for hit in self.hits(call)]

    def hits(self, call: AwsCall) -> list[Hit]:
        """As `decide`, with the rule behind each effect."""
        if self.clock.now_s() >= self._next_expiry_s:
            self.expire()
        relevant = self._rules_for(call.layer, call.service)
        if not relevant:
            return []
        with self._lock:
            fired = [a for a in relevant if a.rule.selector.matches(call) and a.fires()]
            hit = _function_hit(call)
            first = [a for a in fired if hit not in a.told]
            for active in first:
                active.told.add(hit)
                if active.first_fired_s is None:
                    active.first_fired_s = self.clock.now_s()
        for active in first:
            self.evidence.add(
                "fault_fired",
                owner=active.rule.owner,
                rule=active.rule.id,
                service=call.service,
                resource=call.resource,
                function=hit,
            )
        found = [Hit(a.rule.id, a.rule.effect) for a in fired]
        return sorted(found, key=lambda hit: _ORDER[type(hit.effect)])

    def expire(self) -> None:
        """End the rules whose lease is over."""
        now_s = self.clock.now_s()
        for rule_id in [a.rule.id for a in tuple(self._active.values()) if a.expires_s <= now_s]:
            self.remove(rule_id=rule_id)

    def _rules_for(self, layer: Layer, service: str) -> tuple[_Active, ...]:
        found = self._relevant.get((layer, service))
        if found is None:
            with self._lock:
                found = tuple(a for a in self._active.values() if a.rule.selector.may_match(layer, service))
                self._relevant[layer, service] = found
        return found

    def _changed(self) -> None:
        """Forget what was derived from the rules; called with the lock held."""
        self._relevant.clear()
        self._next_expiry_s = min((a.expires_s for a in self._active.values()), default=math.inf)


def _function_hit(call: AwsCall) -> str:
    """The function that is called, or that calls; '' for a call from outside."""
    if call.layer == "invocation":
        parts = call.resource.split(":")
        return parts[6] if len(parts) > 6 else call.resource
    return call.caller.function if call.caller else ""


def _report(active: _Active) -> RuleReport:
    return RuleReport(
        rule=active.rule,
        matched=active.matched,
        fired=active.fired,
        first_fired_s=active.first_fired_s,
        expires_s=active.expires_s,
    )


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
