"""Time as a budget: the calls of a handler share what its invocation has left, or its caller still waits for.

Timeouts that are set call by call add up to more than anybody waits: Lambda ends the function in the middle, or the
work goes on for a caller who is gone. So each call gets what is left and no more, is tried again only if another try
fits, and is not begun when nothing is left.
https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
"""

import math
import time
from contextvars import ContextVar
from typing import Any

_ends_s: ContextVar[float] = ContextVar("ends_s", default=math.inf)
_ANSWER_S = 0.5
"""Kept back, to say something at the end."""
_STEP_S = 0.25
"""Timeouts are whole steps: each needs a client of its own."""
_CONNECTED = 1.5
"""A try that has to connect may take half as long again (aws.py)."""
_TRIES = {3: 3.0, 2: 1.0}
"""Tries → the seconds that botocore's backoff (full jitter, up to 1 s, then 2 s) takes between them at the most."""


class OutOfTimeError(Exception):
    """Nothing is left for another call."""


def begin(context: Any, patience_s: float = math.inf) -> None:
    """A budget for this invocation: what Lambda leaves it, or the caller's patience where that is less."""
    left_s = context.get_remaining_time_in_millis() / 1000
    _ends_s.set(time.monotonic() + min(left_s, patience_s) - _ANSWER_S)


def share(wanted_s: float) -> tuple[float, int]:
    """Timeout in seconds and tries of a call that would wait for `wanted_s`, three times. Without a budget it may.

    Raises:
        OutOfTimeError: not one try fits.
    """
    left_s = _ends_s.get() - time.monotonic()
    for tries, backoff_s in _TRIES.items():
        if tries * wanted_s * _CONNECTED + backoff_s <= left_s:
            return wanted_s, tries
    fits_s = min(wanted_s, left_s / _CONNECTED // _STEP_S * _STEP_S)
    if fits_s <= 0:
        raise OutOfTimeError
    return fits_s, 1
