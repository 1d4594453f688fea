"""What stands behind the gate: ministack in this process, or somebody else's endpoint across HTTP."""

from __future__ import annotations

import asyncio
import os
from typing import Protocol
from urllib.parse import urlsplit

from harness.cloud import (
    cognito_triggers,
    economies,
    gaps,
    message_moves,
    ministack_hooks,
    permissions,
    secret_rotation,
)
from harness.cloud.asgi import App, Receive, Scope, Send, read_body, respond
from harness.cloud.settings import CloudSettings
from harness.errors import NotReadyError


class Backend(Protocol):
    """An AWS emulator as an ASGI application with a beginning and an end."""

    app: App

    async def start(self) -> None:
        """Make ready to answer."""
        ...

    async def reset(self) -> None:
        """Forget every resource."""
        ...

    async def stop(self) -> None:
        """Let go of what was started."""
        ...


class Ministack:
    """The emulator in this process, under its own lifespan: no second HTTP hop."""

    def __init__(self, settings: CloudSettings, port: int) -> None:
        os.environ.update(
            ministack_hooks.environment_for(
                port=port,
                enforce_iam=settings.enforce_iam,
                region=settings.regions[0],
                account=settings.account_id,
            )
        )
        self.app: App = ministack_hooks.app()
        economies.install()
        gaps.close()
        cognito_triggers.install()
        message_moves.install()
        secret_rotation.install()
        permissions.install()
        self._lifespan = Lifespan(self.app)

    async def start(self) -> None:
        """Run its start-up."""
        await self._lifespan.start()

    async def reset(self) -> None:
        """Ask its own reset; takes some ten milliseconds."""
        message_moves.forget()
        scope = request_scope("POST", "/_ministack/reset")
        status = await call(self.app, scope)
        if status >= 400:
            raise NotReadyError(f"the emulator refused to reset: HTTP {status}", where="/_ministack/reset")

    async def stop(self) -> None:
        """Run its shut-down."""
        await self._lifespan.stop()


class Lifespan:
    """The host's side of an ASGI application's lifespan."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._said: asyncio.Queue[str] = asyncio.Queue()
        self._events: asyncio.Queue[str] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return once start-up is complete.

        Raises:
            NotReadyError: the application says that it failed.
        """
        self._task = asyncio.create_task(self._run())
        await self._exchange("lifespan.startup")

    async def stop(self) -> None:
        """Return once shut-down is complete."""
        if self._task is None:
            return
        await self._exchange("lifespan.shutdown")
        await self._task
        self._task = None

    async def _exchange(self, event: str) -> None:
        self._events.put_nowait(event)
        answer = await self._said.get()
        if answer != f"{event}.complete":
            raise NotReadyError(f"the emulator did not come through {event}: {answer}")

    async def _run(self) -> None:
        async def receive() -> dict[str, object]:
            return {"type": await self._events.get()}

        async def send(message: dict[str, object]) -> None:
            self._said.put_nowait(str(message["type"]))

        try:
            await self._app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)  # type: ignore[arg-type]
        except Exception as error:  # noqa: BLE001 - whatever it is, it is why the start failed: told to the waiter
            self._said.put_nowait(f"{type(error).__name__}: {error}")


def request_scope(method: str, path: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Scope:
    """The scope of a request that we make ourselves, in this process."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1"), *headers],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
    }


async def call(app: App, scope: Scope, body: bytes = b"") -> int:
    """Make a request to an ASGI application in this process; returns the status."""
    status = 0

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, object]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = int(str(message["status"]))

    await app(scope, receive, send)  # type: ignore[arg-type]
    return status


_HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"te", b"upgrade", b"proxy-connection"})
# RFC 9110 7.6.1; content-length is written anew for the body we pass on.


class RemoteEndpoint:
    """A reverse proxy to an endpoint: what the gate can do in front of somebody else's emulator.

    The Host header is passed on unchanged, because it is signed.
    """

    def __init__(self, url: str) -> None:
        import aiohttp

        self._url = url.rstrip("/")
        self._aiohttp = aiohttp
        self._session: aiohttp.ClientSession | None = None
        self.app: App = self._proxy

    async def start(self) -> None:
        """Open the connection pool.

        Raises:
            NotReadyError: nothing listens there.
        """
        aiohttp = self._aiohttp
        parts = urlsplit(self._url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(parts.hostname, port), 5)
        except (OSError, TimeoutError) as error:
            raise NotReadyError(
                f"nothing answers at {self._url}", where="--target endpoint", hint="is the emulator up?"
            ) from error
        writer.close()
        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            connector=aiohttp.TCPConnector(limit=0),
        )

    async def reset(self) -> None:
        """Refused: the endpoint is not ours to empty."""
        raise NotReadyError("the endpoint is not ours to reset", where=self._url, hint="use its own reset")

    async def stop(self) -> None:
        """Close the connection pool."""
        if self._session is not None:
            await self._session.close()

    async def _proxy(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if body is None or self._session is None:
            return
        raw = scope.get("raw_path") or scope["path"].encode()
        query = scope.get("query_string", b"")
        target = self._url + raw.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")
        headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"] if n not in _HOP_BY_HOP]
        from yarl import URL

        try:
            async with self._session.request(
                scope["method"], URL(target, encoded=True), headers=headers, data=body, allow_redirects=False
            ) as response:
                await _pass_on(response, send)
        except self._aiohttp.ClientConnectionError as error:
            await respond(send, 502, f'{{"message":"the endpoint does not answer: {type(error).__name__}"}}'.encode())


async def _pass_on(response: object, send: Send) -> None:
    from aiohttp import ClientResponse

    if not isinstance(response, ClientResponse):
        raise TypeError(response)
    headers = [(n.lower(), v) for n, v in response.raw_headers if n.lower() not in _HOP_BY_HOP]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    async for chunk in response.content.iter_any():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
