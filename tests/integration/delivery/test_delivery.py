"""Delivery as AWS promises it, over boto3: nothing vanishes, and what is given up says why and where."""

import json
from collections import Counter
from typing import Any

import pytest

from tests.waiting import until

RULE = {"source": ["shop"]}


def events_of(shop: Any) -> Any:
    return shop.cloud.target.client("events")


def put(shop: Any, text: str) -> None:
    entry = {"Source": "shop", "DetailType": "order", "Detail": json.dumps({"text": text})}
    answer = events_of(shop).put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 0


def test_a_success_has_its_destination(shop: Any) -> None:
    good = shop.queue("good")
    arn = shop.function("f")
    functions = shop.cloud.target.client("lambda")
    functions.put_function_event_invoke_config(
        FunctionName="f", DestinationConfig={"OnSuccess": {"Destination": good}}
    )
    functions.invoke(FunctionName="f", InvocationType="Event", Payload=b'{"order": 1}')
    record = json.loads(shop.received(good)["Body"])
    assert record["requestContext"]["condition"] == "Success"
    assert record["requestContext"]["functionArn"].startswith(arn)
    assert (record["requestPayload"], record["responsePayload"]) == ({"order": 1}, {"seen": True})


def test_an_event_that_fails_is_retried_and_then_recorded_and_dead_lettered(shop: Any) -> None:
    failed, dead = shop.queue("failed"), shop.queue("dead")
    shop.function("f", DeadLetterConfig={"TargetArn": dead})
    shop.cloud.target.client("lambda").put_function_event_invoke_config(
        FunctionName="f", MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": failed}}
    )
    events_of(shop).put_rule(Name="r", EventPattern=json.dumps(RULE))
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    events_of(shop).put_targets(Rule="r", Targets=[{"Id": "f", "Arn": arn}])
    put(shop, "poison")
    record = json.loads(shop.received(failed)["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["responsePayload"]["errorType"] == "ValueError"
    letter = shop.received(dead)
    assert json.loads(letter["Body"])["detail"] == {"text": "poison"}  # the event itself, no envelope
    assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"] == "poison"


def test_sns_retries_a_function_too(shop: Any) -> None:
    failed = shop.queue("failed")
    arn = shop.function("f")
    shop.cloud.target.client("lambda").put_function_event_invoke_config(
        FunctionName="f", MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": failed}}
    )
    sns = shop.cloud.target.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="poison")
    record = json.loads(shop.received(failed)["Body"])
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["requestPayload"]["Records"][0]["Sns"]["Message"] == "poison"


def test_a_subscription_that_cannot_be_served_has_a_dead_letter_queue(shop: Any) -> None:
    closed, dead = shop.queue("closed"), shop.queue("dead", open_to="sns.amazonaws.com")
    sns = shop.cloud.target.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    redrive = json.dumps({"deadLetterTargetArn": dead})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=closed, Attributes={"RedrivePolicy": redrive})
    sns.publish(TopicArn=topic, Message="hello")
    assert json.loads(shop.received(dead)["Body"])["Message"] == "hello"


@pytest.mark.parametrize(("target", "code"), [("closed", "NO_PERMISSIONS"), ("missing", "NO_RESOURCE")])
def test_a_rules_target_that_cannot_be_reached_has_a_dead_letter_queue(shop: Any, target: str, code: str) -> None:
    dead = shop.queue("dead", open_to="events.amazonaws.com")
    arn = shop.queue("closed") if target == "closed" else "arn:aws:sqs:us-east-1:000000000000:missing"
    events_of(shop).put_rule(Name="r", EventPattern=json.dumps(RULE))
    events_of(shop).put_targets(Rule="r", Targets=[{"Id": "q", "Arn": arn, "DeadLetterConfig": {"Arn": dead}}])
    put(shop, "hello")
    letter = shop.received(dead)
    assert json.loads(letter["Body"])["detail"] == {"text": "hello"}
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert (attributes["ERROR_CODE"], attributes["TARGET_ARN"]) == (code, arn)


def test_a_bus_in_another_region_gets_the_event(shop: Any) -> None:
    there = shop.cloud.target.client("events", region="us-west-2")
    bus = there.create_event_bus(Name="copy")["EventBusArn"]
    told = shop.queue("told", open_to="events.amazonaws.com", region="us-west-2")
    there.put_rule(Name="all", EventBusName="copy", EventPattern=json.dumps(RULE))
    there.put_targets(Rule="all", EventBusName="copy", Targets=[{"Id": "q", "Arn": told}])
    events_of(shop).put_rule(Name="r", EventPattern=json.dumps(RULE))
    events_of(shop).put_targets(Rule="r", Targets=[{"Id": "b", "Arn": bus, "RoleArn": shop.role}])
    put(shop, "hello")
    assert json.loads(shop.received(told)["Body"])["detail"] == {"text": "hello"}


def test_a_poison_record_of_a_stream_is_cut_out_and_the_rest_flows_on(shop: Any) -> None:
    given_up = shop.queue("given-up")
    shop.function("f")
    table = shop.cloud.target.client("dynamodb")
    stream = table.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]["LatestStreamArn"]
    functions = shop.cloud.target.client("lambda")
    for key in ("a", "b", "poison", "c", "d"):
        table.put_item(TableName="orders", Item={"id": {"S": key}})
    mapping = functions.create_event_source_mapping(
        EventSourceArn=stream,
        FunctionName="f",
        StartingPosition="TRIM_HORIZON",
        BatchSize=5,
        MaximumRetryAttempts=0,
        BisectBatchOnFunctionError=True,
        DestinationConfig={"OnFailure": {"Destination": given_up}},
    )["UUID"]
    record = json.loads(shop.received(given_up)["Body"])
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert record["DDBStreamBatchInfo"]["batchSize"] == 1

    def state() -> str:
        return str(functions.get_event_source_mapping(UUID=mapping)["LastProcessingResult"])

    assert until(lambda: state().startswith("OK")), state()


def test_an_alias_sends_its_share_to_another_version(shop: Any) -> None:
    functions = shop.cloud.target.client("lambda")
    shop.function("f")
    first = functions.publish_version(FunctionName="f")["Version"]
    functions.update_function_configuration(FunctionName="f", Description="second")
    second = functions.publish_version(FunctionName="f")["Version"]
    routing = {"AdditionalVersionWeights": {second: 0.5}}
    functions.create_alias(FunctionName="f", Name="live", FunctionVersion=first, RoutingConfig=routing)
    ran = Counter(
        functions.invoke(FunctionName="f", Qualifier="live", Payload=b"{}")["ExecutedVersion"] for _ in range(60)
    )
    assert set(ran) == {first, second}
    assert min(ran.values()) >= 12  # one in a million falls below


def test_a_runtime_that_is_not_here_is_an_error_and_no_answer(shop: Any) -> None:
    shop.function("f", Runtime="ruby3.3")
    answer = shop.cloud.target.client("lambda").invoke(FunctionName="f", Payload=b"{}")
    assert answer["FunctionError"] == "Unhandled"
    assert "runs Python and Node.js only: ruby3.3" in json.loads(answer["Payload"].read())["errorMessage"]
