"""The service graph of traces: nodes that answer, edges between them, with their figures. Pure.

https://docs.aws.amazon.com/xray/latest/api/API_GetServiceGraph.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.traces.store import Document, walk
from harness.cloud.traces.summaries import View, end_of

Key = tuple[str, str]  # name and type

_FUNCTIONS = frozenset({"AWS::Lambda", "AWS::Lambda::Function"})


@dataclass(slots=True)
class _Figures:
    ok: int = 0
    error: int = 0
    throttle: int = 0
    fault: int = 0
    total_s: float = 0.0
    times: list[float] = field(default_factory=list)
    start_s: float = float("inf")
    end_s: float = 0.0

    def add(self, document: Document) -> None:
        took_s = end_of(document) - float(document["start_time"])
        self.times.append(took_s)
        self.total_s += took_s
        self.start_s = min(self.start_s, float(document["start_time"]))
        self.end_s = max(self.end_s, end_of(document))
        if document.get("fault"):
            self.fault += 1
        elif document.get("throttle"):
            self.throttle += 1
        elif document.get("error"):
            self.error += 1
        else:
            self.ok += 1

    def shown(self) -> dict[str, Any]:
        statistics = {
            "OkCount": self.ok,
            "ErrorStatistics": {
                "ThrottleCount": self.throttle,
                "OtherCount": self.error,
                "TotalCount": self.throttle + self.error,
            },
            "FaultStatistics": {"OtherCount": self.fault, "TotalCount": self.fault},
            "TotalCount": len(self.times),
            "TotalResponseTime": self.total_s,
        }
        histogram: dict[float, int] = {}
        for took_s in self.times:
            value = round(took_s, 3)
            histogram[value] = histogram.get(value, 0) + 1
        return {
            "StartTime": self.start_s,
            "EndTime": self.end_s,
            "SummaryStatistics": statistics,
            "ResponseTimeHistogram": [{"Value": value, "Count": n} for value, n in sorted(histogram.items())],
        }


def service_graph(views: Iterable[View], account: str) -> list[dict[str, Any]]:
    """The services of these traces, each with its edges to what it calls; clients are services too.

    Where a trace is linked to others of these, an edge of the type `link` leads from what sent the message or the
    event to who received it: https://docs.aws.amazon.com/xray/latest/api/API_Edge.html.
    """
    views = list(views)
    nodes: dict[Key, _Figures] = {}
    edges: dict[tuple[Key, Key], _Figures] = {}
    asynchronous: dict[tuple[Key, Key], _Figures] = {}
    roots: set[Key] = set()
    senders = _senders(views)
    for view in views:
        owner = {inner["id"]: _key(document) for document in view.documents for inner in walk(document)}
        linked = {ln["trace_id"] for document in view.documents for ln in document.get("links", ())}
        for document in view.documents:
            key = _key(document)
            nodes.setdefault(key, _Figures()).add(document)
            caller = owner.get(document.get("parent_id", ""))
            if caller is None and not linked:
                caller = ("client", "client")
                nodes.setdefault(caller, _Figures()).add(document)
                roots.add(key)
            if caller is not None and caller != key:
                edges.setdefault((caller, key), _Figures()).add(document)
            for link in document.get("links", ()):
                sender = senders.get((link["trace_id"], link["id"]))
                if sender is not None:
                    asynchronous.setdefault((sender, key), _Figures()).add(document)
    numbers = {key: number for number, key in enumerate(nodes)}
    return [
        {
            "ReferenceId": numbers[key],
            "Name": key[0],
            "Names": [key[0]],
            "Root": key in roots,
            "AccountId": account,
            "Type": key[1],
            "State": "active",
            **figures.shown(),
            "Edges": [
                {"ReferenceId": numbers[target], **kind, **found.shown()}
                for kind, drawn in (({}, edges), ({"EdgeType": "link"}, asynchronous))
                for (source, target), found in drawn.items()
                if source == key
            ],
        }
        for key, figures in nodes.items()
    ]


def _senders(views: Iterable[View]) -> dict[tuple[str, str], Key]:
    """What a link names, trace and (sub)segment → the service drawn for it: the one called, else the caller."""
    found: dict[tuple[str, str], Key] = {}
    for view in views:
        for document in view.documents:
            found |= {(view.id, inner["id"]): _key(document) for inner in walk(document)}
        for document in view.documents:
            if "parent_id" in document and document.get("origin") not in _FUNCTIONS:
                found[view.id, document["parent_id"]] = _key(document)
    return found


def _key(document: Document) -> Key:
    return str(document["name"]), str(document.get("origin") or "remote")
