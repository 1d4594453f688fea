"""One HTTP request, or one tunnel, through the front door: its name is resolved as the client's own resolver would.

An answer is kept for its TTL, so a client that goes through here meets a failover no sooner than on AWS.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from dataclasses import dataclass, field

from harness.cloud.dns.resolver import Resolver

_CHUNK = 65536
_ABSOLUTE = re.compile(rb"^([A-Z]+) (https?)://([^/ ]+)(\S*) (HTTP/1\.[01])$")
_DROPPED = (b"connection:", b"proxy-connection:", b"keep-alive:")


@dataclass(slots=True)
class _Kept:
    address: str
    port: int
    host: str
    until_s: float


@dataclass(slots=True)
class FrontDoor:
    """What clients go through. `gate_port` is where names of AWS's own services lead (execute-api)."""

    resolver: Resolver
    gate_port: int
    _kept: dict[str, _Kept] = field(default_factory=dict)

    async def serve(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a client whose first byte was read."""
        try:
            head = first + await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        line, *headers = head[:-4].split(b"\r\n")
        if line.startswith(b"CONNECT "):
            await self._tunnel(line.split()[1].decode("latin-1"), reader, writer)
            return
        absolute = _ABSOLUTE.match(line)
        host = absolute[3] if absolute else _header(headers, b"host")
        default = 443 if absolute and absolute[2] == b"https" else 80
        place = self._place(host.decode("latin-1"), default)
        if place is None:
            await _refuse(writer, host)
            return
        if absolute:
            line = b"%s %s %s" % (absolute[1], absolute[4] or b"/", absolute[5])
        kept = [one for one in headers if not one.lower().startswith((*_DROPPED, b"host:"))]
        sent = place.host.encode("latin-1") or host
        lines = [line, b"Host: " + sent, b"Connection: close", *kept]
        await self._pass(place, b"\r\n".join(lines) + b"\r\n\r\n", reader, writer)

    async def _tunnel(self, wanted: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place = self._place(wanted, 443)
        if place is None:
            await _refuse(writer, wanted.encode("latin-1"))
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await self._pass(place, b"", reader, writer)

    async def _pass(
        self, place: _Kept, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            back, backend = await asyncio.open_connection(place.address, place.port)
        except OSError as error:
            await _say(writer, 502, f"no connection to {place.address}:{place.port}: {error.strerror or error}")
            return
        backend.write(head)
        ways = [asyncio.ensure_future(_pump(reader, backend)), asyncio.ensure_future(_pump(back, writer))]
        try:
            await ways[1]  # the answer's end is the end
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            backend.transport.abort()

    def _place(self, host: str, default_port: int) -> _Kept | None:
        """Where a client connects for a host, as known to it; None for a name of no hosted zone."""
        name, _, port = host.lower().partition(":")
        kept = self._kept.get(host)
        if kept is not None and time.monotonic() < kept.until_s:
            return kept
        answer = self.resolver.ask(name)
        if answer is None:
            self._kept.pop(host, None)
            return None
        wanted = int(port) if port.isdigit() else default_port
        if answer.kind == "A" and answer.values:
            place = _Kept(answer.values[0], answer.port or wanted, "", 0.0)
        elif ".execute-api." in answer.name or answer.name.endswith(".amazonaws.com"):
            place = _Kept("127.0.0.1", self.gate_port, answer.name, 0.0)
        else:
            return None
        place.until_s = time.monotonic() + answer.ttl_s
        self._kept[host] = place
        return place

    def forget(self) -> None:
        """Keep nothing."""
        self._kept.clear()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()


def _header(headers: list[bytes], name: bytes) -> bytes:
    return next((one.partition(b":")[2].strip() for one in headers if one.lower().startswith(name + b":")), b"")


async def _refuse(writer: asyncio.StreamWriter, host: bytes) -> None:
    name = host.decode("latin-1", errors="replace")
    await _say(writer, 502, f"{name} has no address in the hosted zones of this cloud")


async def _say(writer: asyncio.StreamWriter, status: int, text: str) -> None:
    body = f"{text}\n".encode()
    head = f"HTTP/1.1 {status} Bad Gateway\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
    writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
    with contextlib.suppress(OSError):
        await writer.drain()
