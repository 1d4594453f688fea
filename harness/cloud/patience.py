"""Waits that a heal ends at once: the delays and black holes of calls in flight."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from harness.cloud.faults import RuleBook


@dataclass(slots=True)
class Patience:
    """Holds calls on one event loop; rules may end on any thread."""

    rules: RuleBook
    _waiting: dict[str, set[asyncio.Future[None]]] = field(default_factory=dict)
    _loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Bind to the running event loop and listen for rules that end."""
        self._loop = asyncio.get_running_loop()
        self.rules.on_removed(self._ended)

    async def wait(self, rule_id: str, duration_s: float, *, unless: asyncio.Future[None] | None = None) -> None:
        """Return after `duration_s` seconds, when the rule ends, or when `unless` is done, whichever is first."""
        loop = asyncio.get_running_loop()
        healed: asyncio.Future[None] = loop.create_future()
        waiting = self._waiting.setdefault(rule_id, set())
        waiting.add(healed)
        ends: list[asyncio.Future[None]] = [healed] if unless is None else [healed, unless]
        try:
            if self.rules.in_force(rule_id):
                await asyncio.wait(ends, timeout=duration_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.discard(healed)
            if not waiting:
                self._waiting.pop(rule_id, None)
            for end in ends:
                end.cancel()

    def _ended(self, rule_id: str) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._release, rule_id)

    def _release(self, rule_id: str) -> None:
        for future in tuple(self._waiting.get(rule_id, ())):
            if not future.done():
                future.set_result(None)
