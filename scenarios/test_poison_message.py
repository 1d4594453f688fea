"""A message that can never be processed ends in the dead-letter queue, and the rest flows on."""

import json
import uuid
from typing import Any

import pytest

pytestmark = pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb")


def test_poison_goes_to_the_dead_letters_and_orders_flow_on(shop: Any, blackstart_aws: Any, eventually: Any) -> None:
    sqs = blackstart_aws("sqs")
    poison = {"detail": {"order_id": f"nobody-{uuid.uuid4()}", "correlation_id": "poison"}}
    sqs.send_message(QueueUrl=shop.outputs["fulfil_queue_url"], MessageBody=json.dumps(poison))
    orders = [shop.place(("tea", 1)).body["order_id"] for _ in range(5)]
    for order_id in orders:
        eventually(lambda o=order_id: shop.status(o) == "FULFILLED", what=f"order {order_id} fulfilled")

    def buried() -> bool:
        answer = sqs.receive_message(
            QueueUrl=shop.outputs["fulfil_dlq_url"], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return any(json.loads(message["Body"]) == poison for message in answer.get("Messages", ()))

    eventually(buried, within_s=40, what="the poison message in the dead-letter queue")
