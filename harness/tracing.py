"""Finds the traces of one order in the running stack's X-Ray, and those that are linked with them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.errors import UsageError
from harness.measure.traces import Journey, journey
from harness.stack import RunningStack

TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
KEYS = ("order_id", "correlation_id", "checkout_id")
"""The annotations that are looked at unless others are named."""

_LONGEST = timedelta(hours=6)  # of one request for summaries
_AFTER = timedelta(minutes=15)
_MOST = 300
"""Traces that are looked through for one that is linked with a trace that was found."""

_AT_ONCE = 5  # BatchGetTraces takes no more

Documents = list[dict[str, Any]]


def find(stack: RunningStack, key: str, annotations: Sequence[str] = KEYS) -> Journey:
    """The journey of an order's id, or of a trace's.

    Raises:
        UsageError: no trace has it.
    """
    found: dict[str, Documents] = {}
    for region in stack.target.regions:
        xray = stack.target.client("xray", region=region)
        ids = [key] if TRACE_ID.fullmatch(key) else _with_annotation(xray, key, annotations)
        found |= _documents(xray, ids)
        found |= _linked_with(xray, found)
    if not found:
        raise UsageError(
            f"no trace of the last six hours has {key!r}",
            where=f"annotations {', '.join(annotations)}",
            hint="trace with active tracing, annotate with the order's id (--annotation KEY for another name); "
            "X-Ray samples the first request of a second, 5 % of the others, and what comes with Sampled=1",
        )
    return journey(key, found)


def _with_annotation(xray: Any, key: str, annotations: Sequence[str]) -> list[str]:
    value = key.replace('"', "")
    asked = " OR ".join(f'annotation.{name} = "{value}"' for name in annotations)
    now = datetime.now(UTC)
    return list(_summaries(xray, now - _LONGEST + timedelta(minutes=1), now + timedelta(minutes=1), asked))


def _summaries(xray: Any, start: datetime, end: datetime, expression: str) -> Iterator[str]:
    pages = xray.get_paginator("get_trace_summaries").paginate(
        StartTime=start, EndTime=end, **({"FilterExpression": expression} if expression else {})
    )
    for page in pages:
        yield from (summary["Id"] for summary in page["TraceSummaries"])


def _documents(xray: Any, ids: Sequence[str]) -> dict[str, Documents]:
    found = {}
    for start in range(0, len(ids), _AT_ONCE):
        answer = xray.batch_get_traces(TraceIds=list(ids[start : start + _AT_ONCE]))
        for trace in answer["Traces"]:
            found[trace["Id"]] = [json.loads(segment["Document"]) for segment in trace["Segments"]]
    return found


def _linked_with(xray: Any, found: dict[str, Documents]) -> dict[str, Documents]:
    """Traces that these are linked with, before them and after them, and so on."""
    more: dict[str, Documents] = {}
    asked = set(found)
    later = _later(xray, found) if found else {}
    grew = True
    while grew:
        known = {**found, **more}
        before = [one for one in _links(known) if one not in asked]
        asked.update(before)
        after = {one: documents for one, documents in later.items() if one not in known and _points(documents, known)}
        new = {**_documents(xray, before), **after}
        more |= new
        grew = bool(new)
    return more


def _later(xray: Any, found: dict[str, Documents]) -> dict[str, Documents]:
    """Traces that began in the minutes after these."""
    starts = [float(document["start_time"]) for documents in found.values() for document in documents]
    first = datetime.fromtimestamp(min(starts), UTC)
    last = min(datetime.fromtimestamp(max(starts), UTC) + _AFTER, first + _LONGEST - timedelta(seconds=1))
    ids = [one for one in _summaries(xray, first, last, "") if one not in found]
    return _documents(xray, sorted(ids)[:_MOST])  # an id begins with its second


def _links(traces: dict[str, Documents]) -> list[str]:
    every = [link["trace_id"] for documents in traces.values() for d in documents for link in d.get("links", ())]
    return list(dict.fromkeys(every))


def _points(documents: Documents, known: dict[str, Documents]) -> bool:
    return any(link["trace_id"] in known for document in documents for link in document.get("links", ()))
