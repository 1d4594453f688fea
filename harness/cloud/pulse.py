"""What the cloud's front doors answer from second to second, for whoever looks on: no metric, no history."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from harness.clock import Clock

KEPT_S = 300


@dataclass(slots=True)
class Beat:
    """One second of one service: how many answers, how many of them said that the service failed (5xx)."""

    at_s: int
    service: str
    answers: int = 0
    failed: int = 0
    slowest_s: float = 0.0


@dataclass(slots=True)
class Pulse:
    """The last five minutes. For the event loop's thread."""

    clock: Clock
    _beats: dict[str, deque[Beat]] = field(default_factory=dict)

    def answered(self, service: str, status: int, taken_s: float) -> None:
        """A service answered a call, so long after it came."""
        now_s = int(self.clock.now_s())
        beats = self._beats.get(service)
        if beats is None:
            beats = self._beats[service] = deque(maxlen=KEPT_S)
        if not beats or beats[-1].at_s != now_s:
            beats.append(Beat(now_s, service))
        beat = beats[-1]
        beat.answers += 1
        beat.failed += status >= 500
        beat.slowest_s = max(beat.slowest_s, taken_s)

    def shown(self) -> dict[str, Any]:
        """`now_s`, and per service rows of `[at_s, answers, failed, slowest_s]`, seconds without any left out."""
        now_s = self.clock.now_s()
        return {
            "now_s": now_s,
            "services": {
                service: [
                    [b.at_s, b.answers, b.failed, round(b.slowest_s, 4)] for b in beats if b.at_s > now_s - KEPT_S
                ]
                for service, beats in self._beats.items()
            },
        }
