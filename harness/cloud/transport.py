"""uvicorn's HTTP protocol with one thing more: a request can have its connection reset, as AWS's can."""

from __future__ import annotations

import contextlib
import os
import socket
import struct

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from harness.cloud.asgi import RESET

_LINGER_ZERO = struct.pack("ii", 1, 0)  # close() discards what is unsent and sends RST instead of FIN (socket(7))


class ResettableProtocol(HttpToolsProtocol):
    """Offers `scope["extensions"]["blackstart.reset"]`."""

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
