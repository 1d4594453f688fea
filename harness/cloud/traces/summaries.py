"""What GetTraceSummaries says of a trace. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.cloud.traces.store import Document, Trace, walk


@dataclass(frozen=True, slots=True)
class View:
    """A trace's whole segments, and what is asked of them again and again."""

    id: str
    documents: Sequence[Document]

    @classmethod
    def of(cls, trace: Trace) -> View:
        """The view of a trace."""
        return cls(trace.id, trace.documents())

    @property
    def root(self) -> Document:
        """The segment that began it: the first without a parent, or the first."""
        return next((d for d in self.documents if not d.get("parent_id")), self.documents[0])

    @property
    def start_s(self) -> float:
        """When it began."""
        return float(self.documents[0]["start_time"])

    @property
    def duration_s(self) -> float:
        """From its beginning to the end of what ended last."""
        return max(end_of(d) for d in self.documents) - self.start_s

    @property
    def response_s(self) -> float:
        """What its caller waited for."""
        return end_of(self.root) - float(self.root["start_time"])

    def has(self, mark: str) -> bool:
        """Whether a segment carries `fault`, `error` or `throttle`."""
        return any(document.get(mark) for document in self.documents)

    @property
    def partial(self) -> bool:
        """Whether something is under way yet."""
        return any(document.get("in_progress") for document in self.documents)

    def everything(self) -> Iterator[Document]:
        """Segments and subsegments."""
        for document in self.documents:
            yield from walk(document)

    def annotations(self) -> dict[str, list[tuple[Any, Document]]]:
        """Each annotation's values, with the segment that has it."""
        found: dict[str, list[tuple[Any, Document]]] = {}
        for document in self.documents:
            for inner in walk(document):
                for key, value in (inner.get("annotations") or {}).items():
                    found.setdefault(key, []).append((value, document))
        return found


def end_of(document: Document) -> float:
    """When a segment ended; its beginning while it is under way."""
    return float(document.get("end_time") or document["start_time"])


def service_id(document: Document, account: str) -> dict[str, Any]:
    """A segment's service, as the API names it."""
    kind = str(document.get("origin") or "remote")
    return {"Name": document["name"], "Names": [document["name"]], "AccountId": account, "Type": kind}


def summary(view: View, account: str) -> dict[str, Any]:
    """One TraceSummary."""
    root = view.root
    services = {(d["name"], d.get("origin")): service_id(d, account) for d in view.documents}
    users = sorted({str(d["user"]) for d in view.everything() if d.get("user")})
    return {
        "Id": view.id,
        "StartTime": view.start_s,
        "Duration": round(view.duration_s, 6),
        "ResponseTime": round(view.response_s, 6),
        "HasFault": view.has("fault"),
        "HasError": view.has("error"),
        "HasThrottle": view.has("throttle"),
        "IsPartial": view.partial,
        "Http": _http(root.get("http") or {}),
        "Annotations": {
            key: [{"AnnotationValue": _typed(value), "ServiceIds": [service_id(d, account)]} for value, d in values]
            for key, values in view.annotations().items()
        },
        "Users": [{"UserName": name, "ServiceIds": []} for name in users],
        "ServiceIds": list(services.values()),
        "ResourceARNs": [{"ARN": d["resource_arn"]} for d in view.documents if d.get("resource_arn")],
        "EntryPoint": service_id(root, account),
        "Revision": len(view.documents),
    }


def _http(http: Mapping[str, Any]) -> dict[str, Any]:
    request, response = http.get("request") or {}, http.get("response") or {}
    found = {
        "HttpURL": request.get("url"),
        "HttpMethod": request.get("method"),
        "UserAgent": request.get("user_agent"),
        "ClientIp": request.get("client_ip"),
        "HttpStatus": response.get("status"),
    }
    return {key: value for key, value in found.items() if value is not None}


def _typed(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BooleanValue": value}
    return {"NumberValue": float(value)} if isinstance(value, int | float) else {"StringValue": str(value)}
