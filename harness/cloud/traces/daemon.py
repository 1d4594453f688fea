"""The X-Ray daemon's socket: SDKs send segments to it by UDP on loopback.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
"""

from __future__ import annotations

import logging
import socket
import threading
from dataclasses import dataclass, field

import msgspec

from harness.cloud.traces.store import SegmentError, TraceStore

_LONGEST = 65536


@dataclass(slots=True)
class Daemon:
    """Listens in a thread. A segment belongs where its trace is known already, `home` otherwise."""

    store: TraceStore
    home: tuple[str, str]
    _socket: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

    @property
    def address(self) -> str:
        """What `AWS_XRAY_DAEMON_ADDRESS` says."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def start(self) -> None:
        """Begin to listen on a free port."""
        self._socket.bind(("127.0.0.1", 0))
        threading.Thread(target=self._listen, name="xray-daemon", daemon=True).start()

    def close(self) -> None:
        """End."""
        self._socket.close()

    def _listen(self) -> None:
        while True:
            try:
                data = self._socket.recv(_LONGEST)
            except OSError:
                return  # closed
            self._take(data)

    def _take(self, data: bytes) -> None:
        """A line that says the format, and the segment."""
        _, _, body = data.partition(b"\n")
        try:
            document = msgspec.json.decode(body)
            self.store.put(document, self.store.scope_of(document["trace_id"]) or self.home)
        except (msgspec.DecodeError, SegmentError, KeyError, TypeError, AttributeError) as error:
            logging.getLogger(__name__).warning("a segment that was sent to the daemon is not valid: %s", error)
