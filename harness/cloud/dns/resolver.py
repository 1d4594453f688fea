"""From a name to addresses: through hosted zones, routing policies, health, aliases and CNAMEs."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.cloud.dns.records import Record, choose, matching, normal
from harness.cloud.dns.timing import DEFAULT_TTL_S, DnsTiming

_DEEPEST = 8  # aliases and CNAMEs in a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a name leads to. `port` is 0 unless the target says which (a load balancer of this cloud).

    Args:
        values: record values as text.
        name: the last name of the chain, without a dot at the end.
    """

    kind: str
    values: tuple[str, ...]
    ttl_s: float
    name: str
    port: int = 0


@dataclass(slots=True, kw_only=True)
class Resolver:
    """Answers by what the hosted zones say now.

    Args:
        zones: gives the records of every hosted zone by its name (normal form); several zones may have one name.
        check_passes: whether a health check passes.
        balancer_passes: whether a load balancer, by its DNS name, is healthy; None when there is none.
        region: where clients are.
    """

    zones: Callable[[], Sequence[tuple[str, Sequence[Record]]]]
    check_passes: Callable[[str], bool]
    balancer_passes: Callable[[str], bool | None]
    timing: DnsTiming
    region: str
    _random: random.Random = field(default_factory=random.Random)

    def knows(self, name: str) -> bool:
        """Whether some hosted zone is responsible for the name."""
        return bool(self._zone(normal(name)))

    def ask(self, name: str, kind: str = "A") -> Answer | None:
        """The answer to a question; None when the name has no such record."""
        return self._ask(normal(name), kind, _DEEPEST)

    def _ask(self, name: str, kind: str, deep: int) -> Answer | None:
        records = matching(self._zone(name), name, kind)
        chosen = choose(records, lambda one: self._healthy(one, deep), region=self.region, draw=self._random.random())
        if not chosen or not deep:
            return None
        first = chosen[0]
        if first.alias:
            return self._target(first.alias, kind, deep)
        ttl_s = min(DEFAULT_TTL_S if record.ttl_s is None else record.ttl_s for record in chosen)
        values = tuple(value for record in chosen for value in record.values)
        if first.kind == "CNAME" and kind != "CNAME":
            beyond = self._target(normal(values[0]), kind, deep)
            if beyond is not None:
                return Answer(
                    kind=beyond.kind, values=beyond.values, ttl_s=min(ttl_s, beyond.ttl_s), name=beyond.name,
                    port=beyond.port,
                )  # fmt: skip
        return Answer(kind=first.kind, values=values, ttl_s=ttl_s, name=name.rstrip("."))

    def _target(self, target: str, kind: str, deep: int) -> Answer | None:
        """Where an alias or a CNAME leads: a load balancer of this cloud, a record, or another service's name."""
        host, _, port = target.rstrip(".").partition(":")
        if port.isdigit():
            values = (host,) if kind == "A" else ()
            return Answer(kind="A", values=values, ttl_s=self.timing.alias_ttl_s, name=host, port=int(port))
        if self._zone(target):
            return self._ask(target, kind, deep - 1)
        return Answer(kind="CNAME", values=(target,), ttl_s=self.timing.alias_ttl_s, name=target.rstrip("."))

    def _healthy(self, record: Record, deep: int) -> bool:
        if record.health_check and not self.check_passes(record.health_check):
            return False
        if not (record.alias and record.evaluates_target and deep):
            return True
        passes = self.balancer_passes(record.alias.rstrip("."))
        if passes is not None:
            return passes
        behind = matching(self._zone(record.alias), record.alias, record.kind)
        return not behind or any(self._healthy(one, deep - 1) for one in behind)

    def _zone(self, name: str) -> Sequence[Record]:
        """The records of the hosted zone that is responsible: the one with the longest name."""
        fit = [(zone, records) for zone, records in self.zones() if name == zone or name.endswith(f".{zone}")]
        longest = max((len(zone) for zone, _ in fit), default=0)
        return [record for zone, records in fit if len(zone) == longest for record in records]
