"""OpenTelemetry in: OTLP over HTTP, as protobuf or JSON, becomes segments. Pure but for the store it fills.

The mapping is that of the OpenTelemetry collector's X-Ray exporter: server spans and roots are segments, the rest
subsegments; https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.cloud.asgi import Receive, Scope, Send, read_body, respond
from harness.cloud.traces.store import Document, SegmentError, TraceStore

PATH = "/v1/traces"
_SERVER, _CLIENT, _PRODUCER, _CONSUMER = 2, 3, 4, 5
_FAILED = 2


@dataclass(slots=True)
class OtlpReceiver:
    """An ASGI application for `POST /v1/traces`. `home` is the account and region that spans are taken in."""

    store: TraceStore
    home: tuple[str, str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one export."""
        body = await read_body(receive)
        if body is None:
            return
        kind = next((v.decode("latin-1") for n, v in scope["headers"] if n == b"content-type"), "")
        encoding = next((v for n, v in scope["headers"] if n == b"content-encoding"), b"")
        try:
            request = _decoded(body, kind, gzipped=encoding == b"gzip")
            rejected = self._take(request)
        except (ValueError, KeyError, TypeError) as error:
            await respond(send, 400, json.dumps({"message": f"no OTLP export: {error}"}).encode())
            return
        if kind.startswith("application/json"):
            partial = {"partialSuccess": {"rejectedSpans": rejected}} if rejected else {}
            await respond(send, 200, json.dumps(partial).encode())
        else:
            await respond(send, 200, b"", "application/x-protobuf")

    def _take(self, request: Mapping[str, Any]) -> int:
        rejected = 0
        for document in segments(request):
            try:
                self.store.put(document, self.home)
            except SegmentError:
                rejected += 1
        return rejected


def _decoded(body: bytes, kind: str, *, gzipped: bool) -> Mapping[str, Any]:
    import gzip

    data = gzip.decompress(body) if gzipped else body
    if kind.startswith("application/json"):
        found: Mapping[str, Any] = json.loads(data)
        return found
    if not kind.startswith("application/x-protobuf"):
        raise ValueError(f"the content type {kind!r} is neither application/x-protobuf nor application/json")
    import base64

    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    try:
        message: dict[str, Any] = MessageToDict(ExportTraceServiceRequest.FromString(data))
    except DecodeError as error:
        raise ValueError(str(error)) from error
    for span in _spans(message):  # ids are bytes: base64 here, hexadecimal in OTLP's own JSON
        for key in ("traceId", "spanId", "parentSpanId"):
            if key in span[1]:
                span[1][key] = base64.b64decode(span[1][key]).hex()
    return message


def _spans(request: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    for resource in request.get("resourceSpans", ()):
        attributes = _attributes((resource.get("resource") or {}).get("attributes", ()))
        for scoped in resource.get("scopeSpans", ()):
            for span in scoped.get("spans", ()):
                yield attributes, span


def segments(request: Mapping[str, Any]) -> Iterator[Document]:
    """The segments and subsegments of an export in OTLP's JSON form."""
    for resource, span in _spans(request):
        yield _document(resource, span)


def _document(resource: Mapping[str, Any], span: Mapping[str, Any]) -> Document:
    attributes, kind, trace_id = (
        _attributes(span.get("attributes", ())),
        _kind(span.get("kind")),
        str(span["traceId"]),
    )
    parent = str(span.get("parentSpanId") or "")
    whole = not parent or kind in {_SERVER, _CONSUMER}
    service = str(resource.get("service.name") or "unknown_service")
    document: Document = {
        "id": str(span["spanId"]),
        "trace_id": f"1-{trace_id[:8]}-{trace_id[8:]}",
        "name": service if whole else str(attributes.get("peer.service") or span.get("name")),
        "start_time": int(span["startTimeUnixNano"]) / 1e9,
        "end_time": int(span["endTimeUnixNano"]) / 1e9,
        "annotations": {
            key.replace(".", "_"): value for key, value in attributes.items() if not isinstance(value, list)
        },
        "metadata": {"default": {"otel.resource": dict(resource), "span": span.get("name")}},
    }
    if parent:
        document["parent_id"] = parent
    if not whole:
        document["type"] = "subsegment"
        if kind in {_CLIENT, _PRODUCER}:
            document["namespace"] = "aws" if attributes.get("rpc.system") == "aws-api" else "remote"
    document |= _outcome(span, attributes)
    return document


def _outcome(span: Mapping[str, Any], attributes: Mapping[str, Any]) -> Document:
    found: Document = {}
    status = attributes.get("http.response.status_code", attributes.get("http.status_code"))
    url = attributes.get("url.full") or attributes.get("http.url") or attributes.get("url.path")
    if status is not None or url:
        method = attributes.get("http.request.method") or attributes.get("http.method")
        found["http"] = {"request": {"url": url, "method": method}, "response": {"status": status}}
    failed = (span.get("status") or {}).get("code") in {_FAILED, "STATUS_CODE_ERROR"}
    if isinstance(status, int) and 400 <= status < 500:
        found |= {"error": True} | ({"throttle": True} if status == 429 else {})
    elif failed or (isinstance(status, int) and status >= 500):
        found["fault"] = True
    events = [
        _attributes(event.get("attributes", ()))
        for event in span.get("events", ())
        if event.get("name") == "exception"
    ]
    if events:
        found["cause"] = {
            "exceptions": [
                {"type": one.get("exception.type", ""), "message": one.get("exception.message", "")} for one in events
            ]
        }
    return found


def _kind(kind: Any) -> int:
    names = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
    return names.index(str(kind).removeprefix("SPAN_KIND_")) if isinstance(kind, str) else int(kind or 0)


def _attributes(listed: Any) -> dict[str, Any]:
    return {str(one["key"]): _value(one.get("value") or {}) for one in listed}


def _value(value: Mapping[str, Any]) -> Any:
    if "intValue" in value:
        return int(value["intValue"])
    if "arrayValue" in value:
        return [_value(one) for one in value["arrayValue"].get("values", ())]
    return next((value[key] for key in ("stringValue", "boolValue", "doubleValue") if key in value), None)
