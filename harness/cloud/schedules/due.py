"""When a schedule is due: `at`, `rate` and `cron` in the schedule's time zone. Pure.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

NextMatch = Callable[[str, datetime], datetime | None]
"""A cron expression and a local time → the next local time that it names; None when it cannot be read."""

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_UNIT_S = {"minute": 60.0, "hour": 3_600.0, "day": 86_400.0}


def is_once(expression: str) -> bool:
    """True for `at(...)`: it fires one time."""
    return expression.startswith("at(")


def next_due_s(expression: str, timezone: str, *, since_s: float, next_match: NextMatch) -> float | None:
    """The first instant after `since_s` (Unix seconds) at which the schedule is due; None when there is none.

    `rate` counts from `since_s`. `at` is due at its instant, also when that is past: it fires late rather than never.
    """
    zone = ZoneInfo(timezone or "UTC")
    if found := _AT.fullmatch(expression):
        return datetime.fromisoformat(found[1]).replace(tzinfo=zone).timestamp()
    if found := _RATE.fullmatch(expression):
        return since_s + int(found[1]) * _UNIT_S[found[2]]
    local = datetime.fromtimestamp(since_s, zone).replace(tzinfo=None)
    match = next_match(expression, local)
    return None if match is None else match.replace(tzinfo=zone).timestamp()
