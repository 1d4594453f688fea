"""Threads that are kept for the next piece of work.

A thread that starts costs a system call and two switches of Python's lock, of which its starter waits for one; an
invocation, a batch and a lane of a stream would start one each.
"""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue

Work = Callable[[], object]


@dataclass(slots=True)
class Crew:
    """As many daemon threads as there was work at once: work never waits for other work to end."""

    name: str
    _waiting: SimpleQueue[Work] = field(default_factory=SimpleQueue)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _idle: int = 0

    def run(self, work: Work) -> None:
        """Begin `work` on a thread of its own; what it raises is logged."""
        with self._lock:
            spared = self._idle > 0
            self._idle -= spared
        if spared:
            self._waiting.put(work)
        else:
            threading.Thread(target=self._serve, args=(work,), name=self.name, daemon=True).start()

    def _serve(self, work: Work) -> None:
        while True:
            try:
                contextvars.Context().run(work)  # as in a thread that is new
            except Exception:
                logging.getLogger(__name__).exception("in a thread of %s", self.name)
            del work
            with self._lock:
                self._idle += 1
            work = self._waiting.get()


class CrewThread:
    """Stands in for `threading.Thread` where somebody else's code starts one for each piece of work."""

    def __init__(self, crew: Crew, *, target: Work, daemon: bool = True, name: str = "") -> None:
        del daemon, name
        self._crew, self._target, self._done = crew, target, threading.Event()

    def start(self) -> None:
        """Begin."""
        self._crew.run(self._run)

    def is_alive(self) -> bool:
        """Whether it goes on."""
        return not self._done.is_set()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it is done, at most `timeout` seconds."""
        self._done.wait(timeout)

    def _run(self) -> None:
        try:
            self._target()
        finally:
            self._done.set()
