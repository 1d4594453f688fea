"""Copies between regions and buckets that wait: while a flow is paused its writes queue up, until it is resumed.

What is replicated, and how, stays the emulator's. A flow is a source, a destination region or bucket, and the kind of
store; a pause has an owner and a lease, as a fault rule has.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.cloud.copies.lags import Lags
from harness.cloud.evidence import Evidence

Apply = Callable[[], None]
"""Carries out one write at its destination."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One write on its way to a copy. `source` and `destination` are regions for tables, buckets for objects."""

    store: str
    """`dynamodb` or `s3`."""
    name: str
    """The table, or the object's key."""
    key: str
    """The item's key, or the object's."""
    source: str
    destination: str
    destination_region: str = ""


Holds = Callable[[Flow], bool]
"""Says whether a pause holds a write up."""


@dataclass(frozen=True, slots=True)
class _Write:
    flow: Flow
    number: int
    apply: Apply

    def at(self, place: str) -> tuple[str, str, str, str]:
        """The copy of the item or object in one place."""
        return self.flow.store, self.flow.name, self.flow.key, place


@dataclass(slots=True)
class _Pause:
    owner: str
    holds: Holds
    expires_s: float
    lease_s: float
    queued: list[_Write] = field(default_factory=list)
    fired: int = 0


@dataclass(slots=True)
class ReplicationKeeper:
    """The pauses in force. Safe from any thread.

    What was held up is applied in the order it came, and the last writer wins, as between DynamoDB's replicas: a
    write is dropped where its destination was written later. Source:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
    """

    evidence: Evidence
    lags: Lags = field(default_factory=Lags)
    _last: dict[tuple[str, str, str, str], int] = field(default_factory=dict)
    """Copy of an item → the number of its last write; kept while something is paused."""
    _number: int = 0
    _pauses: dict[str, _Pause] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def pause(self, pause_id: str, holds: Holds, *, owner: str, lease_s: float) -> None:
        """Hold up what `holds` says. The same id again renews the lease."""
        expires_s = self.evidence.clock.now_s() + lease_s
        with self._lock:
            known = self._pauses.get(pause_id)
            if known is not None:
                known.expires_s = expires_s
                return
            self._pauses[pause_id] = _Pause(owner, holds, expires_s, lease_s)
        self.evidence.add("fault_injected", owner=owner, rule=pause_id, effect="ReplicationPause")

    def carry(self, flow: Flow, apply: Apply) -> bool:
        """Apply a write at its destination, now or when the pause that holds it is over; True when it was applied."""
        if not self._pauses:
            apply()
            return True
        with self._lock:
            self._number += 1
            write = _Write(flow, self._number, apply)
            self._last[write.at(flow.source)] = write.number
            pause_id, pause = next(((i, p) for i, p in self._pauses.items() if p.holds(flow)), ("", None))
            if pause is None:
                self._apply(write)
                return True
            pause.queued.append(write)
            pause.fired += 1
        if pause.fired == 1:
            self.evidence.add("fault_fired", owner=pause.owner, rule=pause_id, service=flow.store, resource=flow.name)
        return False

    def resume(self, *, pause_id: str = "", owner: str = "") -> list[str]:
        """End pauses and apply what they held up, in order; may be repeated. Returns the ids of what ended."""
        with self._lock:
            ended = [
                (i, p)
                for i, p in self._pauses.items()
                if (not pause_id or i == pause_id) and (not owner or p.owner == owner)
            ]
            for name, pause in ended:
                for write in pause.queued:
                    self._apply(write)
                del self._pauses[name]
            if not self._pauses:
                self._last.clear()
        for name, pause in ended:
            self.evidence.add("fault_healed", owner=pause.owner, rule=name, matched=pause.fired, fired=pause.fired)
        return [name for name, _ in ended]

    def _apply(self, write: _Write) -> None:
        there = write.at(write.flow.destination)
        if self._last.get(there, 0) <= write.number:
            write.apply()
            self._last[there] = write.number

    def renew(self, owner: str) -> int:
        """Extend the lease of every pause of `owner`; returns how many there are."""
        with self._lock:
            mine = [pause for pause in self._pauses.values() if pause.owner == owner]
            for pause in mine:
                pause.expires_s = self.evidence.clock.now_s() + pause.lease_s
        return len(mine)

    def expire(self) -> None:
        """End the pauses whose lease is over."""
        now_s = self.evidence.clock.now_s()
        for pause_id in [i for i, pause in tuple(self._pauses.items()) if pause.expires_s <= now_s]:
            self.resume(pause_id=pause_id)

    def queued(self, *, owner: str = "") -> int:
        """How many writes wait."""
        with self._lock:
            return sum(len(pause.queued) for pause in self._pauses.values() if not owner or pause.owner == owner)
