"""A port of loopback, and when what listens there is ready."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import http.client
import socket
import time

import psutil

from harness.errors import NotReadyError

BACKLOG = 2048
"""Connections that may wait to be taken."""

_READY_TIMEOUT_S = 20.0


def listen(port: int) -> socket.socket:
    """A listening socket on loopback. Whoever connects before it is served waits.

    It listens at once: until one of them does, several may be bound to a port (`SO_REUSEADDR`), and two clouds that
    start together would both believe that it is theirs.

    Raises:
        NotReadyError: the port is taken; says by whom, as far as that can be known.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise NotReadyError(
                f"port {port} is taken{_holder(port)}",
                where=f"127.0.0.1:{port}",
                hint="blackstart down in that folder, or set another [embedded] port in blackstart.toml",
            ) from error
        raise NotReadyError(f"cannot listen: {error.strerror}", where=f"127.0.0.1:{port}") from error
    return listener


def _holder(port: int) -> str:
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp4"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                if not connection.pid:
                    return " by another process"
                holder = psutil.Process(connection.pid)
                return f" by {holder.name()} (pid {holder.pid}, in {holder.cwd()})"
    return ""


async def until_ready(port: int) -> None:
    """Return once an AWS call is answered over the wire: an open port is not a ready cloud.

    Raises:
        NotReadyError: it is not.
    """
    status, deadline_s = 0, time.monotonic() + _READY_TIMEOUT_S
    while time.monotonic() < deadline_s:
        status = await asyncio.to_thread(_ask_who_we_are, port)
        if 0 < status < 500:
            return
        await asyncio.sleep(0.02)
    raise NotReadyError(
        f"the backend answers {status} to sts:GetCallerIdentity", hint="is the endpoint an AWS emulator?"
    )


def _ask_who_we_are(port: int) -> int:
    """The status of sts:GetCallerIdentity; 0 when nobody answers."""
    scope = "Credential=test/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0"
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": f"AWS4-HMAC-SHA256 {scope}",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_READY_TIMEOUT_S)
    try:
        connection.request("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15", headers)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()
