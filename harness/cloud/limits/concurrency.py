"""How many invocations of Lambda run at once, and how fast a function gets more environments. Pure.

A function with reserved concurrency draws on that alone; all others share what is left of the account's.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.cloud.limits.buckets import Bucket

Place = tuple[str, str]  # account id and region
Refusal = Literal["function", "account", "scaling"]

LEAST_UNRESERVED = 100
"""What must stay for functions without reserved concurrency.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"""

KEPT_S = 300.0
"""How long a function keeps environments that it does not use; AWS promises nothing, some minutes are usual."""


@dataclass(slots=True)
class _Function:
    """What one function has: invocations running, environments it was given, tokens for more."""

    tokens: Bucket
    running: int = 0
    environments: int = 0
    peak: int = 0
    peak_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class Concurrency:
    """Slots of invocations: `most` of an account and region. Thread-safe.

    A function may get `scaling` environments more in `period_s`, refilled continuously.
    https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html
    """

    most: int
    scaling: int
    period_s: float
    now_s: Callable[[], float] = time.monotonic
    _functions: dict[tuple[Place, str], _Function] = field(default_factory=dict)
    _unreserved: Counter[Place] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def acquire(self, place: Place, name: str, reserved: Mapping[str, int]) -> Refusal | None:
        """Take a slot for an invocation of the function `name`; None when it has one, or what is exhausted.

        `reserved` is the reserved concurrency of the functions of that place.
        """
        with self._lock:
            now_s, own = self.now_s(), reserved.get(name)
            known = self._functions.get((place, name))
            if known is None:
                tokens = Bucket.full(self.scaling / self.period_s, self.scaling, now_s)
                known = self._functions[place, name] = _Function(tokens, peak_s=now_s)
            if own is not None and known.running >= own:
                return "function"
            if own is None and self._unreserved[place] >= self.most - sum(reserved.values()):
                return "account"
            if not self._environment(known, now_s):
                return "scaling"
            known.running += 1
            if own is None:
                self._unreserved[place] += 1
            return None

    def release(self, place: Place, name: str, *, unreserved: bool) -> None:
        """Give the slot back; `unreserved` as it was taken."""
        with self._lock:
            self._functions[place, name].running -= 1
            if unreserved:
                self._unreserved[place] -= 1

    def running(self, place: Place, name: str) -> int:
        """Invocations of a function at this instant."""
        known = self._functions.get((place, name))
        return 0 if known is None else known.running

    def forget(self) -> None:
        """No function has environments, but for those that run."""
        with self._lock:
            self._functions = {key: one for key, one in self._functions.items() if one.running}

    def _environment(self, known: _Function, now_s: float) -> bool:
        """An environment for one invocation more: one that there is, or a new one at the scaling rate."""
        if now_s - known.peak_s > KEPT_S:
            known.environments, known.peak, known.peak_s = max(known.peak, known.running), known.running, now_s
        if known.running < known.environments or known.tokens.take(1.0, now_s=now_s):
            known.environments = max(known.environments, known.running + 1)
            known.peak = max(known.peak, known.running + 1)
            return True
        return False
