"""One order's way through the services is found by its id, in traces that are linked."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytestmark = [pytest.mark.blackstart_covers("xray"), pytest.mark.blackstart_requires("xray")]


ORDERED, PUBLISHED, FULFILLED = "place", "publish", "fulfil"
BETWEEN_ORDERS_S = 1.0


def traces_of(xray: Any, order_id: str) -> dict[str, dict[str, Any]]:
    """The segments of the functions that an order passed, by their names' first word."""
    now = datetime.now(UTC)
    found = xray.get_trace_summaries(
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=1),
        FilterExpression=f'annotation.order_id = "{order_id}"',
    )["TraceSummaries"]
    if not found:
        return {}
    traces = xray.batch_get_traces(TraceIds=[trace["Id"] for trace in found][:5])["Traces"]
    segments = [json.loads(segment["Document"]) for trace in traces for segment in trace["Segments"]]
    return {one["name"].split("-")[0]: one for one in segments if one.get("origin") == "AWS::Lambda"}


def service_map(xray: Any, traces: list[str]) -> dict[tuple[str, str], str]:
    """Who calls whom → `link` where it is by a message or an event, else nothing. A function is one node."""
    services = xray.get_trace_graph(TraceIds=traces)["Services"]
    names = {one["ReferenceId"]: one["Name"] for one in services}
    return {
        (one["Name"], names[edge["ReferenceId"]]): edge.get("EdgeType", "")
        for one in services
        for edge in one["Edges"]
        if one["Name"] != names[edge["ReferenceId"]]
    }


def test_an_order_is_followed_from_its_placing_to_its_fulfilment(shop: Any, eventually: Any) -> None:
    xray, passed, placed_s = shop.aws("xray"), {}, 0.0
    orders: dict[str, dict[str, dict[str, Any]]] = {}

    def followed() -> bool:
        """One order is, of those placed once a second: X-Ray samples the first of a second, and few of the others."""
        nonlocal placed_s
        if time.monotonic() - placed_s > BETWEEN_ORDERS_S:
            placed_s = time.monotonic()
            orders[shop.place(("tea", 1)).body["order_id"]] = {}
        for order_id, found in orders.items():
            found.update(traces_of(xray, order_id))
            if {ORDERED, PUBLISHED, FULFILLED} <= found.keys():
                passed.update(found)
        return bool(passed)

    eventually(followed, what="all traces of an order")
    assert passed[PUBLISHED]["trace_id"] in {link["trace_id"] for link in passed[FULFILLED]["links"]}

    # API → function, function → bus, then by the queue → function → tables, receipt, topic.
    name = {function: passed[function]["name"] for function in passed}
    outputs, fulfil = shop.outputs, name[FULFILLED]
    calls = {
        ("client", name[ORDERED]): "",
        (name[ORDERED], "DynamoDB"): "",  # a transaction names no table
        (name[PUBLISHED], "Events"): "",
        ("Events", fulfil): "link",
        (fulfil, outputs["orders_table"]): "",
        (fulfil, outputs["payments_table"]): "",
        (fulfil, outputs["receipts_bucket"]): "",
        (fulfil, outputs["topic_arn"].split(":")[-1]): "",
    }

    def drawn() -> bool:
        found = service_map(xray, [segment["trace_id"] for segment in passed.values()])
        return calls.items() <= found.items()

    eventually(drawn, what=f"{calls} on the service map")
