"""The gate that every AWS call passes: identify → apply faults → route → record."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.cloud.answer_headers import as_aws_sends_them
from harness.cloud.asgi import REQUEST, RESET, App, Message, Receive, Scope, Send, read_body, replay, respond
from harness.cloud.faults import ApiError, Blackhole, CommitThenFail, Hit, Latency, Reset, RuleBook
from harness.cloud.identify import Identifier, Request
from harness.cloud.links import Passage, Place
from harness.cloud.patience import Patience
from harness.cloud.recorder import Recorder, is_control_plane
from harness.cloud.sockets import held_by_region
from harness.cloud.wire_errors import wire_error
from harness.cloud.zones import ZoneKeeper

CONTROL_PREFIX = "/_blackstart/"
_ADMIN_PREFIXES = ("/_ministack/reset", "/_ministack/config", "/_localstack/state")
"""The emulator's own administration: it would empty the cloud behind the gate's back."""

_EVERYWHERE = frozenset(
    ("cloudfront", "fis", "globalaccelerator", "health", "iam", "organizations", "route53", "shield", "sts")
)
"""What a lost region does not take along: global services, the security tokens of other regions, and the experiments
that took its power."""

_CHANGED_AT_HOME, _HOME = frozenset(("cloudfront", "iam", "organizations", "route53", "shield")), "us-east-1"
"""Global services with their control plane in one region: while it is lost they go on, and cannot be changed.
https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html"""

_LOOK_EVERY_S = 0.2

_AT_AWS = re.compile(rb"\.execute-api\.[a-z0-9-]+\.amazonaws\.com(:\d+)?$")


Meter = Callable[[Request, Scope, Send], Send]
"""Wraps `send` so that the answer to a request is measured and traced."""


@dataclass(slots=True, kw_only=True)
class Gate:
    """An ASGI application in front of a backend and of extra services (by botocore's name, for example `fis`)."""

    backend: App
    control: App
    identifier: Identifier
    rules: RuleBook
    recorder: Recorder
    patience: Patience
    services: Mapping[str, App] = field(default_factory=dict)
    zones: ZoneKeeper
    paths: Mapping[str, App] = field(default_factory=dict)
    """What is posted to by path and unsigned, such as OTLP's `/v1/traces`."""
    meter: Meter = lambda _request, _scope, send: send
    limited: Callable[[Request], str] = lambda _request: ""
    """What to say to a call that comes faster than its service takes them; '' to let it through."""

    shut_in: Callable[[Request], bool] = lambda _request: False
    """Whether a call from inside a VPC finds no way out of it."""

    measured: frozenset[str] = frozenset()
    """Services whose metrics name the resource, so that it is read from each of their calls."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await held_by_region(self.backend, self._lost_to(scope), scope, receive, send)
            return
        path = scope["path"]
        if path.startswith("/_"):
            if path.startswith(CONTROL_PREFIX):
                await self.control(scope, receive, send)
                return
            if path.startswith(_ADMIN_PREFIXES):
                await respond(send, 403, b'{"message":"use POST /_blackstart/reset, with the owner\'s token"}')
                return
        app = self.paths.get(path) if scope["method"] == "POST" else None
        await (self._aws if app is None else app)(scope, receive, send)

    def _lost_to(self, scope: Scope) -> Callable[[], bool]:
        """Whether what a socket leads to has lost its region."""
        region = self.identifier.region_of_socket(scope)
        return lambda: self.zones.lost(region)

    async def _aws(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = self.identifier.head(scope)
        concern = self.rules.concern("api", request.service)
        if request.operation_in_body or concern.resource or request.service in self.measured:
            body = await read_body(receive)
            if body is None:
                return
            receive = replay(body, receive)
            if request.operation_in_body:
                self.identifier.body(request, body)
                concern = self.rules.concern("api", request.service)
            self.identifier.resource(request, body)
        if request.service == "execute-api":
            _by_path(scope, request.resource)
        if concern.role:
            self.identifier.role(request)
        if not await self._reached(request, receive):
            await _reset(scope, receive)
            return
        by = request.caller.function if request.caller else ""
        self.recorder.tally.count(request.service, request.operation, by)
        ours = request.by_experiment or request.by_observer
        leaving = _Leaving(send, lambda: not ours and self._lost(request))
        send = self.meter(request, scope, leaving.send)
        if not request.by_observer and (said := self.limited(request)):
            await self._refuse(ApiError(code="ThrottlingException", message=said), request, send)
            return
        hits = self.rules.hits(request.call()) if concern.any and not ours else ()
        if not hits or await self._let_pass(hits, request, scope, receive, send):
            if self.recorder.wants(request.service, request.operation) and not ours:
                receive = await self._record(request, receive)
            app = self.services.get(request.service, self.backend)
            scope[REQUEST] = request
            if request.protocol:
                send = as_aws_sends_them(send, request.service, scope["headers"])
            serve = _commit_then_reset if any(isinstance(hit.effect, CommitThenFail) for hit in hits) else _served
            await serve(app, scope, receive, send)
            if leaving.held:
                await _reset(scope, receive)

    async def _let_pass(self, hits: list[Hit], request: Request, scope: Scope, receive: Receive, send: Send) -> bool:
        """Apply the effects that come before the backend; True when the call goes on to it."""
        for hit in hits:
            effect = hit.effect
            if isinstance(effect, Latency):
                await self.patience.wait(hit.rule_id, effect.delay_s)
            elif isinstance(effect, Blackhole):
                gone = asyncio.ensure_future(_until_disconnect(receive))
                await self.patience.wait(hit.rule_id, effect.hold_s, unless=gone)
                await _reset(scope, receive)
                return False
            elif isinstance(effect, Reset):
                await _reset(scope, receive)
                return False
            elif isinstance(effect, ApiError) and not any(isinstance(h.effect, CommitThenFail) for h in hits):
                await self._refuse(effect, request, send)
                return False
        return True

    async def _reached(self, request: Request, receive: Receive) -> bool:
        """Take the links to the service; False when nothing gets there: then the client has waited, or given up."""
        if request.by_experiment:
            return True
        passage = self._passage(request)
        if not self._cut_off(request, passage):
            if passage is not None:
                await asyncio.sleep(passage.delay_s())
            return True
        gone = asyncio.ensure_future(_until_disconnect(receive))
        while self._cut_off(request, passage) and not gone.done():
            await asyncio.wait([gone], timeout=_LOOK_EVERY_S)
        gone.cancel()
        return False

    def _passage(self, request: Request) -> Passage | None:
        """The way of a call from inside the cloud, while any link is disturbed."""
        caller = request.call().caller if self.zones.links.disturbed else None
        if caller is None:
            return None
        source = self.zones.find(caller.zone_id).place(caller.subnet_id)
        return Passage(self.zones.links, source, Place(region=request.region), is_call=True)

    def _cut_off(self, request: Request, passage: Passage | None) -> bool:
        return self._lost(request) or (passage is not None and passage.cut) or self.shut_in(request)

    def _lost(self, request: Request) -> bool:
        """Whether a region without power is what would answer."""
        if request.service not in _EVERYWHERE:
            return self.zones.lost(request.region)
        changes = request.service in _CHANGED_AT_HOME and is_control_plane(request.service, request.operation)
        return changes and self.zones.lost(_HOME)

    async def _refuse(self, effect: ApiError, request: Request, send: Send) -> None:
        error = wire_error(
            self.identifier.models,
            request.service,
            request.protocol,
            code=effect.code,
            status=effect.status,
            message=effect.message,
        )
        await respond(send, error.status, error.body, error.content_type, error.headers)

    async def _record(self, request: Request, receive: Receive) -> Receive:
        """Note a control-plane call with its resource; such calls are rare enough to look into their body."""
        if not request.resource:
            body = await read_body(receive)
            if body is not None:
                self.identifier.resource(request, body)
                receive = replay(body, receive)
        self.recorder.record(request.call())
        return receive


@dataclass(slots=True)
class _Leaving:
    """An answer on its way out; a region that has been lost meanwhile lets none of it out."""

    out: Send
    lost: Callable[[], bool]
    held: bool = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self.lost():
            self.held = True
        if not self.held:
            await self.out(message)


def _by_path(scope: Scope, api: str) -> None:
    """Let a request to an API's own name at AWS take the form that leads there by path, as the emulator knows it."""
    if scope["path"].startswith("/_") or not _AT_AWS.search(dict(scope["headers"]).get(b"host", b"")):
        return
    before = f"/_aws/execute-api/{api}"
    scope["path"] = before + scope["path"]
    scope["raw_path"] = before.encode() + (scope.get("raw_path") or b"/")


async def _served(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


async def _commit_then_reset(app: App, scope: Scope, receive: Receive, _send: Send) -> None:
    """Let the backend apply the call, drop its answer, reset the connection."""

    async def swallow(message: Message) -> None:
        del message  # the client must not learn what happened

    body = await read_body(receive)
    if body is not None:
        await app(scope, replay(body, receive), swallow)
    await _reset(scope, receive)


async def _reset(scope: Scope, receive: Receive) -> None:
    """Reset the connection and return once the server knows that it is gone."""
    scope["extensions"][RESET]()
    await _until_disconnect(receive)


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
