"""Whether a role may do something: by its policies, the resource's own, and the key that encrypts the resource."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from harness.cloud.permissions.calls import during
from harness.cloud.permissions.grants import granted
from harness.cloud.permissions.keys import uses_of_keys


class Asked(NamedTuple):
    """An IAM action on a resource, by ARN."""

    action: str
    resource: str


def refusal(role_arn: str, asked: Iterable[Asked], *, session: str) -> str:
    """Why the role may not do all of it, in AWS's words; '' when it may.

    Roles that do not exist are not judged, nor is anything without IAM.
    """
    from harness.cloud import ministack_hooks

    if not role_arn or not ministack_hooks.iam_enforced():
        return ""
    return next((said for one in asked if (said := _refused(role_arn, one, session))), "")


def _refused(role_arn: str, asked: Asked, session: str) -> str:
    from ministack.core import iam_actions, iam_evaluator
    from ministack.core.responses import request_scope
    from ministack.services import iam

    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    if iam._roles.get_scoped(account, None, name) is None:  # noqa: SLF001 - this file is a seam into ministack
        return ""
    policies = iam_evaluator._gather_role_policies(name, account)  # noqa: SLF001
    principal = f"arn:aws:sts::{account}:assumed-role/{name}/{session}"
    region = _part(asked.resource, 3)
    with during(None), request_scope(account, region or "us-east-1"):
        for action, resource in (asked, *uses_of_keys(asked.action, asked.resource)):
            context = iam_evaluator.EvalContext(
                principal_arn=principal,
                principal_type="AssumedRole",
                principal_account=account,
                action=action,
                resource_arn=resource,
                region=region,
            )
            decision = _decision(context, policies)
            if decision == "ImplicitDeny" and granted(action, principal, resource, {}):
                continue
            if decision != "Allow":
                said: str = iam_actions.identity_denial_message(action, principal, resource, decision == "Deny")
                return said
    return ""


def _decision(context: Any, policies: Any) -> str:
    from ministack.core import iam_evaluator

    result = iam_evaluator.evaluate(context, policies)
    service = _part(context.resource_arn, 2)
    kept = iam_evaluator._resource_policy(service, context.resource_arn)  # noqa: SLF001
    if kept is not None:
        required = service in iam_evaluator._POLICY_REQUIRED  # noqa: SLF001
        result = iam_evaluator.combine_resource_policy(result, context, *kept, required=required)
    return str(result.decision)


def _part(arn: str, number: int) -> str:
    return ([*arn.split(":"), "", "", "", ""])[number]
