"""EventBridge with pipes, schedules and schemas; Step Functions."""

import json
from typing import Any

import pytest

from harness.deploy.providers.resource import CheckError

EVENTS = "aws:cloudwatch/"
ROLE = "arn:aws:iam::000000000000:role/any"
HERE = "us-east-1:000000000000"
ORDERS = json.dumps({"source": ["orders"]})


def statement(action: str, bus: str) -> str:
    body = {
        "Sid": "all", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": action,
        "Resource": f"arn:aws:events:{HERE}:event-bus/{bus}"}  # fmt: skip
    return json.dumps({"Version": "2012-10-17", "Statement": [body]})


ASSUME = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}]})  # fmt: skip

RULES = {
    "queue": ("aws:sqs/queue:Queue", {"name": "orders"}),
    "bus": (EVENTS + "eventBus:EventBus", {"name": "shop", "description": "orders", "tags": {"a": "b"}}),
    "other": (EVENTS + "eventBus:EventBus", {"name": "other"}),
    "policy": (EVENTS + "eventBusPolicy:EventBusPolicy", {
        "eventBusName": "${bus}", "policy": statement("events:PutEvents", "shop")}),
    "permission": (EVENTS + "eventPermission:EventPermission", {
        "eventBusName": "${other}", "principal": "222222222222", "statementId": "two"}),
    "rule": (EVENTS + "eventRule:EventRule", {
        "eventBusName": "${bus}", "eventPattern": ORDERS, "description": "all", "tags": {"a": "b"}}),
    "clock": (EVENTS + "eventRule:EventRule", {"scheduleExpression": "rate(5 minutes)", "isEnabled": False}),
    "target": (EVENTS + "eventTarget:EventTarget", {
        "rule": "${rule.name}", "eventBusName": "${bus}", "arn": "${queue.arn}",
        "deadLetterConfig": {"arn": "${queue.arn}"},
        "retryPolicy": {"maximumEventAgeInSeconds": 60, "maximumRetryAttempts": 2},
        "inputTransformer": {"inputPaths": {"id": "$.detail.id"}, "inputTemplate": '"<id>"'}}),
    "task": (EVENTS + "eventTarget:EventTarget", {
        "rule": "${clock.name}", "arn": f"arn:aws:ecs:{HERE}:cluster/c", "roleArn": ROLE, "ecsTarget": {
            "taskDefinitionArn": f"arn:aws:ecs:{HERE}:task-definition/t:1", "taskCount": 2, "launchType": "FARGATE",
            "networkConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": True}}}),
    "archive": (EVENTS + "eventArchive:EventArchive", {
        "eventSourceArn": "${bus.arn}", "eventPattern": ORDERS, "retentionDays": 2}),
    "connection": (EVENTS + "eventConnection:EventConnection", {
        "authorizationType": "API_KEY", "authParameters": {"apiKey": {"key": "x-api-key", "value": "secret"}}}),
    "destination": (EVENTS + "eventApiDestination:EventApiDestination", {
        "connectionArn": "${connection.arn}", "httpMethod": "POST", "invocationEndpoint": "http://127.0.0.1:9/"}),
    "endpoint": (EVENTS + "eventEndpoint:EventEndpoint", {
        "eventBuses": [
            {"eventBusArn": "${bus.arn}"}, {"eventBusArn": "arn:aws:events:us-west-2:000000000000:event-bus/shop"}],
        "replicationConfig": {"state": "DISABLED"},
        "routingConfig": {"failoverConfig": {
            "primary": {"healthCheck": "arn:aws:route53:::healthcheck/1"}, "secondary": {"route": "us-west-2"}}}}),
}  # fmt: skip
RULE_CHANGES: dict[str, dict[str, Any]] = {
    "bus": {"description": "all orders", "tags": {"c": "d"}},
    "policy": {"policy": statement("events:PutRule", "shop")},
    "permission": {"principal": "333333333333"},
    "rule": {"eventPattern": json.dumps({"source": ["orders", "carts"]}), "description": None, "tags": {"a": "c"}},
    "clock": {"scheduleExpression": "rate(6 minutes)", "isEnabled": True},
    "target": {"inputTransformer": None, "inputPath": "$.detail", "retryPolicy": {"maximumRetryAttempts": 3}},
    "task": {"ecsTarget": {"taskDefinitionArn": f"arn:aws:ecs:{HERE}:task-definition/t:2", "taskCount": 1}},
    "archive": {"retentionDays": 3},
    "connection": {"description": "a", "authParameters": {"apiKey": {"key": "x-api-key", "value": "other"}}},
    "destination": {"httpMethod": "PUT", "invocationRateLimitPerSecond": 5},
    "endpoint": {"replicationConfig": {"state": "ENABLED"}, "roleArn": ROLE},
}


def openapi(title: str) -> str:
    return json.dumps({"openapi": "3.0.0", "info": {"title": title, "version": "1"}, "paths": {}})


PIPES = {
    "in": ("aws:dynamodb/table:Table", {
        "billingMode": "PAY_PER_REQUEST", "hashKey": "id", "attributes": [{"name": "id", "type": "S"}],
        "streamEnabled": True, "streamViewType": "NEW_IMAGE"}),
    "told": ("aws:sns/topic:Topic", {}),
    "out": ("aws:sqs/queue:Queue", {"name": "out"}),
    "pipe": ("aws:pipes/pipe:Pipe", {
        "roleArn": ROLE, "source": "${in.streamArn}", "target": "${told.arn}", "desiredState": "STOPPED",
        "sourceParameters": {"dynamodbStreamParameters": {"startingPosition": "LATEST"}}, "tags": {"a": "b"}}),
    "group": ("aws:scheduler/scheduleGroup:ScheduleGroup", {"tags": {"a": "b"}}),
    "schedule": ("aws:scheduler/schedule:Schedule", {
        "groupName": "${group.name}", "scheduleExpression": "rate(1 day)", "flexibleTimeWindow": {"mode": "OFF"},
        "target": {
            "arn": "${out.arn}", "roleArn": ROLE, "input": '{"a": 1}', "retryPolicy": {"maximumRetryAttempts": 1}}}),
    "registry": ("aws:schemas/registry:Registry", {"description": "ours", "tags": {"a": "b"}}),
    "schema": ("aws:schemas/schema:Schema", {
        "name": "placed", "registryName": "${registry.name}", "type": "OpenApi3", "content": openapi("one"),
        "tags": {"a": "b"}}),
    "discoverer": ("aws:schemas/discoverer:Discoverer", {"sourceArn": f"arn:aws:events:{HERE}:event-bus/default"}),
    "registry-policy": ("aws:schemas/registryPolicy:RegistryPolicy", {
        "registryName": "${registry.name}", "policy": json.dumps({"Version": "2012-10-17", "Statement": []})}),
}  # fmt: skip
PIPE_CHANGES: dict[str, dict[str, Any]] = {
    "pipe": {"description": "b", "tags": {"a": "c"}},
    "group": {"tags": {"c": "d"}},
    "registry": {"description": "everybody's", "tags": {"c": "d"}},
    "schema": {"content": openapi("two"), "description": "new"},
    "discoverer": {"description": "watches", "tags": {"c": "d"}},
    "registry-policy": {"policy": json.dumps({"Version": "2012-10-17", "Statement": [], "Id": "x"})},
    "schedule": {"scheduleExpression": "cron(0 1 * * ? *)", "state": "DISABLED", "description": "x"},
}


def machine(comment: str) -> str:
    return json.dumps({"Comment": comment, "StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})


MACHINES = {
    "role": ("aws:iam/role:Role", {"name": "any", "assumeRolePolicy": ASSUME}),
    "logs": ("aws:cloudwatch/logGroup:LogGroup", {"name": "machines"}),
    "machine": ("aws:sfn/stateMachine:StateMachine", {
        "definition": machine("one"), "roleArn": ROLE, "publish": True, "tracingConfiguration": {"enabled": True},
        "loggingConfiguration": {
            "level": "ALL", "includeExecutionData": True, "logDestination": "${logs.arn}:*"}, "tags": {"a": "b"}}),
    "activity": ("aws:sfn/activity:Activity", {"tags": {"a": "b"}}),
    "alias": ("aws:sfn/alias:Alias", {
        "name": "live", "routingConfigurations": [
            {"stateMachineVersionArn": "${machine.stateMachineVersionArn}", "weight": 100}]}),
}  # fmt: skip
MACHINE_CHANGES: dict[str, dict[str, Any]] = {
    "machine": {"definition": machine("two"), "tags": {"c": "d"}},
    "activity": {"tags": {"c": "d"}},
    "alias": {"description": "the live one"},
}


def test_buses_rules_targets(lives: Any) -> None:
    lives.run(RULES, RULE_CHANGES, blind=("connection",))


def test_pipes_schedules_schemas(lives: Any) -> None:
    lives.run(PIPES, PIPE_CHANGES)


def test_state_machines(lives: Any) -> None:
    lives.run(MACHINES, MACHINE_CHANGES)


def test_what_a_pipe_would_drop_without_a_word_is_refused_by_name(lives: Any) -> None:
    asked = {
        "roleArn": ROLE,
        "source": "arn:aws:mq:us-east-1:000000000000:broker:in",
        "target": "arn:aws:sns:us-east-1:000000000000:out",
        "enrichment": "arn:aws:execute-api:us-east-1:000000000000:a/live/POST/",
        "logConfiguration": {"level": "INFO"},
    }
    with pytest.raises(CheckError) as caught:
        lives.create("pipe", "aws:pipes/pipe:Pipe", asked)
    said = dict(caught.value.failures)
    assert said["source"] == "is of mq: pipes of the embedded cloud know sqs, dynamodb, kinesis there only"
    assert said.keys() == {"source", "enrichment", "logConfiguration"}
