"""A task's network interface: an address in its subnet, and a socket on loopback for each port of its containers.

What comes in passes here, so here is where the zone's power, the links, black holes, delays and losses are felt.
Connections that the task itself opens pass where they end: at another task, a load balancer, a database; its AWS
calls are known at the gate by their caller.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.cloud.links import Place
from harness.cloud.loop_thread import HOST, LoopThread, listener
from harness.cloud.relay import until_one_ends
from harness.cloud.way import Way
from harness.cloud.zones import Zone, ZoneKeeper

_CHUNK = 65536
_RETRANSMIT_S = 0.2
"""A lost TCP segment is sent again after this at the least, then after twice as long each time: Linux's TCP_RTO_MIN,
and https://www.rfc-editor.org/rfc/rfc6298."""
_GIVES_UP = 15
"""Linux breaks a connection after so many retransmissions (tcp_retries2,
https://www.kernel.org/doc/html/latest/networking/ip-sysctl.html)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Impairment:
    """What is wrong with an interface now.

    Args:
        delay_s: what leaves it arrives so much later.
        jitter_s: give or take so much.
        loss: share of segments lost.
        flows: share of connections that feel delay and loss.
        closed: ports whose traffic vanishes.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    flows: float = 1.0
    closed: frozenset[int] = frozenset()


@dataclass(slots=True, eq=False)
class TaskInterface:
    """One interface, `open` while its task runs. `impair` may be called from any thread."""

    zone: Zone
    keeper: ZoneKeeper
    thread: LoopThread
    backends: Mapping[int, int]
    """Container port → where the process listens."""
    subnet: str = ""
    has_come: Callable[[int], bool] = lambda _port: False
    """Whether what connects from a local port has already felt the links: load balancers do."""
    impairment: Impairment = field(default_factory=Impairment)
    hit: int = 0
    """Connections that felt an impairment."""
    _fronts: dict[int, int] = field(default_factory=dict)
    _servers: list[asyncio.Server] = field(default_factory=list)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _random: random.Random = field(default_factory=random.Random)
    _healed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def dark(self) -> bool:
        """True while the zone has no power."""
        return not self.keeper.powered(self.zone)

    @property
    def place(self) -> Place:
        """Where it is, as an end of a flow."""
        return self.zone.place(self.subnet)

    def answers(self, port: int) -> bool:
        """False while nothing that is sent to the port arrives: no power, or a black hole."""
        return not self.dark and port not in self.impairment.closed

    def port_of(self, port: int) -> int:
        """Where on 127.0.0.1 the container port is reached; 0 when there is none."""
        return self._fronts.get(port, 0)

    def open(self) -> None:
        """Begin to listen."""
        self.thread.run(self._listen())

    def close(self) -> None:
        """Stop listening and drop every connection; may be repeated."""
        self.thread.run(self._end())

    def impair(self, impairment: Impairment) -> None:
        """Set what is wrong with it; connections that hang in a black hole are dropped when it is gone."""

        def apply() -> None:
            if not impairment.closed >= self.impairment.closed:
                self._healed.set()
                self._healed = asyncio.Event()
            self.impairment = impairment

        self.thread.loop.call_soon_threadsafe(apply)

    def seed(self, seed: int) -> None:
        """Fix what is drawn by chance."""
        self._random.seed(seed)

    async def _listen(self) -> None:
        for port in self.backends:
            front = listener()
            self._fronts[port] = int(front.getsockname()[1])
            self._servers.append(await asyncio.start_server(self._server_of(port), sock=front))

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        for writer in list(self._open):
            writer.transport.abort()

    def _server_of(self, port: int):  # type: ignore[no-untyped-def] # noqa: ANN202 - asyncio's own callback type
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._open.add(writer)
            try:
                await self._carry(port, reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                pass  # either side went away
            finally:
                self._open.discard(writer)
                writer.transport.abort()

        return serve

    async def _carry(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.dark:
            await reader.read(-1)  # nothing answers; the client gives up
            return
        if port in self.impairment.closed:
            self.hit += 1
            await self._swallow(reader)
            return
        peer = int(writer.get_extra_info("peername")[1])
        way = None if self.has_come(peer) else Way(self.keeper.links, (peer, self._fronts[port]), self.place)
        if way is not None:
            await way.take()
        back, backend = await asyncio.open_connection(HOST, self.backends[port])
        chosen = self._random.random() < self.impairment.flows
        try:
            await until_one_ends(
                self._pump(port, reader, backend, way), self._pump(port, back, writer, way, impaired=chosen)
            )
        finally:
            backend.transport.abort()
            with contextlib.suppress(OSError):
                writer.close()
                await writer.wait_closed()

    async def _swallow(self, reader: asyncio.StreamReader) -> None:
        """Until the client gives up or the hole is closed."""
        ways = [asyncio.ensure_future(reader.read(-1)), asyncio.ensure_future(self._healed.wait())]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()

    async def _pump(
        self,
        port: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        way: Way | None,
        *,
        impaired: bool = False,
    ) -> None:
        felt = False
        while data := await reader.read(_CHUNK):
            now = self.impairment
            if port in now.closed:
                self.hit += not felt
                await self._healed.wait()
                return
            if impaired and (now.delay_s or now.loss):
                self.hit += not felt
                felt = True
                await asyncio.sleep(self._late_s(now))
            if way is not None:
                await way.take()
            writer.write(data)
            await writer.drain()

    def _late_s(self, now: Impairment) -> float:
        """How much later a segment arrives.

        Raises:
            ConnectionError: it was lost so often that the connection broke.
        """
        late_s = max(0.0, now.delay_s + self._random.uniform(-now.jitter_s, now.jitter_s))
        again_s = _RETRANSMIT_S
        for _ in range(_GIVES_UP):
            if self._random.random() >= now.loss:
                return late_s
            late_s, again_s = late_s + again_s, again_s * 2
        raise ConnectionError("every retransmission was lost")
