"""Where pipes deliver, with the pipe's role, through the gate: what the role may not, does not arrive."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from harness.cloud.sessions import RoleSession
from harness.target import Target

Pipe = Mapping[str, Any]
Json = Any


class NotDeliveredError(Exception):
    """The target, or the enrichment, failed; says how."""


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Sends batches. `failed` of a function's partial answer are message ids."""

    target: Target

    def enrich(self, pipe: Pipe, records: list[Json]) -> list[Json]:
        """What the enrichment makes of a batch.

        Raises:
            NotDeliveredError: it failed.
            ClientError: AWS refused the call.
        """
        arn = str(pipe["Enrichment"])
        client = self._client(pipe, arn)
        if arn.split(":")[2] == "lambda":
            found = _invoked(client, arn, records)
        else:
            answer = client.start_sync_execution(stateMachineArn=arn, input=json.dumps(records))
            if answer["status"] != "SUCCEEDED":
                raise NotDeliveredError(f"{arn}: {answer.get('error', '')} {answer.get('cause', '')}")
            found = json.loads(answer["output"])
        if not isinstance(found, list):
            return [found] if found not in ({}, None, "") else []
        return found

    def deliver(self, pipe: Pipe, records: list[Json]) -> set[str]:
        """Send a batch; returns the ids of what a function says it could not process.

        Raises:
            NotDeliveredError: the target failed.
            ClientError: AWS refused the call.
        """
        arn = str(pipe["Target"])
        failed = _TARGETS[arn.split(":")[2]](self._client(pipe, arn), pipe, records)
        return failed or set()

    def dead_letter(self, pipe: Pipe, arn: str, body: Json) -> None:
        """Tell a queue or topic what was given up.

        Raises:
            ClientError: AWS refused the call.
        """
        client = self._client(pipe, arn)
        if arn.split(":")[2] == "sqs":
            client.send_message(QueueUrl=_queue_url(client, arn), MessageBody=json.dumps(body))
        else:
            client.publish(TopicArn=arn, Message=json.dumps(body))

    def _client(self, pipe: Pipe, arn: str) -> Any:
        _, _, _, home, account, _ = str(pipe["Arn"]).split(":", 5)
        session = RoleSession(role=pipe["RoleArn"], account=account, region=home, name=f"pipe-{pipe['Name']}")
        service, region = _SDK.get(arn.split(":")[2], arn.split(":")[2]), arn.split(":")[3] or self.target.region
        return self._made(service, region, json.dumps(session.credentials()))

    @functools.lru_cache(maxsize=64)  # noqa: B019 - one a server; clients are costly to make
    def _made(self, service: str, region: str, credentials: str) -> Any:
        return self.target.client(service, region=region, role=json.loads(credentials))


_SDK = {"states": "stepfunctions"}


def _parameters(pipe: Pipe, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (pipe.get("TargetParameters") or {}).get(name) or {}
    return found


def _text(record: Json) -> str:
    return record if isinstance(record, str) else json.dumps(record)


def _invoked(client: Any, arn: str, payload: Json) -> Json:
    answer = client.invoke(FunctionName=arn, Payload=json.dumps(payload).encode())
    body = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        raise NotDeliveredError(f"{arn}: {body}")
    return body


def _to_lambda(client: Any, pipe: Pipe, records: list[Json]) -> set[str] | None:
    if _parameters(pipe, "LambdaFunctionParameters").get("InvocationType") == "FIRE_AND_FORGET":
        client.invoke(FunctionName=pipe["Target"], InvocationType="Event", Payload=json.dumps(records).encode())
        return None
    answer = _invoked(client, str(pipe["Target"]), records)
    named = answer.get("batchItemFailures") if isinstance(answer, Mapping) else None
    return {str(one.get("itemIdentifier")) for one in named or ()}


def _to_states(client: Any, pipe: Pipe, records: list[Json]) -> None:
    client.start_execution(stateMachineArn=pipe["Target"], input=json.dumps(records))


def _queue_url(client: Any, arn: str) -> str:
    return str(
        client.get_queue_url(QueueName=arn.split(":")[5], QueueOwnerAWSAccountId=arn.split(":")[4])["QueueUrl"]
    )


def _to_queue(client: Any, pipe: Pipe, records: list[Json]) -> None:
    url, given = _queue_url(client, str(pipe["Target"])), _parameters(pipe, "SqsQueueParameters")
    fifo = {key: given[key] for key in ("MessageGroupId", "MessageDeduplicationId") if given.get(key)}
    for record in records:
        client.send_message(QueueUrl=url, MessageBody=_text(record), **fifo)


def _to_topic(client: Any, pipe: Pipe, records: list[Json]) -> None:
    for record in records:
        client.publish(TopicArn=pipe["Target"], Message=_text(record))


def _to_bus(client: Any, pipe: Pipe, records: list[Json]) -> None:
    given = _parameters(pipe, "EventBridgeEventBusParameters")
    kind = str(pipe["Source"]).split(":")[2]
    for record in records:
        entry = {
            "EventBusName": pipe["Target"],
            "Source": given.get("Source") or f"Pipe {pipe['Name']}",
            "DetailType": given.get("DetailType") or f"Event from aws:{kind}",
            "Resources": given.get("Resources") or [],
            "Detail": _text(record),
        }
        answer = client.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise NotDeliveredError(str(answer["Entries"][0].get("ErrorMessage")))


def _to_stream(client: Any, pipe: Pipe, records: list[Json]) -> None:
    key = str(_parameters(pipe, "KinesisStreamParameters").get("PartitionKey") or "pipe")
    for record in records:
        client.put_record(StreamARN=pipe["Target"], PartitionKey=key, Data=_text(record).encode())


def _to_firehose(client: Any, pipe: Pipe, records: list[Json]) -> None:
    name = str(pipe["Target"]).rpartition("/")[2]
    for record in records:
        client.put_record(DeliveryStreamName=name, Record={"Data": _text(record).encode()})


_TARGETS: Final[Mapping[str, Callable[[Any, Pipe, list[Json]], set[str] | None]]] = {
    "lambda": _to_lambda,
    "states": _to_states,
    "sqs": _to_queue,
    "sns": _to_topic,
    "events": _to_bus,
    "kinesis": _to_stream,
    "firehose": _to_firehose,
}
TARGETS: Final = frozenset(_TARGETS)
ENRICHMENTS: Final = frozenset({"lambda", "states"})
SOURCES: Final = frozenset({"sqs", "dynamodb", "kinesis"})


def refusal(source: str, target: str, enrichment: str) -> str:
    """Why a pipe between these would not move anything here; '' when it would."""
    for what, arn, known in (
        ("source", source, SOURCES),
        ("target", target, TARGETS),
        ("enrichment", enrichment, ENRICHMENTS),
    ):
        service = [*arn.split(":"), "", "", ""][2]
        if arn and service not in known:
            return f"a pipe's {what} of {service or arn} is not supported here: {', '.join(sorted(known))}"
    if target.split(":")[2:3] == ["events"] and ":api-destination/" in target:
        return "API destinations as a pipe's target are not supported here"
    return ""
