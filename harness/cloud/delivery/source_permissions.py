"""An event source mapping reads under the function's role: what that may not read is not read, as on AWS.

ministack's pollers ask nobody. Looked at anew each second, so that a policy that changes counts. Source:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#events-dynamodb-permissions
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

NEEDED = {
    "sqs": ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    "dynamodb": ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
    "kinesis": ("kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator"),
}
"""A source's service → the actions on it that AWS asks of the function's role (ListStreams names no one stream)."""

_KEPT_S = 1.0
_known: dict[tuple[str, str], tuple[float, bool]] = {}  # role and source → until when, and whether it may


def may_read(role_arn: str, source_arn: str) -> bool:
    """True when the role may read the source. Roles that do not exist are not judged, nor is anything without IAM."""
    from harness.cloud import ministack_hooks

    if not ministack_hooks.iam_enforced():
        return True
    key, now_s = (role_arn, source_arn), time.monotonic()
    until_s, may = _known.get(key, (0.0, True))
    if now_s < until_s:
        return may
    lacking = _lacking(role_arn, source_arn)
    if lacking and may:
        logging.getLogger(__name__).warning("%s may not %s on %s", role_arn, ", ".join(lacking), source_arn)
    _known[key] = (now_s + _KEPT_S, not lacking)
    return not lacking


def install() -> None:
    """Let queues be polled for functions that may read them only."""
    from ministack.services import lambda_svc

    concurrency = lambda_svc._sqs_esm_concurrency  # noqa: SLF001

    def allowed(mapping: Mapping[str, Any], record: Any, config: Any, queue: Any) -> int:
        role = str((config or {}).get("Role", ""))
        return int(concurrency(mapping, record, config, queue)) if may_read(role, mapping["EventSourceArn"]) else 0

    lambda_svc._sqs_esm_concurrency = allowed  # noqa: SLF001


def _lacking(role_arn: str, source_arn: str) -> list[str]:
    from ministack.core import iam_evaluator
    from ministack.services import iam

    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    parts = source_arn.split(":")
    if iam._roles.get_scoped(account, None, name) is None:  # noqa: SLF001
        return []
    policies = iam_evaluator._gather_role_policies(name, account)  # noqa: SLF001

    def allows(action: str) -> bool:
        asked = iam_evaluator.EvalContext(
            principal_arn=role_arn,
            principal_type="AssumedRole",
            principal_account=account,
            action=action,
            resource_arn=source_arn,
            region=parts[3],
        )
        return bool(iam_evaluator.evaluate(asked, policies).decision == "Allow")

    return [action for action in NEEDED.get(parts[2], ()) if not allows(action)]
