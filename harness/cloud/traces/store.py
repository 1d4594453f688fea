"""Traces by id: what was sent, as X-Ray keeps it. Safe from any thread."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

Document = dict[str, Any]
"""A segment document. https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html"""

MOST_TRACES = 20_000
"""Traces kept, the newest; AWS keeps thirty days."""

MOST_SEGMENTS = 2_000

ORIGINS: Mapping[str, str] = {
    "dynamodb": "AWS::DynamoDB::Table",
    "sqs": "AWS::SQS::Queue",
    "sns": "AWS::SNS::Topic",
    "s3": "AWS::S3::Bucket",
    "events": "AWS::Events",
    "lambda": "AWS::Lambda",
    "stepfunctions": "AWS::StepFunctions::StateMachine",
}
"""What the node of an AWS call is called that no segment of its own answers."""


class SegmentError(ValueError):
    """A document that X-Ray does not process. The code is X-Ray's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Trace:
    """One trace: its segments by id, subsegments that came alone by id, and where each was sent from."""

    id: str
    segments: dict[str, Document] = field(default_factory=dict)
    loose: dict[str, Document] = field(default_factory=dict)
    scopes: set[tuple[str, str]] = field(default_factory=set)

    def documents(self) -> list[Document]:
        """Whole segments, earliest first: subsegments in their parents, and a node for each AWS call without one."""
        whole = {key: _copy(document) for key, document in self.segments.items()}
        known = {inner["id"]: inner for document in whole.values() for inner in walk(document)}
        loose = {key: _copy(document) for key, document in self.loose.items()}
        known |= {inner["id"]: inner for document in loose.values() for inner in walk(document)}
        alone = []
        for document in loose.values():
            parent = known.get(document.get("parent_id", ""))
            if parent is None:
                alone.append(document)
            else:
                parent.setdefault("subsegments", []).append(document)
        answered = {document.get("parent_id") for document in whole.values()}
        roots = [*whole.values(), *alone]
        inferred = [_inferred(call, self.id) for root in roots for call in _calls(root) if call["id"] not in answered]
        return sorted([*roots, *inferred], key=lambda document: float(document["start_time"]))


@dataclass(slots=True)
class TraceStore:
    """The newest traces of every account and region."""

    _traces: OrderedDict[str, Trace] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, document: Document, scope: tuple[str, str]) -> None:
        """Take one segment, or a subsegment that came alone. `scope` is the sender's account and region.

        Raises:
            SegmentError: it is not valid.
        """
        check(document)
        with self._lock:
            trace = self._traces.get(document["trace_id"])
            if trace is None:
                trace = self._traces[document["trace_id"]] = Trace(document["trace_id"])
                if len(self._traces) > MOST_TRACES:
                    self._traces.popitem(last=False)
            if len(trace.segments) + len(trace.loose) >= MOST_SEGMENTS:
                raise SegmentError("LimitExceeded", f"trace {trace.id} has {MOST_SEGMENTS} segments")
            where = trace.loose if document.get("type") == "subsegment" else trace.segments
            where[document["id"]] = document
            trace.scopes.add(scope)

    def get(self, trace_id: str) -> Trace | None:
        """A copy of one trace, None when it is not known."""
        with self._lock:
            trace = self._traces.get(trace_id)
            return None if trace is None else _snapshot(trace)

    def scope_of(self, trace_id: str) -> tuple[str, str] | None:
        """An account and region that a trace has segments of."""
        with self._lock:
            trace = self._traces.get(trace_id)
            return next(iter(trace.scopes), None) if trace is not None else None

    def between(self, start_s: float, end_s: float, scope: tuple[str, str]) -> list[Trace]:
        """Traces of one account and region that began in [start_s, end_s], newest first."""
        with self._lock:
            found = [
                _snapshot(t) for t in self._traces.values() if scope in t.scopes and start_s <= began_s(t) <= end_s
            ]
        return found[::-1]

    def clear(self) -> None:
        """Forget every trace."""
        with self._lock:
            self._traces.clear()


def began_s(trace: Trace) -> float:
    """When a trace's first segment began."""
    documents = trace.segments or trace.loose
    return min(float(document["start_time"]) for document in documents.values())


def check(document: Document) -> None:
    """Refuse what X-Ray does not process.

    Raises:
        SegmentError: with X-Ray's code.
    """
    for name, kind in (("id", str), ("trace_id", str), ("name", str), ("start_time", float | int)):
        if not isinstance(document.get(name), kind):
            code = "MissingId" if name == "id" else "ParseError"
            raise SegmentError(code, f"Invalid segment. ErrorCode: {code}: {name} is missing or of another type")
    if document.get("type") == "subsegment" and not document.get("parent_id"):
        raise SegmentError("MissingParentId", "Invalid subsegment. ErrorCode: MissingParentId")
    if "end_time" not in document and not document.get("in_progress"):
        raise SegmentError("MissingEndTime", "Invalid segment: end_time or in_progress is needed")


def walk(document: Document) -> Iterator[Document]:
    """A document and all its subsegments."""
    yield document
    for inner in document.get("subsegments", ()):
        yield from walk(inner)


def _calls(document: Document) -> Iterator[Document]:
    """Subsegments that call something else."""
    return (inner for inner in walk(document) if inner.get("namespace") in {"aws", "remote"})


def _inferred(call: Document, trace_id: str) -> Document:
    """The segment that X-Ray infers for a callee that sends none."""
    aws = call.get("aws") or {}
    resource = aws.get("table_name") or aws.get("queue_url") or aws.get("topic_arn") or aws.get("bucket_name")
    found: Document = {
        key: call[key]
        for key in ("start_time", "end_time", "http", "error", "fault", "throttle", "aws")
        if key in call
    }
    service = str(call["name"]).lower()
    return {
        **found,
        "id": f"{int(call['id'], 16) ^ 0xFFFFFFFFFFFFFFFF:016x}",
        "name": str(resource or call["name"]).rsplit("/", 1)[-1].rsplit(":", 1)[-1],
        "trace_id": trace_id,
        "parent_id": call["id"],
        "inferred": True,
        "origin": ORIGINS.get(service, f"AWS::{call['name']}") if call.get("namespace") == "aws" else "remote",
    }


def _copy(document: Document) -> Document:
    copied: Document = msgspec.json.decode(msgspec.json.encode(document))
    return copied


def _snapshot(trace: Trace) -> Trace:
    return Trace(trace.id, dict(trace.segments), dict(trace.loose), set(trace.scopes))
