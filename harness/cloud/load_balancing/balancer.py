"""One Application Load Balancer: a socket on loopback for all of its listeners, and what becomes of each request.

The port of the listener is told by the client's first byte (TLS or not) and by the port in its Host header, as one
socket stands for all of them: `http://NAME` and `https://NAME` both work with the DNS name that the API gives.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
import time
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from harness.cloud.links import Passage
from harness.cloud.load_balancing import routing, stickiness, timing, web_sockets
from harness.cloud.load_balancing.forwarding import (
    Carried,
    NoAnswerError,
    error_page,
    forward,
    forwarded_headers,
    invoke,
)
from harness.cloud.load_balancing.metrics import BalancerMetrics
from harness.cloud.load_balancing.nodes import Nodes
from harness.cloud.load_balancing.routing import Asked, Rule
from harness.cloud.load_balancing.targets import Target, TargetGroup, zones_with_healthy
from harness.cloud.waf.emulated import Judge, Refusal
from harness.cloud.waf.statements import WebRequest
from harness.cloud.way import Way
from harness.cloud.zones import Zone

if TYPE_CHECKING:
    import aiohttp
    from aiohttp import web

_TLS_HANDSHAKE = 0x16
_HOLD_S = 0.05
_INSPECTED_BYTES = 8192
"""Of a body that comes to a load balancer, its web ACL sees the first 8 KB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One listener with its rules, the first to be tried first."""

    arn: str
    port: int
    secure: bool
    rules: tuple[Rule, ...]
    certificates: tuple[str, ...] = ()
    """ARNs, the default first."""


@dataclass(slots=True, kw_only=True, eq=False)
class Balancer:
    """Everything but `close` and the setting of fields happens on the load balancers' loop."""

    arn: str
    listener: socket.socket
    nodes: Nodes
    groups: Mapping[str, TargetGroup]
    session: Callable[[], aiohttp.ClientSession]
    metrics: BalancerMetrics
    tls: Callable[[Sequence[str]], ssl.SSLContext]
    """TLS with these certificates."""
    attributes: Callable[[], Mapping[str, str]]
    guard: Callable[[str], Judge | None] = lambda _arn: None
    """What judges requests to a load balancer: its web ACL, where one is associated."""
    listeners: tuple[Listener, ...] = ()
    _ways: MutableMapping[Any, Way] = field(default_factory=WeakKeyDictionary)
    """By the transport of a client's connection."""
    _servers: dict[tuple[str, bool], web.Server] = field(default_factory=dict)
    _random: random.Random = field(default_factory=random.Random)
    _accepting: asyncio.Task[None] | None = None
    _arriving: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def dns_name(self) -> str:
        """Where a client on this machine reaches it."""
        return f"127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """The socket's port."""
        return int(self.listener.getsockname()[1])

    @property
    def zone_ids(self) -> tuple[str, ...]:
        """Where it has nodes."""
        return tuple(zone.id for zone in self.nodes.zones)

    @property
    def can_be_shifted(self) -> bool:
        """Whether zonal shifts are enabled for it."""
        return self.attributes().get("zonal_shift.config.enabled") == "true"

    def shift_away(self, zones: frozenset[str]) -> None:
        """Take its nodes and targets in these zones out; empty takes everything back."""
        self.nodes.away = zones

    def open(self) -> None:
        """Begin to accept."""
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    async def close(self) -> None:
        """Stop, and drop every connection."""
        for task in [self._accepting, *self._arriving]:
            if task is not None:
                task.cancel()
        self.listener.close()
        for server in self._servers.values():
            await server.shutdown(0.0)

    def drop_node(self, zone: Zone) -> None:
        """Every connection to the zone's node breaks."""
        for (name, _), server in self._servers.items():
            if name == zone.name:
                for connection in server.connections:
                    connection.force_close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(self.listener)
            task = loop.create_task(self._meet(client))
            self._arriving.add(task)
            task.add_done_callback(self._arriving.discard)

    async def _meet(self, client: socket.socket) -> None:
        """A new client meets a node: a dead one never answers."""
        node = self.nodes.next_node(self._fit_zones())
        try:
            if self.nodes.is_dark(node):
                while self.nodes.is_dark(node) and not self.nodes.known_dark(node):  # noqa: ASYNC110 - no event tells
                    await asyncio.sleep(_HOLD_S)
                client.close()
                return
            way = Way(self.nodes.keeper.links, (client.getpeername()[1], self.port), self.nodes.place(node))
            await way.take()
            first = await _peek(client)
            if not first:
                client.close()
                return
            secure = first[0] == _TLS_HANDSHAKE
            server = self._server(node, secure=secure)
            # Which listener is meant is not known before the request: any of them may have a certificate of the name.
            arns = [arn for one in self.listeners for arn in one.certificates]
            context = await asyncio.to_thread(self.tls, arns) if secure else None
            loop = asyncio.get_running_loop()
            transport, _ = await loop.connect_accepted_socket(server, client, ssl=context)
            self._ways[transport] = way
        except OSError:  # the client went away, or speaks no TLS
            client.close()
        except asyncio.CancelledError:
            client.close()
            raise

    def _server(self, node: Zone, *, secure: bool) -> web.Server:
        from aiohttp import web

        key = (node.name, secure)
        if key not in self._servers:
            self._servers[key] = web.Server(partial(self._answer, node, secure), access_log=None)
        return self._servers[key]

    # -- requests ----------------------------------------------------------------------------------------------

    def _way(self, node: Zone, transport: asyncio.Transport | None) -> Way:
        """That of a client's connection to a node; a new one for a request that is there before its connection is."""
        known = self._ways.get(transport) if transport is not None else None
        peer = transport.get_extra_info("peername") if transport is not None else None
        return known or Way(self.nodes.keeper.links, (peer[1] if peer else 0, self.port), self.nodes.place(node))

    async def _answer(self, node: Zone, secure: bool, request: web.BaseRequest) -> web.StreamResponse:  # noqa: FBT001
        way = self._way(node, request.transport)
        await way.take()
        response = await self._routed(node, request, secure=secure)
        if not response.prepared:
            await way.take()
        return response

    async def _routed(self, node: Zone, request: web.BaseRequest, *, secure: bool) -> web.StreamResponse:
        listener = self._listener(request.headers.get("Host", ""), secure=secure)
        if listener is None:
            return self._itself(node, 503)
        path, _, query = request.raw_path.partition("?")
        asked = Asked(
            method=request.method,
            path=path,
            query=query,
            headers={name.lower(): value for name, value in request.headers.items()},
            source=(request.remote or "127.0.0.1"),
            protocol="https" if secure else "http",
            port=listener.port,
        )
        judge = self.guard(self.arn)
        refusal = judge(_judged(asked, await request.read())) if judge is not None else None
        if refusal is not None:
            return self._blocked(node, refusal)
        action = routing.action_for(listener.rules, asked)
        if action is None:
            return self._itself(node, 503)
        if action["Type"] == "redirect":
            status, where = routing.redirect(action, asked)
            return self._itself(node, status, b"", {"Location": where})
        if action["Type"] == "fixed-response":
            config = action["FixedResponseConfig"]
            kind = {"Content-Type": f"{config.get('ContentType') or 'text/plain'}; charset=utf-8"}
            return self._itself(node, int(config["StatusCode"]), str(config.get("MessageBody") or "").encode(), kind)
        return await self._to_a_target(node, action, asked, request)

    async def _to_a_target(
        self, node: Zone, action: routing.Record, asked: Asked, request: web.BaseRequest
    ) -> web.StreamResponse:
        """Choose a group and a target of it, those that a cookie remembers first, and pass the request on."""
        sent = stickiness.cookies_of(request.headers.get("Cookie", ""))
        arn = stickiness.remembered_group(action, sent) or routing.group_for(action, self._random.random())
        group = self.groups.get(arn)
        if group is None:
            return self._itself(node, 503)
        usable = partial(self._usable, node, group)
        target = stickiness.remembered_target(
            group, sent, lambda one: usable(one) and node.name not in one.unseen
        ) or group.choose(usable, node.name)
        if target is None:
            self.metrics.failed(self.arn, "", node.name, status=503, connected=False)
            return self._itself(node, 503, counted=True)
        carried = Carried(
            asked=asked,
            raw_path=request.raw_path,
            headers=forwarded_headers(asked, dict(request.headers)),
            body=await request.read(),
            idle_s=float(self.attributes().get("idle_timeout.timeout_seconds", timing.IDLE_S)),
            onward=Passage(self.nodes.keeper.links, self.nodes.place(node), group.whereabouts(target)),
            way=self._way(node, request.transport),
            cookies=partial(stickiness.cookies_to_set, action, group, target),
        )
        return await self._forward(node, (group, target), carried, request)

    def _blocked(self, node: Zone, refusal: Refusal) -> web.StreamResponse:
        headers = {"Content-Type": refusal.kind, **dict(refusal.headers)} if refusal.content is not None else {}
        return self._itself(node, refusal.status, refusal.content, headers)

    async def _forward(
        self, node: Zone, to: tuple[TargetGroup, Target], carried: Carried, request: web.BaseRequest
    ) -> web.StreamResponse:
        from aiohttp import web

        group, target = to
        began_s, zone = time.perf_counter(), target.zone if target.zone not in {"", "all"} else node.name
        target.in_flight += 1
        try:
            if group.kind == "lambda":
                status, headers, body = await invoke(group, target, carried)
                response: web.StreamResponse = web.Response(status=status, headers=_plain(headers), body=body)
                for cookie in carried.cookies(response.headers.getall("Set-Cookie", [])):
                    response.headers.add("Set-Cookie", cookie)
            elif web_sockets.wanted(carried):
                response, status = await web_sockets.relay(self.session(), group, target, carried, request)
            else:
                response, status = await forward(self.session(), group, target, carried, request)
        except NoAnswerError as error:
            self.metrics.failed(self.arn, group.arn, zone, status=error.status, connected=error.connected)
            return self._itself(node, error.status, counted=True)
        finally:
            target.in_flight -= 1
        took_s, (hosts, _) = time.perf_counter() - began_s, group.counts()
        self.metrics.answered(self.arn, group.arn, zone, status=status, took_s=took_s, hosts=hosts)
        return response

    def _itself(
        self,
        node: Zone,
        status: int,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        counted: bool = False,
    ) -> web.StreamResponse:
        """An answer of the load balancer's own."""
        from aiohttp import web

        if not counted:
            self.metrics.answered(self.arn, "", node.name, status=status, took_s=0.0)
        page = error_page(status) if body is None else body
        kind = {"Content-Type": "text/html"} if body is None else {}
        return web.Response(status=status, body=page, headers={"Server": "awselb/2.0", **kind, **(headers or {})})

    def _listener(self, host: str, *, secure: bool) -> Listener | None:
        """By the port in the Host header, else the first that speaks TLS, or does not."""
        fit = [one for one in self.listeners if one.secure == secure]
        port = host.rpartition(":")[2] if ":" in host else ""
        named = [one for one in fit if str(one.port) == port]
        return (named or fit or [None])[0]  # type: ignore[list-item] # the list of nothing

    # -- zones -------------------------------------------------------------------------------------------------

    def _usable(self, node: Zone, group: TargetGroup, target: Target) -> bool:
        away = {zone.name for zone in self.nodes.zones if zone.id in self.nodes.away}
        if target.zone in away:
            return False
        return _crosses_zones(group) or target.zone in {node.name, "all", ""}

    def _fit_zones(self) -> set[str] | None:
        """Where targets keep to their zone, nodes without a healthy one are left out; None when any node will do."""
        ours = [self.groups[arn] for arn in self.group_arns() if arn in self.groups]
        if all(_crosses_zones(group) for group in ours):
            return None
        return zones_with_healthy(ours)

    def group_arns(self) -> set[str]:
        """The target groups that its rules lead to."""
        actions = [action for one in self.listeners for rule in one.rules for action in rule.actions]
        return {arn for action in actions for arn, _ in routing.groups_of(action)}


def _judged(asked: Asked, body: bytes) -> WebRequest:
    """What a web ACL sees of a request to a load balancer.

    Source: https://docs.aws.amazon.com/waf/latest/developerguide/web-request-body-inspection.html
    """
    return WebRequest(
        method=asked.method,
        path=asked.path,
        query=asked.query,
        headers=asked.headers,
        body=body[:_INSPECTED_BYTES],
        ip=asked.source,
    )


def _crosses_zones(group: TargetGroup) -> bool:
    """Always on for an ALB, unless the group turns it off.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/disable-cross-zone.html
    """
    return group.attributes().get("load_balancing.cross_zone.enabled") != "false"


def _plain(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in {"content-length", "connection"}}


async def _peek(client: socket.socket) -> bytes:
    """The client's first byte, left where it is; b'' when it went away."""
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    while True:
        with contextlib.suppress(BlockingIOError):
            return client.recv(1, socket.MSG_PEEK)
        ready = asyncio.Event()
        loop.add_reader(client, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(client)
