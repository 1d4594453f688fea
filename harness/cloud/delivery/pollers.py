"""Pollers of event sources: one for queues, one for streams, each woken only by what it may find work in.

ministack has one for both: it runs a stream's batch itself, so that a slow function holds every queue up, it rests
50 ms after a wake that found nothing, and every message and every change of an item anywhere wakes it. On AWS, event
sources do not know each other.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from harness.cloud.delivery.streams import Streams
from harness.cloud.signals.emulated import scope

_LOOK_AGAIN_S = 1.0
"""How long a poller sleeps at most: visibility timeouts end, and failed batches come again, without waking it."""


class Wake(threading.Event):
    """What a poller waits for. Waking one that has been woken, and has not looked yet, costs nothing."""

    def set(self) -> None:
        """Have it look once more, after now."""
        if not self.is_set():
            super().set()


class _Nobody(threading.Event):
    """Wakes no poller: whoever is told of the same by a better way stands in for it."""

    def set(self) -> None:
        """Nothing."""


def install(streams: Streams) -> None:
    """Stand in for ministack's poller. Call it before any event source mapping exists."""
    from ministack.core import concurrency
    from ministack.services import dynamodb, eventbridge, lambda_svc, sns, sqs

    queues_wake, streams_wake = Wake(), Wake()
    polls = ((lambda_svc._poll_sqs, queues_wake), (streams.poll, streams_wake))  # noqa: SLF001
    streams.wake = streams_wake.set

    def wake_all() -> None:
        queues_wake.set()
        streams_wake.set()

    def start() -> None:
        for poll, wake in polls:
            threading.Thread(target=_poll_on, args=(poll, wake), name=poll.__name__, daemon=True).start()

    concurrency.esm_wake.set = wake_all
    lambda_svc._poll_loop = start  # noqa: SLF001 - what ministack starts with the first event source mapping
    lambda_svc._esm_wake = sqs.esm_wake = eventbridge.esm_wake = queues_wake  # noqa: SLF001
    sns.esm_wake, dynamodb.esm_wake = _Nobody(), _Nobody()
    sns._deliver_to_sqs = _then(sns._deliver_to_sqs, queues_wake, str)  # noqa: SLF001
    dynamodb._emit_stream_event = _then(  # noqa: SLF001
        dynamodb._emit_stream_event,  # noqa: SLF001
        streams_wake,
        _streams_of,
    )


def _then(builtin: Callable[..., Any], wake: Wake, source: Callable[[str], str]) -> Callable[..., Any]:
    """`builtin`, and wake the poller when a function is mapped to the source that its first argument names."""

    def call(name: str, *rest: Any, **named: Any) -> Any:
        answer = builtin(name, *rest, **named)
        if _mapped(source(name)):
            wake.set()
        return answer

    return call


def _streams_of(table: str) -> str:
    """What the ARN of a stream of this table has in it, in the account and region of the call."""
    account, region = scope()
    return f":dynamodb:{region}:{account}:table/{table}/stream/"


def _mapped(source: str) -> bool:
    """Whether any function reads from a source whose ARN has this in it."""
    from ministack.services import lambda_svc

    mappings = lambda_svc._iter_all_esms()  # noqa: SLF001
    return any(source in str(mapping.get("EventSourceArn")) for _account, _region, mapping in mappings)


def _poll_on(poll: Callable[[], bool], wake: threading.Event) -> None:
    while True:
        wake.clear()
        try:
            found = poll()
        except Exception:
            logging.getLogger(__name__).exception("event source poller")
            found = False
        if not found:
            wake.wait(_LOOK_AGAIN_S)
