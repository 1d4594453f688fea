"""Insights queries under way: started, asked for, stopped. They run beside the server's event loop."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.logs.insights.expressions import Row
from harness.cloud.logs.insights.rows import Stretch, rows
from harness.cloud.logs.insights.stages import MOST_ROWS, Query, prepare
from harness.cloud.logs.insights.syntax import QueryError

AT_ONCE = 2
"""Queries that run at once; further ones wait as `Scheduled`, as they do on AWS beyond its quota."""

Answer = tuple[int, dict[str, str], bytes]


@dataclass(slots=True)
class RunningQuery:
    """One query and what it has found. `status` is CloudWatch's word."""

    query: Query
    stretches: Sequence[Stretch]
    limit: int
    status: str = "Scheduled"
    found: list[list[tuple[str, str]]] = field(default_factory=list)
    scanned: int = 0
    scanned_bytes: int = 0

    def run(self) -> None:
        """To its end, or until it was cancelled."""
        if self.status != "Scheduled":
            return
        self.status = "Running"
        try:
            source = rows(self.stretches, self.query.fields, any_order=self.query.any_order)
            found = [self.query.shown(row) for row in self.query.run(self._watched(source), self.limit)]
            for stretch in self.stretches:
                self.scanned_bytes += sum(len(event["message"]) for event in stretch.events)
            self.scanned = sum(len(stretch.events) for stretch in self.stretches)
            self.stretches = ()
        except Exception:
            self.status = "Failed"
            raise
        if self.status == "Running":
            self.found, self.status = found, "Complete"

    def cancel(self) -> bool:
        """Stop it; False when it had ended."""
        if self.status not in {"Scheduled", "Running"}:
            return False
        self.status = "Cancelled"
        return True

    def _watched(self, source: Iterable[Row]) -> Iterator[Row]:
        """The rows, until the query is cancelled: looked at every thousand."""
        iterator = iter(source)
        while self.status == "Running":
            batch = list(itertools.islice(iterator, 1000))
            if not batch:
                return
            yield from batch


@dataclass(slots=True)
class QueryDesk:
    """StartQuery, GetQueryResults and StopQuery. Queries are where ministack keeps its own: a reset forgets them."""

    _workers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE, "insights"))

    def start(self, data: Mapping[str, Any], stretches: Sequence[Stretch]) -> Answer:
        """Begin a query over these events."""
        from ministack.core.responses import error_response_json, json_response
        from ministack.services import cloudwatch_logs

        language = str(data.get("queryLanguage") or "CWLI")
        if language != "CWLI":
            refused: Answer = error_response_json(
                "InvalidParameterException", f"queryLanguage {language} is not supported here: CWLI is", 400
            )
            return refused
        try:
            query = prepare(str(data.get("queryString") or ""))
        except QueryError as error:
            return _malformed(error)
        running = RunningQuery(query, stretches, min(int(data.get("limit") or MOST_ROWS), MOST_ROWS))
        query_id = str(uuid.uuid4())
        cloudwatch_logs._queries[query_id] = running  # noqa: SLF001 - kept by account and region
        self._workers.submit(running.run)
        started: Answer = json_response({"queryId": query_id})
        return started

    def results(self, data: Mapping[str, Any]) -> Answer:
        """What a query has found."""
        from ministack.core.responses import json_response

        running = _running(data)
        if running is None:
            return _unknown(data)
        statistics = {
            "recordsMatched": float(running.query.matched),
            "recordsScanned": float(running.scanned),
            "bytesScanned": float(running.scanned_bytes),
        }
        results = [[{"field": name, "value": value} for name, value in row] for row in running.found]
        answer: Answer = json_response(
            {"status": running.status, "results": results, "statistics": statistics, "queryLanguage": "CWLI"}
        )
        return answer

    def stop(self, data: Mapping[str, Any]) -> Answer:
        """Cancel a query."""
        from ministack.core.responses import error_response_json, json_response

        running = _running(data)
        if running is None:
            return _unknown(data)
        if not running.cancel():
            refused: Answer = error_response_json("InvalidParameterException", "Query is not running", 400)
            return refused
        answer: Answer = json_response({"success": True})
        return answer

    def close(self) -> None:
        """Start no more."""
        self._workers.shutdown(wait=False, cancel_futures=True)


def _running(data: Mapping[str, Any]) -> RunningQuery | None:
    from ministack.services import cloudwatch_logs

    found: RunningQuery | None = cloudwatch_logs._queries.get(str(data.get("queryId")))  # noqa: SLF001
    return found


def _unknown(data: Mapping[str, Any]) -> Answer:
    from ministack.core.responses import error_response_json

    answer: Answer = error_response_json(
        "ResourceNotFoundException", f"Query {data.get('queryId')} does not exist", 400
    )
    return answer


def _malformed(error: QueryError) -> Answer:
    from ministack.core.responses import error_response_json

    location = {"startCharOffset": error.start, "endCharOffset": error.end}
    compile_error = {"location": location, "message": str(error)}
    answer: Answer = error_response_json(
        "MalformedQueryException", str(error), 400, {"queryCompileError": compile_error}
    )
    return answer
