"""Every version of a table's items since point-in-time recovery was turned on, within its window. Pure.

The window is RecoveryPeriodInDays, 35 by default:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
"""

from __future__ import annotations

import copy
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

DAY_S = 86400
DEFAULT_WINDOW_DAYS = 35

Item = dict[str, Any]  # attribute values, in DynamoDB's JSON
Items = dict[str, dict[str, Item]]
"""Partition key → sort key → item, as ministack keeps them."""


class Version(NamedTuple):
    """What an item became at an instant (Unix seconds); None when it was deleted."""

    at_s: float
    partition: str
    sort: str
    item: Item | None


class OutsideWindowError(ValueError):
    """The asked instant is not between the earliest and the latest restorable one."""


@dataclass(slots=True)
class TableHistory:
    """One table's: what it held when its window begins, and every change since."""

    since_s: float
    base: Items
    window_s: float = DEFAULT_WINDOW_DAYS * DAY_S
    changes: deque[Version] = field(default_factory=deque)

    def note(self, version: Version) -> None:
        """Append a change; what is older than the window becomes part of its beginning."""
        self.changes.append(version)
        earliest_s = self.earliest_s(version.at_s)
        while self.changes and self.changes[0].at_s <= earliest_s:
            _apply(self.base, self.changes.popleft())

    def earliest_s(self, now_s: float) -> float:
        """The earliest restorable instant."""
        return max(self.since_s, now_s - self.window_s)

    def as_of(self, at_s: float, *, now_s: float) -> Items:
        """The items as they were at `at_s`: every change up to and at that instant is in.

        Raises:
            OutsideWindowError: it is too early, or in the future.
        """
        if not self.earliest_s(now_s) <= at_s <= now_s:
            raise OutsideWindowError
        items = {partition: dict(sorted_items) for partition, sorted_items in self.base.items()}
        for version in self.changes:
            if version.at_s > at_s:
                break
            _apply(items, version)
        return copy.deepcopy(items)


@dataclass(slots=True)
class ItemHistories:
    """The histories of all tables with point-in-time recovery on, by table id. Safe from any thread."""

    now_s: Callable[[], float]
    _tables: dict[str, TableHistory] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def turn_on(self, table_id: str, items: Mapping[str, Mapping[str, Item]], *, window_days: int) -> None:
        """Begin, or change the window of what has begun: turning it on again keeps the history."""
        with self._lock:
            known = self._tables.get(table_id)
            if known is None:
                base = {partition: copy.deepcopy(dict(inner)) for partition, inner in items.items()}
                known = self._tables[table_id] = TableHistory(self.now_s(), base)
            known.window_s = float(window_days * DAY_S)

    def turn_off(self, table_id: str) -> None:
        """Forget; it may be turned on again, from then on."""
        with self._lock:
            self._tables.pop(table_id, None)

    def note(self, table_id: str, partition: str, sort: str, item: Item | None) -> None:
        """An item was written or deleted."""
        if table_id not in self._tables:  # nearly every table: not worth the lock
            return
        kept = copy.deepcopy(item)
        with self._lock:
            history = self._tables.get(table_id)
            if history is not None:
                history.note(Version(self.now_s(), partition, sort, kept))

    def window(self, table_id: str) -> tuple[float, float] | None:
        """The earliest and the latest restorable instant; None when it is off."""
        with self._lock:
            history, now_s = self._tables.get(table_id), self.now_s()
            return None if history is None else (history.earliest_s(now_s), now_s)

    def as_of(self, table_id: str, at_s: float) -> Items:
        """The items as they were at `at_s`.

        Raises:
            KeyError: it is off.
            OutsideWindowError: see `TableHistory.as_of`.
        """
        with self._lock:
            return self._tables[table_id].as_of(at_s, now_s=self.now_s())

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._tables.clear()


def _apply(items: Items, version: Version) -> None:
    if version.item is not None:
        items.setdefault(version.partition, {})[version.sort] = version.item
        return
    inner = items.get(version.partition, {})
    inner.pop(version.sort, None)
    if not inner:
        items.pop(version.partition, None)
