"""Copies between regions and buckets: each write arrives after its lag, unless it is held up or its region is lost.

What is replicated, and how, stays the emulator's. A pause has an owner and a lease, as a fault rule has.
"""

from __future__ import annotations

import heapq
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from harness.cloud.copies.flow import Apply, Flow, Holds, Item, Pause, Write
from harness.cloud.copies.lags import Lags
from harness.cloud.evidence import Evidence
from harness.cloud.zones import Zone

Schedule = Callable[[float, Callable[[], None]], None]
"""Calls back after so many seconds, on the thread that the emulator serves on: there no write comes in between."""


class Watches(Protocol):
    """Is told of writes that leave and arrive."""

    def left(self, flow: Flow) -> None:
        """A write is under way."""
        ...

    def arrived(self, flow: Flow, latency_s: float) -> None:
        """A write is there, or was superseded there."""
        ...


def _at_once(_delay_s: float, call: Callable[[], None]) -> None:
    call()


def _never_lost(_region: str) -> bool:
    return False


@dataclass(slots=True)
class ReplicationKeeper:
    """The writes under way and the pauses in force. Safe from any thread; a resident of the zones.

    Writes of one item arrive in the order they were made. Between regions the last writer wins: a write is dropped
    where its destination was written later, by whoever; that is counted as a conflict. Source:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html

    Args:
        schedule: how arrivals are timed; needed wherever a lag is not 0.
        lost: says whether a region is without power as a whole: nothing leaves or reaches it meanwhile.
    """

    evidence: Evidence
    lags: Lags = field(default_factory=Lags)
    schedule: Schedule = _at_once
    lost: Callable[[str], bool] = _never_lost
    cut_between: Callable[[str, str], bool] = lambda _one, _other: False
    """Says whether the link between two regions lets nothing through."""
    watches: Watches | None = None
    conflicts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(store, table, receiving region) → writes that lost there against a later one of another region."""
    _number: int = 0
    _items: dict[tuple[str, str, str], Item] = field(default_factory=dict)
    _under_way: list[Write] = field(default_factory=list)  # a heap by due instant
    _held: list[Write] = field(default_factory=list)
    _pauses: dict[str, Pause] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # -- writes ------------------------------------------------------------------------------------------------

    def carry(self, flow: Flow, apply: Apply, *, may_wait: bool = True) -> bool:
        """Let a write arrive at its destination when it is due; True when it was applied before this returns.

        Without `may_wait` nothing but a pause or a lost region delays it.
        """
        lag_s = self.lags.draw(flow.store, flow.source_region, flow.destination_region) if may_wait else 0.0
        now_s = self.evidence.clock.now_s()
        with self._lock:
            self._number += 1
            item = self._items.setdefault(flow.item, Item())
            due_s = item.due_s[flow.destination] = max(now_s + lag_s, item.due_s.get(flow.destination, 0.0))
            write = Write(flow, self._number, apply, now_s, due_s)
            item.last[flow.source] = (write.number, flow.source)
            item.under_way += 1
            self._count_held(write)
            if self.watches is not None:
                self.watches.left(flow)
            heapq.heappush(self._under_way, write)
        if due_s <= now_s:
            self._arrive()
        else:
            self.schedule(due_s - now_s, self._arrive)
        return item.under_way == 0

    def _count_held(self, write: Write) -> bool:
        """True when a pause holds the write up; it is counted once."""
        for name, pause in self._pauses.items():
            if pause.holds(write.flow):
                if write.held_by != name:
                    write.held_by = name
                    pause.fired += 1
                    if pause.fired == 1:
                        self.evidence.add(
                            "fault_fired", owner=pause.owner, rule=name, service=write.flow.store,
                            resource=write.flow.name,
                        )  # fmt: skip
                return True
        return False

    def _arrive(self) -> None:
        """Apply what is due and not held up."""
        with self._lock:
            now_s = self.evidence.clock.now_s()
            while self._under_way and self._under_way[0].due_s <= now_s:
                write = heapq.heappop(self._under_way)
                if self._count_held(write) or self._cut_off(write.flow):
                    self._held.append(write)
                else:
                    self._land(write)
            if self._under_way and self._under_way[0].due_s - now_s < _EARLY_S:  # called a little too early
                self.schedule(self._under_way[0].due_s - now_s, self._arrive)

    def _cut_off(self, flow: Flow) -> bool:
        regions = flow.source_region, flow.destination_region
        return self.lost(regions[0]) or self.lost(regions[1]) or self.cut_between(*regions)

    def _land(self, write: Write) -> None:
        flow, item = write.flow, self._items[write.flow.item]
        number, origin = item.last.get(flow.destination, (0, ""))
        if number <= write.number:
            write.apply()
            item.last[flow.destination] = (write.number, flow.source)
        elif origin != flow.source:
            self.conflicts[flow.store, flow.name, flow.destination] += 1
            self.evidence.add("replication_conflict", store=flow.store, resource=flow.name, key=flow.key,
                              source=flow.source, destination=flow.destination)  # fmt: skip
        item.under_way -= 1
        if not item.under_way:
            del self._items[flow.item]
        if self.watches is not None:
            self.watches.arrived(flow, self.evidence.clock.now_s() - write.written_s)

    def _release(self) -> None:
        """Look again at what is held up."""
        with self._lock:
            held, self._held = self._held, []
            for write in held:
                heapq.heappush(self._under_way, write)
        self._arrive()

    # -- pauses ------------------------------------------------------------------------------------------------

    def pause(self, pause_id: str, holds: Holds, *, owner: str, lease_s: float) -> None:
        """Hold up what `holds` says. The same id again renews the lease."""
        expires_s = self.evidence.clock.now_s() + lease_s
        with self._lock:
            known = self._pauses.get(pause_id)
            if known is not None:
                known.expires_s = expires_s
                return
            self._pauses[pause_id] = Pause(owner, holds, expires_s, lease_s)
        self.evidence.add("fault_injected", owner=owner, rule=pause_id, effect="ReplicationPause")

    def resume(self, *, pause_id: str = "", owner: str = "") -> list[str]:
        """End pauses; what they held up and is due arrives. May be repeated. Returns the ids of what ended."""
        with self._lock:
            ended = [
                (i, p)
                for i, p in self._pauses.items()
                if (not pause_id or i == pause_id) and (not owner or p.owner == owner)
            ]
            for name, _ in ended:
                del self._pauses[name]
        if ended:
            self.schedule(0.0, self._release)
        for name, pause in ended:
            self.evidence.add("fault_healed", owner=pause.owner, rule=name, matched=pause.fired, fired=pause.fired)
        return [name for name, _ in ended]

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

    # -- what is under way -------------------------------------------------------------------------------------

    def shown(self) -> list[dict[str, object]]:
        """Per table or bucket and pair of places, as JSON: writes `pending` and `conflicts`; `oldest_s` is an age."""
        now_s, found = self.evidence.clock.now_s(), dict[tuple[str, str, str, str], list[float]]()
        with self._lock:
            for write in (*self._under_way, *self._held):
                flow = write.flow
                place = (flow.store, flow.name, flow.source, flow.destination)
                found.setdefault(place, []).append(now_s - write.written_s)
            conflicts = dict(self.conflicts)
        keys = ("store", "name", "source", "destination")
        lines: list[dict[str, object]] = [
            {**dict(zip(keys, place, strict=True)), "pending": len(ages), "oldest_s": max(ages)}
            for place, ages in sorted(found.items())
        ]
        return lines + [
            {"store": store, "name": name, "source": "", "destination": region, "conflicts": count}
            for (store, name, region), count in sorted(conflicts.items())
        ]

    def clear(self) -> None:
        """Forget everything under way; the emulator was emptied."""
        with self._lock:
            self._items.clear()
            self._under_way.clear()
            self._held.clear()
            self.conflicts.clear()
        self.lags.clear()

    # -- zones (a Resident) ------------------------------------------------------------------------------------

    def power_lost(self, zone: Zone, *, owner: str) -> int:
        """What is under way is looked at when it is due."""
        del zone, owner
        return 0

    def power_restored(self, zone: Zone, *, owner: str) -> None:
        """What a lost region held back goes on."""
        del zone, owner
        self.look_again()

    def look_again(self) -> None:
        """What a cut link held back goes on."""
        self.schedule(0.0, self._release)


_EARLY_S = 0.01
