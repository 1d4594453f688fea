"""An order is placed, paid, receipted, announced, and says so."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb", "events", "sqs", "s3", "sns")


def test_an_order_is_fulfilled_with_one_charge_and_one_receipt(shop: Any, eventually: Any) -> None:
    placed = shop.place(("tea", 2), ("cup", 1))
    assert placed.status == 201
    assert placed.body["status"] == "PLACED"
    order_id = placed.body["order_id"]
    eventually(lambda: shop.status(order_id) == "FULFILLED", what=f"order {order_id} fulfilled")
    assert shop.charges(order_id) == 1
    assert shop.receipts(order_id) == 1


@pytest.fixture
def subscriber(shop: Any, blackstart_aws: Any) -> Iterator[str]:
    """A queue of our own on the topic: what others receive does not go missing here."""
    sqs, sns = blackstart_aws("sqs"), blackstart_aws("sns")
    url = sqs.create_queue(QueueName=f"scenario-{uuid.uuid4().hex[:12]}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = shop.outputs["topic_arn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    statement = {**allow, "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
    yield url
    sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    sqs.delete_queue(QueueUrl=url)


def test_the_customer_is_notified(shop: Any, blackstart_aws: Any, subscriber: str, eventually: Any) -> None:
    order_id = shop.place(("coffee", 1)).body["order_id"]
    told: set[str] = set()

    def heard() -> bool:
        answer = blackstart_aws("sqs").receive_message(QueueUrl=subscriber, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        notes = [json.loads(json.loads(message["Body"])["Message"]) for message in answer.get("Messages", ())]
        told.update(note["order_id"] for note in notes)
        return order_id in told

    eventually(heard, what=f"a notification about {order_id}")
