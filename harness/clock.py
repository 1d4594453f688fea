"""Instants and durations. Instants come from one injectable clock; durations are float seconds.

All processes of one run on one machine share the monotonic clock (`CLOCK_MONOTONIC` counts from boot
for every process), so instants written by the prober, the cloud and the drill compare directly.
"""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where instants come from; tests pass one that jumps."""

    def now_s(self) -> float:
        """Monotonic seconds since an arbitrary origin shared by all processes of this machine."""
        ...

    async def sleep(self, duration_s: float) -> None:
        """Return after `duration_s` seconds of this clock."""
        ...


class SystemClock:
    """The machine's monotonic clock."""

    def now_s(self) -> float:
        """Monotonic seconds since an arbitrary origin shared by all processes of this machine."""
        return time.monotonic()

    async def sleep(self, duration_s: float) -> None:
        """Return after `duration_s` real seconds."""
        await asyncio.sleep(duration_s)


def utc_iso() -> str:
    """The wall clock now, as ISO 8601 in UTC with milliseconds: for people and file names, never for figures."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SHORT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$")


def parse_duration_s(text: str) -> float:
    """Seconds in `'250ms'`, `'1.5s'`, `'2m30s'`, `'1h'` or ISO 8601 as FIS writes it (`'PT5M'`).

    Raises:
        ValueError: the text is neither form.
    """
    if text.startswith("P"):
        match = _ISO.match(text)
        if match is None or not any(match.groups()):
            raise ValueError(f"{text!r} is not an ISO 8601 duration such as 'PT5M'")
        days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return days * 86400 + hours * 3600 + minutes * 60 + seconds
    total_s, position = 0.0, 0
    while match := _SHORT.match(text, position):
        total_s += float(match[1]) * _UNIT_S[match[2]]
        position = match.end()
    if position == 0 or text[position:].strip():
        raise ValueError(f"{text!r} is not a duration such as '30s', '2m30s' or '250ms'")
    return total_s
