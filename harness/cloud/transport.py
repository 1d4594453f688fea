"""uvicorn's HTTP protocol with two things more: a connection can be reset, and a response goes out in one write."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from harness.cloud.asgi import RESET

_LINGER_ZERO = struct.pack("ii", 1, 0)  # close() discards what is unsent and sends RST instead of FIN (socket(7))


class ResettableProtocol(HttpToolsProtocol):
    """Offers `scope["extensions"]["blackstart.reset"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin with a transport that gathers its writes."""
        super().connection_made(GatheringTransport(transport, self.loop))  # type: ignore[arg-type] # it passes all else on

    def on_message_begin(self) -> None:
        """Start a request, with the way to reset it at hand."""
        super().on_message_begin()
        self.scope["extensions"] = {RESET: self._reset}  # type: ignore[dict-item] # a function, not a mapping

    def _reset(self) -> None:
        """Abort the connection; the peer's next read fails with ECONNRESET."""
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(sock.fileno())) as same:
                same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self.transport.abort()


class GatheringTransport:
    """Holds a write back until the next one, or until the end of this turn of the event loop, and sends both in one.

    uvicorn writes head and body apart: two system calls here, and a client that wakes up twice.
    """

    __slots__ = ("_held", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

    def write(self, data: bytes) -> None:
        """Send `data` behind what is held back, or hold it back."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held + data)
        else:
            self._held = data
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Send what is held back now."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)

    def close(self) -> None:
        """Send what is held back, then close."""
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once; what is held back is not sent."""
        self._held = b""
        self._transport.abort()

    def __getattr__(self, name: str) -> Any:  # the transport's other methods
        return getattr(self._transport, name)
