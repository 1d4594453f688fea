"""What IAM is asked of calls to other services, and what AWS's own policies and those of tables say."""

from __future__ import annotations

import json
from typing import Any

from harness.cloud.gaps.managed_policies import document_of
from harness.cloud.ministack_hooks import before_first_call

Record = dict[str, Any]  # ministack's record of a policy: JSON, in AWS's names


def close() -> None:
    """Call it before any service is used."""
    _name_calls_of_aliases()
    _name_services_of_ecs()
    _know_managed_policies()
    before_first_call("dynamodb", _obey_policies_of_tables)


def _name_calls_of_aliases() -> None:
    """To ministack's IAM every call of one alias is ListAliases: a role that may only read could move traffic."""
    from ministack.core import iam_actions

    action_of = iam_actions._lambda_action  # noqa: SLF001
    named = {"GET": "GetAlias", "PUT": "UpdateAlias", "DELETE": "DeleteAlias"}

    def action(method: str, path: str) -> str | None:
        found: str | None = action_of(method, path)
        of_one = path.rstrip("/").split("/")[-2:-1] == ["aliases"]
        return named.get(method, found) if of_one else found

    iam_actions._lambda_action = action  # noqa: SLF001


def _name_services_of_ecs() -> None:
    """To ministack's IAM a call about an ECS service is one about its cluster; to AWS it is one about the service.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
    """
    from ministack.core import iam_actions

    arn_of = iam_actions.extract_resource_arn

    def arn(service: str, *request: Any, **named: Any) -> str:
        found: str = arn_of(service, *request, **named)
        return _service_arn(found, request[3]) if service == "ecs" and ":cluster/" in found else found

    iam_actions.extract_resource_arn = arn


def _service_arn(cluster: str, body: bytes) -> str:
    """The ARN of the one service that a request names; else its cluster's."""
    try:
        given = json.loads(body)
    except ValueError:
        return cluster
    several = given.get("services") or [None]
    name = given.get("service") or given.get("serviceName") or (several[0] if len(several) == 1 else None)
    if not isinstance(name, str) or not name:
        return cluster
    return name if name.startswith("arn:") else f"{cluster.replace(':cluster/', ':service/', 1)}/{name}"


def _know_managed_policies() -> None:
    """AWS's own policies that ministack does not know come from AWS's list; alone it would allow all."""
    from ministack.services import iam

    def learn(arn: str) -> Record | None:
        name = arn.removeprefix(iam._AWS_MANAGED_POLICY_PREFIX)  # noqa: SLF001
        document = document_of(name)
        if document is None:
            return None
        record: Record = iam._make_aws_managed_record(name, document)  # noqa: SLF001
        iam._aws_managed_policies[arn] = record  # noqa: SLF001
        return record

    iam._autovivify_aws_managed_policy = learn  # noqa: SLF001


def _obey_policies_of_tables() -> None:
    """A table's resource policy is kept by ministack and asked by nobody.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-auth-iam-id-based-policies-DDB.html
    """
    from ministack.core import iam_evaluator
    from ministack.core.responses import request_scope
    from ministack.services import dynamodb

    kept_of = iam_evaluator._resource_policy  # noqa: SLF001

    def policy_of(service: str, arn: str) -> tuple[str, str] | None:
        if service != "dynamodb" or not arn.startswith("arn:"):
            found: tuple[str, str] | None = kept_of(service, arn)
            return found
        region, account = arn.split(":")[3:5]
        with request_scope(account, region):
            kept = dynamodb._resource_policies.get("/".join(arn.split("/")[:2]))  # noqa: SLF001
        return (kept["Policy"], account) if kept else None

    iam_evaluator._resource_policy = policy_of  # noqa: SLF001
