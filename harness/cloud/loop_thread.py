"""One thread with an event loop of its own, for what listens on loopback beside the gate."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
HOST = "127.0.0.1"
_PATIENCE_S = 60.0


@dataclass(slots=True)
class LoopThread:
    """Started with its first use; `stop` ends it for good. From any thread."""

    name: str
    _loop: asyncio.AbstractEventLoop | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name=self.name, daemon=True).start()
            return self._loop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` on the loop and return what it returns. Not to be called from the loop itself."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(_PATIENCE_S)

    def stop(self) -> None:
        """End every task and the thread."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(_end(), loop).result(_PATIENCE_S)
            loop.call_soon_threadsafe(loop.stop)


def listener(port: int = 0, host: str = HOST) -> socket.socket:
    """A socket that listens on loopback, on a free port unless one is asked for.

    Raises:
        OSError: the port is taken.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(1024)
    except OSError:
        made.close()
        raise
    made.setblocking(False)
    return made


_PORTS = range(10_240, 32_768)
"""Below those that the system hands out by itself (Linux from 32768 on, macOS from 49152): a port chosen here is not
given to somebody else's connection or listener before the process that it was chosen for has bound it."""
_turn = itertools.count(os.getpid() * 257)  # processes beside each other begin far apart; none gives a port twice


def free_port() -> int:
    """A port of loopback that nobody listens on now, for a process that will bind it later.

    Raises:
        OSError: there is none.
    """
    for _ in _PORTS:
        port = _PORTS[next(_turn) % len(_PORTS)]
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise OSError(f"no port of {HOST} between {_PORTS.start} and {_PORTS.stop - 1} is free")


async def _end() -> None:
    ours = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in ours:
        task.cancel()
    await asyncio.gather(*ours, return_exceptions=True)
