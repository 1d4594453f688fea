"""TCP endpoints that follow roles: what an Aurora or ElastiCache DNS name is on AWS, a listening socket is here.

An endpoint leads each new connection to one of its targets. A target is asked at that moment: a server that is down
refuses (reset), one in a zone without power swallows (nothing answers until the client gives up), as on AWS. What an
endpoint leads to changes by `point`, after the time the name's record lives.

For PostgreSQL the endpoint also ends TLS, as the server of the wheel is built without: it answers the SSLRequest that
every driver sends first (https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-FLOW-SSL).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.cloud.databases.link import Link, LinkSpeaks
from harness.cloud.databases.logins import ASK_FOR_PASSWORD, Backend, LoginError, Logins, user_of
from harness.cloud.links import Links
from harness.cloud.relay import until_one_ends
from harness.cloud.way import Way

WRITER_HOST = "127.0.0.1"
READER_HOSTS = ("127.0.0.2", "::1")
"""Aurora has one port for both of a cluster's names, so the reader's is another loopback address (macOS has no
127.0.0.2)."""

_SSL_REQUEST, _GSS_REQUEST = 80877103, 80877104
_CHUNK = 65536
_PATIENCE_S = 60.0
_STARTUP = 196608

Protocol_ = Literal["postgres", "plain", "tls"]


@dataclass(slots=True, eq=False)
class Endpoint:
    """One name. `point` may be called from any thread."""

    host: str
    port: int
    speaks: Protocol_
    loop: asyncio.AbstractEventLoop
    tls: ssl.SSLContext
    links: Links
    logins: Logins | None = None
    """Of PostgreSQL: who must show a token."""
    _targets: tuple[Backend, ...] = ()
    _wanted: tuple[Backend, ...] = ()
    _turn: itertools.count[int] = field(default_factory=itertools.count)
    _change: int = 0
    _server: asyncio.Server | None = None
    _open: dict[asyncio.StreamWriter, Backend | None] = field(default_factory=dict)

    def point(self, targets: Sequence[Backend], *, after_s: float = 0.0) -> None:
        """Lead new connections to `targets` once `after_s` is over; a later call overrules one still waiting."""
        wanted = tuple(targets)
        if wanted == self._wanted:
            return
        self._change += 1
        self._wanted, change = wanted, self._change

        due_s = time.monotonic() + after_s

        def apply() -> None:
            early_s = due_s - time.monotonic()
            if early_s > 0:  # a loop's own clock stands still while a callback runs
                self.loop.call_later(early_s, apply)
            elif change == self._change:
                self._targets = wanted

        if after_s > 0:
            self.loop.call_soon_threadsafe(apply)
        else:
            apply()

    @property
    def targets(self) -> tuple[Backend, ...]:
        """Where new connections lead now."""
        return self._targets

    async def listen(self, listener: socket.socket) -> None:
        """Serve on a bound socket."""
        self._server = await asyncio.start_server(self._serve, sock=listener)

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._open):
            _reset(writer)

    def _choose(self) -> Backend | None:
        """The next target in turn."""
        targets = self._targets
        if not targets:
            return None
        turn = next(self._turn)
        return targets[turn % len(targets)]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[writer] = None
        try:
            await self._answer(reader, writer)
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError):
            pass  # either side went away: there is nobody left to tell
        finally:
            self._open.pop(writer, None)
            _reset(writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = self._choose()
        if target is not None and target.dark:
            await reader.read(-1)  # swallowed: the client gives up, or this endpoint is closed
            return
        if target is None or not target.backend_port:
            return
        way = Way(self.links, (int(writer.get_extra_info("peername")[1]), self.port), target.place)
        await way.take()
        first, door = b"", ""
        if self.speaks == "tls":
            await writer.start_tls(self.tls)
        elif self.speaks == "postgres":
            first = await self._negotiate(reader, writer)
            if self.logins is not None and self.logins.on:
                first, door = await self._let_in(self.logins, target, first, (reader, writer))
        if door:
            backend_reader, backend = await asyncio.open_unix_connection(door)
        else:
            backend_reader, backend = await asyncio.open_connection(WRITER_HOST, target.backend_port)
        backend.write(first)
        try:
            await _pump_both(way, (reader, writer), (backend_reader, backend))
        finally:
            backend.transport.abort()

    async def _let_in(self, logins: Logins, target: Backend, head: bytes, client: Ends) -> tuple[bytes, str]:
        """The startup message, and the socket file to bring it to once the client has shown a token; '' without.

        Raises:
            ConnectionError: it was refused, and told so.
        """
        reader, writer = client
        length, code = struct.unpack("!II", head)
        startup = await reader.readexactly(length - len(head))
        user, database = user_of(startup)
        if code != _STARTUP or not await asyncio.to_thread(logins.needs_token, target, user):
            return head + startup, ""
        try:
            logins.require_tls(user, database, secure=writer.get_extra_info("ssl_object") is not None)
            writer.write(ASK_FOR_PASSWORD)
            _, size = struct.unpack("!cI", await reader.readexactly(5))
            token = (await reader.readexactly(min(size - 4, _CHUNK))).rstrip(b"\0").decode(errors="replace")
            await asyncio.to_thread(logins.check, user, token, self.port)
        except LoginError as error:
            writer.write(error.wire())
            await writer.drain()
            raise ConnectionError(str(error)) from error
        return head + startup, target.door

    async def _negotiate(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """Answer requests for encryption; returns the startup message's head, read but not yet passed on."""
        while True:
            head = await reader.readexactly(8)
            _, code = struct.unpack("!II", head)
            if code == _SSL_REQUEST:
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(self.tls)
            elif code == _GSS_REQUEST:
                writer.write(b"N")
            else:
                return head


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _pump_both(way: Way, client: Ends, server: Ends) -> None:
    """Carry bytes both ways until one side ends."""
    await until_one_ends(_pump(client[0], server[1], way), _pump(server[0], client[1], way))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            await way.take()
            writer.write(data)
            await writer.drain()
        await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close at once, by RST where nothing is left to send: a client must notice that its server is gone."""
    with contextlib.suppress(OSError, RuntimeError):
        writer.close()


@dataclass(slots=True)
class EndpointHost:
    """The thread that serves all endpoints of a cloud."""

    tls: Callable[[], ssl.SSLContext]
    links: Links
    _loop: asyncio.AbstractEventLoop | None = None
    _endpoints: list[Endpoint] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, speaks: Protocol_, *, reader: bool = False) -> tuple[Endpoint, ...]:
        """A new endpoint on a free port; with `reader` a second one, on the same port of another loopback address."""
        sockets = _bind(2 if reader else 1)
        return tuple(self._open(listener, speaks) for listener in sockets)

    def _open(self, listener: socket.socket, speaks: Protocol_) -> Endpoint:
        host, port = listener.getsockname()[:2]
        loop = self._running()
        endpoint = Endpoint(str(host), int(port), speaks, loop, self.tls(), self.links)
        asyncio.run_coroutine_threadsafe(endpoint.listen(listener), loop).result(_PATIENCE_S)
        self._endpoints.append(endpoint)
        return endpoint

    def link(self, lag_s: Callable[[], float], *, held: Callable[[], bool], speaks: LinkSpeaks) -> Link:
        """A new link on a free port, as long as `lag_s` says at each instant, and shut while `held` says so."""
        made = Link(_listener(WRITER_HOST, 0), lag_s, held, speaks, self._running())
        made.open()
        return made

    def close(self, endpoints: Sequence[Endpoint]) -> None:
        """Close endpoints that are no longer needed."""
        for endpoint in endpoints:
            asyncio.run_coroutine_threadsafe(endpoint.close(), endpoint.loop).result(_PATIENCE_S)
            with contextlib.suppress(ValueError):
                self._endpoints.remove(endpoint)

    def stop(self) -> None:
        """Close everything and end the thread."""
        self.close(list(self._endpoints))
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                import uvloop

                self._loop = uvloop.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="database-endpoints", daemon=True).start()
            return self._loop


def _bind(count: int) -> list[socket.socket]:
    """Bound sockets on one free port: of the writer's address and, with `count` two, of a reader's."""
    while True:
        first = _listener(WRITER_HOST, 0)
        if count == 1:
            return [first]
        for host in READER_HOSTS:
            with contextlib.suppress(OSError):
                return [first, _listener(host, int(first.getsockname()[1]))]
        first.close()


def _listener(host: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made
