"""DynamoDB tables and what belongs to them; queues and topics."""

import json
from typing import Any

DB = "aws:dynamodb/"


def policy(action: str, resource: str) -> str:
    root = {"AWS": "arn:aws:iam::111111111111:root"}
    body = {"Sid": "a", "Effect": "Allow", "Principal": root, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [body]})


TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/orders"
KEYS = [{"name": "id", "type": "S"}, {"name": "day", "type": "S"}, {"name": "shop", "type": "S"}]
BY_DAY = {"name": "by-day", "hashKey": "day", "projectionType": "ALL"}
BY_SHOP = {
    "name": "by-shop", "hashKey": "shop", "rangeKey": "day", "projectionType": "INCLUDE", "nonKeyAttributes": ["sum"],
}  # fmt: skip

TABLES = {
    "table": (DB + "table:Table", {
        "name": "orders", "billingMode": "PAY_PER_REQUEST", "hashKey": "id", "attributes": KEYS[:2],
        "globalSecondaryIndexes": [BY_DAY], "streamEnabled": True, "streamViewType": "NEW_AND_OLD_IMAGES",
        "ttl": {"attributeName": "expires", "enabled": True}, "pointInTimeRecovery": {"enabled": True},
        "deletionProtectionEnabled": True, "tags": {"a": "b"}}),
    "fixed": (DB + "table:Table", {
        "hashKey": "id", "attributes": KEYS[:2], "readCapacity": 2, "writeCapacity": 2, "tableClass": "STANDARD",
        "globalSecondaryIndexes": [{**BY_DAY, "readCapacity": 2, "writeCapacity": 2}]}),
    "item": (DB + "tableItem:TableItem", {
        "tableName": "${table.name}", "hashKey": "id", "item": json.dumps({"id": {"S": "1"}, "sum": {"N": "5"}})}),
    "policy": (DB + "resourcePolicy:ResourcePolicy", {
        "resourceArn": "${table.arn}", "policy": policy("dynamodb:GetItem", TABLE)}),
    "tag": (DB + "tag:Tag", {"resourceArn": "${fixed.arn}", "key": "team", "value": "orders"}),
    "stream": ("aws:kinesis/stream:Stream", {"shardCount": 1}),
    "to-kinesis": (DB + "kinesisStreamingDestination:KinesisStreamingDestination", {
        "tableName": "${table.name}", "streamArn": "${stream.arn}"}),
    "insights": (DB + "contributorInsights:ContributorInsights", {"tableName": "${table.name}"}),
    "replica": (DB + "tableReplica:TableReplica", {"globalTableArn": "${table.arn}", "region": "us-west-2"}),
    "restored": (DB + "table:Table", {
        "billingMode": "PAY_PER_REQUEST", "restoreSourceName": "${table.name}", "restoreToLatestTime": True}),
    "bucket": ("aws:s3/bucket:Bucket", {"forceDestroy": True}),
    "export": (DB + "tableExport:TableExport", {"tableArn": "${table.arn}", "s3Bucket": "${bucket}"}),
    "global": (DB + "globalTable:GlobalTable", {"name": "orders", "replicas": [{"regionName": "us-east-1"}]}),
}  # fmt: skip
TABLE_CHANGES: dict[str, dict[str, Any]] = {
    "table": {
        "attributes": KEYS, "globalSecondaryIndexes": [BY_SHOP],
        "ttl": {"attributeName": "expires", "enabled": False}, "pointInTimeRecovery": {"enabled": False},
        "deletionProtectionEnabled": False, "tags": {"c": "d"}},
    "fixed": {
        "readCapacity": 3, "tableClass": "STANDARD_INFREQUENT_ACCESS",
        "globalSecondaryIndexes": [{**BY_DAY, "readCapacity": 4, "writeCapacity": 2}]},
    "item": {"item": json.dumps({"id": {"S": "1"}, "sum": {"N": "6"}})},
    "policy": {"policy": policy("dynamodb:Query", TABLE)},
    "tag": {"value": "shop"},
    "replica": {"tags": {"a": "b"}},
}  # fmt: skip

MESSAGES = {
    "queue": ("aws:sqs/queue:Queue", {"visibilityTimeoutSeconds": 40, "tags": {"a": "b"}}),
    "dead": ("aws:sqs/queue:Queue", {"name": "dead"}),
    "fifo": ("aws:sqs/queue:Queue", {"fifoQueue": True, "contentBasedDeduplication": True}),
    "policy": ("aws:sqs/queuePolicy:QueuePolicy", {
        "queueUrl": "${queue.url}", "policy": policy("sqs:SendMessage", "*")}),
    "redrive": ("aws:sqs/redrivePolicy:RedrivePolicy", {
        "queueUrl": "${queue.url}",
        "redrivePolicy": json.dumps({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead",
                                     "maxReceiveCount": 3})}),
    "allow": ("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy", {
        "queueUrl": "${dead.url}", "redriveAllowPolicy": '{"redrivePermission": "allowAll"}'}),
    "topic": ("aws:sns/topic:Topic", {
        "displayName": "Orders", "tracingConfig": "Active", "sqsSuccessFeedbackSampleRate": 50, "tags": {"a": "b"}}),
    "may": ("aws:sns/topicPolicy:TopicPolicy", {"arn": "${topic.arn}", "policy": policy("sns:Publish", "*")}),
    "to-queue": ("aws:sns/topicSubscription:TopicSubscription", {
        "topic": "${topic.arn}", "protocol": "sqs", "endpoint": "${queue.arn}", "rawMessageDelivery": True,
        "filterPolicy": '{"kind": ["order"]}'}),
    "app": ("aws:sns/platformApplication:PlatformApplication", {
        "platform": "GCM", "platformCredential": "secret", "successFeedbackSampleRate": "10"}),
    "sms": ("aws:sns/smsPreferences:SmsPreferences", {"defaultSmsType": "Transactional"}),
    "protection": ("aws:sns/dataProtectionPolicy:DataProtectionPolicy", {
        "arn": "arn:aws:sns:us-east-1:000000000000:none", "policy": '{"Name": "x"}'}),
}  # fmt: skip
MESSAGE_CHANGES: dict[str, dict[str, Any]] = {
    "queue": {"visibilityTimeoutSeconds": 50, "delaySeconds": 5, "tags": {"c": "d"}},
    "fifo": {"contentBasedDeduplication": False},
    "policy": {"policy": policy("sqs:ReceiveMessage", "*")},
    "redrive": {"redrivePolicy": json.dumps({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead",
                                             "maxReceiveCount": 4})},
    "allow": {"redriveAllowPolicy": '{"redrivePermission": "denyAll"}'},
    "topic": {"displayName": "All orders", "sqsSuccessFeedbackSampleRate": 60, "tags": {"c": "d"}},
    "may": {"policy": policy("sns:Subscribe", "*")},
    "to-queue": {"filterPolicy": '{"kind": ["order", "cart"]}', "rawMessageDelivery": False},
    "app": {"successFeedbackSampleRate": "20"},
}  # fmt: skip


def test_tables_and_what_belongs_to_them(lives: Any) -> None:
    lives.run(TABLES, TABLE_CHANGES, blind=("item", "replica"), lacking=("global",), lingering=("tag",))


def test_queues_and_topics(lives: Any) -> None:
    lives.run(MESSAGES, MESSAGE_CHANGES, lacking=("sms", "protection"))
