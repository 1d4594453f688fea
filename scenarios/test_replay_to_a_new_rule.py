"""A listener that comes late sees what was before it: the archive is replayed to its rule, and to no other."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb")


@pytest.fixture
def late_listener(shop: Any, blackstart_aws: Any) -> Iterator[Any]:
    """Makes a rule with a queue of its own, which hears every placed order: `(rule ARN, queue URL)`."""
    events, sqs = blackstart_aws("events"), blackstart_aws("sqs")
    name, bus = f"late-{uuid.uuid4().hex[:10]}", shop.outputs["bus_name"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def listen() -> tuple[str, str]:
        pattern = {"source": ["orders"], "detail-type": ["OrderPlaced"]}
        rule = events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))["RuleArn"]
        allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
        statement = {**allow, "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": rule}}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        return rule, url

    yield listen
    events.remove_targets(Rule=name, EventBusName=bus, Ids=["queue"])
    events.delete_rule(Name=name, EventBusName=bus)
    sqs.delete_queue(QueueUrl=url)


def test_a_new_rule_sees_orders_of_before(
    shop: Any, blackstart_aws: Any, late_listener: Any, eventually: Any
) -> None:
    began = datetime.now(UTC)
    before = shop.place(("tea", 1)).body["order_id"]
    eventually(lambda: shop.status(before) == "FULFILLED", within_s=60, what="the order of before fulfilled")
    rule, url = late_listener()
    events, now = blackstart_aws("events"), datetime.now(UTC)
    archive = events.describe_archive(ArchiveName=shop.outputs["archive_arn"].rpartition("/")[2])
    events.start_replay(
        ReplayName=f"late-{uuid.uuid4().hex[:10]}",
        EventSourceArn=shop.outputs["archive_arn"],
        EventStartTime=began - timedelta(seconds=5),
        EventEndTime=now + timedelta(seconds=1),
        Destination={"Arn": archive["EventSourceArn"], "FilterArns": [rule]},
    )
    heard: dict[str, Any] = {}

    def told() -> bool:
        answer = blackstart_aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", ()):
            event = json.loads(message["Body"])
            heard[event["detail"]["order_id"]] = event
            blackstart_aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return before in heard

    eventually(told, within_s=60, what=f"the order {before} by replay")
    assert "replay-name" in heard[before]
    assert shop.charges(before) == 1
