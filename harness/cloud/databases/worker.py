"""A thread that does one thing after another: what changes a cluster never happens twice at once."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeVar

_LOG = logging.getLogger(__name__)
_PATIENCE_S = 30.0
T = TypeVar("T")


@dataclass(slots=True)
class Worker:
    """The thread of the cluster `name`; `after_each` is called when something was done, before anybody is told."""

    name: str
    after_each: Callable[[], None]
    closed: bool = False
    _inbox: queue.SimpleQueue[Callable[[], None] | None] = field(default_factory=queue.SimpleQueue)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._work, name=f"cluster-{self.name}", daemon=True)
        self._thread.start()

    def do(self, job: Callable[[], T]) -> Future[T]:
        """Do `job` after what is already waiting; its result or error is the future's. From any thread."""
        future: Future[T] = Future()

        def run() -> None:
            if self.closed:
                future.cancel()
                return
            try:
                try:
                    result = job()
                finally:
                    if not self.closed:
                        self.after_each()
            except Exception as error:  # noqa: BLE001 - handed to whoever waits, and logged when nobody does
                if not self.closed:
                    _LOG.warning("%s: %s", self.name, error)
                future.set_exception(error)
            else:
                future.set_result(result)

        self._inbox.put(run)
        return future

    def later(self, delay_s: float, job: Callable[[], None]) -> None:
        """Do `job` once `delay_s` is over."""
        timer = threading.Timer(delay_s, lambda: self.do(job))
        timer.daemon = True
        timer.start()

    def close(self) -> None:
        """Do nothing more; what is under way is not awaited."""
        self.closed = True
        self._inbox.put(None)

    def join(self) -> None:
        """Wait for the end of what is under way; `close` comes first."""
        if threading.current_thread() is not self._thread:
            self._thread.join(_PATIENCE_S)

    def _work(self) -> None:
        while (job := self._inbox.get()) is not None:
            job()
