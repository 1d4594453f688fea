"""One request to one target, and its answer back: what a load balancer's node does."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from harness.cloud.links import Passage
from harness.cloud.load_balancing import emulated, timing
from harness.cloud.load_balancing.routing import Asked
from harness.cloud.load_balancing.targets import Target, TargetGroup
from harness.cloud.way import Way

if TYPE_CHECKING:
    import aiohttp
    from aiohttp import web

_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade",
     "proxy-connection", "content-length"}
)  # fmt: skip
_REASONS = {403: "Forbidden", 502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}


class NoAnswerError(Exception):
    """A target gave none; the load balancer answers in its place."""

    def __init__(self, status: int, *, connected: bool) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.connected = connected


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """One request. `headers` go to the target."""

    asked: Asked
    raw_path: str
    headers: Mapping[str, str]
    body: bytes
    idle_s: float
    onward: Passage
    """From the node to the target and back: each request is a flow of its own."""
    way: Way
    """From the client to the node and back."""
    cookies: Callable[[Sequence[str]], Sequence[str]] = lambda _answered: ()
    """The target's own Set-Cookie headers → those that are added."""


def error_page(status: int) -> bytes:
    """What a load balancer says when it answers itself."""
    said = f"{status} {_REASONS.get(status, '')}".strip()
    return (
        f"<html>\r\n<head><title>{said}</title></head>\r\n<body>\r\n<center><h1>{said}</h1></center>\r\n"
        "</body>\r\n</html>\r\n"
    ).encode()


def forwarded_headers(asked: Asked, given: Mapping[str, str]) -> dict[str, str]:
    """The client's headers, with X-Forwarded-* and X-Amzn-Trace-Id.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    """
    kept = {name: value for name, value in given.items() if name.lower() not in _HOP_BY_HOP}
    before = asked.headers.get("x-forwarded-for")
    kept["X-Forwarded-For"] = f"{before}, {asked.source}" if before else asked.source
    kept["X-Forwarded-Proto"], kept["X-Forwarded-Port"] = asked.protocol, str(asked.port)
    trace = asked.headers.get("x-amzn-trace-id", "")
    own = f"1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
    kept["X-Amzn-Trace-Id"] = f"Self={own};{trace}" if "Root=" in trace else f"Root={own}"
    for name in [one for one in kept if one.lower() in {"x-forwarded-for", "x-amzn-trace-id"}]:
        if name not in {"X-Forwarded-For", "X-Amzn-Trace-Id"}:
            del kept[name]
    return kept


async def forward(
    session: aiohttp.ClientSession, group: TargetGroup, target: Target, carried: Carried, request: web.BaseRequest
) -> tuple[web.StreamResponse, int]:
    """Pass a request on and the answer back; returns it and its status.

    Raises:
        NoAnswerError: the target cannot be reached, closes, or is silent for too long.
    """
    import aiohttp
    from aiohttp import web
    from yarl import URL

    host, port, interface = group.place_of(target)
    if interface is not None and not interface.answers(target.port):
        await asyncio.sleep(timing.CONNECT_S)
        raise NoAnswerError(504, connected=False)
    await within(timing.CONNECT_S, carried.onward, connected=False)
    url = URL(f"{str(group.record['Protocol']).lower()}://{host}:{port}{carried.raw_path}", encoded=True)
    limits = aiohttp.ClientTimeout(total=None, sock_connect=timing.CONNECT_S, sock_read=carried.idle_s)
    try:
        async with session.request(
            carried.asked.method,
            url,
            headers=carried.headers,
            data=carried.body or None,
            allow_redirects=False,
            timeout=limits,
            ssl=False,
        ) as answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP_BY_HOP or (name.lower() == "content-length" and value.isdigit()):
                    response.headers.add(name, value)
            for cookie in carried.cookies(answer.headers.getall("Set-Cookie", [])):
                response.headers.add("Set-Cookie", cookie)
            await within(carried.idle_s, carried.onward, connected=True)
            await carried.way.take()
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response, answer.status
    except aiohttp.ServerTimeoutError as error:
        raise NoAnswerError(504, connected=not isinstance(error, aiohttp.ConnectionTimeoutError)) from error
    except aiohttp.ClientConnectorError as error:
        raise NoAnswerError(502, connected=False) from error
    except aiohttp.ClientError as error:
        raise NoAnswerError(502, connected=True) from error


async def within(limit_s: float, onward: Passage, *, connected: bool) -> None:
    """Let a segment pass between node and target.

    Raises:
        NoAnswerError: it takes too long.
    """
    try:
        async with asyncio.timeout(limit_s):
            await onward.take()
    except TimeoutError as error:
        raise NoAnswerError(504, connected=connected) from error


async def invoke(group: TargetGroup, target: Target, carried: Carried) -> tuple[int, dict[str, str], bytes]:
    """Ask a Lambda target; returns status, headers and body."""
    account, region = group.arn.split(":")[4], group.arn.split(":")[3]
    asked = carried.asked
    with emulated.in_scope(account, region):
        status, headers, body = await emulated.invoke(
            target.id,
            group.arn,
            {
                "method": asked.method,
                "path": asked.path,
                "headers": dict(carried.headers),
                "body": carried.body,
                "query_params": parse_qs(asked.query, keep_blank_values=True),
                "raw_query_string": asked.query,
            },
        )
    return status, {name: str(value) for name, value in headers.items()}, body
