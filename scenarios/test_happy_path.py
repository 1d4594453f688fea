"""An order is placed, paid, receipted, announced, and says so."""

import json
from typing import Any


def test_an_order_is_fulfilled_with_one_charge_and_one_receipt(shop: Any, eventually: Any) -> None:
    placed = shop.place(("tea", 2), ("cup", 1))
    assert placed.status == 201
    assert placed.body["status"] == "PLACED"
    order_id = placed.body["order_id"]
    eventually(lambda: shop.status(order_id) == "FULFILLED", what=f"order {order_id} fulfilled")
    assert shop.charges(order_id) == 1
    assert shop.receipts(order_id) == 1


def test_the_customer_is_notified(shop: Any, blackstart_aws: Any, eventually: Any) -> None:
    order_id = shop.place(("coffee", 1)).body["order_id"]
    queue = shop.outputs["notifications_queue_url"]
    told: set[str] = set()

    def heard() -> bool:
        answer = blackstart_aws("sqs").receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=0
        )
        told.update(json.loads(message["Body"])["order_id"] for message in answer.get("Messages", ()))
        return order_id in told

    eventually(heard, within_s=15, what=f"a notification about {order_id}")
