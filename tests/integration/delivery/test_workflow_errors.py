"""Step Functions retries and catches errors by the names that AWS documents, whoever raised them."""

import json
from typing import Any

from tests.waiting import until

LAMBDA, PUT = "arn:aws:states:::lambda:invoke", "arn:aws:states:::dynamodb:putItem"


def branch(name: str, resource: str, parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A task whose error of that name is caught; any other is caught apart."""
    task = {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True, **more}
    caught = [{"ErrorEquals": [name], "Next": "Caught"}, {"ErrorEquals": ["States.ALL"], "Next": "Other"}]
    ends = {end: {"Type": "Pass", "Result": f"{end} {name}", "End": True} for end in ("Caught", "Other")}
    return {"StartAt": "Try", "States": {"Try": {**task, "Catch": caught}, **ends}}


def test_errors_are_retried_and_caught_by_their_names(shop: Any) -> None:
    shop.function("f")
    shop.function("busy")
    shop.cloud.target.client("lambda").put_function_concurrency(FunctionName="busy", ReservedConcurrentExecutions=0)
    table = shop.cloud.target.client("dynamodb")
    table.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    item = {"id": {"S": "a"}}
    table.put_item(TableName="orders", Item=item)
    put = {"TableName": "orders", "Item": item, "ConditionExpression": "attribute_not_exists(id)"}
    again = [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    branches = [
        branch("ValueError", LAMBDA, {"FunctionName": "f", "Payload": {"text": "poison"}}, Retry=again),
        branch("Lambda.TooManyRequestsException", LAMBDA, {"FunctionName": "busy", "Payload": {}}),
        branch("Lambda.ResourceNotFoundException", LAMBDA, {"FunctionName": "nobody", "Payload": {}}),
        branch("DynamoDB.ConditionalCheckFailedException", PUT, put),
    ]
    states = shop.cloud.target.client("stepfunctions")
    definition = {"StartAt": "All", "States": {"All": {"Type": "Parallel", "Branches": branches, "End": True}}}
    machine = states.create_state_machine(name="all", definition=json.dumps(definition), roleArn=shop.role)
    run = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    found: dict[str, Any] = {}

    def ended() -> bool:
        found.update(states.describe_execution(executionArn=run))
        return bool(found["status"] != "RUNNING")

    assert until(ended)
    assert found["status"] == "SUCCEEDED", found
    named = ["ValueError", "Lambda.TooManyRequestsException", "Lambda.ResourceNotFoundException"]
    named.append("DynamoDB.ConditionalCheckFailedException")
    assert json.loads(found["output"]) == [f"Caught {name}" for name in named]
    history = states.get_execution_history(executionArn=run)["events"]
    failed = [event["taskFailedEventDetails"] for event in history if event["type"] == "TaskFailed"]
    assert [one["error"] for one in failed].count("ValueError") == 2  # one try, one retry
