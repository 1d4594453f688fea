"""How long something is under way: always the same, or by a distribution."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Literal

from harness.clock import parse_duration_s

_Z99 = 2.3263478740408408
"""The 99th percentile of the standard normal distribution."""


@dataclass(frozen=True, slots=True)
class Lag:
    """Seconds that something is under way: always `low_s`, anything up to `high_s`, or long-tailed.

    For `lognormal`, `low_s` is the median and `high_s` the 99th percentile.
    """

    low_s: float
    high_s: float
    shape: Literal["fixed", "uniform", "lognormal"] = "fixed"

    def draw(self, dice: random.Random) -> float:
        """The seconds of one."""
        if self.shape == "fixed" or self.low_s == self.high_s:
            return self.low_s
        if self.shape == "uniform":
            return dice.uniform(self.low_s, self.high_s)
        return self.low_s * math.exp(dice.gauss(0.0, math.log(self.high_s / self.low_s) / _Z99))

    @property
    def longest_s(self) -> float:
        """What hardly any exceeds."""
        return max(self.low_s, self.high_s)

    def __str__(self) -> str:
        """As `parse_lag` reads it."""
        if self.shape == "fixed":
            return f"{self.low_s:g}s"
        low, high = f"{self.low_s:g}s", f"{self.high_s:g}s"
        return f"{low}..{high}" if self.shape == "uniform" else f"p50={low} p99={high}"


def fixed(seconds: float) -> Lag:
    """Always the same."""
    return Lag(seconds, seconds)


def parse_lag(text: str) -> Lag:
    """A lag from `'2s'`, `'1s..3s'` (anything between) or `'p50=1s p99=5s'` (long-tailed).

    Raises:
        ValueError: none of these, or a lag that cannot be.
    """
    try:
        lag = _read(text)
    except ValueError:
        lag = Lag(1.0, 0.0)
    if lag.low_s > lag.high_s or (lag.shape == "lognormal" and lag.low_s <= 0.0):
        raise ValueError(f"{text!r} is no lag such as '2s', '1s..3s' or 'p50=1s p99=5s'")
    return lag


def _read(text: str) -> Lag:
    if ".." in text:
        low_s, high_s = map(parse_duration_s, text.split("..", 1))
        return Lag(low_s, high_s, "uniform")
    if "=" in text:
        parts = zip(text.split(), ("p50=", "p99="), strict=True)
        low_s, high_s = (parse_duration_s(part.removeprefix(name)) for part, name in parts)
        return Lag(low_s, high_s, "lognormal")
    return fixed(parse_duration_s(text))
