"""A WebSocket through a load balancer: the upgrade goes to the target, and then messages both ways.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from harness.cloud.load_balancing import timing
from harness.cloud.load_balancing.forwarding import Carried, NoAnswerError, within
from harness.cloud.load_balancing.targets import Target, TargetGroup
from harness.cloud.relay import until_one_ends

if TYPE_CHECKING:
    import aiohttp
    from aiohttp import web

_OF_THE_HANDSHAKE = frozenset(
    {"sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol", "sec-websocket-extensions"}
)


def wanted(carried: Carried) -> bool:
    """Whether a request asks for a WebSocket."""
    return carried.asked.headers.get("upgrade", "").lower() == "websocket"


async def relay(
    session: aiohttp.ClientSession, group: TargetGroup, target: Target, carried: Carried, request: web.BaseRequest
) -> tuple[web.StreamResponse, int]:
    """Join the client to the target until one of them closes or both are silent for the idle timeout.

    Raises:
        NoAnswerError: the target cannot be reached, or does not agree.
    """
    import aiohttp
    from aiohttp import web
    from yarl import URL

    host, port, interface = group.place_of(target)
    if interface is not None and not interface.answers(target.port):
        await asyncio.sleep(timing.CONNECT_S)
        raise NoAnswerError(504, connected=False)
    await within(timing.CONNECT_S, carried.onward, connected=False)
    secure = str(group.record["Protocol"]) == "HTTPS"
    url = URL(f"{'wss' if secure else 'ws'}://{host}:{port}{carried.raw_path}", encoded=True)
    protocols = tuple(
        one.strip() for one in carried.asked.headers.get("sec-websocket-protocol", "").split(",") if one
    )
    headers = {name: value for name, value in carried.headers.items() if name.lower() not in _OF_THE_HANDSHAKE}
    try:
        async with session.ws_connect(
            url, headers=headers, protocols=protocols, autoping=False, max_msg_size=0, ssl=False
        ) as far:
            near = web.WebSocketResponse(
                protocols=(far.protocol,) if far.protocol else (), autoping=False, compress=False, max_msg_size=0
            )
            await carried.way.take()
            await near.prepare(request)
            await _join(near, far, carried)
            return near, 101
    except aiohttp.WSServerHandshakeError as error:
        raise NoAnswerError(error.status if error.status >= 400 else 502, connected=True) from error
    except aiohttp.ClientConnectorError as error:
        raise NoAnswerError(502, connected=False) from error
    except aiohttp.ClientError as error:
        raise NoAnswerError(502, connected=True) from error


async def _join(near: Any, far: Any, carried: Carried) -> None:  # aiohttp's two kinds of WebSockets
    last = [asyncio.get_running_loop().time()]
    try:
        await until_one_ends(
            _pump(near, far, carried, last), _pump(far, near, carried, last), _silence(carried.idle_s, last)
        )
    finally:
        await asyncio.gather(near.close(), far.close(), return_exceptions=True)


async def _pump(source: Any, sink: Any, carried: Carried, last: list[float]) -> None:
    import aiohttp

    while True:
        message = await source.receive()
        last[0] = asyncio.get_running_loop().time()
        if message.type is aiohttp.WSMsgType.CLOSE:
            await sink.close(code=message.data or 1000, message=(message.extra or "").encode())
            return
        if message.type not in {
            aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.PING, aiohttp.WSMsgType.PONG,
        }:  # fmt: skip
            return
        await carried.way.take()
        await carried.onward.take()
        match message.type:
            case aiohttp.WSMsgType.TEXT:
                await sink.send_str(message.data)
            case aiohttp.WSMsgType.BINARY:
                await sink.send_bytes(message.data)
            case aiohttp.WSMsgType.PING:
                await sink.ping(message.data)
            case _:
                await sink.pong(message.data)


async def _silence(idle_s: float, last: list[float]) -> None:
    """Return once nothing has been sent for the idle timeout."""
    loop = asyncio.get_running_loop()
    while (left_s := last[0] + idle_s - loop.time()) > 0:  # noqa: ASYNC110 - each message puts the end off
        await asyncio.sleep(left_s)
