"""Condition keys and policy variables: what a policy asks of a call is read from the call."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.delivery.clerks import ANYBODY, allow, clients_of, role

Call = Callable[[], Any]


def refused(call: Call, why: Any) -> None:
    with pytest.raises(ClientError) as denied:
        call()
    assert "not authorized to perform" in denied.value.response["Error"]["Message"], why


def only(action: str, operator: str, key: str, *values: str, resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": {operator: {key: list(values)}}}


@pytest.fixture
def table(shop: Any) -> Any:
    """A table of two tenants' items, with an index."""
    keys = [{"AttributeName": "tenant", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}]
    dynamodb = shop.cloud.target.client("dynamodb")
    dynamodb.create_table(
        TableName="shared",
        KeySchema=keys,
        AttributeDefinitions=[{"AttributeName": one["AttributeName"], "AttributeType": "S"} for one in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    return dynamodb


def reaching(as_: Any, tenant: str) -> Iterator[Call]:
    """Each way to reach a tenant's items."""
    key, named = {"tenant": {"S": tenant}, "id": {"S": "1"}}, {"TableName": "shared"}
    yield lambda: as_.put_item(**named, Item=key)
    yield lambda: as_.get_item(**named, Key=key)
    yield lambda: as_.batch_get_item(RequestItems={"shared": {"Keys": [key]}})
    yield lambda: as_.batch_write_item(RequestItems={"shared": [{"PutRequest": {"Item": key}}]})
    yield lambda: as_.transact_write_items(TransactItems=[{"Put": {**named, "Item": key}}])
    yield lambda: as_.query(
        **named,
        KeyConditionExpression="#t = :t AND id > :none",
        ExpressionAttributeNames={"#t": "tenant"},
        ExpressionAttributeValues={":t": {"S": tenant}, ":none": {"S": "0"}},
    )


@pytest.mark.usefixtures("table")
def test_each_tenant_reaches_its_own_items_by_the_tag_of_its_role(shop: Any) -> None:
    clerk = role(shop, "clerk", ANYBODY)
    shop.cloud.target.client("iam").tag_role(RoleName="clerk", Tags=[{"Key": "tenant", "Value": "ours"}])
    as_clerk = clients_of(shop, clerk)("dynamodb")
    tenant = "${aws:PrincipalTag/tenant}"
    own = only("dynamodb:*", "ForAllValues:StringEquals", "dynamodb:LeadingKeys", tenant)
    allow(shop, "clerk", "sts:GetCallerIdentity", also=[own])
    for number, (ours, theirs) in enumerate(
        zip(reaching(as_clerk, "ours"), reaching(as_clerk, "theirs"), strict=True)
    ):
        ours()
        refused(theirs, number)
    allow(shop, "clerk", "sts:GetCallerIdentity", also=[own | {"Resource": f"*/{tenant}"}])
    refused(next(reaching(as_clerk, "ours")), "a resource with a variable")
    untagged = role(shop, "untagged", ANYBODY)
    allow(shop, "untagged", "sts:GetCallerIdentity", also=[own])
    refused(next(reaching(clients_of(shop, untagged)("dynamodb"), "ours")), "no tag")


@pytest.mark.usefixtures("table")
def test_what_a_call_says_is_what_its_conditions_see(shop: Any) -> None:
    as_clerk, ours = clients_of(shop, role(shop, "clerk", ANYBODY)), shop.cloud.target.client
    ours("s3").create_bucket(Bucket="asked")
    key, other = (
        ours("kms").create_key(Tags=[{"TagKey": "team", "TagValue": t}])["KeyMetadata"]["Arn"] for t in "ab"
    )
    topic = ours("sns").create_topic(Name="asked")["TopicArn"]
    row = {"tenant": {"S": "x"}, "id": {"S": "1"}}

    def event(source: str) -> Any:
        return as_clerk("events").put_events(Entries=[{"Source": source, "DetailType": "t", "Detail": "{}"}])

    def metric(space: str) -> Any:
        return as_clerk("cloudwatch").put_metric_data(Namespace=space, MetricData=[{"MetricName": "m", "Value": 1.0}])

    def seal(**context: str) -> Any:
        return as_clerk("kms").encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)

    def put(**named: Any) -> Any:
        return as_clerk("s3").put_object(Bucket="asked", Key="a", Body=b"x", **named)

    def item(**more: Any) -> Any:
        return as_clerk("dynamodb").put_item(TableName="shared", Item=row | more)

    sealed, tagged = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}, {"Tagging": "team=a"}
    subscribed = {"TopicArn": topic, "Endpoint": "arn:aws:sqs:us-east-1:000000000000:any"}
    asked: list[tuple[dict[str, Any], Call, Call]] = [
        (only("events:*", "StringEquals", "events:source", "shop"), lambda: event("shop"), lambda: event("other")),
        (only("cloudwatch:*", "StringEquals", "cloudwatch:namespace", "Shop"),
         lambda: metric("Shop"), lambda: metric("Other")),
        (only("kms:*", "StringEquals", "kms:EncryptionContext:shop", "orders"),
         lambda: seal(shop="orders"), lambda: seal(shop="other")),
        (only("kms:*", "ForAllValues:StringEquals", "kms:EncryptionContextKeys", "shop"),
         lambda: seal(shop="orders"), lambda: seal(other="orders")),
        (only("kms:*", "StringEquals", "aws:ResourceTag/team", "a"),
         seal, lambda: as_clerk("kms").encrypt(KeyId=other, Plaintext=b"x")),
        (only("kms:*", "Null", "kms:ViaService", "true"), seal, lambda: put(**sealed)),
        (only("s3:*", "StringEquals", "s3:x-amz-server-side-encryption-aws-kms-key-id", key),
         lambda: put(**sealed), put),
        (only("s3:*", "StringEquals", "s3:RequestObjectTag/team", "a"), lambda: put(**tagged), put),
        (only("s3:*", "Bool", "aws:SecureTransport", "true"), put, item),
        (only("sns:*", "StringEquals", "sns:Protocol", "sqs"),
         lambda: as_clerk("sns").subscribe(**subscribed, Protocol="sqs"),
         lambda: as_clerk("sns").subscribe(**subscribed, Protocol="lambda")),
        (only("dynamodb:*", "ForAllValues:StringEquals", "dynamodb:Attributes", "tenant", "id"),
         item, lambda: item(price={"N": "1"})),
    ]  # fmt: skip
    for statement, good, bad in asked:
        more = (
            only("kms:*", "StringLike", "kms:ViaService", "s3.*.amazonaws.com") if "s3:*" in str(statement) else None
        )
        allow(shop, "clerk", "sts:GetCallerIdentity", also=[one for one in (statement, more) if one])
        good()
        refused(bad, statement)
