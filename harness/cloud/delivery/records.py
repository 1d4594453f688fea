"""What is sent to a destination or a dead-letter queue, as AWS documents it. Pure.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-errors.html
https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Json = Any  # what a handler takes and answers
MessageAttributes = dict[str, dict[str, str]]  # SQS's form


def invocation_record(
    *,
    request_id: str,
    function_arn: str,
    condition: str,
    attempts: int,
    event: Json,
    answer: Json,
    function_error: str,
    at_s: float,
) -> dict[str, Json]:
    """The record of an asynchronous invocation. `condition`: Success, RetriesExhausted or EventAgeExceeded."""
    context: dict[str, Json] = {"statusCode": 200, "executedVersion": "$LATEST"}
    if function_error:
        context["functionError"] = function_error
    return {
        "version": "1.0",
        "timestamp": _iso(at_s),
        "requestContext": {
            "requestId": request_id,
            "functionArn": function_arn if function_arn.count(":") > 6 else f"{function_arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": context,
        "responsePayload": answer,
    }


def dead_letter_attributes(*, request_id: str, answer: Json) -> MessageAttributes:
    """The attributes beside the raw event in a function's dead-letter queue."""
    message = answer.get("errorMessage", "") if isinstance(answer, Mapping) else ""
    return _attributes({"RequestID": request_id, "ErrorCode": "200", "ErrorMessage": str(message)[:1024]})


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an event was given up. `exhausted` is the limit that was reached, '' when no retry would have helped."""

    code: str
    message: str
    exhausted: str = ""
    retries: int = 0


def rule_dead_letter_attributes(*, rule_arn: str, target_arn: str, failure: Failure) -> MessageAttributes:
    """The attributes beside the event in the dead-letter queue of a rule's target."""
    told = {"RULE_ARN": rule_arn, "TARGET_ARN": target_arn, "ERROR_CODE": failure.code}
    told["ERROR_MESSAGE"] = failure.message[:1024]
    if failure.exhausted:
        told |= {"EXHAUSTED_RETRY_CONDITION": failure.exhausted, "RETRY_ATTEMPTS": str(failure.retries)}
    return _attributes(told)


def stream_failure_record(
    *,
    request_id: str,
    function_arn: str,
    condition: str,
    attempts: int,
    shard_batch: tuple[str, Sequence[Mapping[str, Json]]],
    stream_arn: str,
    at_s: float,
) -> dict[str, Json]:
    """The record of a stream's batch, in its shard, that was given up; the records themselves are not in it."""
    shard, batch = shard_batch
    kind = "DDBStreamBatchInfo" if "dynamodb" in batch[0] else "KinesisBatchInfo"
    return {
        "version": "1.0",
        "timestamp": _iso(at_s),
        "requestContext": {
            "requestId": request_id,
            "functionArn": function_arn,
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        kind: {
            "shardId": shard,
            "startSequenceNumber": sequence_number(batch[0]),
            "endSequenceNumber": sequence_number(batch[-1]),
            "approximateArrivalOfFirstRecord": _iso(arrived_s(batch[0])),
            "approximateArrivalOfLastRecord": _iso(arrived_s(batch[-1])),
            "batchSize": len(batch),
            "streamArn": stream_arn,
        },
    }


def sequence_number(record: Mapping[str, Json]) -> str:
    """What identifies a record in its shard, of a table's stream or of Kinesis."""
    table = record.get("dynamodb")
    return str(table["SequenceNumber"] if table else record["kinesis"]["sequenceNumber"])


def arrived_s(record: Mapping[str, Json]) -> float:
    """When a record came into its stream."""
    table = record.get("dynamodb")
    return float(table["ApproximateCreationDateTime"] if table else record["kinesis"]["approximateArrivalTimestamp"])


def _attributes(texts: Mapping[str, str]) -> MessageAttributes:
    return {name: {"DataType": "String", "StringValue": text or "-"} for name, text in texts.items()}


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
