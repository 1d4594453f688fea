"""One order's way through the services is found by its id, in traces that are linked."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytestmark = [pytest.mark.blackstart_covers("xray"), pytest.mark.blackstart_requires("xray")]


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


def test_an_order_is_followed_from_its_placing_to_its_fulfilment(
    shop: Any, blackstart_aws: Any, eventually: Any
) -> None:
    order_id = shop.place(("tea", 1)).body["order_id"]
    xray, passed = blackstart_aws("xray"), {}

    def followed() -> bool:
        passed.update(traces_of(xray, order_id))
        return {"place", "publish", "fulfil"} <= passed.keys()

    eventually(followed, what=f"traces of {order_id}")
    assert passed["publish"]["trace_id"] in {link["trace_id"] for link in passed["fulfil"]["links"]}
