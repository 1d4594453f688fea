"""The port that answers for hosted zones: DNS over UDP and TCP, and HTTP for clients of the front door.

A DNS message over TCP begins with its length, whose first byte is small; an HTTP request begins with a letter.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field
from typing import cast

from harness.cloud.dns import wire
from harness.cloud.dns.front_door import FrontDoor
from harness.cloud.dns.resolver import Resolver
from harness.cloud.loop_thread import HOST, listener

_TRIES = 20


@dataclass(slots=True)
class NameServer:
    """Listens on one port number for both protocols. Everything happens on one loop."""

    resolver: Resolver
    front_door: FrontDoor
    port: int = 0
    _server: asyncio.Server | None = None
    _udp: asyncio.DatagramTransport | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self, port: int = 0) -> None:
        """Begin to listen, on a free port unless one is asked for.

        Raises:
            OSError: the port is taken.
        """
        stream, datagrams = _bind(port)
        self.port = int(stream.getsockname()[1])
        loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._serve, sock=stream)
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=datagrams)

    async def stop(self) -> None:
        """Stop, and drop every connection."""
        if self._server is not None:
            self._server.close()
        if self._udp is not None:
            self._udp.close()
        for writer in list(self._open):
            writer.transport.abort()

    def answer(self, message: bytes, *, limit: int = 0) -> bytes:
        """The answer to a DNS query; b'' to what is none."""
        question = wire.read_question(message)
        if question is None:
            return b""
        if not self.resolver.knows(question.name) or not question.kind:
            return wire.write_answer(question, [], wire.REFUSED)
        asked = question.name
        service = asked.split(".")[0] if question.kind == "SRV" and asked.startswith("_") else ""
        if service:
            asked = ".".join(asked.split(".")[2:])  # _http._tcp.NAME: where a load balancer's port is
        found = self.resolver.ask(question.name, question.kind)
        if found is None and service and (behind := self.resolver.ask(asked)) is not None and behind.port:
            line = wire.Line(
                name=question.name, kind="SRV", ttl_s=int(behind.ttl_s), value=f"0 0 {behind.port} {asked}"
            )
            return wire.write_answer(question, [line], limit=limit)
        if found is None:
            exists = self.resolver.ask(question.name) is not None
            return wire.write_answer(question, [], wire.NO_ERROR if exists else wire.NO_SUCH_NAME)
        lines = [
            wire.Line(name=question.name, kind=found.kind, ttl_s=int(found.ttl_s), value=value)
            for value in found.values
        ]
        return wire.write_answer(question, lines, limit=limit)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            first = await reader.read(1)
            if first and first.isalpha():
                await self.front_door.serve(first, reader, writer)
            elif first:
                await self._serve_dns(first, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client went away
        finally:
            self._open.discard(writer)
            with contextlib.suppress(OSError):
                writer.close()
                await writer.wait_closed()

    async def _serve_dns(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while first:
            length = int.from_bytes(first + await reader.readexactly(1))
            found = self.answer(await reader.readexactly(length))
            if not found:
                return
            writer.write(len(found).to_bytes(2) + found)
            await writer.drain()
            first = await reader.read(1)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)  # uvloop's is no subclass

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        found = self._server.answer(data, limit=wire.UDP_BYTES)
        if found and self._transport is not None:
            self._transport.sendto(found, addr)


def _bind(port: int) -> tuple[socket.socket, socket.socket]:
    """Sockets of both protocols on one port number."""
    for left in range(_TRIES, 0, -1):
        stream = listener(port)
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            datagrams.bind((HOST, int(stream.getsockname()[1])))
        except OSError:
            stream.close()
            datagrams.close()
            if port or left == 1:
                raise
        else:
            datagrams.setblocking(False)
            return stream, datagrams
    raise OSError(f"no port of {HOST} is free for UDP and TCP")
