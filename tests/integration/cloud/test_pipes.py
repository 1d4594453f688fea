"""EventBridge Pipes over boto3: filter, enrichment, templates, targets, dead letters."""

import io
import json
import zipfile
from typing import Any

import pytest

from tests.waiting import until

ACCOUNT, REGION = "000000000000", "us-east-1"
CODE = """
def enrich(records, _):
    return [{"id": one["id"], "price": one["id"] * 10} for one in records]

def poison(records, _):
    raise ValueError("poison")
"""


class Plumbing:
    """A role that may do everything, queues, and functions."""

    def __init__(self, cloud: Any) -> None:
        self.cloud = cloud
        self.pipes, self.sqs = cloud.target.client("pipes"), cloud.target.client("sqs")
        iam = cloud.target.client("iam")
        trusted = {"Service": ["pipes.amazonaws.com", "lambda.amazonaws.com"]}
        trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
        self.role = iam.create_role(RoleName="all", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
        allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam.put_role_policy(RoleName="all", PolicyName="all", PolicyDocument=document(allowed))

    def queue(self, name: str) -> str:
        self.sqs.create_queue(QueueName=name)
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"

    def send(self, name: str, body: Any) -> None:
        self.sqs.send_message(QueueUrl=self.url(name), MessageBody=json.dumps(body))

    def url(self, name: str) -> str:
        return str(self.sqs.get_queue_url(QueueName=name)["QueueUrl"])

    def received(self, name: str) -> Any:
        """The next message's JSON."""
        found = until(lambda: self.sqs.receive_message(QueueUrl=self.url(name), WaitTimeSeconds=1).get("Messages"))
        self.sqs.delete_message(QueueUrl=self.url(name), ReceiptHandle=found[0]["ReceiptHandle"])
        return json.loads(found[0]["Body"])

    def function(self, name: str) -> str:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as code:
            code.writestr("app.py", CODE)
        made = self.cloud.target.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=self.role,
            Handler=f"app.{name}",
            Code={"ZipFile": archive.getvalue()},
            Timeout=30,
        )
        return str(made["FunctionArn"])


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def plumbing(cloud: Any) -> Plumbing:
    return Plumbing(cloud)


def test_a_queue_is_filtered_enriched_and_shaped(plumbing: Plumbing) -> None:
    source, target = plumbing.queue("in"), plumbing.queue("out")
    pattern = {"body": {"kind": ["order"], "id": [{"numeric": [">", 1]}]}}
    plumbing.pipes.create_pipe(
        Name="p",
        RoleArn=plumbing.role,
        Source=source,
        Target=target,
        Enrichment=plumbing.function("enrich"),
        EnrichmentParameters={"InputTemplate": '{"id": <$.body.id>}'},
        SourceParameters={
            "FilterCriteria": {"Filters": [{"Pattern": json.dumps(pattern)}]},
            "SqsQueueParameters": {"BatchSize": 1},
        },
        TargetParameters={"InputTemplate": '{"total": <$.price>, "by": "<aws.pipes.pipe-name>"}'},
    )
    plumbing.send("in", {"kind": "gossip", "id": 9})
    plumbing.send("in", {"kind": "order", "id": 1})
    plumbing.send("in", {"kind": "order", "id": 2})
    assert plumbing.received("out") == {"total": 20, "by": "p"}
    told = plumbing.pipes.describe_pipe(Name="p")
    assert told["SourceParameters"]["SqsQueueParameters"]["BatchSize"] == 1
    attributes = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def left() -> int:  # what the filter drops is deleted, as on AWS
        found = plumbing.sqs.get_queue_attributes(QueueUrl=plumbing.url("in"), AttributeNames=attributes)
        return sum(int(value) for value in found["Attributes"].values())

    assert until(lambda: left() == 0)


def test_a_tables_stream_goes_to_a_bus(plumbing: Plumbing, table: Any) -> None:
    events = plumbing.cloud.target.client("events")
    bus = events.create_event_bus(Name="shop")["EventBusArn"]
    target = plumbing.queue("out")
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": target}
    plumbing.sqs.set_queue_attributes(QueueUrl=plumbing.url("out"), Attributes={"Policy": document(allowed)})
    events.put_rule(Name="r", EventBusName="shop", EventPattern=json.dumps({"detail-type": ["placed"]}))
    events.put_targets(Rule="r", EventBusName="shop", Targets=[{"Id": "1", "Arn": target}])
    table.update_table(
        TableName="orders", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    )
    stream = table.describe_table(TableName="orders")["Table"]["LatestStreamArn"]
    plumbing.pipes.create_pipe(
        Name="p",
        RoleArn=plumbing.role,
        Source=stream,
        Target=bus,
        SourceParameters={
            "DynamoDBStreamParameters": {"StartingPosition": "TRIM_HORIZON"},
            "FilterCriteria": {"Filters": [{"Pattern": json.dumps({"eventName": ["INSERT"]})}]},
        },
        TargetParameters={
            "EventBridgeEventBusParameters": {"DetailType": "placed", "Source": "shop"},
            "InputTemplate": '{"id": <$.dynamodb.NewImage.id.S>}',
        },
    )
    table.put_item(TableName="orders", Item={"id": {"S": "o-1"}})
    event = plumbing.received("out")
    assert (event["source"], event["detail"]) == ("shop", {"id": "o-1"})


def test_a_pipe_reads_what_its_role_may_read(plumbing: Plumbing) -> None:
    iam, sources = plumbing.cloud.target.client("iam"), [plumbing.queue("closed"), plumbing.queue("open")]
    target = plumbing.queue("out")
    trust = {"Effect": "Allow", "Principal": {"Service": "pipes.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="some", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": "sqs:*", "Resource": [sources[1], target]}
    iam.put_role_policy(RoleName="some", PolicyName="some", PolicyDocument=document(allowed))
    for name, source in zip(("closed", "open"), sources, strict=True):
        plumbing.send(name, {"from": name})
        plumbing.pipes.create_pipe(Name=name, RoleArn=role, Source=source, Target=target)
    told = json.loads(plumbing.received("out")["body"])
    assert told == {"from": "open"}
    left = plumbing.sqs.receive_message(
        QueueUrl=plumbing.url("closed"), MessageSystemAttributeNames=["ApproximateReceiveCount"]
    )
    assert left["Messages"][0]["Attributes"]["ApproximateReceiveCount"] == "1"  # by us: the pipe never had it


def test_a_streams_batch_that_fails_is_given_up_to_the_dead_letters(plumbing: Plumbing) -> None:
    kinesis = plumbing.cloud.target.client("kinesis")
    kinesis.create_stream(StreamName="lines", ShardCount=1)
    described = kinesis.describe_stream(StreamName="lines")["StreamDescription"]
    dead = plumbing.queue("dead")
    plumbing.pipes.create_pipe(
        Name="p",
        RoleArn=plumbing.role,
        Source=described["StreamARN"],
        Target=plumbing.function("poison"),
        SourceParameters={
            "KinesisStreamParameters": {
                "StartingPosition": "TRIM_HORIZON",
                "MaximumRetryAttempts": 1,
                "DeadLetterConfig": {"Arn": dead},
            }
        },
    )
    until(lambda: kinesis.describe_stream(StreamName="lines")["StreamDescription"]["StreamStatus"] == "ACTIVE")
    kinesis.put_record(StreamName="lines", PartitionKey="k", Data=b'{"a": 1}')
    told = plumbing.received("dead")
    assert told["context"]["condition"] == "RetryAttemptsExhausted"
    assert told["batchInfo"]["batchSize"] == 1


def test_what_a_pipe_cannot_move_here_is_refused_by_name(plumbing: Plumbing) -> None:
    target = plumbing.queue("out")
    with pytest.raises(plumbing.pipes.exceptions.ValidationException, match="source of mq is not supported here"):
        plumbing.pipes.create_pipe(
            Name="p", RoleArn=plumbing.role, Source=f"arn:aws:mq:{REGION}:{ACCOUNT}:broker:b", Target=target
        )
