"""Lambda's asynchronous invocation: an event is taken, tried, retried, and then has a destination or a dead letter.

A function that fails is retried `retries` times; throttles and Lambda's own errors are retried with backoff for as
long as the event may live, and do not count. https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import heapq
import logging
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

DEFAULT_RETRIES = 2
LONGEST_AGE_S = 6 * 3600.0

RETRY_WAITS_S = (1.0, 2.0)
"""Before the first and the second retry. AWS waits one minute and two; a drill of seconds is to see them too."""

BACKOFF_S = (1.0, 300.0)
"""The first and the longest wait after a throttle or a service error, doubled each time, as AWS documents."""

WORKERS = 64
"""Events of all functions under way at once; each function's own concurrency is held by the emulator."""

Kind = Literal["ok", "function_error", "not_run"]
Condition = Literal["Success", "RetriesExhausted", "EventAgeExceeded"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one try: the answer (JSON), and whether the function ran at all."""

    kind: Kind
    answer: Any = None


@dataclass(slots=True, kw_only=True)
class AsyncEvent:
    """One event on its way. `context` is the emulator's own: whose function it is."""

    function_arn: str
    payload: Any
    context: Any
    accepted_s: float
    retries: int = DEFAULT_RETRIES
    max_age_s: float = LONGEST_AGE_S
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempts: int = 0
    failures: int = 0
    not_run: int = 0
    last: Attempt = Attempt("not_run")
    scope: Context = field(default_factory=copy_context)  # whose it is: account, region, trace


class Lambda(Protocol):
    """What an event needs of the function and of what comes after."""

    def invoke(self, event: AsyncEvent) -> Attempt:
        """Try once."""
        ...

    def ended(self, event: AsyncEvent, condition: Condition) -> None:
        """Send the record to the destination, or the event to the dead-letter queue."""
        ...


@dataclass(slots=True)
class AsyncInvocations:
    """The queue between an event source and its function. Safe from any thread; nothing is kept over a restart."""

    function: Lambda
    now_s: Callable[[], float]
    _waiting: list[tuple[float, int, AsyncEvent]] = field(default_factory=list)
    _number: int = 0
    _wake: threading.Condition = field(default_factory=threading.Condition)
    _workers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(WORKERS, "async-invocation"))
    _closed: bool = False

    def start(self) -> None:
        """Begin to look after events that wait for a retry."""
        threading.Thread(target=self._retry_on_time, name="async-retries", daemon=True).start()

    def submit(self, event: AsyncEvent) -> None:
        """Take an event; returns at once."""
        if not self._closed:
            self._workers.submit(event.scope.run, self._try, event)

    def clear(self) -> None:
        """Drop what waits for a retry."""
        with self._wake:
            self._waiting.clear()

    def close(self) -> None:
        """Take nothing more and drop what waits."""
        self._closed = True
        self.clear()
        with self._wake:
            self._wake.notify()
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _try(self, event: AsyncEvent) -> None:
        try:
            event.attempts += 1
            event.last = self.function.invoke(event)
            wait_s = self._after(event)
            if wait_s is not None:
                self._later(event, wait_s)
        except Exception:
            logging.getLogger(__name__).exception("asynchronous invocation of %s", event.function_arn)

    def _after(self, event: AsyncEvent) -> float | None:
        """Seconds until the next try; None when this was the last one."""
        if event.last.kind == "ok":
            self.function.ended(event, "Success")
            return None
        if event.last.kind == "function_error":
            event.failures += 1
            if event.failures > event.retries:
                self.function.ended(event, "RetriesExhausted")
                return None
            wait_s = RETRY_WAITS_S[min(event.failures, len(RETRY_WAITS_S)) - 1]
        else:
            event.not_run += 1
            wait_s = min(BACKOFF_S[0] * 2.0 ** (event.not_run - 1), BACKOFF_S[1])
        if self.now_s() + wait_s > event.accepted_s + event.max_age_s:
            self.function.ended(event, "EventAgeExceeded")
            return None
        return wait_s

    def _later(self, event: AsyncEvent, wait_s: float) -> None:
        with self._wake:
            self._number += 1
            heapq.heappush(self._waiting, (self.now_s() + wait_s, self._number, event))
            self._wake.notify()

    def _retry_on_time(self) -> None:
        with self._wake:
            while not self._closed:
                due_s = self._waiting[0][0] - self.now_s() if self._waiting else None
                if due_s is None or due_s > 0:
                    self._wake.wait(due_s)
                    continue
                self.submit(heapq.heappop(self._waiting)[2])
