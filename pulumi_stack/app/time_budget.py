"""Time as a budget: the calls of a handler share what its invocation has left, or its caller still waits for.

Timeouts that are set call by call add up to more than anybody waits: Lambda ends the function in the middle, or the
work goes on for a caller who is gone. So each call gets what is left and no more, is tried again only while another
try fits, and is not begun when nothing is left.
https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
"""

import contextlib
import functools
import math
import random
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from botocore.exceptions import BotoCoreError

Handler = Callable[[dict[str, Any], Any], Any]
_ends_s: ContextVar[float] = ContextVar("ends_s", default=math.inf)
_kept_s: ContextVar[float] = ContextVar("kept_s", default=0.0)
_KEPT = 0.1
"""The share that is kept back, to say something at the end."""
_CONNECTED = 1.5
"""A try that has to connect may take half as long again (aws.py)."""
_SHORTEST_S = 0.2
"""Nobody answers in less, so that it is not asked."""


class OutOfTimeError(BotoCoreError):
    """Nothing is left for a call: it was not made. Who can do without an answer of AWS can do without this one."""

    fmt = "no time is left: {wanted_s:.2f} s are needed, there are {left_s:.2f} s"


def begin(patience_s: float) -> None:
    """From here on so many seconds, for all that is called."""
    _kept_s.set(patience_s * _KEPT)
    _ends_s.set(time.monotonic() + patience_s * (1 - _KEPT))


def begun(handler: Handler) -> Handler:
    """A Lambda handler whose calls share the time that its invocation has left."""

    @functools.wraps(handler)
    def within(event: dict[str, Any], context: Any) -> Any:
        begin(context.get_remaining_time_in_millis() / 1000)
        return handler(event, context)

    return within


@contextlib.contextmanager
def reserve() -> Iterator[None]:
    """Calls in here may spend what is kept back: they say how it ended."""
    token = _ends_s.set(_ends_s.get() + _kept_s.get())
    try:
        yield
    finally:
        _ends_s.reset(token)


def left_s() -> float:
    """What is left; infinite where no budget was begun."""
    return _ends_s.get() - time.monotonic()


def require(wanted_s: float) -> None:
    """Go on only if there is so much left.

    Raises:
        OutOfTimeError: there is not.
    """
    if left_s() < wanted_s:
        raise OutOfTimeError(wanted_s=wanted_s, left_s=left_s())


def share(wanted_s: float) -> float:
    """The timeout of a call that would wait for `wanted_s`: that, or half of it as often as it takes to fit.

    Halves, because each timeout needs a client of its own.

    Raises:
        OutOfTimeError: what would fit is too short.
    """
    fits_s = wanted_s
    while fits_s > left_s():
        fits_s /= 2
        if fits_s < _SHORTEST_S:
            raise OutOfTimeError(wanted_s=_SHORTEST_S, left_s=left_s())
    return fits_s


def pause(longest_s: float) -> None:
    """Wait before another try: full jitter, and no longer than there is time."""
    time.sleep(random.uniform(0, max(0.0, min(longest_s, left_s()))))  # noqa: S311 - jitter


def watch(client: Any, timeout_s: float) -> None:
    """Have the SDK ask, whenever it would try a call (again), whether a try of `timeout_s` fits.

    Botocore's own rules say when it is tried again. Where the longest backoff, or a try, does not fit, the error
    stands. https://docs.aws.amazon.com/boto3/latest/guide/events.html
    """

    def fits(attempts: int, **_: Any) -> bool | None:
        return None if left_s() >= max(timeout_s * _CONNECTED, 2 ** (attempts - 1)) else False

    def sends(request: Any, **_: Any) -> None:
        require(timeout_s)
        # S3 would be waited for a second before the body is sent, and no timeout counts that second.
        request.headers.pop("Expect", None)

    service = client.meta.service_model.service_id.hyphenize()  # what is more specific is asked first
    client.meta.events.register_first(f"needs-retry.{service}", fits)
    client.meta.events.register("before-send", sends)
