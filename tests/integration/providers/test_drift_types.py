"""Drift of queues, topics and tables: changed behind our back, found property by property, in their form."""

import json
from dataclasses import replace
from typing import Any

import pytest

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage"}]}


def _queue(client: Any, one: Any) -> None:
    client.set_queue_attributes(QueueUrl=one.id, Attributes={"DelaySeconds": "9", "Policy": ""})
    client.tag_queue(QueueUrl=one.id, Tags={"by": "hand"})


def _topic(client: Any, one: Any) -> None:
    client.set_topic_attributes(TopicArn=one.id, AttributeName="DisplayName", AttributeValue="by hand")
    client.untag_resource(ResourceArn=one.id, TagKeys=["a"])


def _table(client: Any, one: Any) -> None:
    client.update_time_to_live(TableName=one.id, TimeToLiveSpecification={"Enabled": False, "AttributeName": "until"})
    client.tag_resource(ResourceArn=one.outputs["arn"], Tags=[{"Key": "a", "Value": "by hand"}])


def _bucket(client: Any, one: Any) -> None:
    client.put_bucket_versioning(Bucket=one.id, VersioningConfiguration={"Status": "Suspended"})
    client.delete_bucket_lifecycle(Bucket=one.id)
    client.put_bucket_tagging(Bucket=one.id, Tagging={"TagSet": [{"Key": "by", "Value": "hand"}]})


def _network(client: Any, one: Any) -> None:
    client.delete_tags(Resources=[one.id], Tags=[{"Key": "a"}])


@pytest.mark.parametrize(
    ("token", "asked", "act", "drifted"),
    [
        (
            "aws:s3/bucket:Bucket",
            {
                "versioning": {"enabled": True},
                "lifecycleRules": [{"enabled": True, "prefix": "logs/", "expiration": {"days": 30}}],
                "corsRules": [{"allowedMethods": ["GET"], "allowedOrigins": ["*"]}],
                "tags": {"a": "b"},
            },
            _bucket,
            {"versioning", "lifecycleRules", "tags"},
        ),
        ("aws:ec2/internetGateway:InternetGateway", {"tags": {"a": "b"}}, _network, {"tags"}),
        (
            "aws:sqs/queue:Queue",
            {"delaySeconds": 1, "policy": json.dumps(POLICY), "tags": {"a": "b"}},
            _queue,
            {"delaySeconds", "policy", "tags"},
        ),
        ("aws:sns/topic:Topic", {"displayName": "news", "tags": {"a": "b"}}, _topic, {"displayName", "tags"}),
        (
            "aws:dynamodb/table:Table",
            {
                "billingMode": "PAY_PER_REQUEST",
                "hashKey": "id",
                "attributes": [{"name": "id", "type": "S"}, {"name": "by", "type": "S"}],
                "globalSecondaryIndexes": [{"name": "by-by", "hashKey": "by", "projectionType": "ALL"}],
                "ttl": {"attributeName": "until", "enabled": True},
                "streamEnabled": True,
                "streamViewType": "NEW_AND_OLD_IMAGES",
                "pointInTimeRecovery": {"enabled": True},
                "tags": {"a": "b"},
            },
            _table,
            {"ttl", "tags"},
        ),
    ],
)
def test_drift_is_found_property_by_property(
    lives: Any, cloud: Any, token: str, asked: dict[str, Any], act: Any, drifted: set[str]
) -> None:
    one = lives.create("one", token, asked)
    seen = one.handler.observe(one.context, one.id, one.inputs)
    assert seen is not None
    assert seen.unknown == frozenset()
    act(cloud.target.client(one.handler.service), one)
    assert one.drift(one.inputs) == drifted
    lives.delete("one")
    assert one.handler.observe(one.context, one.id, one.inputs) is None


def test_a_subscription_tells_what_it_connects(lives: Any, cloud: Any) -> None:
    queue = lives.create("queue", "aws:sqs/queue:Queue", {})
    topic = lives.create("topic", "aws:sns/topic:Topic", {})
    asked = {"topic": topic.id, "protocol": "sqs", "endpoint": queue.outputs["arn"]}
    one = lives.create("one", "aws:sns/topicSubscription:TopicSubscription", asked)
    cloud.target.client("sns").set_subscription_attributes(
        SubscriptionArn=one.id, AttributeName="RawMessageDelivery", AttributeValue="true"
    )
    assert one.drift(one.inputs) == {"rawMessageDelivery"}
    for name in ("one", "topic", "queue"):
        lives.delete(name)


def test_tags_that_the_provider_gives_to_everything_are_no_drift_and_one_by_hand_is(lives: Any, cloud: Any) -> None:
    handler = lives.registry.resources["aws:sns/topic:Topic"]
    context = replace(
        lives.create("one", "aws:sns/topic:Topic", {}).context,
        default_tags={"team": "orders"},
        ignore_tag_prefixes=("auto:",),
    )
    inputs = handler.check(context, {"name": "tagged"}, None)
    arn, _ = handler.create(context, inputs)
    client = cloud.target.client("sns")
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "auto:x", "Value": "1"}])
    assert "tags" not in handler.observe(context, arn, inputs).settings
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "by", "Value": "hand"}])
    assert handler.observe(context, arn, inputs).settings["tags"] == {"by": "hand"}
    handler.delete(context, arn, inputs)
    lives.delete("one")


def test_what_a_read_is_made_under_needs_no_comparison(lives: Any) -> None:
    lives.create("api", "aws:apigatewayv2/api:Api", {"protocolType": "HTTP"})
    one = lives.create("one", "aws:apigatewayv2/route:Route", {"apiId": "${api}", "routeKey": "GET /orders"})
    seen = one.handler.observe(one.context, one.id, one.inputs)
    assert seen is not None
    assert seen.unknown == frozenset()
    for name in ("one", "api"):
        lives.delete(name)
