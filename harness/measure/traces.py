"""X-Ray traces that belong together → one journey: a tree of what ran, and the services with what they called. Pure.

A trace is joined to another by a link (a queue's batch is a trace of its own, linked with those of its messages) or,
where AWS carries no trace at all (a table's stream), by an annotation that both have: an order's id.
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Document = Mapping[str, Any]  # a segment document
_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"})
State = Literal["ok", "error", "throttle", "fault", "in progress"]
Join = Literal["", "link", "annotation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One thing that ran. Instants are seconds of the wall clock.

    `join` says how its trace came to its parent, `source` from which queue or stream it was called.
    """

    id: str
    trace_id: str
    name: str
    kind: str
    start_s: float
    end_s: float
    depth: int
    caller: str = ""
    state: State = "ok"
    error: str = ""
    zone: str = ""
    join: Join = ""
    source: str = ""

    @property
    def took_s(self) -> float:
        """How long."""
        return max(self.end_s - self.start_s, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Calls from one service to another; `between` is their names with their kinds."""

    between: tuple[tuple[str, str], tuple[str, str]]
    calls: int
    failed: int
    total_s: float
    join: Join = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """Everything of one key, callers before what they called."""

    key: str
    traces: tuple[str, ...]
    spans: tuple[Span, ...]
    edges: tuple[Edge, ...]

    @property
    def start_s(self) -> float:
        """When the first began."""
        return min(span.start_s for span in self.spans)

    @property
    def end_s(self) -> float:
        """When the last ended."""
        return max(span.end_s for span in self.spans)

    @property
    def failed(self) -> tuple[Span, ...]:
        """What went wrong, errors of the caller's included."""
        return tuple(span for span in self.spans if span.state not in {"ok", "in progress"})


@dataclass(slots=True)
class _Node:
    document: Document
    trace_id: str
    kind: str
    name: str
    children: list[_Node] = field(default_factory=list)
    join: Join = ""
    ids: set[str] = field(default_factory=set)


def journey(key: str, traces: Mapping[str, Sequence[Document]]) -> Journey:
    """Join traces, each a list of segment documents; there must be at least one segment."""
    roots: list[_Node] = []
    for trace_id, documents in traces.items():
        roots += _trees(trace_id, documents)
    roots = _linked(sorted(roots, key=_start))
    roots = _after_writes(roots)
    spans = [span for root in roots for span in _spans(root, 0, "")]
    return Journey(key=key, traces=tuple(traces), spans=tuple(spans), edges=tuple(_edges(spans)))


def _trees(trace_id: str, documents: Sequence[Document]) -> list[_Node]:
    """The segments of one trace below those that called them; what is one thing to a person is one node."""
    nodes = {d["id"]: _node(d, trace_id) for d in documents}
    owner = {inner: one for node in nodes.values() for one in _every(node) for inner in one.ids}
    roots = []
    for node in sorted(nodes.values(), key=_start):
        parent = owner.get(str(node.document.get("parent_id", "")))
        if parent is None or parent is node:
            roots.append(node)
        elif node.document.get("inferred"):
            _answer(parent, node)
        elif (node.name, node.kind) == (parent.name, "Lambda"):  # the function below the service that ran it
            parent.document = {
                **node.document,
                **_failures(parent.document),
                "start_time": parent.document["start_time"],
            }
            parent.children += node.children
            parent.ids |= node.ids
            owner |= dict.fromkeys(node.ids, parent)
        else:
            parent.children.append(node)
    return roots


def _node(document: Document, trace_id: str) -> _Node:
    kind = "subsegment" if document.get("type") == "subsegment" else _kind(document)
    name = str(document["name"])
    if document.get("namespace") in {"aws", "remote"}:
        kind = f"{name} {(document.get('aws') or {}).get('operation', '')}".strip()
        name = _resource(document) or name
    node = _Node(document, trace_id, kind, name, ids={str(document["id"])})
    for inner in document.get("subsegments", ()):
        if inner["name"] in {"Invocation", "annotations"} and not inner.get("namespace"):
            node.ids.add(str(inner["id"]))
            node.children += [_node(one, trace_id) for one in inner.get("subsegments", ())]
        else:
            node.children.append(_node(inner, trace_id))
    return node


def _answer(call: _Node, inferred: _Node) -> None:
    """What X-Ray infers of a callee tells the call whom it was for."""
    if call.name == str(call.document["name"]):
        call.name = inferred.name
    call.ids |= inferred.ids


def _linked(roots: list[_Node]) -> list[_Node]:
    """Trees below what they are linked with, in traces that are here."""
    owner = {identity: node for root in roots for node in _every(root) for identity in node.ids}
    alone = []
    for root in roots:
        links = [link for node in _every(root) for link in node.document.get("links", ())]
        parents = [owner[str(link.get("id"))] for link in links if str(link.get("id")) in owner]
        if parents and parents[0] not in list(_every(root)):
            root.join = "link"
            parents[0].children.append(root)
        else:
            alone.append(root)
    return alone


def _after_writes(roots: list[_Node]) -> list[_Node]:
    """A batch of a table's stream below the last write before it; what has none of these stays a tree of its own."""
    alone: list[_Node] = []
    for root in roots:
        table = _table(_metadata(root).get("event_source", ""))
        before = [
            node for other in alone for node in _every(other) if _writes(node, table) and _start(node) < _start(root)
        ]
        root.join = "annotation" if alone else ""
        if table and before:
            write = max(before, key=_start)
            write.name = table
            write.children.append(root)
        else:
            alone.append(root)
    return alone


def _writes(node: _Node, table: str) -> bool:
    """Whether a call wrote to the table, or may have: a transaction does not say to which."""
    service, _, operation = node.kind.partition(" ")
    return service == "DynamoDB" and operation in _WRITES and node.name in {table, service}


def _table(stream: str) -> str:
    return stream.partition("table/")[2].partition("/stream/")[0] if ":dynamodb:" in stream else ""


def _every(node: _Node) -> Iterator[_Node]:
    yield node
    for child in node.children:
        yield from _every(child)


def _spans(node: _Node, depth: int, caller: str) -> Iterator[Span]:
    document = node.document
    identity = str(document["id"])
    yield Span(
        id=identity,
        trace_id=node.trace_id,
        name=node.name,
        kind=node.kind,
        start_s=_start(node),
        end_s=float(document.get("end_time") or document["start_time"]),
        depth=depth,
        caller=caller,
        state=_state(document),
        error=_error(document),
        zone=_metadata(node).get("availability_zone", ""),
        join=node.join,
        source=_metadata(node).get("event_source", ""),
    )
    for child in sorted(node.children, key=_start):
        yield from _spans(child, depth + 1, identity)


def _edges(spans: Sequence[Span]) -> Iterator[Edge]:
    known = {span.id: span for span in spans}
    found: dict[tuple[tuple[str, str], tuple[str, str]], list[Span]] = {}
    for span in spans:
        caller = known.get(span.caller)
        through = source_place(span)
        if caller is not None and span.kind != "subsegment":
            found.setdefault((place_of(caller), through or place_of(span)), []).append(span)
        if through is not None:
            found.setdefault((through, place_of(span)), []).append(span)
    for between, calls in found.items():
        if between[0] != between[1]:
            failed = sum(call.state not in {"ok", "in progress"} for call in calls)
            total_s = sum(call.took_s for call in calls)
            yield Edge(between=between, calls=len(calls), failed=failed, total_s=total_s, join=calls[0].join)


def place_of(span: Span) -> tuple[str, str]:
    """A span's node in the map of services: its name, and its service without the operation."""
    return span.name, span.kind.split(" ", maxsplit=1)[0]


def _metadata(node: _Node) -> Mapping[str, str]:
    """What the embedded cloud knows beside what X-Ray has: the zone, and the source of a batch."""
    found: Mapping[str, str] = (node.document.get("metadata") or {}).get("blackstart") or {}
    return found


def source_place(span: Span) -> tuple[str, str] | None:
    """The queue or stream that a span was called from, as a node in the map; None when it was called at once."""
    parts = span.source.split(":")
    if len(parts) < 6:
        return None
    kinds = {"sqs": "SQS", "dynamodb": "DynamoDB", "kinesis": "Kinesis"}
    return _table(span.source) or parts[5].rpartition("/")[2], kinds.get(parts[2], parts[2])


def _start(node: _Node) -> float:
    return float(node.document["start_time"])


def _kind(document: Document) -> str:
    """`AWS::Lambda::Function` → `Lambda`."""
    parts = str(document.get("origin") or "").split("::")
    return parts[1] if len(parts) > 1 else parts[0] or "subsegment"


def _resource(document: Document) -> str:
    aws = document.get("aws") or {}
    found = aws.get("table_name") or aws.get("queue_url") or aws.get("topic_arn") or aws.get("bucket_name")
    return str(found or "").rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def _failures(document: Document) -> dict[str, Any]:
    return {key: document[key] for key in ("fault", "error", "throttle", "links") if key in document}


def _state(document: Document) -> State:
    for mark in ("fault", "throttle", "error"):
        if document.get(mark):
            return mark
    return "in progress" if document.get("in_progress") else "ok"


def _error(document: Document) -> str:
    """What the first exception says, or the status."""
    cause = document.get("cause")
    for exception in cause.get("exceptions", ()) if isinstance(cause, Mapping) else ():
        return f"{exception.get('type', '')}: {exception.get('message', '')}".strip(": ")
    status = ((document.get("http") or {}).get("response") or {}).get("status")
    return f"HTTP {status}" if status and int(status) >= 400 else ""
