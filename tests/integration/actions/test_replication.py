"""Replication pauses: what is written meanwhile waits, arrives in the end, and no copy differs from another."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.waiting import until

EAST, WEST = "us-east-1", "us-west-2"


@pytest.fixture(scope="module")
def tables(aws: Any) -> dict[str, Any]:
    """A global table, by region: clients that are bound to it."""
    clients = {region: aws.cloud.target.client("dynamodb", region=region) for region in (EAST, WEST)}
    clients[EAST].create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    clients[EAST].update_table(TableName="orders", ReplicaUpdates=[{"Create": {"RegionName": WEST}}])
    return clients


def put(client: Any, key: str, value: str) -> None:
    client.put_item(TableName="orders", Item={"id": {"S": key}, "v": {"S": value}})


def value(client: Any, key: str) -> str:
    found = client.get_item(TableName="orders", Key={"id": {"S": key}}, ConsistentRead=True).get("Item")
    return str(found["v"]["S"]) if found else ""


TABLE = {
    "resourceType": "aws:dynamodb:global-table",
    "resourceArns": ["arn:aws:dynamodb:us-east-1:000000000000:table/orders"],
}


def test_a_global_table_waits_both_ways_and_catches_up(aws: Any, tables: dict[str, Any]) -> None:
    east, west = tables[EAST], tables[WEST]
    put(east, "before", "1")
    assert until(lambda: value(west, "before") == "1")
    with aws.running(aws.action("aws:dynamodb:global-table-pause-replication"), TABLE) as experiment:
        put(east, "a", "1")
        put(east, "a", "2")
        put(west, "b", "1")
        east.delete_item(TableName="orders", Key={"id": {"S": "before"}})
        time.sleep(0.2)
        assert (value(west, "a"), value(east, "b"), value(west, "before")) == ("", "", "1")
        assert (value(east, "a"), value(west, "b")) == ("2", "1")
    assert until(lambda: (value(west, "a"), value(east, "b"), value(west, "before")) == ("2", "1", ""))
    healed = [e.detail for e in aws.cloud.control.evidence(owner=experiment) if e.kind == "fault_healed"]
    assert [d["fired"] for d in healed] == [4]
    put(east, "after", "1")
    assert until(lambda: value(west, "after") == "1")


def test_after_conflicting_writes_the_last_one_wins_everywhere(aws: Any, tables: dict[str, Any]) -> None:
    east, west = tables[EAST], tables[WEST]
    with aws.running(aws.action("aws:dynamodb:global-table-pause-replication"), TABLE):
        put(east, "x", "east first")
        put(west, "x", "west last")
        put(west, "y", "west first")
        put(east, "y", "east last")
    assert until(lambda: value(east, "x") == value(west, "x") == "west last")
    assert until(lambda: value(east, "y") == value(west, "y") == "east last")


def test_a_changed_lag_holds_until_the_action_ends_and_tells_of_the_copies_that_took_it(
    aws: Any, tables: dict[str, Any]
) -> None:
    east, west = tables[EAST], tables[WEST]
    action = aws.action(
        "blackstart:replication:change-lag", store="dynamodb", lag="1200ms", source=EAST, destination=WEST
    )
    with aws.running(action) as experiment:
        began_s = time.monotonic()
        put(east, "slow", "1")
        put(east, "slower", "1")
        assert {"store": "dynamodb", "source": EAST, "destination": WEST, "lag": "1.2s"} in aws.cloud.control.lags()
    put(east, "quick", "1")
    assert until(lambda: value(west, "quick") == "1")
    assert until(lambda: value(west, "slow") == "1")
    assert time.monotonic() - began_s >= 1.2
    assert all(one["source"] == "" for one in aws.cloud.control.lags())
    told = [e for e in aws.cloud.control.evidence(owner=experiment) if e.kind.startswith("fault_")]
    assert [e.kind for e in told] == ["fault_injected", "fault_fired", "fault_healed"]
    assert told[-1].detail["fired"] == 2  # not the one that was written after the action


@pytest.fixture(scope="module")
def buckets(aws: Any) -> Any:
    s3, west = aws.client("s3"), aws.cloud.target.client("s3", region=WEST)
    s3.create_bucket(Bucket="source")
    west.create_bucket(Bucket="copy", CreateBucketConfiguration={"LocationConstraint": WEST})
    for client, bucket in ((s3, "source"), (west, "copy")):
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    rule = {
        "ID": "all",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "Destination": {"Bucket": "arn:aws:s3:::copy"},
    }
    s3.put_bucket_replication(
        Bucket="source",
        ReplicationConfiguration={"Role": "arn:aws:iam::000000000000:role/app/caller", "Rules": [rule]},
    )
    s3.put_bucket_tagging(Bucket="source", Tagging={"TagSet": [{"Key": "chaos", "Value": "ready"}]})
    return s3, west


BUCKET = {"resourceType": "aws:s3:bucket", "resourceTags": {"chaos": "ready"}}


def there(client: Any, key: str) -> bool:
    try:
        client.head_object(Bucket="copy", Key=key)
    except ClientError:
        return False
    return True


def test_a_bucket_waits_and_catches_up(aws: Any, buckets: Any) -> None:
    s3, west = buckets
    s3.put_object(Bucket="source", Key="before", Body=b"1")
    assert until(lambda: there(west, "before"))
    action = aws.action("aws:s3:bucket-pause-replication", region=WEST, prefixes="in/,before")
    with aws.running(action, BUCKET):
        s3.put_object(Bucket="source", Key="in/a", Body=b"1")
        s3.put_object(Bucket="source", Key="out/a", Body=b"1")
        s3.delete_object(Bucket="source", Key="before")
        assert until(lambda: there(west, "out/a"))
        assert until(lambda: status(s3, "in/a") == "PENDING")
        assert (there(west, "in/a"), there(west, "before")) == (False, True)
    assert until(lambda: there(west, "in/a") and not there(west, "before"))
    assert until(lambda: status(s3, "in/a") == "COMPLETED")


def status(client: Any, key: str) -> str:
    return str(client.head_object(Bucket="source", Key=key).get("ReplicationStatus", ""))


def test_another_region_is_not_held_up(aws: Any, buckets: Any) -> None:
    s3, west = buckets
    with aws.running(aws.action("aws:s3:bucket-pause-replication", region="eu-west-1"), BUCKET):
        s3.put_object(Bucket="source", Key="elsewhere", Body=b"1")
        assert until(lambda: there(west, "elsewhere"))
