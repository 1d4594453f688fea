"""The links between zones, subnets and regions: latency, loss, cuts, and gray failure on a share of the flows.

A fault lies between two places; '' is everywhere, also outside the cloud. What is inside one place is no link of it.
A flow is a TCP connection or an AWS call; whether a fault hits it is drawn once, when they meet. The gate, the
endpoints of databases and caches, load balancers, tasks' interfaces, and the copies between regions ask here.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec
import psutil

from harness.cloud.evidence import Evidence
from harness.errors import ConfigError

MAX_LEASE_S = 12 * 3600.0
RESENT_S = 0.2
"""A lost segment is sent again after this long at the least, on Linux (TCP_RTO_MIN); each time doubled (RFC 6298)."""

_MOST_RESENT = 6
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an end of a flow is. One without a region is outside; a service of a region has no zone."""

    region: str = ""
    zone_id: str = ""
    zone_name: str = ""
    subnet_id: str = ""

    def within(self, name: str) -> bool:
        """True for the name or id of its zone, subnet or region."""
        return bool(name) and name in (self.zone_id, self.zone_name, self.subnet_id, self.region)


OUTSIDE = Place()


class LinkFault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One disturbance of the link between `near` and `far` (zone, subnet or region; '' is everywhere else).

    `share` is the share of flows that it hits, `loss` the share of their segments that get lost, both in 0..1. A cut
    lets nothing through. Without `services` it spares AWS calls, and always flows to one of `but`.
    """

    id: str
    owner: str
    near: str
    far: str = ""
    but: tuple[str, ...] = ()
    cut: bool = False
    latency_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    share: float = 1.0
    services: bool = True
    seed: int = 0
    lease_s: float = 30.0

    def check(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            ConfigError: says which value.
        """
        where = f"link fault {self.id!r}"
        if not self.near or not self.owner:
            raise ConfigError("a link fault needs an owner and a place", where=f"{where} near")
        for name, value, most in (
            ("latency_s", self.latency_s, 3600.0), ("jitter_s", self.jitter_s, 3600.0), ("loss", self.loss, 1.0),
            ("share", self.share, 1.0), ("lease_s", self.lease_s, MAX_LEASE_S),
        ):  # fmt: skip
            if not 0.0 <= value <= most:
                raise ConfigError(f"{name} of {value:g} is outside 0..{most:g}", where=f"{where} {name}")

    def between(self, one: Place, other: Place) -> bool:
        """True when a flow between the two crosses this link."""
        return self._from(one, other) or self._from(other, one)

    def _from(self, one: Place, other: Place) -> bool:
        crosses = other.within(self.far) if self.far else not other.within(self.near)
        return one.within(self.near) and crosses and not any(other.within(name) for name in self.but)


@dataclass(slots=True)
class _InForce:
    fault: LinkFault
    expires_s: float
    dice: random.Random
    matched: int = 0
    fired: int = 0


@dataclass(slots=True)
class Links:
    """The faults in force and who is where. Safe from any thread."""

    evidence: Evidence
    populations: list[Callable[[], Iterable[tuple[int, Place]]]] = field(default_factory=list)
    """Each tells process ids of the cloud with their places."""
    on_healed: list[Callable[[], None]] = field(default_factory=list)
    _faults: dict[str, _InForce] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def disturbed(self) -> bool:
        """True while any fault is in force."""
        return bool(self._faults)

    def put(self, fault: LinkFault) -> None:
        """Put a fault in force, or renew the one with this id.

        Raises:
            ConfigError: it cannot be meant.
        """
        fault.check()
        expires_s = self.evidence.clock.now_s() + fault.lease_s
        with self._lock:
            known = self._faults.get(fault.id)
            if known is not None and known.fault == fault:
                known.expires_s = expires_s
                return
            dice = random.Random(fault.seed)  # noqa: S311 - a drill must be repeatable, not secret
            self._faults[fault.id] = _InForce(fault, expires_s, dice)
        self.evidence.add("fault_injected", owner=fault.owner, rule=fault.id, effect="Link")

    def remove(self, *, fault_id: str = "", owner: str = "", prefix: str = "") -> list[str]:
        """End one fault, those of an owner, or all; may be repeated. Returns the ids of what ended."""
        with self._lock:
            ended = [
                one
                for name, one in self._faults.items()
                if fault_id in {"", name} and owner in {"", one.fault.owner} and name.startswith(prefix)
            ]
            for one in ended:
                del self._faults[one.fault.id]
        for one in ended:
            self.evidence.add(
                "fault_healed", owner=one.fault.owner, rule=one.fault.id, matched=one.matched, fired=one.fired
            )
        if ended:
            for call in self.on_healed:
                call()
        return [one.fault.id for one in ended]

    def renew(self, owner: str) -> int:
        """Extend the leases of all faults of `owner`; returns how many there are."""
        with self._lock:
            mine = [one for one in self._faults.values() if one.fault.owner == owner]
            for one in mine:
                one.expires_s = self.evidence.clock.now_s() + one.fault.lease_s
        return len(mine)

    def expire(self) -> None:
        """End what nobody renewed."""
        now_s = self.evidence.clock.now_s()
        for fault_id in [one.fault.id for one in tuple(self._faults.values()) if one.expires_s <= now_s]:
            self.remove(fault_id=fault_id)

    def shown(self) -> list[dict[str, object]]:
        """The faults in force with what they matched and hit, as JSON."""
        with self._lock:
            return [
                {**msgspec.to_builtins(one.fault), "matched": one.matched, "fired": one.fired}
                for one in self._faults.values()
            ]

    # -- flows -------------------------------------------------------------------------------------------------

    def cut_between(self, one_region: str, other_region: str) -> bool:
        """True while nothing gets from one region to the other, as a whole."""
        if not self._faults or one_region == other_region:
            return False
        one, other = Place(region=one_region), Place(region=other_region)
        return any(f.fault.cut and f.fault.share == 1.0 and f.fault.between(one, other) for f in self._in_force())

    def lost(self, one: Place, other: Place, *, within_s: float) -> bool:
        """True when a new flow between the two would hear nothing in time. Counts as no flow: a look, not traffic."""
        return any(
            f.fault.between(one, other)
            and (f.fault.share == 1.0 or f.dice.random() < f.fault.share)
            and (f.fault.cut or 2 * f.fault.latency_s >= within_s)
            for f in self._in_force()
        )

    def _in_force(self) -> tuple[_InForce, ...]:
        with self._lock:
            return tuple(self._faults.values())

    def hits(self, passage: Passage) -> list[_InForce]:
        """The faults that a flow feels now; whether it is one of those hit is drawn once for each."""
        found = []
        for one in self._in_force():
            known = passage.drawn.get(one.fault.id)
            if known is None or known[0] is not one:
                known = passage.drawn[one.fault.id] = (one, self._draw(one, passage))
            if known[1]:
                found.append(one)
        return found

    def _draw(self, one: _InForce, passage: Passage) -> bool:
        fault = one.fault
        if (passage.is_call and not fault.services) or not fault.between(passage.source, passage.destination):
            return False
        with self._lock:
            one.matched += 1
            hit = fault.share == 1.0 or one.dice.random() < fault.share
            one.fired += hit
            first = hit and one.fired == 1
        if first:
            self.evidence.add("fault_fired", owner=fault.owner, rule=fault.id, service="link", resource=fault.near)
        return hit

    def whereabouts(self, port: int, to_port: int) -> Place:
        """Where the process is that connects from `port` to `to_port` on loopback; outside when it is none of ours.

        It looks at every process of the cloud: not for an event loop's thread.
        """
        for population in self.populations:
            for pid, place in population():
                if (port, to_port) in _connections(pid):
                    return place
        return OUTSIDE


@dataclass(slots=True, eq=False)
class Passage:
    """One flow. Its ends are looked up when a fault is first in force."""

    links: Links
    source: Place
    destination: Place
    is_call: bool = False
    drawn: dict[str, tuple[_InForce, bool]] = field(default_factory=dict)

    @property
    def cut(self) -> bool:
        """True while nothing gets through."""
        return self.links.disturbed and any(one.fault.cut for one in self.links.hits(self))

    def delay_s(self) -> float:
        """Seconds that the next segment takes longer."""
        return sum(_delay_s(one) for one in self.links.hits(self)) if self.links.disturbed else 0.0

    async def take(self) -> None:
        """Return once a segment that is sent now is there."""
        if not self.links.disturbed:
            return
        delay_s = self.delay_s()
        if delay_s > 0:
            await asyncio.sleep(delay_s)
        while self.cut:  # noqa: ASYNC110 - as TCP sends again and again
            await asyncio.sleep(_LOOK_EVERY_S)


def _delay_s(one: _InForce) -> float:
    fault, total_s = one.fault, one.fault.latency_s
    if fault.jitter_s:
        total_s += one.dice.uniform(-1.0, 1.0) * fault.jitter_s
    for times in range(_MOST_RESENT):
        if not fault.loss or one.dice.random() >= fault.loss:
            break
        total_s += RESENT_S * 2**times
    return max(total_s, 0.0)


def _connections(pid: int) -> set[tuple[int, int]]:
    """Local and remote port of each TCP connection of a process and its children."""
    found: set[tuple[int, int]] = set()
    try:
        server = psutil.Process(pid)
        for process in (server, *server.children(recursive=True)):
            for one in process.net_connections("tcp"):
                if one.laddr and one.raddr:
                    found.add((one.laddr.port, one.raddr.port))
    except psutil.Error:
        pass  # it has ended
    return found
