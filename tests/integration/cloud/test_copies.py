"""Copies over boto3: global tables and buckets that run behind, and what a lost region costs."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.client import CloudSettings, RunningCloud, start_cloud
from tests.waiting import until

EAST, WEST, ROLE = "us-east-1", "us-west-2", "arn:aws:iam::000000000000:role/copies"
KEY = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    running = start_cloud(CloudSettings(state_dir=tmp_path_factory.mktemp("cloud"), enforce_iam=False))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def tables(cloud: RunningCloud) -> dict[str, Any]:
    """A global table by region."""
    made = {region: cloud.target.client("dynamodb", region=region) for region in (EAST, WEST)}
    made[EAST].create_table(
        TableName="ledger", AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], **KEY
    )
    made[EAST].update_table(TableName="ledger", ReplicaUpdates=[{"Create": {"RegionName": WEST}}])
    return made


def put(client: Any, number: int) -> None:
    client.put_item(TableName="ledger", Item={"id": {"S": str(number)}})


def numbers(client: Any) -> set[int]:
    return {int(item["id"]["S"]) for item in client.scan(TableName="ledger", ConsistentRead=True)["Items"]}


def metric(cloud: RunningCloud, namespace: str, name: str, dimensions: dict[str, str]) -> dict[str, float]:
    """Lowest and highest value of a metric in the east."""
    now = dt.datetime.now(dt.UTC)
    points = cloud.target.client("cloudwatch", region=EAST).get_metric_statistics(
        Namespace=namespace, MetricName=name, Statistics=["Minimum", "Maximum"], Period=3600,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - dt.timedelta(hours=2), EndTime=now + dt.timedelta(hours=1),
    )["Datapoints"]  # fmt: skip
    return {"low": min(p["Minimum"] for p in points), "high": max(p["Maximum"] for p in points)} if points else {}


def test_a_replica_is_behind_by_its_lag_and_the_metric_says_so(cloud: RunningCloud, tables: dict[str, Any]) -> None:
    cloud.control.set_lag("dynamodb", "700ms", source=EAST, destination=WEST)
    began_s = time.monotonic()
    put(tables[EAST], 1)
    assert until(lambda: 1 in numbers(tables[WEST]))
    assert time.monotonic() - began_s >= 0.7
    names = {"TableName": "ledger", "ReceivingRegion": WEST}
    assert until(lambda: metric(cloud, "AWS/DynamoDB", "ReplicationLatency", names))["low"] >= 700


def test_without_lag_a_lost_region_costs_nothing(cloud: RunningCloud, tables: dict[str, Any]) -> None:
    cloud.control.set_lag("dynamodb", "0s", source=EAST, destination=WEST)
    for number in range(100, 150):
        put(tables[EAST], number)
    with lost(cloud, EAST):
        assert set(range(100, 150)) <= numbers(tables[WEST])


def test_a_lost_region_costs_what_its_lag_had_under_way_and_gives_it_back(
    cloud: RunningCloud, tables: dict[str, Any]
) -> None:
    lag_s = 2.0
    cloud.control.set_lag("dynamodb", "2s", source=EAST, destination=WEST)
    sent: list[tuple[float, float]] = []  # when each write began, and when it was acknowledged
    while not sent or sent[-1][1] < sent[0][1] + lag_s + 0.5:
        began_s = time.monotonic()
        put(tables[EAST], 1000 + len(sent))
        sent.append((began_s, time.monotonic()))
        time.sleep(0.01)
    seen = numbers(tables[WEST])
    with lost(cloud, EAST):
        dark_s = time.monotonic()
        there = numbers(tables[WEST])
        missing = {number for number in range(len(sent)) if 1000 + number not in there}
        # What cannot have arrived has not; what was seen stays; and what is missing is the end of the stream.
        assert missing >= {number for number, (began_s, _) in enumerate(sent) if began_s + lag_s > dark_s}
        assert seen <= there
        assert missing == set(range(min(missing, default=len(sent)), len(sent)))
        with pytest.raises(BotoCoreError):
            put(impatient(cloud, EAST), 5000)
        assert cloud.target.client("iam").list_roles(MaxItems=1)["Roles"] is not None
    assert until(lambda: {1000 + number for number in range(len(sent))} <= numbers(tables[WEST]))
    assert 5000 not in numbers(tables[EAST])


@contextlib.contextmanager
def lost(cloud: RunningCloud, region: str) -> Iterator[None]:
    zones = [zone["id"] for zone in cloud.control.zones() if zone["region"] == region]
    try:
        for zone in zones:
            cloud.control.cut_power(zone, owner="test", lease_s=600)
        yield
    finally:
        for zone in zones:
            cloud.control.restore_power(zone, owner="test")


def impatient(cloud: RunningCloud, region: str) -> Any:
    return cloud.target.client("dynamodb", region=region, read_timeout=1, retries={"total_max_attempts": 1})


def test_of_two_writers_the_later_wins_everywhere_and_the_conflict_is_counted(
    cloud: RunningCloud, tables: dict[str, Any]
) -> None:
    for region, other in ((EAST, WEST), (WEST, EAST)):
        cloud.control.set_lag("dynamodb", "1s", source=region, destination=other)
    before = conflicts(cloud)
    for region in (EAST, WEST):
        tables[region].put_item(TableName="ledger", Item={"id": {"S": "-1"}, "by": {"S": region}})
    assert until(lambda: not [one for one in cloud.control.replication() if one.get("pending")])
    found = [tables[region].get_item(TableName="ledger", Key={"id": {"S": "-1"}})["Item"] for region in (EAST, WEST)]
    assert found[0]["by"] == found[1]["by"] == {"S": WEST}
    assert conflicts(cloud) in {before, before + 1}  # none only if the machine stood still between both writes


def conflicts(cloud: RunningCloud) -> int:
    return sum(int(one.get("conflicts", 0)) for one in cloud.control.replication())


@pytest.fixture(scope="module")
def buckets(cloud: RunningCloud) -> tuple[Any, Any]:
    """S3 in both regions: `source` is copied to `copy` with metrics, without delete markers below `keep/`."""
    east, west = (cloud.target.client("s3", region=region) for region in (EAST, WEST))
    east.create_bucket(Bucket="source")
    west.create_bucket(Bucket="copy", CreateBucketConfiguration={"LocationConstraint": WEST})
    for client, bucket in ((east, "source"), (west, "copy")):
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    rules = [
        {
            "ID": name,
            "Priority": priority,
            "Status": "Enabled",
            "Filter": {"Prefix": prefix},
            "DeleteMarkerReplication": {"Status": markers},
            "Destination": {
                "Bucket": "arn:aws:s3:::copy",
                "Metrics": {"Status": "Enabled"},
            },
        }
        for priority, (name, prefix, markers) in enumerate((("kept", "keep/", "Disabled"), ("all", "", "Enabled")))
    ]
    east.put_bucket_replication(Bucket="source", ReplicationConfiguration={"Role": ROLE, "Rules": rules})
    return east, west


def found(client: Any, bucket: str, key: str) -> dict[str, Any]:
    try:
        return dict(client.get_object_tagging(Bucket=bucket, Key=key), **client.head_object(Bucket=bucket, Key=key))
    except ClientError:
        return {}


def test_an_object_is_pending_until_its_copy_is_there_with_the_same_version_and_tags(
    cloud: RunningCloud, buckets: tuple[Any, Any]
) -> None:
    east, west = buckets
    cloud.control.set_lag("s3", "10m")
    east.put_object(Bucket="source", Key="a", Body=b"12345", Tagging="k=v")
    cloud.control.set_lag("s3", "0s")
    east.put_object(Bucket="source", Key="b", Body=b"1", Tagging="k=v")
    assert found(east, "source", "a")["ReplicationStatus"] == "PENDING"
    assert until(lambda: found(east, "source", "b")["ReplicationStatus"] == "COMPLETED")
    source, copy = found(east, "source", "b"), found(west, "copy", "b")
    assert (source["ReplicationStatus"], copy["ReplicationStatus"]) == ("COMPLETED", "REPLICA")
    assert source["VersionId"] == copy["VersionId"]
    version = east.head_object(Bucket="source", Key="b", VersionId=source["VersionId"])
    assert version["ReplicationStatus"] == "COMPLETED"
    assert copy["TagSet"] == [{"Key": "k", "Value": "v"}]
    assert not found(west, "copy", "a")
    names = {"SourceBucket": "source", "DestinationBucket": "copy", "RuleId": "all"}
    assert until(lambda: metric(cloud, "AWS/S3", "OperationsPendingReplication", names))["high"] >= 1
    assert until(lambda: metric(cloud, "AWS/S3", "BytesPendingReplication", names))["high"] >= 5


def test_uploads_in_parts_are_copied_and_deletes_as_the_rule_says(
    cloud: RunningCloud, buckets: tuple[Any, Any]
) -> None:
    east, west = buckets
    cloud.control.set_lag("s3", "300ms")
    upload = east.create_multipart_upload(Bucket="source", Key="big")["UploadId"]
    part = east.upload_part(Bucket="source", Key="big", PartNumber=1, UploadId=upload, Body=b"part")
    began_s = time.monotonic()
    east.complete_multipart_upload(
        Bucket="source", Key="big", UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )  # fmt: skip
    for key in ("keep/1", "gone/1", "gone/2"):
        east.put_object(Bucket="source", Key=key, Body=b"1")
    assert until(lambda: found(west, "copy", "big"))
    assert time.monotonic() - began_s >= 0.3
    assert until(lambda: all(found(west, "copy", key) for key in ("keep/1", "gone/1", "gone/2")))
    marker = east.delete_object(Bucket="source", Key="gone/1")["VersionId"]
    east.delete_objects(Bucket="source", Delete={"Objects": [{"Key": "gone/2"}, {"Key": "keep/1"}]})
    assert until(lambda: not found(west, "copy", "gone/1") and not found(west, "copy", "gone/2"))
    assert found(west, "copy", "keep/1")
    markers = west.list_object_versions(Bucket="copy", Prefix="gone/1")["DeleteMarkers"]
    assert [one["VersionId"] for one in markers] == [marker]
