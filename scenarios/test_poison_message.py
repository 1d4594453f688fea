"""A message that can never be processed ends in the dead-letter queue, and the rest flows on."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

pytestmark = [
    pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb"),
    pytest.mark.blackstart_requires("alarms"),
]


def test_poison_goes_to_the_dead_letters_an_alarm_rings_and_clears_and_orders_flow_on(
    shop: Any, eventually: Any
) -> None:
    """The function counts its failures (app/business_metrics.py); after ten good seconds the alarm is quiet."""
    sqs, cloudwatch, alarm = shop.aws("sqs"), shop.aws("cloudwatch"), shop.outputs["failing_alarm"]

    def state() -> str:
        return str(cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]["StateValue"])

    eventually(lambda: state() == "OK", what="a quiet alarm before anything fails")
    began = datetime.now(UTC)
    poison = {"detail": {"order_id": f"nobody-{uuid.uuid4()}", "correlation_id": "poison"}}
    sqs.send_message(QueueUrl=shop.outputs["fulfil_queue_url"], MessageBody=json.dumps(poison))

    def orders_flow(number: int) -> None:
        for order_id in [shop.place(("tea", 1)).body["order_id"] for _ in range(number)]:
            eventually(lambda o=order_id: shop.status(o) == "FULFILLED", what=f"order {order_id} fulfilled")

    orders_flow(5)

    def buried() -> bool:
        answer = sqs.receive_message(
            QueueUrl=shop.outputs["fulfil_dlq_url"], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return any(json.loads(message["Body"]) == poison for message in answer.get("Messages", ()))

    eventually(buried, within_s=40, what="the poison message in the dead-letter queue")

    def rang_and_cleared() -> bool:
        orders_flow(1)
        items = cloudwatch.describe_alarm_history(
            AlarmName=alarm, HistoryItemType="StateUpdate", ScanBy="TimestampAscending", StartDate=began
        )["AlarmHistoryItems"]
        states = [json.loads(item["HistoryData"])["newState"]["stateValue"] for item in items]
        return "ALARM" in states and "OK" in states[states.index("ALARM") :]

    eventually(rang_and_cleared, within_s=120, what="the alarm of failing fulfilment rung, and quiet again")
