"""A synthetic service with outages that are known exactly: the harness measures it to know its own error.

Run as a process of its own: `python -m harness.load.known_outage SPEC.json`. It answers every HTTP request at once
with 200, and with 503 from each outage's beginning to its end on the monotonic clock that all processes share. It
writes the port it took, on loopback, to standard output and ends with its owner.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import msgspec

from harness import processes

_GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_DOWN = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_OWNER_POLL_S = 0.5


class KnownOutages(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the service is down: pairs of monotonic instants, first down, then up again. It ends after `ends_s`."""

    outages: list[tuple[float, float]]
    ends_s: float

    def down_at(self, instant_s: float) -> bool:
        """Whether the service is down at that instant."""
        return any(down_s <= instant_s < up_s for down_s, up_s in self.outages)


class _Service(asyncio.Protocol):
    """Requests without a body, one after the other on each connection."""

    def __init__(self, known: KnownOutages) -> None:
        self._known = known
        self._transport: asyncio.Transport | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class, with the same methods

    def data_received(self, data: bytes) -> None:
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        if self._transport is not None and requests:
            answer = _DOWN if self._known.down_at(time.monotonic()) else _GOOD
            self._transport.write(answer * len(requests))


async def _serve(known: KnownOutages) -> None:
    loop, owner = asyncio.get_running_loop(), os.getppid()
    server = await loop.create_server(lambda: _Service(known), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    while time.monotonic() < known.ends_s and os.getppid() == owner:  # noqa: ASYNC110 - no event says either
        await asyncio.sleep(_OWNER_POLL_S)
    server.close()


@contextmanager
def spawn_service(known: KnownOutages, folder: Path) -> Iterator[int]:
    """The service in a process of its own, recorded below `folder`; yields its port."""
    spec, registry = folder / "known-outages.json", folder / "processes"
    spec.write_bytes(msgspec.json.encode(known))
    process = processes.spawn(
        [sys.executable, "-m", "harness.load.known_outage", str(spec)],
        role="calibration",
        registry=registry,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        said = process.stdout.readline() if process.stdout is not None else b""
        yield int(said or 0)
    finally:
        processes.stop(process, registry=registry)
        if process.stdout is not None:
            process.stdout.close()


def main(arguments: list[str]) -> int:
    """Serve the spec named on the command line; returns the exit code."""
    import uvloop

    uvloop.run(_serve(msgspec.json.decode(Path(arguments[0]).read_bytes(), type=KnownOutages)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
