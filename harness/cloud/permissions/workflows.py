"""A state machine's tasks call AWS under the machine's role: what that may not, fails the task, as on AWS.

ministack's integrations call its services inside the process, past IAM. The names of the errors are those of the SDK
that Step Functions calls with: https://docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final

from harness.cloud.ministack_hooks import before_first_call
from harness.cloud.permissions.roles import Asked, refusal

_role: ContextVar[str] = ContextVar("role of the state machine", default="")

_OPTIMIZED_ERRORS: Final = {
    "lambda": "Lambda.AWSLambdaException",
    "dynamodb": "DynamoDB.AmazonDynamoDBException",
    "sqs": "SQS.AmazonSQSException",
    "sns": "SNS.AmazonSNSException",
    "events": "EventBridge.AmazonEventBridgeException",
    "states": "StepFunctions.AWSStepFunctionsException",
    "ecs": "ECS.AmazonECSException",
}
_SDK_NAMES: Final = {"sfn": "states", "eventbridge": "events", "cloudwatchlogs": "logs", "rdsdata": "rds-data"}
"""The SDK's name of a service → IAM's."""

_ACTIONS: Final = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
}
"""Operations that IAM knows under another name."""


def install() -> None:
    """Let each task be asked for. Call it before the emulator serves."""
    before_first_call("states", _ask_each_task)


def _ask_each_task() -> None:
    from ministack.services import stepfunctions

    execute, invoke, and_wait = (
        stepfunctions._execute_task,  # noqa: SLF001 - this file is a seam into ministack
        stepfunctions._invoke_resource,  # noqa: SLF001
        stepfunctions._invoke_with_callback,  # noqa: SLF001
    )

    def executed(state: Any, given: Any, execution: Any, context: Any) -> Any:
        machine = ":".join(str((execution or {}).get("stateMachineArn", "")).split(":")[:7])
        before = _role.set(str((stepfunctions._state_machines.get(machine) or {}).get("roleArn", "")))  # noqa: SLF001
        try:
            return execute(state, given, execution, context)
        finally:
            _role.reset(before)

    def ask(resource: str, given: Any) -> None:
        said = refusal(_role.get(), asked_by(resource, given), session=resource.rpartition(":")[2])
        if said:
            raise stepfunctions._ExecutionError(_error(resource), said)  # noqa: SLF001

    def invoked(resource: str, given: Any) -> Any:
        ask(resource, given)
        return invoke(resource, given)

    def waited(resource: str, given: Any, token: str, state: Any) -> Any:
        ask(resource, given)
        return and_wait(resource, given, token, state)

    stepfunctions._execute_task = executed  # noqa: SLF001
    stepfunctions._invoke_resource, stepfunctions._invoke_with_callback = invoked, waited  # noqa: SLF001


def asked_by(resource: str, given: Any) -> list[Asked]:
    """What a task asks IAM for; nothing where it cannot be told on what. Runs in the machine's account and region."""
    from ministack.core import iam_actions
    from ministack.core.responses import get_account_id, get_region

    here = (get_region(), get_account_id())
    if resource.split(":")[2:3] == ["lambda"]:
        return [Asked("lambda:InvokeFunction", resource)]
    service, operation, _ = _called(resource)
    if not operation or not isinstance(given, Mapping):
        return []
    namespace = iam_actions.SERVICE_TO_IAM_NAMESPACE.get(service, service)
    action = f"{namespace}:{operation[0].upper()}{operation[1:]}"
    action = _ACTIONS.get(action, action)
    body = json.dumps(given).encode()
    if service == "dynamodb":
        each = iam_actions.dynamodb_transaction_checks(action, body, *here)
        return [Asked(*one) for one in each] or [
            Asked(action, arn) for arn in iam_actions.dynamodb_resource_arns(body, *here)
        ]
    if action == "events:PutEvents":
        return [Asked(action, arn) for arn in iam_actions.eventbridge_resource_arns(body, *here)]
    query = {name: [value] for name, value in given.items() if isinstance(value, str)}
    arn = iam_actions.extract_resource_arn(service, "POST", _path(service, given), {}, body, query, *here)
    if service == "states":
        arn = str(given.get("StateMachineArn") or given.get("stateMachineArn") or arn)
    return [Asked(action, arn)] if arn.startswith("arn:") else []


def _path(service: str, given: Mapping[str, Any]) -> str:
    """The path of the call, for the services that name their resource there."""
    if service == "lambda":
        return f"/2015-03-31/functions/{given.get('FunctionName', '')}/invocations"
    return f"/{given.get('Bucket', '')}/{given.get('Key', '')}" if service == "s3" else "/"


def _called(resource: str) -> tuple[str, str, bool]:
    """Service and operation of an integration, and whether it is one of the SDK's.

    >>> _called("arn:aws:states:::aws-sdk:sfn:startExecution")
    ('states', 'startExecution', True)
    >>> _called("arn:aws:states:::sqs:sendMessage.waitForTaskToken")
    ('sqs', 'sendMessage', False)
    """
    head, _, named = resource.partition(":states:::")
    if head != "arn:aws":
        return "", "", False
    by_sdk = named.startswith("aws-sdk:")
    service, _, operation = named.removeprefix("aws-sdk:").partition(":")
    return _SDK_NAMES.get(service.lower(), service.lower()), operation.partition(".")[0], by_sdk


def _error(resource: str) -> str:
    service, _, by_sdk = _called(resource)
    if not by_sdk:
        return _OPTIMIZED_ERRORS.get(service or "lambda", "States.Permissions")
    from ministack.services import stepfunctions

    prefix = str(stepfunctions._prefix_sdk_error(resource.split(":")[6].lower(), "x")).partition(".")[0]  # noqa: SLF001
    return f"{prefix}.{prefix}Exception"
