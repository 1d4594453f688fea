"""The Runtime API's HTTP for one environment, in as few system calls as it takes.

The thread that invokes speaks to the environment itself: no hand-over, no event loop. Each system call gives up
Python's lock, and has to wait for it again while others work. Each answer is one write, because two would cost 44 ms
(Nagle's algorithm against delayed acknowledgements).
Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import select
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

_READ_BYTES = 65536
_HEADER_END = b"\r\n\r\n"


class ConnectionLostError(Exception):
    """The environment closed its connection: it has ended, or was killed."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the runtime: method, path, headers with small names, body."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def _listener() -> socket.socket:
    made = socket.create_server(("127.0.0.1", 0), backlog=4)
    made.setblocking(False)
    return made


@dataclass(slots=True)
class Exchange:
    """The listening socket of one environment and the connection it uses. Used by one thread at a time."""

    listener: socket.socket = field(default_factory=_listener)
    _connection: socket.socket | None = None
    _buffer: bytes = b""
    _knocking: bool = False
    """Whether the last look saw a new connection."""

    @property
    def address(self) -> str:
        """What goes into AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self.listener.getsockname()[1]}"

    def readable(self, timeout_s: float, also: int) -> bool:
        """Wait for the runtime, or until the descriptor `also` has something; says whether the runtime has.

        Raises:
            ConnectionLostError: the exchange was closed meanwhile.
        """
        poll = select.poll()  # not select(): that ends at descriptor 1023
        ours = [self.listener.fileno()]
        if self._connection is not None:
            ours.append(self._connection.fileno())
        if -1 in ours:
            raise ConnectionLostError
        for descriptor in (*ours, *([also] if also >= 0 else [])):
            poll.register(descriptor, select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll(max(0.0, timeout_s) * 1000)}
        self._knocking = ours[0] in ready
        return any(descriptor in ready for descriptor in ours)

    def receive(self) -> Request | None:
        """The next request, None when only a part of it has come yet.

        Raises:
            ConnectionLostError: the connection ended.
        """
        if self._knocking:
            self._accept_waiting()
        if self._connection is None:
            return None
        try:
            data = self._connection.recv(_READ_BYTES)
        except (BlockingIOError, InterruptedError):
            data = None
        except OSError as error:
            raise ConnectionLostError from error
        if data == b"":
            self._drop()
            raise ConnectionLostError
        self._buffer += data or b""
        return self._parse()

    def respond(self, status: str, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Answer the last request, in one write.

        Raises:
            ConnectionLostError: the runtime is gone.
        """
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *(f"{k}: {v}" for k, v in headers.items())]
        message = "\r\n".join(lines).encode() + _HEADER_END + body
        if self._connection is None:
            raise ConnectionLostError
        try:
            self._send(self._connection, message)
        except OSError as error:
            raise ConnectionLostError from error

    @staticmethod
    def _send(connection: socket.socket, message: bytes) -> None:
        """Send all of it; what does not fit into the socket's buffer waits for the runtime to read."""
        try:
            sent = connection.send(message)
        except BlockingIOError:
            sent = 0
        if sent < len(message):
            connection.setblocking(True)
            connection.sendall(memoryview(message)[sent:])
            connection.setblocking(False)

    def close(self) -> None:
        """Close both sockets."""
        self._drop()
        self.listener.close()

    def _accept_waiting(self) -> None:
        """The runtime may open a new connection for a request; the newest is the one it uses."""
        self._knocking = False
        try:
            connection, _ = self.listener.accept()
        except BlockingIOError:
            return
        except OSError as error:
            raise ConnectionLostError from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        self._drop()
        self._connection = connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._buffer = None, b""

    def _parse(self) -> Request | None:
        head, found, rest = self._buffer.partition(_HEADER_END)
        if not found:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._parse_chunked(method, path, headers, rest)
        length = int(headers.get("content-length", 0))
        if headers.get("expect", "").lower() == "100-continue" and len(rest) < length and self._connection:
            # libcurl asks before it sends more than a megabyte.
            self._connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._buffer = self._buffer.replace(b"Expect: 100-continue\r\n", b"", 1)
        if len(rest) < length:
            return None
        self._buffer = rest[length:]
        return Request(method, path, headers, rest[:length])

    def _parse_chunked(self, method: str, path: str, headers: Mapping[str, str], rest: bytes) -> Request | None:
        body = b""
        while True:
            size, found, rest = rest.partition(b"\r\n")
            if not found:
                return None
            length = int(size.split(b";")[0], 16)
            if len(rest) < length + 2:
                return None
            body, rest = body + rest[:length], rest[length + 2 :]
            if length == 0:
                self._buffer = rest
                return Request(method, path, headers, body)
