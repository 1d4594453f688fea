"""Traces that belong together become one tree; and the picture of it says what a person looks for."""

from typing import Any
from xml.etree import ElementTree as ET

from rich.console import Console

from harness.measure.traces import Journey, journey
from harness.report.trace import picture, render_journey

TABLE = "arn:aws:dynamodb:us-east-1:0:table/orders/stream/2026"
QUEUE = "arn:aws:sqs:us-east-1:0:work"


def function(
    name: str, at_s: float, took_s: float, *calls: Any, source: str = "", **more: Any
) -> list[dict[str, Any]]:
    """The two segments of one invocation, as Lambda sends them; its function's zone is az1."""
    whose = {"name": name, "start_time": at_s, "end_time": at_s + took_s, "trace_id": f"1-{name}"}
    metadata = {"blackstart": {"availability_zone": "az1", "event_source": source}}
    service = {**whose, "id": f"{name}-service", "origin": "AWS::Lambda", **more}
    inner = {**whose, "id": name, "origin": "AWS::Lambda::Function", "parent_id": f"{name}-service"}
    return [service, {**inner, "subsegments": list(calls), "metadata": metadata}]


def call(identity: str, service: str, operation: str, at_s: float, **aws: Any) -> dict[str, Any]:
    return {
        "id": identity, "name": service, "namespace": "aws", "start_time": at_s, "end_time": at_s + 0.01,
        "aws": {"operation": operation, **aws},
    }  # fmt: skip


def order() -> Journey:
    """Placed → the table's stream → a bus → a queue → fulfilled, where a charge failed."""
    failed = {**call("charge", "DynamoDB", "PutItem", 1.5, table_name="payments"), "fault": True}
    failed["cause"] = {"exceptions": [{"type": "Timeout", "message": "no answer"}]}
    fulfil = function("fulfil", 1.4, 0.3, failed, source=QUEUE, links=[{"trace_id": "1-publish", "id": "put"}])
    inferred = {
        "id": "x", "name": "payments", "inferred": True, "parent_id": "charge", "origin": "AWS::DynamoDB::Table",
        "start_time": 1.5, "end_time": 1.51, "trace_id": "1-fulfil",
    }  # fmt: skip
    return journey(
        "o-1",
        {
            "1-fulfil": [*fulfil, inferred],
            "1-publish": function("publish", 1.2, 0.2, call("put", "Events", "PutEvents", 1.3), source=TABLE),
            "1-place": function("place", 1.0, 0.1, call("write", "DynamoDB", "TransactWriteItems", 1.05)),
            "1-again": function("again", 2.0, 0.1),
        },
    )


def test_links_streams_and_ids_make_one_tree_of_several_traces() -> None:
    assert [(span.depth, span.name, span.join) for span in order().spans] == [
        (0, "place", ""),
        (1, "orders", ""),  # the transaction, named by the table whose stream went on
        (2, "publish", "annotation"),
        (3, "Events", ""),
        (4, "fulfil", "link"),
        (5, "payments", ""),
        (0, "again", "annotation"),
    ]


def test_a_service_and_its_function_are_one_with_the_zone_it_ran_in() -> None:
    place = order().spans[0]
    assert (place.kind, place.zone, round(place.took_s, 3)) == ("Lambda", "az1", 0.1)


def test_between_a_batch_and_its_caller_stands_the_queue() -> None:
    edges = {edge.between for edge in order().edges}
    assert (("Events", "Events"), ("work", "SQS")) in edges
    assert (("work", "SQS"), ("fulfil", "Lambda")) in edges
    assert (("orders", "DynamoDB"), ("publish", "Lambda")) in edges


def test_what_failed_is_told_on_the_terminal_and_marked_in_the_picture() -> None:
    console = Console(width=120, record=True, force_terminal=False)
    console.print(render_journey(order()))
    shown = console.export_text()
    assert "o-1: 7 services in 4 linked traces" in shown
    assert "1 failed" in shown
    assert "✗ fault: Timeout: no answer" in shown
    assert "from work, linked" in shown
    root = ET.fromstring(picture(order()))  # noqa: S314 - our own text
    texts = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "✗ payments" in texts
    assert any("from 1970-01-01 00:00:01 UTC" in text for text in texts)


def test_a_name_that_would_break_the_picture_does_not() -> None:
    ET.fromstring(picture(journey("<o&1>", {"1-a": function("<a&b>", 1.0, 0.1)})))  # noqa: S314 - our own text
