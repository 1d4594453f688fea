"""The console's server: one page, its live feed, and the levers. On loopback, for whoever has the token."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from aiohttp import web

from harness import leftovers
from harness.errors import BlackstartError, NotReadyError
from harness.stack import RunningStack
from harness.web.levers import RENEW_S, Levers
from harness.web.view import View
from harness.workspace import Workspace

HOST = "127.0.0.1"
COOKIE = "blackstart"
LOOK_S = 1.0

_FILES = {
    "/": ("harness.web", "page/console.html", "text/html"),
    "/console.js": ("harness.web", "page/console.js", "text/javascript"),
    "/console.css": ("harness.web", "page/console.css", "text/css"),
    "/report.css": ("harness.report", "template/report.css", "text/css"),
    "/uplot.js": ("harness.report", "vendor/uplot.min.js", "text/javascript"),
    "/uplot.css": ("harness.report", "vendor/uplot.min.css", "text/css"),
}
_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Console:
    """Serves one running stack until `serve` is cancelled."""

    workspace: Workspace
    stack: RunningStack
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    levers: Levers = field(init=False)
    view: View = field(init=False)
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.levers, self.view = Levers(self.workspace, self.stack), View(self.workspace, self.stack)

    async def serve(self, port: int, ready: Callable[[str], None]) -> None:
        """Serve until the cloud no longer answers; `ready` is told the address once it is open.

        Raises:
            NotReadyError: the port cannot be had.
        """
        runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, HOST, port)
        try:
            with leftovers.claim(self.workspace, self.stack, self.workspace.stack_file):
                try:
                    await site.start()
                except OSError as error:
                    raise NotReadyError(
                        f"port {port} cannot be had: {error.strerror}",
                        where="--port",
                        hint="--port 0 takes a free one",
                    ) from error
                bound = runner.addresses[0][1]
                ready(f"http://{HOST}:{bound}/?token={self.token}")
                while await asyncio.to_thread(self.levers.control.alive):
                    await asyncio.to_thread(self.levers.renew)
                    await asyncio.sleep(RENEW_S)
        finally:
            await asyncio.to_thread(self.levers.close)
            await runner.cleanup()

    def application(self) -> web.Application:
        """Every route, behind the token."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guarded(request, handler)

        app = web.Application(middlewares=[guard])
        for path in _FILES:
            app.router.add_get(path, _file)
        app.router.add_get("/live", self._live)
        app.router.add_get("/runs/{run}/report.html", self._report)
        levers: dict[str, Callable[[dict[str, Any]], str]] = {
            "power": lambda wanted: self.levers.power(str(wanted["zone"]), on=bool(wanted["on"])),
            "start-experiment": lambda wanted: self.levers.start_experiment(str(wanted["template"])),
            "stop-experiment": lambda wanted: self.levers.stop_experiment(str(wanted["experiment"])),
            "start-drill": lambda wanted: self.levers.start_drill(str(wanted["drill"])),
            "stop-drill": lambda _wanted: self.levers.stop_drill(),
            "heal": lambda _wanted: self.levers.heal(),
        }
        for name, lever in levers.items():
            app.router.add_post(f"/{name}", _pulled(lever))
        return app

    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Only this machine's browser, by the address we gave (no other host name), and only with the token."""
        host = request.headers.get("Host", "").rpartition(":")[0]
        if host not in {HOST, "localhost"}:
            raise web.HTTPForbidden(text="the console answers on 127.0.0.1 only")
        origin = request.headers.get("Origin")
        if origin and origin != f"http://{request.headers['Host']}":
            raise web.HTTPForbidden(text="the console is not for other pages")
        given = request.query.get("token", "")
        if given and request.path == "/" and self._is_token(given):
            answer = web.HTTPFound("/")
            answer.set_cookie(COOKIE, self.token, httponly=True, samesite="Strict")
            raise answer
        if not self._is_token(request.cookies.get(COOKIE, "")):
            raise web.HTTPForbidden(text="open the address that `blackstart ui` printed: it has the token")
        response = await handler(request)
        if not response.prepared:
            response.headers.setdefault("Content-Security-Policy", _POLICY)
        return response

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())

    async def _live(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: the whole view, again and again."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            async for shown in self._looks():
                await response.write(b"data: " + json.dumps(shown).encode() + b"\n\n")
        return response

    async def _looks(self) -> AsyncIterator[dict[str, Any]]:
        while True:
            try:
                async with self._looking:
                    shown = await asyncio.to_thread(self.view.look)
                drill = self.levers.drill
                yield {**shown, "drill": drill.shown() if drill else None}
            except Exception as error:  # noqa: BLE001 - the page says so and tries again
                yield {"error": str(error) or type(error).__name__}
            await asyncio.sleep(LOOK_S)

    async def _report(self, request: web.Request) -> web.StreamResponse:
        path = self.workspace.runs / request.match_info["run"] / "report.html"
        if path.parent.parent != self.workspace.runs or not path.is_file():
            raise web.HTTPNotFound(text="no such report")
        policy = {"Content-Security-Policy": f"{_POLICY}; script-src 'unsafe-inline'"}  # one file, as it is on disk
        return web.Response(body=path.read_bytes(), content_type="text/html", charset="utf-8", headers=policy)


def _pulled(lever: Callable[[dict[str, Any]], str]) -> Handler:
    """A lever as a handler: JSON in, `said` out; what cannot be done is said with its reason."""

    async def pull(request: web.Request) -> web.StreamResponse:
        try:
            wanted = await request.json() if request.can_read_body else {}
            return web.json_response({"said": await asyncio.to_thread(lever, wanted)})
        except BlackstartError as error:
            said = f"{error.what}: {error.where}" if error.where else error.what
            return web.json_response({"error": said, "hint": error.hint}, status=400)
        except (ValueError, KeyError, TypeError) as error:
            return web.json_response({"error": f"the request cannot be read: {error}"}, status=400)

    return pull


async def _file(request: web.Request) -> web.StreamResponse:
    package, name, kind = _FILES[request.path]
    return web.Response(text=files(package).joinpath(name).read_text("utf-8"), content_type=kind, charset="utf-8")
