"""Which work begins a trace that is kept: X-Ray's default rule, which Lambda and API Gateway follow.

https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html: "1 request per second and 5 percent of additional
requests"; Lambda's cannot be changed. What comes with a decision, such as `Sampled=1` from its caller, keeps that.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

FIXED_RATE = 0.05


@dataclass(slots=True)
class Sampler:
    """The decisions of each service, by whatever names it. Safe from any thread."""

    clock: Callable[[], float] = time.time
    draw: Callable[[], float] = random.random
    _taken: dict[Hashable, int] = field(default_factory=dict)
    """The second in which the reservoir of a service was last used."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def samples(self, service: Hashable) -> bool:
        """Whether a request that nobody decided on is sampled."""
        second = int(self.clock())
        with self._lock:
            if self._taken.get(service) != second:
                self._taken[service] = second
                return True
        return self.draw() < FIXED_RATE
