"""A link between a source of replication and who follows it: so long, and cut when its source dies.

What the source sends arrives later by its lag, so at any instant the last seconds are under way and nowhere
else. When the source is lost they are lost with it: that is what asynchronous replication costs, and why the loss
that a drill measures is a real one. Answers back to the source are not delayed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from harness.cloud.links import Place

_HOST = "127.0.0.1"
_CHUNK = 65536
_PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.05
_COPY_BOTH = ord("W")

LinkSpeaks = Literal["postgres", "valkey"]


class Target(Protocol):
    """A server behind an endpoint or a link."""

    @property
    def backend_port(self) -> int:
        """Its port on 127.0.0.1; 0 when it does not run."""
        ...

    @property
    def dark(self) -> bool:
        """True while its zone has no power: nothing answers there."""
        ...

    @property
    def place(self) -> Place:
        """Where it is."""
        ...


@dataclass(slots=True, eq=False)
class Link:
    """One way from a source to all who follow it. `lead_to` and `cut` may be called from any thread.

    Only the stream is delayed, not the dialogue before it, which takes a dozen round trips.
    """

    _listener: socket.socket
    lag_s: Callable[[], float]
    """Seconds that what is sent now is under way."""
    held: Callable[[], bool]
    """True while nothing gets through."""
    speaks: LinkSpeaks
    _loop: asyncio.AbstractEventLoop
    _source: Target | None = None
    _server: asyncio.Server | None = None
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def port(self) -> int:
        """Where followers connect, on 127.0.0.1."""
        return int(self._listener.getsockname()[1])

    def open(self) -> None:
        """Begin to listen."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(_PATIENCE_S)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, sock=self._listener)

    def lead_to(self, source: Target | None) -> None:
        """Let followers reach `source` from now on; None refuses them."""
        if source is not self._source:
            self._source = source
            self.cut()

    def cut(self) -> None:
        """Break every connection; what is under way is lost."""
        self._loop.call_soon_threadsafe(self._break)

    def close(self) -> None:
        """Break every connection and stop listening."""
        self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        self._break()

    def _break(self) -> None:
        for task in self._open:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._open.add(task)
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # either side went away, or the link was cut
        finally:
            if task is not None:
                self._open.discard(task)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        source = self._source
        if source is None or source.dark or not source.backend_port:
            return
        back, backend = await asyncio.open_connection(_HOST, source.backend_port)
        answering = asyncio.ensure_future(_copy(reader, backend))
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        delivering = asyncio.ensure_future(self._deliver(under_way, writer))
        begins = _PostgresStream() if self.speaks == "postgres" else _valkey_stream
        try:
            receiving = asyncio.ensure_future(self._receive(back, under_way, begins))
            await asyncio.wait({answering, delivering, receiving}, return_when=asyncio.FIRST_COMPLETED)
            receiving.cancel()
        finally:
            answering.cancel()
            delivering.cancel()
            await asyncio.gather(answering, delivering, return_exceptions=True)
            backend.transport.abort()

    async def _receive(
        self,
        back: asyncio.StreamReader,
        under_way: asyncio.Queue[tuple[float, bytes]],
        begins: Callable[[bytes], bool],
    ) -> None:
        """Returns when the source ends: what is under way then is never delivered."""
        streaming = False
        while data := await back.read(_CHUNK):
            streaming = streaming or begins(data)
            # The loop's own clock stands still while a callback runs: what is due would be due too early.
            under_way.put_nowait((time.monotonic() + (self.lag_s() if streaming else 0.0), data))

    async def _deliver(self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        while True:
            due_s, data = await under_way.get()
            while (wait_s := due_s - time.monotonic()) > 0:  # noqa: ASYNC110 - for time to pass, and no less of it
                await asyncio.sleep(wait_s)
            while self.held():  # noqa: ASYNC110 - as TCP sends again and again
                await asyncio.sleep(_LOOK_EVERY_S)
            writer.write(data)
            await writer.drain()


class _PostgresStream:
    """Tells when a PostgreSQL server has begun to stream: its messages are a type, a length and a body.

    Source: https://www.postgresql.org/docs/18/protocol-replication.html
    """

    def __init__(self) -> None:
        self._rest = b""
        self._seen = False

    def __call__(self, data: bytes) -> bool:
        """True from the chunk on that holds CopyBothResponse."""
        self._rest += data
        while not self._seen and len(self._rest) >= 5:
            self._seen = self._rest[0] == _COPY_BOTH
            length = 1 + int.from_bytes(self._rest[1:5])
            if len(self._rest) < length:
                break
            self._rest = self._rest[length:]
        return self._seen


def _valkey_stream(data: bytes) -> bool:
    """True for the answer to PSYNC, which the stream follows."""
    return b"+FULLRESYNC" in data or b"+CONTINUE" in data


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
