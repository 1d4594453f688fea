"""Sticky sessions and WebSockets through a load balancer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any

import aiohttp
from aiohttp import web

from tests.integration.load_balancing.conftest import Front, Web, to
from tests.waiting import awaited

Webs = Callable[[str], Web]


def sticky(front: Front, group: str, **settings: str) -> None:
    given = {"stickiness.enabled": "true", **{name.replace("__", "."): value for name, value in settings.items()}}
    attributes = [{"Key": key, "Value": value} for key, value in given.items()]
    front.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=attributes)


def cookies(headers: dict[str, str]) -> str:
    """The Cookie header of a browser that was given these (of several Set-Cookie, the last is seen)."""
    return "; ".join(f"{name}={one.value}" for name, one in SimpleCookie(headers.get("Set-Cookie", "")).items())


def test_a_client_stays_with_its_target_while_that_is_well(front: Front, webs: Webs) -> None:
    group, made = front.group(), {name: webs(name) for name in "ab"}
    front.listen(to(group))
    for one in made.values():
        front.register(group, one)
    front.healthy(group, *made.values())
    assert len({front.get()[1] for _ in range(4)}) == 2
    sticky(front, group, stickiness__type="lb_cookie")
    _, first, headers = front.get()
    cookie = cookies(headers).replace("AWSALBCORS", "AWSALB")
    assert cookie.startswith("AWSALB=")
    assert {front.get(Cookie=cookie)[1] for _ in range(6)} == {first}
    made[first[0]].health = 500
    awaited(lambda: front.states(group)[made[first[0]].port] == "unhealthy")
    other = {front.get(Cookie=cookie)[1] for _ in range(3)}
    assert other == {f"{'ab'.replace(first[0], '')} GET /"}


def test_a_client_stays_with_its_group_of_a_weighted_forward(front: Front, webs: Webs) -> None:
    groups = [front.group(), front.group()]
    for name, group in zip("ab", groups, strict=True):
        front.register(group, webs(name))
    weights = [{"TargetGroupArn": group, "Weight": 1} for group in groups]
    config = {"TargetGroups": weights, "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60}}
    front.listen([{"Type": "forward", "ForwardConfig": config}])
    awaited(lambda: all(set(front.states(group).values()) == {"healthy"} for group in groups))
    _, first, headers = front.get()
    cookie = cookies(headers).replace("AWSALBTGCORS", "AWSALBTG")
    assert {front.get(Cookie=cookie)[1] for _ in range(12)} == {first}


class Echo:
    """A target that answers /health, and echoes on a WebSocket."""

    def __init__(self) -> None:
        self.port = 0

    async def serve(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/health", self._well)
        app.router.add_get("/chat", self._chat)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = int(runner.addresses[0][1])
        return runner

    async def _well(self, _request: web.Request) -> web.Response:
        return web.Response(text="well")

    async def _chat(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("chat",))
        await socket.prepare(request)
        await socket.send_str(request.headers.get("X-Forwarded-For", ""))
        async for message in socket:
            if message.data == "end":
                await socket.close(code=4001, message=b"told to")
            elif message.type is aiohttp.WSMsgType.BINARY:
                await socket.send_bytes(message.data)
            else:
                await socket.send_str(f"echo {message.data}")
        return socket


def test_a_websocket_passes_both_ways(front: Front) -> None:
    group = front.group()
    front.listen(to(group))

    async def talk() -> list[Any]:
        echo: Any = Echo()  # all that a front needs of a target is its port
        runner = await echo.serve()
        try:
            await asyncio.to_thread(front.register, group, echo)
            await asyncio.to_thread(front.healthy, group, echo)
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(f"ws://{front.dns}/chat", protocols=("chat",)) as socket,
            ):
                said: list[Any] = [socket.protocol, await socket.receive_str()]
                await socket.send_str("hello")
                said.append(await socket.receive_str())
                await socket.send_bytes(b"\0\1" * 50_000)
                said.append(await socket.receive_bytes())
                await socket.send_str("end")
                closing = await socket.receive()
                return [*said, closing.type, socket.close_code]
        finally:
            await runner.cleanup()

    assert asyncio.run(talk()) == [
        "chat", "127.0.0.1", "echo hello", b"\0\1" * 50_000, aiohttp.WSMsgType.CLOSE, 4001,
    ]  # fmt: skip
