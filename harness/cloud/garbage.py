"""When Python looks for garbage in cycles: often among what is young, among everything only while nothing goes on.

A look stops all threads, for about half a second for each million objects (CPython 3.11, measured at 50 orders a
second). An order leaves some 700 that stay: a look at everything that came since the start would be an outage.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field

YOUNG, MIDDLE, OLD = 10_000, 3, 1_000
"""Objects made before a look at the youngest (some 5 ms), such looks before one at the middle-aged (15 ms), and those
before one at everything, should it never be quiet: 30 million objects. Python's defaults (700, 10, 10) cost a call in
ten of its time here."""

WORTH_IT = 25
"""Looks at the middle-aged after which one at everything is worth its while."""

_EVERY_S, _QUIET_SHARE = 1.0, 0.05


@dataclass(slots=True)
class Garbage:
    """The collector of this process; `begin` once all that stays is made, then `watch`."""

    processor_s: Callable[[], float] = time.process_time
    collect: Callable[[], object] = gc.collect
    due: Callable[[], int] = lambda: gc.get_count()[2]
    _used_s: float = field(init=False, default=float("inf"))

    def begin(self) -> None:
        """What was made so far stays, and is not looked through again."""
        gc.set_threshold(YOUNG, MIDDLE, OLD)
        gc.freeze()

    async def watch(self) -> None:
        """Look at everything when it is worth it and the process was quiet for a second, until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_S)
            self.look(_EVERY_S)

    def look(self, elapsed_s: float) -> None:
        """Collect everything if it used at most a twentieth of the `elapsed_s` seconds since the last look."""
        before_s, self._used_s = self._used_s, self.processor_s()
        if self.due() >= WORTH_IT and 0 <= self._used_s - before_s <= _QUIET_SHARE * elapsed_s:
            self.collect()
