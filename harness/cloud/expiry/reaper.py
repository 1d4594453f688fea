"""Looks for what has expired: items again and again, buckets once a day, at midnight."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.cloud.expiry import emulated
from harness.cloud.expiry.rules import Calendar
from harness.cloud.settings import CloudSettings
from harness.cloud.signals.series import MetricId, MetricStore

_LOG = logging.getLogger(__name__)
_SOONEST_S, _LATEST_S = 0.5, 30.0


@dataclass(slots=True, kw_only=True)
class Reaper:
    """Both watches, on the loop that serves.

    `ttl_delay_s` is how long an item outlives its time, `day_s` how long a day of a life cycle takes.
    """

    store: MetricStore
    ttl_delay_s: float
    day_s: float
    _watches: tuple[asyncio.Task[None], ...] = ()

    @classmethod
    def install(cls, settings: CloudSettings, store: MetricStore) -> Reaper:
        """Call it before the emulator serves; it looks from `start` on."""
        emulated.install()
        return cls(store=store, ttl_delay_s=settings.ttl_delay_s, day_s=settings.lifecycle_day_s)

    def start(self) -> None:
        """Begin, on the running loop."""
        self._watches = (
            asyncio.create_task(_again(self._items_wait_s, self._items)),
            asyncio.create_task(_again(self._midnight_wait_s, self._objects)),
        )

    def close(self) -> None:
        """End."""
        for watch in self._watches:
            watch.cancel()

    def _items_wait_s(self) -> float:
        return min(max(self.ttl_delay_s / 2, _SOONEST_S), _LATEST_S)

    def _midnight_wait_s(self) -> float:
        return self.day_s - time.time() % self.day_s

    def _items(self) -> None:
        now_s = time.time()
        for account, region, table in emulated.expire_items(now_s, self.ttl_delay_s):
            metric = MetricId(account, region, "AWS/DynamoDB", "TimeToLiveDeletedItemCount", (("TableName", table),))
            self.store.value(metric, 1.0, now_s, unit="Count")

    def _objects(self) -> None:
        emulated.carry_out(Calendar(time.time(), self.day_s))


async def _again(wait_s: Callable[[], float], look: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(wait_s())
        try:
            look()
        except Exception:  # noqa: BLE001 - a table or a bucket that cannot be read must not keep the others alive for ever
            _LOG.exception("looking for what has expired")
