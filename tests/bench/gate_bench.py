"""boto3 calls through the gated cloud against bare ministack on its own server, 20 rules loaded."""

import sys
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from peers import Table, bare_ministack, callers, our_cloud, side_by_side

from harness.cloud.client import RunningCloud
from harness.cloud.faults import FaultRule, Reset, Selector
from harness.target import Target

CALLS = 400


def calls(target: Target) -> dict[str, Callable[[], Any]]:
    """The two calls that are measured, each on a fresh resource."""
    sqs = target.client("sqs", max_pool_connections=16)
    dynamodb = target.client("dynamodb", max_pool_connections=16)
    queue = sqs.create_queue(QueueName=f"bench-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    table = f"bench-{uuid.uuid4().hex[:8]}"
    dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return {
        "sqs.send_message": partial(sqs.send_message, QueueUrl=queue, MessageBody="x" * 200),
        "dynamodb.put_item": lambda: dynamodb.put_item(
            TableName=table, Item={"id": {"S": uuid.uuid4().hex}, "body": {"S": "x" * 200}}
        ),
    }


def load_rules(cloud: RunningCloud) -> None:
    """Twenty rules, ten of them about the services that are measured, none of them about what is called."""
    for number in range(20):
        service = ("dynamodb", "sqs", "lambda", "s3")[number % 4]
        cloud.control.put_rule(
            FaultRule(
                id=f"r{number}",
                owner="bench",
                selector=Selector(
                    service=service, operation="Put*" if number % 2 else "", resource=f"other-{number}"
                ),
                effect=Reset(),
                lease_s=3600.0,
            )
        )


def main() -> int:
    table = Table()
    with bare_ministack() as bare, our_cloud() as ours, our_cloud(enforce_iam=True) as strict:
        for cloud in (ours, strict):
            load_rules(cloud)
        for threads in (1, 8):
            sides = [callers(threads, calls, target) for target in (ours.target, bare, strict.target)]
            for name in ("sqs.send_message", "dynamodb.put_item"):
                with_iam_off, peer, with_iam_on = side_by_side(
                    [partial(side.rate, name, threads=threads, calls=CALLS) for side in sides]
                )
                table.row(f"{name}, {threads} threads, IAM off", with_iam_off, peer, "/s", at_least=1.15)
                table.row(f"{name}, {threads} threads, IAM enforced", with_iam_on, peer, "/s")
    return table.missed


if __name__ == "__main__":
    sys.exit(main())
