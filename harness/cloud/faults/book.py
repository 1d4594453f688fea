"""The rules in force: which hit a call, what they counted, and when they end."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from harness.clock import Clock
from harness.cloud.call import AwsCall, Layer
from harness.cloud.evidence import Evidence
from harness.cloud.faults.effects import ORDER, Effect
from harness.cloud.faults.index import Concern, RuleIndex
from harness.cloud.faults.rule import FaultRule, check_rule


class RuleReport(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with the proof of what it did. Instants are monotonic seconds."""

    rule: FaultRule
    matched: int
    fired: int
    first_fired_s: float | None
    expires_s: float


@dataclass(slots=True, eq=False)
class _Active:
    rule: FaultRule
    number: int
    expires_s: float
    random: random.Random
    ended: threading.Event = field(default_factory=threading.Event)
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


@dataclass(frozen=True, slots=True)
class Hit:
    """One rule's effect on one call."""

    rule_id: str
    effect: Effect


@dataclass(slots=True)
class RuleBook:
    """The rules in force. Safe from any thread."""

    clock: Clock
    evidence: Evidence
    _active: dict[str, _Active] = field(default_factory=dict)
    _index: RuleIndex[_Active] = field(default_factory=lambda: RuleIndex(()))
    _next_expiry_s: float = math.inf
    _number: int = 0
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
            if known is not None and known.rule == rule:
                known.expires_s = expires_s
                self._next_expiry_s = self._soonest()
                return
            self._number += 1
            self._active[rule.id] = _Active(rule, self._number, expires_s, random.Random(rule.seed))  # noqa: S311
            self._changed()
        if known is not None:
            known.ended.set()
        self.evidence.add("fault_injected", owner=rule.owner, rule=rule.id, effect=type(rule.effect).__name__)

    def renew(self, owner: str) -> int:
        """Extend the lease of every rule of `owner`; returns how many there are."""
        now_s = self.clock.now_s()
        with self._lock:
            mine = [active for active in self._active.values() if active.rule.owner == owner]
            for active in mine:
                active.expires_s = now_s + active.rule.lease_s
            self._next_expiry_s = self._soonest()
        return len(mine)

    def remove(self, *, rule_id: str = "", owner: str = "", prefix: str = "") -> list[RuleReport]:
        """End the rule `rule_id`, those of `owner`, those whose id begins with `prefix`, or with none of these, all.

        May be repeated. Returns what ended.
        """
        with self._lock:
            ended = [
                active
                for active in self._active.values()
                if (not rule_id or active.rule.id == rule_id)
                and (not owner or active.rule.owner == owner)
                and active.rule.id.startswith(prefix)
            ]
            for active in ended:
                del self._active[active.rule.id]
            if ended:
                self._changed()
        for active in ended:
            self._tell_end(active)
        return [_report(active) for active in ended]

    def _tell_end(self, active: _Active) -> None:
        active.ended.set()
        rule = active.rule
        self.evidence.add("fault_healed", owner=rule.owner, rule=rule.id, matched=active.matched, fired=active.fired)
        for listener in tuple(self._listeners):
            listener(rule.id)

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

    def hold(self, rule_id: str, duration_s: float) -> None:
        """Block this thread for `duration_s` seconds, or until the rule ends."""
        active = self._active.get(rule_id)
        if active is not None:
            active.ended.wait(duration_s)

    def concern(self, layer: Layer, service: str) -> Concern:
        """Whether some rule may match calls of this service, and what it asks of them; else nobody looks closer."""
        return self._index.concern(layer, service)

    def decide(self, call: AwsCall) -> list[Effect]:
        """The effects that hit this call, in the order they apply; counts what matched and fired."""
        return [hit.effect for hit in self.hits(call)]

    def hits(self, call: AwsCall) -> list[Hit]:
        """As `decide`, with the rule behind each effect."""
        if self.clock.now_s() >= self._next_expiry_s:
            self.expire()
        index = self._index
        if not index.concern(call.layer, call.service).any:
            return []
        with self._lock:
            matching = [active for active in index.candidates(call) if active.rule.selector.matches(call)]
            fired = [active for active in matching if active.fires()]
            function = _function_hit(call)
            first = [active for active in fired if function not in active.told]
            for active in first:
                active.told.add(function)
                if active.first_fired_s is None:
                    active.first_fired_s = self.clock.now_s()
        for active in first:
            rule = active.rule
            self.evidence.add(
                "fault_fired",
                owner=rule.owner,
                rule=rule.id,
                service=call.service,
                resource=call.resource,
                function=function,
            )
        fired.sort(key=lambda active: (ORDER[type(active.rule.effect)], active.number))
        return [Hit(active.rule.id, active.rule.effect) for active in fired]

    def expire(self) -> None:
        """End the rules whose lease is over."""
        now_s = self.clock.now_s()
        if now_s < self._next_expiry_s:
            return
        for rule_id in [a.rule.id for a in tuple(self._active.values()) if a.expires_s <= now_s]:
            self.remove(rule_id=rule_id)

    def _soonest(self) -> float:
        return min((active.expires_s for active in self._active.values()), default=math.inf)

    def _changed(self) -> None:
        """The set of rules is another; called with the lock held."""
        self._index = RuleIndex(tuple(self._active.values()))
        self._next_expiry_s = self._soonest()


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
