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

from harness.cloud.permissions.roles import Asked, refusal

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
    key, now_s = (role_arn, source_arn), time.monotonic()
    until_s, may = _known.get(key, (0.0, True))
    if now_s < until_s:
        return may
    needed = NEEDED.get(source_arn.split(":")[2], ())
    said = refusal(role_arn, [Asked(action, source_arn) for action in needed], session="lambda")
    if said and may:
        logging.getLogger(__name__).warning("%s", said)
    _known[key] = (now_s + _KEPT_S, not said)
    return not said


def install() -> None:
    """Let queues be polled for functions that may read them only."""
    from ministack.services import lambda_svc

    concurrency = lambda_svc._sqs_esm_concurrency  # noqa: SLF001 - this file is a seam into ministack

    def allowed(mapping: Mapping[str, Any], record: Any, config: Any, queue: Any) -> int:
        role = str((config or {}).get("Role", ""))
        return int(concurrency(mapping, record, config, queue)) if may_read(role, mapping["EventSourceArn"]) else 0

    lambda_svc._sqs_esm_concurrency = allowed  # noqa: SLF001
