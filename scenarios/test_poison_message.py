"""Fulfilment that fails rings an alarm; a message that can never be processed ends in the dead-letter queue."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

pytestmark = pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb")


def poison() -> dict[str, Any]:
    """A message about an order that nobody placed."""
    return {"detail": {"order_id": f"nobody-{uuid.uuid4()}", "correlation_id": "poison"}}


def fulfilled(shop: Any, eventually: Any, orders: int) -> None:
    """So many orders are placed, and reach their end."""
    for order_id in [shop.place(("tea", 1)).body["order_id"] for _ in range(orders)]:
        eventually(lambda o=order_id: shop.status(o) == "FULFILLED", what=f"order {order_id} fulfilled")


@pytest.mark.blackstart_requires("alarms")
def test_an_alarm_rings_when_fulfilment_fails_and_clears_when_orders_are_fulfilled(
    shop: Any, eventually: Any
) -> None:
    """The function counts its failures (app/business_metrics.py); after a good period the alarm is quiet."""
    cloudwatch, alarm = shop.aws("cloudwatch"), shop.outputs["failing_alarm"]

    def state() -> str:
        return str(cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]["StateValue"])

    eventually(lambda: state() == "OK", what="a quiet alarm before anything fails")
    began = datetime.now(UTC)
    attributes = {"ApproximateReceiveCount": "1"}
    record = {"messageId": "m", "receiptHandle": "h", "body": json.dumps(poison()), "attributes": attributes}
    said = shop.aws("lambda").invoke(  # as its queue does, once
        FunctionName=shop.outputs["functions"]["fulfil"], Payload=json.dumps({"Records": [record]})
    )
    assert json.load(said["Payload"]) == {"batchItemFailures": [{"itemIdentifier": "m"}]}

    def rang_and_cleared() -> bool:
        fulfilled(shop, eventually, 1)
        items = cloudwatch.describe_alarm_history(
            AlarmName=alarm, HistoryItemType="StateUpdate", ScanBy="TimestampAscending", StartDate=began
        )["AlarmHistoryItems"]
        states = [json.loads(item["HistoryData"])["newState"]["stateValue"] for item in items]
        return "ALARM" in states and "OK" in states[states.index("ALARM") :]

    eventually(rang_and_cleared, within_s=120, what="the alarm of failing fulfilment rung, and quiet again")


def test_poison_goes_to_the_dead_letters_and_orders_flow_on(shop: Any, eventually: Any) -> None:
    sqs, dead_letters, message = shop.aws("sqs"), shop.outputs["fulfil_dlq_url"], poison()
    sqs.send_message(QueueUrl=shop.outputs["fulfil_queue_url"], MessageBody=json.dumps(message))
    fulfilled(shop, eventually, 5)

    def buried() -> bool:
        """It is taken away then; what others left there is out of sight for a second."""
        found = sqs.receive_message(QueueUrl=dead_letters, MaxNumberOfMessages=10, VisibilityTimeout=1)
        handles = [one["ReceiptHandle"] for one in found.get("Messages", ()) if json.loads(one["Body"]) == message]
        for handle in handles:
            sqs.delete_message(QueueUrl=dead_letters, ReceiptHandle=handle)
        return bool(handles)

    eventually(buried, within_s=40, what="the poison message in the dead-letter queue")
