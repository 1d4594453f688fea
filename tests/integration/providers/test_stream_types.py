"""Kinesis and Firehose."""

import json
from typing import Any

STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/orders"
ROLE = "arn:aws:iam::000000000000:role/any"


def policy(action: str) -> str:
    root = {"AWS": "arn:aws:iam::111111111111:root"}
    body = {"Sid": "a", "Effect": "Allow", "Principal": root, "Action": action, "Resource": STREAM}
    return json.dumps({"Version": "2012-10-17", "Statement": [body]})


ROWS = {
    "stream": ("aws:kinesis/stream:Stream", {
        "name": "orders", "shardCount": 1, "retentionPeriod": 48, "encryptionType": "KMS",
        "kmsKeyId": "alias/aws/kinesis", "shardLevelMetrics": ["IncomingBytes"], "tags": {"a": "b"}}),
    "demand": ("aws:kinesis/stream:Stream", {"streamModeDetails": {"streamMode": "ON_DEMAND"}}),
    "consumer": ("aws:kinesis/streamConsumer:StreamConsumer", {"streamArn": "${stream.arn}"}),
    "policy": ("aws:kinesis/resourcePolicy:ResourcePolicy", {
        "resourceArn": "${stream.arn}", "policy": policy("kinesis:DescribeStreamSummary")}),
    "bucket": ("aws:s3/bucket:Bucket", {"forceDestroy": True}),
    "firehose": ("aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream", {
        "destination": "extended_s3", "tags": {"a": "b"}, "extendedS3Configuration": {
            "bucketArn": "${bucket.arn}", "roleArn": ROLE, "prefix": "in/", "bufferingSize": 5,
            "bufferingInterval": 60, "compressionFormat": "GZIP",
            "cloudwatchLoggingOptions": {"enabled": True, "logGroupName": "g", "logStreamName": "s"}}}),
    "http": ("aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream", {
        "destination": "http_endpoint", "httpEndpointConfiguration": {
            "url": "https://127.0.0.1:9/", "name": "here", "s3Configuration": {
                "bucketArn": "${bucket.arn}", "roleArn": ROLE}}}),
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "stream": {
        "shardCount": 2, "retentionPeriod": 24, "encryptionType": "NONE", "shardLevelMetrics": None,
        "tags": {"c": "d"}},
    "policy": {"policy": policy("kinesis:GetRecords")},
    "firehose": {"tags": {"a": "c"}, "extendedS3Configuration": {
        "bucketArn": "${bucket.arn}", "roleArn": ROLE, "prefix": "out/", "bufferingSize": 6}},
}  # fmt: skip


def test_streams(lives: Any) -> None:
    lives.run(ROWS, CHANGES)
