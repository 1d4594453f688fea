"""Roles that a call gives to a service: the caller must be allowed to pass each on, and the service to take it on.

Which operations pass a role is in the service authorization reference: `iam:PassRole` is a dependent action there.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from harness.cloud.permissions.calls import Call


class Pass(NamedTuple):
    """A service's principal, and where a call names the roles that are passed to it."""

    to: str
    members: tuple[str, ...]


def _pass(service: str, *members: str) -> Pass:
    return Pass(f"{service}.amazonaws.com", members)


_FUNCTION, _MACHINE, _BUILD = _pass("lambda", "Role"), _pass("states", "roleArn"), _pass("codebuild", "serviceRole")
_TASK = _pass("ecs-tasks", "taskRoleArn", "executionRoleArn")
_PIPE, _SCHEDULE = _pass("pipes", "RoleArn"), _pass("scheduler", "Target.RoleArn")
_MONITORED = _pass("monitoring.rds", "MonitoringRoleArn")
_POOL = _pass("cognito-idp", "SmsConfiguration.SnsCallerArn")
_STACK, _TRAIL = _pass("cloudformation", "RoleARN"), _pass("cloudtrail", "CloudWatchLogsRoleArn")
_FEEDBACK = _pass("sns", "AttributeValue")

PASSED: Final[Mapping[str, Pass]] = {
    "lambda:CreateFunction": _FUNCTION,
    "lambda:UpdateFunctionConfiguration": _FUNCTION,
    "states:CreateStateMachine": _MACHINE,
    "states:UpdateStateMachine": _MACHINE,
    "ecs:RegisterTaskDefinition": _TASK,
    "ecs:RunTask": _pass("ecs-tasks", "overrides.taskRoleArn", "overrides.executionRoleArn"),
    "ecs:StartTask": _pass("ecs-tasks", "overrides.taskRoleArn", "overrides.executionRoleArn"),
    "ecs:CreateService": _pass("ecs", "role"),
    "ecs:UpdateService": _pass("ecs-tasks"),
    "events:PutRule": _pass("events", "RoleArn"),
    "events:PutTargets": _pass("events", "Targets.RoleArn"),
    "events:CreateEndpoint": _pass("events", "RoleArn"),
    "scheduler:CreateSchedule": _SCHEDULE,
    "scheduler:UpdateSchedule": _SCHEDULE,
    "pipes:CreatePipe": _PIPE,
    "pipes:UpdatePipe": _PIPE,
    "codebuild:CreateProject": _BUILD,
    "codebuild:UpdateProject": _BUILD,
    "codebuild:StartBuild": _pass("codebuild", "serviceRoleOverride"),
    "codepipeline:CreatePipeline": _pass("codepipeline", "pipeline.roleArn"),
    "codepipeline:UpdatePipeline": _pass("codepipeline", "pipeline.roleArn"),
    "codedeploy:CreateDeploymentGroup": _pass("codedeploy", "serviceRoleArn"),
    "codedeploy:UpdateDeploymentGroup": _pass("codedeploy", "serviceRoleArn"),
    "cloudformation:CreateStack": _STACK,
    "cloudformation:UpdateStack": _STACK,
    "cloudformation:DeleteStack": _STACK,
    "cloudformation:CreateChangeSet": _STACK,
    "fis:CreateExperimentTemplate": _pass("fis", "roleArn"),
    "fis:UpdateExperimentTemplate": _pass("fis", "roleArn"),
    "application-autoscaling:RegisterScalableTarget": _pass("application-autoscaling", "RoleARN"),
    "backup:CreateBackupSelection": _pass("backup", "BackupSelection.IamRoleArn"),
    "backup:StartBackupJob": _pass("backup", "IamRoleArn"),
    "backup:StartCopyJob": _pass("backup", "IamRoleArn"),
    "backup:StartRestoreJob": _pass("backup", "IamRoleArn"),
    "rds:CreateDBInstance": _MONITORED,
    "rds:ModifyDBInstance": _MONITORED,
    "rds:CreateDBCluster": _MONITORED,
    "rds:ModifyDBCluster": _MONITORED,
    "rds:AddRoleToDBCluster": _pass("rds", "RoleArn"),
    "rds:AddRoleToDBInstance": _pass("rds", "RoleArn"),
    "rds:CreateDBProxy": _pass("rds", "RoleArn"),
    "s3:PutReplicationConfiguration": _pass("s3", "Role"),
    "firehose:CreateDeliveryStream": _pass(
        "firehose",
        "S3DestinationConfiguration.RoleARN",
        "ExtendedS3DestinationConfiguration.RoleARN",
        "KinesisStreamSourceConfiguration.RoleARN",
    ),
    "logs:PutSubscriptionFilter": _pass("logs", "roleArn"),
    "logs:PutDestination": _pass("logs", "roleArn"),
    "sns:SetTopicAttributes": _FEEDBACK,
    "sns:SetSubscriptionAttributes": _FEEDBACK,
    "cognito-idp:CreateUserPool": _POOL,
    "cognito-idp:UpdateUserPool": _POOL,
    "cognito-identity:SetIdentityPoolRoles": _pass(
        "cognito-identity", "Roles.authenticated", "Roles.unauthenticated"
    ),
    "appsync:CreateDataSource": _pass("appsync", "serviceRoleArn"),
    "glue:CreateJob": _pass("glue", "Role"),
    "glue:CreateCrawler": _pass("glue", "Role"),
    "eks:CreateCluster": _pass("eks", "roleArn"),
    "ssm:StartAutomationExecution": _pass("ssm", "Parameters.AutomationAssumeRole"),
    "cloudtrail:CreateTrail": _TRAIL,
    "cloudtrail:UpdateTrail": _TRAIL,
    "ec2:CreateFlowLogs": _pass("vpc-flow-logs", "DeliverLogsPermissionArn"),
    "apigateway:PUT": _pass("apigateway", "credentials"),
    "apigateway:POST": _pass("apigateway", "credentialsArn", "authorizerCredentials"),
}  # fmt: skip
"""An action → the roles that its call passes on. Operations that are not here pass none that anything would use."""


class Passed(NamedTuple):
    """A role on its way to a service's principal."""

    role: str
    to: str


def passed_by(action: str, call: Call | None) -> Iterator[Passed]:
    """The roles that a call passes on, each once. Needs account and region in the emulator's context."""
    passing = PASSED.get(action)
    if passing is None or call is None:
        return
    named = [value for member in passing.members for value in call.values(member)]
    if action == "s3:PutReplicationConfiguration":
        named = [_text(call.body, b"Role")]
    found = [Passed(_arn(one, action), passing.to) for one in named]
    if action in _RUNS:
        found += [Passed(one, _TASK.to) for one in _roles_of_task(action, call)]
    yield from dict.fromkeys(one for one in found if ":role/" in one.role)


_RUNS: Final = ("ecs:RunTask", "ecs:StartTask", "ecs:CreateService", "ecs:UpdateService")


def _roles_of_task(action: str, call: Call) -> list[str]:
    """Those of the task definition that runs, but for what the call puts in their place."""
    from ministack.services import ecs

    named = str(call.document.get("taskDefinition") or "")
    overridden = call.document.get("overrides") or {} if action in _RUNS[:2] else {}
    key = ecs._resolve_td_key(named) if named else ""  # noqa: SLF001 - this file is a seam into ministack
    definition: Mapping[str, Any] = (ecs._task_defs.get(key) if key else None) or {}  # noqa: SLF001
    return [str(definition[one]) for one in _TASK.members if definition.get(one) and not overridden.get(one)]


def _arn(name: str, action: str) -> str:
    """A role's ARN; ECS, Glue take its name too."""
    if name.startswith("arn:") or not action.startswith(("ecs:", "glue:")):
        return name
    from ministack.core.responses import get_account_id

    return f"arn:aws:iam::{get_account_id()}:role/{name}"


def _text(xml: bytes, tag: bytes) -> str:
    """What the first element of this name holds."""
    return xml.partition(b"<" + tag + b">")[2].partition(b"</" + tag + b">")[0].strip().decode()
