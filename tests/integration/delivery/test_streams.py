"""Kinesis → Lambda as AWS promises it: a poison record stops its shard only so long, and only those of its key."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.waiting import awaited, until

STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/orders"


def url(shop: Any, arn: str) -> str:
    return str(shop.sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"])


def relayed(shop: Any, **mapping: Any) -> tuple[Any, list[list[str]]]:
    """A stream whose batches a function tells of; gives the stream's client, and a list that `heard` fills."""
    told, go = shop.queue("told"), shop.queue("go")
    variables = {"TOLD": url(shop, told), "GO": url(shop, go)}
    shop.function("relay", Handler="app.relay", Environment={"Variables": variables}, Timeout=120)
    kinesis = shop.cloud.target.client("kinesis")
    kinesis.create_stream(StreamName="orders", ShardCount=1)
    awaited(
        lambda: (
            kinesis.describe_stream_summary(StreamName="orders")["StreamDescriptionSummary"]["StreamStatus"]
            == "ACTIVE"
        )
    )
    shop.cloud.target.client("lambda").create_event_source_mapping(
        EventSourceArn=STREAM, FunctionName="relay", StartingPosition="LATEST", **mapping
    )
    return kinesis, []


def hear(shop: Any, heard: list[list[str]]) -> None:
    """Take what the function told of its batches."""
    name = shop.sqs.get_queue_url(QueueName="told")["QueueUrl"]
    for message in shop.sqs.receive_message(QueueUrl=name, MaxNumberOfMessages=10, WaitTimeSeconds=1).get(
        "Messages", ()
    ):
        heard.append(json.loads(message["Body"]))
        shop.sqs.delete_message(QueueUrl=name, ReceiptHandle=message["ReceiptHandle"])


def put(kinesis: Any, *texts: str, key: str = "a") -> None:
    kinesis.put_records(StreamName="orders", Records=[{"Data": text.encode(), "PartitionKey": key} for text in texts])


def test_a_poison_record_of_kinesis_is_cut_out_told_of_and_the_rest_flows_on(shop: Any) -> None:
    given_up = shop.queue("given-up")
    kinesis, heard = relayed(
        shop,
        BatchSize=4,
        MaximumRetryAttempts=1,
        BisectBatchOnFunctionError=True,
        DestinationConfig={"OnFailure": {"Destination": given_up}},
    )
    put(kinesis, "one", "poison", "two", "three")
    record = json.loads(shop.received(given_up)["Body"])
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    info = record["KinesisBatchInfo"]
    assert (info["batchSize"], info["streamArn"], info["shardId"]) == (1, STREAM, "shardId-000000000000")

    def flowed() -> set[str]:  # in whatever batches the poller found them
        hear(shop, heard)
        return {text for batch in heard if "poison" not in batch for text in batch}

    assert until(lambda: flowed() == {"one", "two", "three"}), heard
    assert heard.count(["poison"]) == 2  # one try, one retry


def test_keys_of_one_shard_run_side_by_side_and_each_in_its_order(shop: Any) -> None:
    kinesis, heard = relayed(shop, BatchSize=1, ParallelizationFactor=10)
    put(kinesis, "slow", "after slow", key="a")
    assert until(lambda: hear(shop, heard) or ["slow"] in heard)
    put(kinesis, "other", key="b")
    assert until(lambda: hear(shop, heard) or ["other"] in heard), heard  # while `slow` holds its own key
    assert ["after slow"] not in heard
    shop.sqs.send_message(QueueUrl=shop.sqs.get_queue_url(QueueName="go")["QueueUrl"], MessageBody="go")
    assert until(lambda: hear(shop, heard) or ["after slow"] in heard), heard


def test_what_a_mapping_would_drop_without_a_word_is_refused_by_name(shop: Any) -> None:
    shop.function("f")
    functions = shop.cloud.target.client("lambda")
    for wrong in ({"TumblingWindowInSeconds": 30}, {"ParallelizationFactor": 11}):
        with pytest.raises(ClientError, match=next(iter(wrong))):
            functions.create_event_source_mapping(
                EventSourceArn=STREAM, FunctionName="f", StartingPosition="LATEST", **wrong
            )
