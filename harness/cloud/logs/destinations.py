"""Where subscription filters deliver: functions, streams and destinations of ministack."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

Invoke = Callable[[str, Any], bool]
"""Invokes a function asynchronously by its ARN; False when there is none."""


def send(record: Mapping[str, Any], body: bytes, stream: str, invoke: Invoke) -> bool:
    """Deliver a filter's compressed message to its destination; False when that takes nothing.

    `record` is what PutSubscriptionFilter was given. A Kinesis stream gets it under the log stream as partition key,
    or under a random one with the distribution `Random`.
    """
    from ministack.services import cloudwatch_logs, firehose, kinesis

    arn = str(record["destinationArn"])
    service = arn.split(":")[2]
    if service == "lambda":
        return invoke(arn, {"awslogs": {"data": base64.b64encode(body).decode()}})
    if service == "kinesis":
        random = record.get("distribution") == "Random"
        key = hashlib.md5(body, usedforsecurity=False).hexdigest() if random else stream
        return bool(kinesis.put_record_internal(arn, key, body))
    if service == "firehose":
        data = {"Data": base64.b64encode(body).decode()}
        answer = firehose._put_record({"DeliveryStreamName": arn.rpartition("/")[2], "Record": data})  # noqa: SLF001 - the seam
        return bool(answer[0] < 300)
    known = cloudwatch_logs._destinations.get(arn.rpartition(":")[2])  # noqa: SLF001
    return known is not None and send({**record, "destinationArn": known["targetArn"]}, body, stream, invoke)


def unreachable(service: str, arn: str) -> str:
    """Why a destination does not take the test message; '' when it does."""
    from ministack.services import cloudwatch_logs, firehose, kinesis, lambda_svc

    if service == "lambda":
        function, _, _ = lambda_svc._get_func_record_for_ref(arn)  # noqa: SLF001
        statements = ((function or {}).get("policy") or {}).get("Statement") or []
        if function is None or (_iam() and not any(_lets_logs_in(one) for one in statements)):
            return (
                "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to"
                f" execute your function: {arn}, principal logs.amazonaws.com, lambda:InvokeFunction"
            )
    elif service == "kinesis" and kinesis._resolve_stream({"StreamARN": arn})[1] is None:  # noqa: SLF001
        return f"Could not deliver test message to specified Kinesis stream: is {arn} ACTIVE?"
    elif service == "firehose" and firehose._streams.get(arn.rpartition("/")[2]) is None:  # noqa: SLF001
        return f"Could not deliver test message to specified Firehose stream: is {arn} ACTIVE?"
    elif service == "logs" and cloudwatch_logs._destinations.get(arn.rpartition(":")[2]) is None:  # noqa: SLF001
        return f"The destination {arn} does not exist"
    return ""


def _iam() -> bool:
    from ministack import app

    return bool(app.AUTH)


def _lets_logs_in(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    services = principal.get("Service", ()) if isinstance(principal, Mapping) else ()
    listed = [services] if isinstance(services, str) else services
    return statement.get("Effect") == "Allow" and any(str(one).startswith("logs.") for one in listed)
