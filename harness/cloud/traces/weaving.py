"""Makes the segments of what runs here, as the services make their own, and tells each what trace it belongs to.

REST stages, functions and state machines with tracing begin traces, which are sampled by X-Ray's default rule
(`sampling`) unless the caller has decided; what is decided goes on. Calls of sampled functions have a subsegment, as
with an instrumented SDK; where it is instrumented, its own subsegment is the call's parent and none is added.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.cloud.asgi import Message, Scope, Send
from harness.cloud.functions.executor import Execute
from harness.cloud.functions.invocation import SERVICE_ERROR_MARK
from harness.cloud.identify import Request
from harness.cloud.traces.header import CURRENT, NAME, TraceHeader, new_id, new_trace, read_header
from harness.cloud.traces.sampling import Sampler
from harness.cloud.traces.store import Document, TraceStore

_HEADER = NAME.encode()
_INIT = re.compile(r"Init Duration: ([\d.]+) ms")
_TITLES = {
    "dynamodb": "DynamoDB",
    "sqs": "SQS",
    "sns": "SNS",
    "s3": "S3",
    "events": "Events",
    "lambda": "Lambda",
    "stepfunctions": "StepFunctions",
    "secretsmanager": "SecretsManager",
    "kinesis": "Kinesis",
    "ssm": "SSM",
    "kms": "KMS",
}
_RESOURCES = {"dynamodb": "table_name", "sqs": "queue_url", "sns": "topic_arn", "s3": "bucket_name"}


class Sight(Protocol):
    """What has to be looked up in the emulator."""

    def scope(self) -> tuple[str, str]:
        """Account and region of the work under way."""
        ...

    def traced_stage(self, api_id: str, path: str) -> tuple[tuple[str, str], str] | None:
        """Account and region, and `api/stage`, of a REST stage with tracing; None for any other."""
        ...


@dataclass(slots=True)
class Weaver:
    """Joined to the gate and to the executor of functions. Safe from any thread."""

    store: TraceStore
    sight: Sight
    sampler: Sampler = field(default_factory=Sampler)
    _functions: set[str] = field(default_factory=set)  # ids of function segments under way

    # -- at the gate -----------------------------------------------------------------------------------------

    def around(self, request: Request, scope: Scope, send: Send) -> Send:
        """`send`, with the request's segment made when it is answered; `CURRENT` is what the request belongs to."""
        given = next((value for name, value in scope["headers"] if name == _HEADER), None)
        header = read_header(given.decode("latin-1")) if given else None
        if request.service == "execute-api":
            return self._through_api(request, scope, send, header)
        if header is None:
            return send
        if not header.sampled or header.parent not in self._functions or request.by_experiment:
            CURRENT.set(header)
            return send
        call = _opened(_TITLES.get(request.service, request.service), header, kind="subsegment")
        CURRENT.set(header.under(call["id"]))
        return self._answered(call, (request.account, request.region), send, request)

    def _through_api(self, request: Request, scope: Scope, send: Send, header: TraceHeader | None) -> Send:
        """An API passes the header on, and begins a trace where there is none; a traced stage has a segment."""
        found = self.sight.traced_stage(request.resource, scope["path"])
        header = header or TraceHeader(new_trace())
        if found is not None and header.sampled is None:
            header = TraceHeader(header.root, header.parent, sampled=self.sampler.samples(found))
        if found is not None and header.sampled:
            where, name = found
            stage = _opened(name, header)
            stage["origin"] = "AWS::ApiGateway::Stage"
            stage["http"] = {"request": {"method": scope["method"], "url": scope["path"]}}
            header = header.under(stage["id"])
            send = self._answered(stage, where, send, None)
        CURRENT.set(header)
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] != _HEADER] + [
            (_HEADER, str(header).encode())
        ]
        return send

    def _answered(self, document: Document, where: tuple[str, str], send: Send, request: Request | None) -> Send:
        async def traced(message: Message) -> None:
            if message["type"] == "http.response.start":
                if request is not None:
                    document["namespace"], document["aws"] = "aws", _call(request)
                _close(document, status=int(message["status"]))
                self.store.put(document, where)
            await send(message)

        return traced

    # -- at functions ----------------------------------------------------------------------------------------

    def traced_execute(self, execute: Execute) -> Execute:
        """`execute`, with the service's and the function's segment when the invocation is sampled."""

        def traced(record: dict[str, Any], event: Any) -> dict[str, Any]:
            config = record.get("config") or record
            upstream, links = _upstream(event)
            active = (config.get("TracingConfig") or {}).get("Mode") == "Active"
            sampled = upstream.sampled if upstream is not None else None
            if sampled is None:
                sampled = active and self.sampler.samples(config["FunctionArn"])
            header = upstream or TraceHeader(new_trace())
            header = TraceHeader(header.root, header.parent, sampled)
            if not sampled:
                with _current(header):
                    return execute(record, event)
            return self._sampled(execute, record, event, header, links)

        return traced

    def _sampled(
        self,
        execute: Execute,
        record: dict[str, Any],
        event: Any,
        header: TraceHeader,
        links: list[Document],
    ) -> dict[str, Any]:
        config = record.get("config") or record
        service = _opened(str(config["FunctionName"]), header)
        service |= {"origin": "AWS::Lambda", "resource_arn": str(config["FunctionArn"])}
        if links:
            service["links"] = links
        function = _opened(str(config["FunctionName"]), header.under(service["id"]))
        function |= {"origin": "AWS::Lambda::Function", "resource_arn": str(config["FunctionArn"])}
        source = _source(event)
        if source:
            function["metadata"] = {"blackstart": {"event_source": source}}
        self._functions.add(function["id"])
        result: dict[str, Any] = {"error": True}
        try:
            with _current(header.under(function["id"])):
                result = execute(record, event)
            return result
        finally:
            self._functions.discard(function["id"])
            _close(service, status=500 if result.get("function_error") == SERVICE_ERROR_MARK else 200)
            _describe(function, result)
            where = self.sight.scope()
            self.store.put(service, where)
            self.store.put(function, where)

    # -- at state machines -----------------------------------------------------------------------------------

    @contextmanager
    def execution(self, name: str, arn: str, *, traced: bool) -> Iterator[Document | None]:
        """One execution of a state machine; gives its segment, to be filled, or None when it is not sampled."""
        header = CURRENT.get() or TraceHeader(new_trace())
        sampled = header.sampled
        if sampled is None:
            sampled = traced and self.sampler.samples((self.sight.scope(), name))
        if not sampled:
            yield None
            return
        segment = _opened(name, TraceHeader(header.root, header.parent, sampled=True))
        segment |= {"origin": "AWS::StepFunctions::StateMachine", "resource_arn": arn}
        try:
            with _current(TraceHeader(header.root, segment["id"], sampled=True)):
                yield segment
        finally:
            segment["end_time"] = time.time()
            self.store.put(segment, self.sight.scope())


@contextmanager
def _current(header: TraceHeader) -> Iterator[None]:
    token = CURRENT.set(header)
    try:
        yield
    finally:
        CURRENT.reset(token)


def _upstream(event: Any) -> tuple[TraceHeader | None, list[Document]]:
    """The trace an invocation belongs to, and those it is linked with.

    A batch of a queue is a trace of its own, linked with those of its messages, as on AWS.
    https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
    """
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list) or not records or not isinstance(records[0], Mapping):
        return CURRENT.get(), []
    if records[0].get("eventSource") != "aws:sqs":
        return CURRENT.get(), []
    found = [read_header((record.get("attributes") or {}).get("AWSTraceHeader") or "") for record in records]
    headers = [header for header in found if header is not None]
    links = {header.root: {"trace_id": header.root, "id": header.parent} for header in headers}
    sampled = True if any(header.sampled for header in headers) else None
    return TraceHeader(new_trace(), sampled=sampled), list(links.values())


def _source(event: Any) -> str:
    """The ARN of the queue or stream that a batch comes from; '' for any other event."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    first = records[0] if isinstance(records, list) and records else None
    return str(first.get("eventSourceARN") or "") if isinstance(first, Mapping) else ""


def _opened(name: str, header: TraceHeader, kind: str = "") -> Document:
    document: Document = {"id": new_id(), "trace_id": header.root, "name": name, "start_time": time.time()}
    if header.parent:
        document["parent_id"] = header.parent
    if kind:
        document["type"] = kind
    return document


def _close(document: Document, *, status: int) -> None:
    document["end_time"] = time.time()
    document.setdefault("http", {})["response"] = {"status": status}
    if status == 429:
        document |= {"throttle": True, "error": True}
    elif 400 <= status < 500:
        document["error"] = True
    elif status >= 500:
        document["fault"] = True


def _call(request: Request) -> Document:
    found = {"operation": request.operation, "region": request.region}
    key = _RESOURCES.get(request.service)
    return {**found, key: request.resource} if key and request.resource else found


def _describe(function: Document, result: Mapping[str, Any]) -> None:
    """What the invocation came to: its phases, and the error with its type."""
    function["end_time"] = time.time()
    if result.get("zone"):
        known = function.get("metadata", {}).get("blackstart", {})
        function["metadata"] = {"blackstart": {**known, "availability_zone": result["zone"]}}
    init = _INIT.search(str(result.get("log") or ""))
    begin_s, parts = function["start_time"], []
    if init is not None:
        ready_s = min(begin_s + float(init[1]) / 1000, function["end_time"])
        parts.append({"id": new_id(), "name": "Initialization", "start_time": begin_s, "end_time": ready_s})
        begin_s = ready_s
    invocation = {"id": new_id(), "name": "Invocation", "start_time": begin_s, "end_time": function["end_time"]}
    function["subsegments"] = [*parts, invocation]
    if result.get("error"):
        body = result.get("body")
        told = body if isinstance(body, Mapping) else {}
        exception = {
            "id": new_id(),
            "type": str(told.get("errorType", "")),
            "message": str(told.get("errorMessage", "")),
        }
        cause = {"working_directory": "/var/task", "exceptions": [exception]}
        invocation |= {"fault": True, "cause": cause}
        function |= {"fault": True, "cause": cause}
