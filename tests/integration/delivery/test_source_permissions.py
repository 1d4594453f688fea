"""A queue is read under the function's own role, and not at all when that may not."""

import json
from typing import Any

from tests.waiting import until


def left(shop: Any, name: str) -> int:
    """How many messages a queue has, seen or not."""
    url = shop.sqs.get_queue_url(QueueName=name)["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = shop.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(value) for value in found.values())


def consumed(shop: Any, name: str, role: str) -> None:
    """A queue with one message, and a function that consumes it under `role`."""
    arn, all_may = shop.queue(name), shop.role
    shop.sqs.send_message(QueueUrl=shop.sqs.get_queue_url(QueueName=name)["QueueUrl"], MessageBody="order")
    shop.role = role
    function = shop.function(name)
    shop.role = all_may
    shop.cloud.target.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=function)


def test_what_the_role_may_not_read_stays_in_the_queue_until_it_may(shop: Any) -> None:
    iam = shop.cloud.target.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    none = iam.create_role(RoleName="none", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    consumed(shop, "locked", none)
    consumed(shop, "open", shop.role)
    assert until(lambda: left(shop, "open") == 0)  # each look goes through both queues, the locked one first
    assert left(shop, "locked") == 1
    allow = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName="none", PolicyName="own", PolicyDocument=policy)
    assert until(lambda: left(shop, "locked") == 0)
