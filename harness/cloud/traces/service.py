"""The X-Ray API: segments in, traces, summaries and graphs out. What is only configuration goes on to moto."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from harness.cloud.asgi import REQUEST, App, Receive, Scope, Send, read_body, replay, respond
from harness.cloud.traces.filter_expression import FilterError, compile_filter
from harness.cloud.traces.graph import service_graph
from harness.cloud.traces.store import SegmentError, Trace, TraceStore
from harness.cloud.traces.summaries import View, summary

Body = Mapping[str, Any]  # wire JSON
Answer = dict[str, Any]

MOST_SUMMARIES = 100
MOST_IDS = 5
LONGEST_S = 6 * 3600.0
"""The longest stretch of time in one request."""


class RefusedError(Exception):
    """An InvalidRequestException, with its message."""


@dataclass(slots=True)
class XRay:
    """An ASGI application. `configuration` answers groups, sampling rules, encryption and tags."""

    store: TraceStore
    configuration: App

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        operation = self._operations().get(scope["path"])
        body = await read_body(receive)
        if body is None:
            return
        if operation is None or scope["method"] != "POST":
            await self.configuration(scope, replay(body, receive), send)
            return
        request = scope[REQUEST]
        try:
            answer = operation(json.loads(body or b"{}"), (request.account, request.region))
            status = 200
        except (RefusedError, FilterError, KeyError, TypeError, ValueError) as error:
            answer, status = {"message": str(error), "__type": "InvalidRequestException"}, 400
        extra = () if status == 200 else (("x-amzn-errortype", "InvalidRequestException"),)
        await respond(send, status, json.dumps(answer).encode(), "application/json", extra)

    async def heal(self) -> list[str]:
        """Nothing of it is in force."""
        return []

    def reset(self) -> None:
        """Forget every trace."""
        self.store.clear()

    def _operations(self) -> dict[str, Callable[[Body, tuple[str, str]], Answer]]:
        return {
            "/TraceSegments": self._put_segments,
            "/TelemetryRecords": lambda _body, _scope: {},
            "/Traces": self._get_traces,
            "/TraceSummaries": self._summaries,
            "/ServiceGraph": self._service_graph,
            "/TraceGraph": self._trace_graph,
        }

    def _put_segments(self, body: Body, scope: tuple[str, str]) -> Answer:
        unprocessed = []
        for text in body["TraceSegmentDocuments"]:
            document: Any = None
            try:
                document = msgspec.json.decode(text)
                self.store.put(document, scope)
            except (SegmentError, msgspec.DecodeError, AttributeError) as error:
                code = error.code if isinstance(error, SegmentError) else "ParseError"
                identity = document.get("id") if isinstance(document, dict) else None
                unprocessed.append({"Id": identity or "", "ErrorCode": code, "Message": str(error)})
        return {"UnprocessedTraceSegments": unprocessed}

    def _get_traces(self, body: Body, scope: tuple[str, str]) -> Answer:
        asked = body["TraceIds"]
        if not 1 <= len(asked) <= MOST_IDS:
            raise RefusedError(f"1 to {MOST_IDS} trace ids")
        found = {trace_id: self.store.get(trace_id) for trace_id in asked}
        known = [trace for trace in found.values() if trace is not None and scope in trace.scopes]
        return {
            "Traces": [_whole(trace) for trace in known],
            "UnprocessedTraceIds": [one for one in asked if one not in {trace.id for trace in known}],
        }

    def _between(self, body: Body, scope: tuple[str, str]) -> list[Trace]:
        start_s, end_s = float(body["StartTime"]), float(body["EndTime"])
        if end_s - start_s > LONGEST_S:
            raise RefusedError("Time range cannot exceed 6 hours")
        if end_s < start_s:
            raise RefusedError("EndTime is before StartTime")
        return self.store.between(start_s, end_s, scope)

    def _summaries(self, body: Body, scope: tuple[str, str]) -> Answer:
        test = compile_filter(str(body.get("FilterExpression") or ""))
        views = [View.of(trace) for trace in self._between(body, scope)]
        matching = [view for view in views if test(view)]
        start = int(body.get("NextToken") or 0)
        page = matching[start : start + MOST_SUMMARIES]
        more = {"NextToken": str(start + MOST_SUMMARIES)} if start + MOST_SUMMARIES < len(matching) else {}
        return {
            "TraceSummaries": [summary(view, scope[0]) for view in page],
            "ApproximateTime": time.time(),
            "TracesProcessedCount": len(views),
            **more,
        }

    def _service_graph(self, body: Body, scope: tuple[str, str]) -> Answer:
        views = [View.of(trace) for trace in self._between(body, scope)]
        return {
            "StartTime": body["StartTime"],
            "EndTime": body["EndTime"],
            "Services": service_graph(views, scope[0]),
            "ContainsOldGroupVersions": False,
        }

    def _trace_graph(self, body: Body, scope: tuple[str, str]) -> Answer:
        traces = [self.store.get(trace_id) for trace_id in body["TraceIds"]]
        views = [View.of(trace) for trace in traces if trace is not None and scope in trace.scopes]
        return {"Services": service_graph(views, scope[0])}


def _whole(trace: Trace) -> Answer:
    view = View.of(trace)
    segments = [{"Id": document["id"], "Document": json.dumps(document)} for document in view.documents]
    return {"Id": trace.id, "Duration": view.duration_s, "LimitExceeded": False, "Segments": segments}
