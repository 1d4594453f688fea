"""A fulfilled order is announced over the channels that the customer chose: each gets its copy, others none."""

import json
from typing import Any

import pytest

pytestmark = [pytest.mark.part("notices"), pytest.mark.blackstart_covers("execute-api", "lambda", "sns")]


class Channels:
    """What lies in the channels' queues, kept: several scenarios look at once."""

    def __init__(self, shop: Any) -> None:
        self._sqs, self._queues = shop.aws("sqs"), shop.outputs["notice_queues"]

    def told(self, channel: str, order_id: str) -> bool:
        """Is there a notice of the order? What is looked at stays in the queue."""
        for _ in range(20):
            answer = self._sqs.receive_message(
                QueueUrl=self._queues[channel], MaxNumberOfMessages=10, VisibilityTimeout=1
            )
            found = [json.loads(message["Body"]) for message in answer.get("Messages", ())]
            if any(one["order_id"] == order_id for one in found):
                return True
            if not found:
                return False
        return False


def order_telling(shop: Any, *channels: str) -> str:
    body = {"customer": "ada", "items": [{"sku": "tea", "quantity": 1}], "notify": list(channels)}
    placed = shop.place(body=body)
    assert placed.status == 201
    return str(placed.body["order_id"])


def test_each_channel_gets_its_copy(shop: Any, eventually: Any) -> None:
    order_id, channels = order_telling(shop, "email", "sms", "push"), Channels(shop)
    for channel in ("email", "sms", "push"):
        eventually(lambda c=channel: channels.told(c, order_id), within_s=60, what=f"{order_id} by {channel}")


def test_only_the_chosen_channel_is_told(shop: Any, eventually: Any) -> None:
    order_id, channels = order_telling(shop, "sms"), Channels(shop)
    eventually(lambda: channels.told("sms", order_id), within_s=60, what=f"{order_id} by sms")
    assert not channels.told("email", order_id)
    assert not channels.told("push", order_id)


def test_who_chose_nothing_is_not_told(shop: Any, eventually: Any) -> None:
    silent = order_telling(shop)
    eventually(lambda: shop.status(silent) == "FULFILLED", within_s=60, what="the silent order fulfilled")
    later, channels = order_telling(shop, "push"), Channels(shop)
    eventually(lambda: channels.told("push", later), within_s=60, what="a later order by push")
    assert not channels.told("push", silent)


def test_a_channel_that_there_is_not_is_refused(shop: Any) -> None:
    body = {"customer": "ada", "items": [{"sku": "tea", "quantity": 1}], "notify": ["pigeon"]}
    refused = shop.place(body=body)
    assert refused.status == 400
    assert "push" in refused.body["error"]
