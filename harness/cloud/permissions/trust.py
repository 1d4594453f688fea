"""Whether a role lets a service take it on: by its trust policy, as the service finds out when it is given the role.

Each service says so in its own words. Sources: the troubleshooting pages of the services, and what the issues of
terraform-provider-aws quote, which waits for new roles by these messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from harness.cloud.permissions.passing import Passed


class Words(NamedTuple):
    """How a service refuses a role that it may not take on: error code and message."""

    code: str
    message: str


WORDS: Final[Mapping[str, Words]] = {
    "lambda.amazonaws.com": Words(
        "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."
    ),
    "states.amazonaws.com": Words(
        "AccessDeniedException",
        "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the "
        "provided role.",
    ),
    "events.amazonaws.com": Words(
        "ValidationException", "Provided role '{role}' cannot be assumed by principal 'events.amazonaws.com'."
    ),
    "scheduler.amazonaws.com": Words(
        "ValidationException",
        "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
    ),
    "codebuild.amazonaws.com": Words(
        "InvalidInputException", "CodeBuild is not authorized to perform: sts:AssumeRole on {role}"
    ),
    "codepipeline.amazonaws.com": Words(
        "InvalidStructureException", "CodePipeline is not authorized to perform AssumeRole on role {role}"
    ),
    "cloudformation.amazonaws.com": Words("ValidationError", "Role {role} is invalid or cannot be assumed"),
    "firehose.amazonaws.com": Words(
        "InvalidArgumentException", "Firehose is unable to assume role {role}. Please check the role provided."
    ),
    "glue.amazonaws.com": Words("InvalidInputException", "Service is unable to assume provided role."),
    "monitoring.rds.amazonaws.com": Words(
        "InvalidParameterValue",
        "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING",
    ),
}
"""A service's principal → its words, for those that look when they are given a role; others find out later."""

NO_TASK: Final = Words(
    "ClientException",
    "ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the role being "
    "passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this "
    "role.",
)
"""ECS finds out when a task is to run, not when its definition is registered."""


def refused(action: str, passed: Iterable[Passed], resource: str = "") -> tuple[str, Words] | None:
    """The first role that a service which looks at once may not take on, and the words for it; None when it may all.

    `resource` is what the role is for, '' where nobody knows.
    """
    for role, to in passed:
        words = NO_TASK if action in ("ecs:RunTask", "ecs:StartTask") else WORDS.get(to)
        if words and not trusts(role, to, source_arn=source_of(to, resource)):
            return role, Words(words.code, words.message.format(role=role))
    return None


def trusts(role_arn: str, service: str, *, source_arn: str = "") -> bool:
    """True when the role's trust policy lets the service's principal take it on, for `source_arn`.

    A regional principal (`states.eu-west-1.amazonaws.com`) is as good. Roles that do not exist are not judged.
    """
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_region
    from ministack.services import iam

    account = role_arn.split(":")[4]
    role = iam._roles.get_scoped(account, None, role_arn.rpartition("/")[2])  # noqa: SLF001 - a seam into ministack
    if role is None:
        return True
    source = {"aws:sourceaccount": account} | ({"aws:sourcearn": source_arn} if source_arn.startswith("arn:") else {})
    context = iam_evaluator.EvalContext(
        principal_arn="",
        principal_type="Service",
        principal_account="",
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=get_region(),
        service_context=source,
    )
    document = role.get("AssumeRolePolicyDocument")
    names = (service, service.replace(".", f".{get_region()}.", 1))
    decisions = [iam_evaluator.evaluate_resource_policy(document, context, service=name).decision for name in names]
    return "Allow" in decisions and "Deny" not in decisions


def source_of(service: str, resource: str) -> str:
    """What a service names as `aws:SourceArn` for a resource of its own: Scheduler names the schedule's group.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    """
    if service == "scheduler.amazonaws.com":
        return resource.replace(":schedule/", ":schedule-group/", 1).rpartition("/")[0]
    return resource
