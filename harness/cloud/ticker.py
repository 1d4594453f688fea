"""Looks every so many seconds, in a thread of its own: alarms, schedules, budgets, gauges."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

_LAST_LOOK_S = 5.0
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Ticker:
    """Calls `look` every `every_s` seconds from `start` to `stop`; what it raises is logged and ends nothing.

    A `look` that returns True found something and is called again at once.
    """

    name: str
    every_s: float
    look: Callable[[], object]
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; it may be called again."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()

    def stop(self, *, wait: bool = False) -> None:
        """End; with `wait` it returns once a look under way is over."""
        self._stopped.set()
        if wait and self._thread is not None:
            self._thread.join(_LAST_LOOK_S)

    def _run(self) -> None:
        again = False
        while not self._stopped.wait(0.0 if again else self.every_s):
            try:
                again = self.look() is True
            except Exception:  # noqa: BLE001 - one bad look must not end the others
                again = False
                _LOG.exception("%s", self.name)
