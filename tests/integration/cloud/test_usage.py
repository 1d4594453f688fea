"""What AWS would charge for is counted as it is used, over boto3: the meters behind the cost in every report."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.waiting import until

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        },
    }
)


@pytest.fixture
def used(cloud: Any) -> Callable[[], Any]:
    """Meters of a `with` body, filled once it is over."""

    @contextmanager
    def metered() -> Iterator[dict[str, float]]:
        before, found = cloud.control.usage(), dict[str, float]()
        yield found
        after = cloud.control.usage()
        found.update({name: value - before.get(name, 0.0) for name, value in after.items()})

    return metered


def test_a_table_counts_units_by_size_and_consistency(table: Any, used: Any) -> None:
    with used() as meters:
        table.put_item(TableName="orders", Item={"id": {"S": "small"}})
        answer = table.put_item(TableName="orders", Item={"id": {"S": "big"}, "note": {"S": "x" * 5000}})
        assert "ConsumedCapacity" not in answer
        with pytest.raises(table.exceptions.ConditionalCheckFailedException):
            table.put_item(
                TableName="orders", Item={"id": {"S": "big"}}, ConditionExpression="attribute_not_exists(id)"
            )
        table.get_item(TableName="orders", Key={"id": {"S": "small"}})
        table.get_item(TableName="orders", Key={"id": {"S": "big"}}, ConsistentRead=True)
    assert meters["dynamodb.write_units"] == 1 + 5 + 1
    assert meters["dynamodb.read_units"] == 0.5 + 2
    assert meters["dynamodb.stored_gb"] == pytest.approx((2 + 5 + 2 + 3 + 4 + 5000 + 200) / 1e9, abs=5e-8)


def test_who_asks_for_the_consumed_capacity_is_told_and_counted_once(table: Any, used: Any) -> None:
    with used() as meters:
        answer = table.put_item(TableName="orders", Item={"id": {"S": "a"}}, ReturnConsumedCapacity="TOTAL")
    assert (answer["ConsumedCapacity"]["CapacityUnits"], meters["dynamodb.write_units"]) == (1.0, 1.0)


def test_a_provisioned_table_is_charged_by_the_hour_and_not_by_units(cloud: Any, used: Any) -> None:
    dynamodb = cloud.target.client("dynamodb")
    dynamodb.create_table(
        TableName="hourly",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    )
    with used() as meters:
        dynamodb.put_item(TableName="hourly", Item={"id": {"S": "a"}})
    assert meters.get("dynamodb.write_units", 0) == 0


def test_a_queue_counts_requests_and_a_batch_is_one(cloud: Any, used: Any) -> None:
    sqs = cloud.target.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    fifo = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    with used() as meters:
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": "x"} for n in range(10)])
        sqs.receive_message(QueueUrl=url)
        sqs.send_message(QueueUrl=url, MessageBody="x" * (100 << 10))  # two times 64 KB
        sqs.send_message(QueueUrl=fifo, MessageBody="x", MessageGroupId="g", MessageDeduplicationId="d")
    assert (meters["sqs.standard_requests"], meters["sqs.fifo_requests"]) == (4, 1)


def test_topics_buses_and_buckets_count_what_they_take(cloud: Any, used: Any) -> None:
    sns, events, s3 = (cloud.target.client(name) for name in ("sns", "events", "s3"))
    topic = sns.create_topic(Name="t")["TopicArn"]
    s3.create_bucket(Bucket="kept")
    with used() as meters:
        sns.publish(TopicArn=topic, Message="hello")
        events.put_events(Entries=[{"Source": "shop", "DetailType": "d", "Detail": "{}"}] * 3)
        s3.put_object(Bucket="kept", Key="a", Body=b"x" * 1000)
        s3.get_object(Bucket="kept", Key="a")["Body"].read()
        s3.delete_object(Bucket="kept", Key="b")
    assert (meters["sns.publishes"], meters["eventbridge.custom_events"]) == (1, 3)
    assert (meters["s3.put_requests"], meters["s3.get_requests"]) == (1, 1)
    assert meters["s3.stored_gb"] == pytest.approx(1000 / 1e9)


@pytest.fixture
def function(cloud: Any) -> str:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr(
            "index.py", "import time\ndef handler(event, _):\n    time.sleep(event['s'])\n    return 1\n"
        )
    iam, lambdas = cloud.target.client("iam"), cloud.target.client("lambda")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    lambdas.create_function(
        FunctionName="sleeper",
        Runtime="python3.11",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="index.handler",
        Code={"ZipFile": code.getvalue()},
        MemorySize=512,
        Timeout=60,
    )
    return "sleeper"


def test_a_function_counts_requests_and_the_gb_seconds_it_is_billed(cloud: Any, function: str) -> None:
    lambdas = cloud.target.client("lambda")
    before = cloud.control.usage()
    for _ in range(2):
        lambdas.invoke(FunctionName=function, Payload=json.dumps({"s": 0.2}))

    def metered(name: str) -> float:
        return cloud.control.usage().get(name, 0.0) - before.get(name, 0.0)

    assert until(lambda: metered("lambda.requests") == 2)
    assert until(lambda: metered("lambda.gb_seconds") > 0.2 * 0.5)  # more than one of them; its clock may start late
    assert until(lambda: metered("logs.ingested_gb") > 0)


def test_state_machines_count_transitions_or_requests(cloud: Any, used: Any) -> None:
    cloud.target.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    machines = cloud.target.client("stepfunctions")
    states = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "End": True}}
    definition = json.dumps({"StartAt": "A", "States": states})
    role = "arn:aws:iam::000000000000:role/r"

    def run(name: str, kind: str) -> None:
        arn = machines.create_state_machine(name=name, definition=definition, roleArn=role, type=kind)[
            "stateMachineArn"
        ]
        machines.start_execution(stateMachineArn=arn)

    before = cloud.control.usage()
    run("standard", "STANDARD")
    run("express", "EXPRESS")

    def counted() -> bool:
        after = cloud.control.usage()
        names = ("stepfunctions.transitions", "stepfunctions.express_requests")
        return [after.get(name, 0) - before.get(name, 0) for name in names] == [2, 1]

    assert until(counted)
