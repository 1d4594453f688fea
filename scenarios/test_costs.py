"""Costs: every resource says whose it is, and somebody is told before the money is spent."""

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

ALLOCATION = {"project", "stack"}
"""The tags by which costs are divided."""


@pytest.fixture
def budget(shop: Any) -> Iterator[dict[str, str]]:
    """A budget that any use exceeds, told of by the shop's topic to a queue of our own."""
    name = f"tiny-{uuid.uuid4().hex[:8]}"
    sqs, sns, budgets = shop.aws("sqs"), shop.aws("sns"), shop.aws("budgets")
    topic, account = shop.outputs["budget_topic_arn"], shop.outputs["budget_topic_arn"].split(":")[4]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    statement = {**allow, "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
    budgets.create_budget(
        AccountId=account,
        Budget={
            "BudgetName": name,
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "0.00000001", "Unit": "USD"},
        },
        NotificationsWithSubscribers=[
            {
                "Notification": {
                    "NotificationType": "ACTUAL",
                    "ComparisonOperator": "GREATER_THAN",
                    "Threshold": 80.0,
                    "ThresholdType": "PERCENTAGE",
                },
                "Subscribers": [{"SubscriptionType": "SNS", "Address": topic}],
            }
        ],
    )
    yield {"name": name, "queue": url, "account": account}
    budgets.delete_budget(AccountId=account, BudgetName=name)
    sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    sqs.delete_queue(QueueUrl=url)


@pytest.mark.part("budget")
@pytest.mark.blackstart_requires("prompt-costs")
@pytest.mark.blackstart_covers("budgets", "sns", "sqs")
def test_a_budget_that_is_exceeded_tells_somebody(shop: Any, budget: dict[str, str], eventually: Any) -> None:
    shop.place(("tea", 1))
    told: list[str] = []

    def heard() -> bool:
        found = shop.aws("sqs").receive_message(QueueUrl=budget["queue"], WaitTimeSeconds=1)
        told.extend(json.loads(message["Body"])["Message"] for message in found.get("Messages", ()))
        return any(budget["name"] in text for text in told)

    eventually(heard, what=f"word of the budget {budget['name']}")
    spent = shop.aws("budgets").describe_budget(AccountId=budget["account"], BudgetName=budget["name"])["Budget"]
    assert float(spent["CalculatedSpend"]["ActualSpend"]["Amount"]) > 0


@pytest.mark.part("budget")
def test_the_shop_has_a_budget_and_is_told_of_it_twice(shop: Any) -> None:
    account = shop.outputs["budget_topic_arn"].split(":")[4]
    wanted = {"AccountId": account, "BudgetName": shop.outputs["budget"]}
    found = shop.aws("budgets").describe_notifications_for_budget(**wanted)["Notifications"]
    assert sorted(one["Threshold"] for one in found) == [80.0, 100.0]


def pairs(tags: Any) -> dict[str, str]:
    """Tags as the services give them: a mapping, or a list of pairs under one of two spellings."""
    if isinstance(tags, dict):
        return dict(tags)
    return {one.get("Key", one.get("key")): one.get("Value", one.get("value")) for one in tags}


def of_api(client: Any, arn: str) -> Any:
    """Of a part of API Gateway, from what it says of itself."""
    kind, name, *rest = arn.partition("::/")[2].split("/")
    if kind == "apis":
        return client("apigatewayv2").get_tags(ResourceArn=arn)["Tags"]
    rest_apis = client("apigateway")
    told = {
        "apikeys": lambda: rest_apis.get_api_key(apiKey=name),
        "usageplans": lambda: rest_apis.get_usage_plan(usagePlanId=name),
        "restapis": lambda: (
            rest_apis.get_stage(restApiId=name, stageName=rest[1]) if rest else rest_apis.get_rest_api(restApiId=name)
        ),
    }[kind]()
    return told.get("tags", {})


ASKED: dict[str, Callable[[Any, str], Any]] = {
    "apigateway": of_api,
    "cloudwatch": lambda client, arn: client("cloudwatch").list_tags_for_resource(ResourceARN=arn)["Tags"],
    "ec2": lambda client, arn: client("ec2").describe_tags(
        Filters=[{"Name": "resource-id", "Values": [arn.rpartition("/")[2]]}]
    )["Tags"],
    "elasticloadbalancing": lambda client, arn: client("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"][
        0
    ]["Tags"],
    "iam": lambda client, arn: client("iam").list_role_tags(RoleName=arn.rpartition("/")[2])["Tags"],
    "logs": lambda client, arn: client("logs").list_tags_for_resource(resourceArn=arn.removesuffix(":*"))["tags"],
    "pipes": lambda client, arn: client("pipes").list_tags_for_resource(resourceArn=arn)["tags"],
    "rds": lambda client, arn: client("rds").list_tags_for_resource(ResourceName=arn)["TagList"],
    "schemas": lambda client, arn: client("schemas").list_tags_for_resource(ResourceArn=arn)["Tags"],
    "secretsmanager": lambda client, arn: client("secretsmanager").describe_secret(SecretId=arn)["Tags"],
    "states": lambda client, arn: client("stepfunctions").list_tags_for_resource(resourceArn=arn)["tags"],
    "wafv2": lambda client, arn: client("wafv2").list_tags_for_resource(ResourceARN=arn)["TagInfoForResource"][
        "TagList"
    ],
}
"""How a service tells the tags of one of its resources; the others are in the list of the tagging API."""


@pytest.mark.blackstart_covers("resourcegroupstaggingapi")
def test_every_resource_has_the_tags_by_which_costs_are_divided(shop: Any) -> None:
    """In both regions: nothing that the stack has made and that can have tags lacks one, or names another stack."""
    listed = dict[str, dict[str, str]]()
    for region in (shop.outputs["region"], shop.outputs["replica_region"]):
        pages = shop.aws("resourcegroupstaggingapi", region=region).get_paginator("get_resources").paginate()
        for page in pages:
            listed |= {one["ResourceARN"]: pairs(one["Tags"]) for one in page["ResourceTagMappingList"]}
    wanted, checked = shop.outputs["allocation"], Counter[str]()
    for arn in shop.outputs["tagged"]:
        service = arn.split(":")[2]
        if service in ASKED:
            found = pairs(ASKED[service](partial(shop.aws, region=arn.split(":")[3] or None), arn))
        elif arn in listed or service in {"dynamodb", "ecs", "events", "kms", "s3", "sns", "sqs"}:
            found = listed.get(arn, {})
        else:
            continue
        assert {name: found.get(name) for name in ALLOCATION} == wanted, arn
        checked[service] += 1
    assert len(checked) >= 12, checked
    assert checked.total() >= 0.9 * len(shop.outputs["tagged"]), checked
