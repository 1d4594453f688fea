"""Faults as data: rules that the gate and the Lambda pool consult, each counting what it matched and fired.

A rule is a selector (which calls), an effect (what happens to them), a dose (how many of them), a seed
and a lease. Rules compose: every matching rule fires, in the order latency → reset or black hole →
error. A rule dies with its lease, so an owner that was killed leaves no fault in force.
"""

from __future__ import annotations

import fnmatch
import random
import threading
from collections.abc import Iterable
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
    """The backend applies the call, the client sees a reset: the case that separates idempotent systems from others."""


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


@dataclass(slots=True)
class RuleBook:
    """The rules in force. Safe from any thread; the empty book costs one attribute read a call."""

    clock: Clock
    evidence: Evidence
    _active: dict[str, _Active] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, rule: FaultRule) -> None:
        """Put a rule in force; putting the same id again renews and replaces it.

        Raises:
            ConfigError: the rule cannot be meant; see `check_rule`.
        """
        check_rule(rule)
        with self._lock:
            self._active[rule.id] = _Active(
                rule=rule,
                expires_s=self.clock.now_s() + rule.lease_s,
                random=random.Random(rule.seed),  # noqa: S311
            )
        self.evidence.add("fault_injected", owner=rule.owner, rule=rule.id, effect=type(rule.effect).__name__)

    def renew(self, owner: str) -> int:
        """Extend the lease of every rule of `owner`; returns how many there are."""
        with self._lock:
            mine = [a for a in self._active.values() if a.rule.owner == owner]
            for active in mine:
                active.expires_s = self.clock.now_s() + active.rule.lease_s
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
        for active in ended:
            self.evidence.add(
                "fault_healed",
                owner=active.rule.owner,
                rule=active.rule.id,
                matched=active.matched,
                fired=active.fired,
            )
        return [_report(a) for a in ended]

    def reports(self, *, owner: str = "") -> list[RuleReport]:
        """The rules in force with their counts."""
        self._expire()
        with self._lock:
            return [_report(a) for a in self._active.values() if not owner or a.rule.owner == owner]

    def decide(self, call: AwsCall) -> list[Effect]:
        """The effects that hit this call, in the order they apply; counts what matched and fired."""
        if not self._active:
            return []
        self._expire()
        hits: list[Effect] = []
        first: list[_Active] = []
        with self._lock:
            for active in self._active.values():
                if not active.rule.selector.matches(call):
                    continue
                active.matched += 1
                dose = active.rule.dose
                if dose.limit is not None and active.fired >= dose.limit:
                    continue
                if dose.probability < 1.0 and active.random.random() >= dose.probability:
                    continue
                active.fired += 1
                if active.first_fired_s is None:
                    active.first_fired_s = self.clock.now_s()
                    first.append(active)
                hits.append(active.rule.effect)
        for active in first:
            self.evidence.add(
                "fault_fired",
                owner=active.rule.owner,
                rule=active.rule.id,
                service=call.service,
                resource=call.resource,
            )
        return sorted(hits, key=lambda effect: _ORDER[type(effect)])

    def _expire(self) -> None:
        now_s = self.clock.now_s()
        expired = [a.rule.id for a in tuple(self._active.values()) if a.expires_s <= now_s]
        for rule_id in expired:
            self.remove(rule_id=rule_id)


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
