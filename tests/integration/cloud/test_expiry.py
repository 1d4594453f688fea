"""What AWS deletes by itself, over boto3: the cloud of this folder has days of a second, and a TTL delay of two."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.waiting import awaited


def records(cloud: Any, arn: str) -> list[dict[str, Any]]:
    """Everything in a table's stream."""
    streams = cloud.target.client("dynamodbstreams")
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    begin = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    found: list[dict[str, Any]] = streams.get_records(ShardIterator=begin["ShardIterator"])["Records"]
    return found


def test_an_item_past_its_time_goes_and_its_stream_says_who_deleted_it(cloud: Any, table: Any) -> None:
    view = {"StreamEnabled": True, "StreamViewType": "OLD_IMAGE"}
    arn = table.update_table(TableName="orders", StreamSpecification=view)["TableDescription"]["LatestStreamArn"]
    table.update_time_to_live(
        TableName="orders", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )
    now = int(time.time())
    times = {
        "past": {"N": str(now)},
        "future": {"N": str(now + 86_400)},
        "a text": {"S": str(now)},
        "six years ago": {"N": str(now - 6 * 365 * 86_400)},
    }
    for name, at in times.items():
        table.put_item(TableName="orders", Item={"id": {"S": name}, "expires_at": at})
    table.put_item(TableName="orders", Item={"id": {"S": "by hand"}})
    table.delete_item(TableName="orders", Key={"id": {"S": "by hand"}})

    def left() -> set[str]:
        return {item["id"]["S"] for item in table.scan(TableName="orders", ConsistentRead=True)["Items"]}

    awaited(lambda: left() == {"future", "a text", "six years ago"})
    removed = {one["dynamodb"]["Keys"]["id"]["S"]: one for one in records(cloud, arn) if one["eventName"] == "REMOVE"}
    assert removed["past"]["userIdentity"] == {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    assert removed["past"]["dynamodb"]["OldImage"]["expires_at"] == times["past"]
    assert removed["past"]["dynamodb"]["ApproximateCreationDateTime"].timestamp() >= now + 2
    assert "userIdentity" not in removed["by hand"]
    deleted = cloud.target.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/DynamoDB", MetricName="TimeToLiveDeletedItemCount",
        Dimensions=[{"Name": "TableName", "Value": "orders"}], Statistics=["Sum"], Period=3600,
        StartTime=datetime.now(UTC) - timedelta(hours=2), EndTime=datetime.now(UTC) + timedelta(hours=2),
    )  # fmt: skip
    assert sum(one["Sum"] for one in deleted["Datapoints"]) == 1


def test_a_life_cycle_is_carried_out_to_the_last_marker(cloud: Any) -> None:
    s3, sqs, bucket = cloud.target.client("s3"), cloud.target.client("sqs"), "ageing"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    allowed = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    url = sqs.create_queue(QueueName="aged", Attributes={"Policy": policy})["QueueUrl"]
    told = {"QueueArn": "arn:aws:sqs:us-east-1:000000000000:aged", "Events": ["s3:LifecycleExpiration:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [told]}, SkipDestinationValidation=True
    )
    for key, body in (("drafts/a", b"first"), ("drafts/a", b"second"), ("kept/a", b"first")):
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    s3.create_multipart_upload(Bucket=bucket, Key="drafts/b")
    assert "Uploads" in s3.list_multipart_uploads(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="moved/a", Body=b"x")
    rules = [
        {
            "ID": "drafts", "Status": "Enabled", "Filter": {"Prefix": "drafts/"},
            "Expiration": {"Days": 1},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        },
        {
            "ID": "moved", "Status": "Enabled",
            "Filter": {"And": {"Prefix": "moved/", "ObjectSizeGreaterThan": 0}},
            "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 1, "StorageClass": "GLACIER_IR"}],
        },
    ]  # fmt: skip
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})

    def left() -> set[str]:
        found = s3.list_object_versions(Bucket=bucket)
        return {one["Key"] for kind in ("Versions", "DeleteMarkers") for one in found.get(kind, ())}

    awaited(lambda: left() == {"kept/a", "moved/a"})
    awaited(lambda: s3.head_object(Bucket=bucket, Key="moved/a").get("StorageClass") == "GLACIER_IR")
    awaited(lambda: "Uploads" not in s3.list_multipart_uploads(Bucket=bucket))
    events: list[str] = []

    def heard() -> bool:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ()):
            events.extend(one["eventName"] for one in json.loads(message["Body"]).get("Records", ()))
        return len(events) >= 4

    awaited(heard)
    assert sorted(events) == ["LifecycleExpiration:Delete"] * 3 + ["LifecycleExpiration:DeleteMarkerCreated"]
