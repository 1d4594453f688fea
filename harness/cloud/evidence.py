"""What the cloud saw happen to it: faults, power, placement, experiments. Append-only, read by drills.

Evidence proves that a fault was injected and when it first had an effect. Instants are monotonic seconds.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import msgspec

from harness.clock import Clock

CAPACITY = 100_000
"""Events kept; `dropped` counts what went beyond, so that a reader never mistakes a cut log for a whole one."""


class EvidenceEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. `detail` is JSON; `owner` is the experiment or test behind it, or ''."""

    sequence: int
    at_s: float
    kind: str
    owner: str = ""
    detail: dict[str, Any] = {}  # each kind has its own fields


@dataclass(slots=True)
class Evidence:
    """The log. Safe from any thread."""

    clock: Clock
    dropped: int = 0
    _events: deque[EvidenceEvent] = field(default_factory=lambda: deque(maxlen=CAPACITY))
    _next: int = 1
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, *, owner: str = "", **detail: Any) -> EvidenceEvent:
        """Append an event at this instant; `detail` must be JSON values."""
        with self._lock:
            if len(self._events) == CAPACITY:
                self.dropped += 1
            event = EvidenceEvent(sequence=self._next, at_s=self.clock.now_s(), kind=kind, owner=owner, detail=detail)
            self._next += 1
            self._events.append(event)
        return event

    def since(self, sequence: int = 0, *, owner: str = "") -> list[EvidenceEvent]:
        """Events after `sequence`, oldest first, of one owner or of all."""
        with self._lock:
            return [e for e in self._events if e.sequence > sequence and (not owner or e.owner == owner)]
