"""Listens to ministack for what its services would charge and no request at the gate tells.

DynamoDB: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
SQS and SNS count a request for every 64 KB, EventBridge an event: https://aws.amazon.com/sqs/pricing/
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

from harness.cloud.usage.meters import UsageMeters, units

Answer = tuple[int, dict[str, str], Any]
Record = dict[str, Any]  # a request's or ministack's JSON
_CHUNK_BYTES = 64 << 10
_READ_BYTES = 4 << 10
_WRITES = ("_put_item", "_update_item", "_delete_item", "_batch_write_item", "_transact_write_items")
_READS = ("_get_item", "_query", "_scan", "_batch_get_item", "_transact_get_items")
_REFUSED = b"ConditionalCheckFailedException"
"""A write whose condition fails is charged as one that succeeds; without its size here, as the smallest."""


def install(meters: UsageMeters) -> None:
    """Tell `meters` of everything, from now on. Call it once, before the emulator serves."""
    from ministack.services import dynamodb, eventbridge, sns, sqs, stepfunctions

    for name in _WRITES:
        setattr(dynamodb, name, _metered_table(getattr(dynamodb, name), meters, "dynamodb.write_units"))
    for name in _READS:
        setattr(dynamodb, name, _metered_table(getattr(dynamodb, name), meters, "dynamodb.read_units"))
    sns._fanout = _published(sns._fanout, meters)  # noqa: SLF001 - this file is a seam into ministack
    eventbridge._put_events = _put_events(eventbridge._put_events, meters)  # noqa: SLF001
    for action, handler in list(sqs._HANDLERS.items()):  # noqa: SLF001
        sqs._HANDLERS[action] = _requested(handler, meters)  # noqa: SLF001
    sqs._receive_messages_for_esm = _polled(sqs._receive_messages_for_esm, meters)  # noqa: SLF001
    stepfunctions._add_event = _transition(stepfunctions._add_event, meters)  # noqa: SLF001
    meters.held = _held


def _metered_table(builtin: Callable[[Record], Answer], meters: UsageMeters, name: str) -> Callable[[Record], Answer]:
    """Ask for the consumed capacity always, and take it out again where the caller did not ask."""

    @functools.wraps(builtin)
    def answer(data: Record) -> Answer:
        if data.get("ReturnConsumedCapacity", "NONE") != "NONE":
            status, headers, body = builtin(data)
            if status == 200:
                _count(data, json.loads(body), meters, name)
            return status, headers, body
        status, headers, body = builtin({**data, "ReturnConsumedCapacity": "TOTAL"})
        if status != 200:
            if _REFUSED in _bytes(body):
                _add(meters, name, data.get("TableName"), 1.0)
            return status, headers, body
        found = json.loads(body)
        _count(data, found, meters, name)
        found.pop("ConsumedCapacity", None)
        return status, headers, json.dumps(found, ensure_ascii=False).encode()

    return answer


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else str(body).encode()


def _count(data: Record, answer: Record, meters: UsageMeters, name: str) -> None:
    consumed = answer.get("ConsumedCapacity") or ()
    for one in [consumed] if isinstance(consumed, Mapping) else consumed:
        _add(meters, name, one.get("TableName"), max(float(one.get("CapacityUnits", 0.0)), _read(data, answer)))


def _read(data: Record, answer: Record) -> float:
    """Read units by the size of what was read: the emulator counts items and not their size. 0 for writes."""
    from ministack.services import dynamodb

    items = answer.get("Items") or ([answer["Item"]] if answer.get("Item") else [])
    if not items:
        return 0.0
    size = sum(dynamodb._item_size_bytes(item) for item in items)  # noqa: SLF001
    return units(size, _READ_BYTES) * (1.0 if data.get("ConsistentRead") else 0.5)


def _add(meters: UsageMeters, name: str, table: str | None, quantity: float) -> None:
    """A table with provisioned throughput is charged by the hour instead."""
    from ministack.services import dynamodb

    found = dynamodb._tables.get(dynamodb._normalize_table_name(table or "")) or {}  # noqa: SLF001
    if (found.get("BillingModeSummary") or {}).get("BillingMode") == "PAY_PER_REQUEST":
        meters.add(name, quantity)


def _published(builtin: Callable[..., Any], meters: UsageMeters) -> Callable[..., Any]:
    @functools.wraps(builtin)
    def fan_out(topic_arn: str, message_id: str, message: str, *rest: Any, **named: Any) -> Any:
        meters.add("sns.publishes", units(len(message.encode()), _CHUNK_BYTES))
        return builtin(topic_arn, message_id, message, *rest, **named)

    return fan_out


def _put_events(builtin: Callable[..., Any], meters: UsageMeters) -> Callable[..., Any]:
    @functools.wraps(builtin)
    def put(data: Record, *, allow_aws_source: bool = False) -> Any:
        if not allow_aws_source:  # what AWS's own services tell is free
            for entry in data.get("Entries") or ():
                meters.add("eventbridge.custom_events", units(len(json.dumps(entry)), _CHUNK_BYTES))
        return builtin(data, allow_aws_source=allow_aws_source)

    return put


def _requested(builtin: Callable[..., Any], meters: UsageMeters) -> Callable[..., Any]:
    @functools.wraps(builtin)
    def act(data: Record, url: str) -> Any:
        size_bytes = len(str(data.get("MessageBody", "")).encode())
        meters.add(_queue_kind(data.get("QueueUrl") or url), units(size_bytes, _CHUNK_BYTES))
        return builtin(data, url)

    return act


def _polled(builtin: Callable[..., Any], meters: UsageMeters) -> Callable[..., Any]:
    """An event source that receives something also deletes it: two requests. Its empty polls are not counted."""

    @functools.wraps(builtin)
    def receive(url: str, most: int) -> Any:
        found = builtin(url, most)
        if found:
            meters.add(_queue_kind(url), 2)
        return found

    return receive


def _queue_kind(url: str) -> str:
    return "sqs.fifo_requests" if url.rstrip("/").endswith(".fifo") else "sqs.standard_requests"


def _transition(builtin: Callable[..., Any], meters: UsageMeters) -> Callable[..., Any]:
    @functools.wraps(builtin)
    def add(execution: Record, event_type: str, details: Any = None) -> Any:
        if _is_express(execution):
            if len(execution["events"]) == 1:  # nothing after its start
                meters.add("stepfunctions.express_requests")
        elif event_type.endswith("StateEntered"):
            meters.add("stepfunctions.transitions")
        return builtin(execution, event_type, details)

    return add


def _is_express(execution: Record) -> bool:
    from ministack.services import stepfunctions

    machine = stepfunctions._state_machines.get(execution.get("stateMachineArn", "")) or {}  # noqa: SLF001
    return bool(machine.get("type") == "EXPRESS")


def _held() -> dict[str, float]:
    """GB that tables and buckets hold now: items with 100 bytes of index each, current versions of objects."""
    from ministack.services import dynamodb, s3

    size = dynamodb._item_size_bytes  # noqa: SLF001
    tables = list(dynamodb._tables._data.values())  # noqa: SLF001 - of every account and region
    buckets = list(s3._buckets._data.values())  # noqa: SLF001
    items = (item for t in tables for rows in list(t["items"].values()) for item in list(rows.values()))
    return {
        "dynamodb.stored_gb": sum(size(item) + 100 for item in items) / 1e9,
        "s3.stored_gb": sum(o.get("size", 0) for b in buckets for o in list(b["objects"].values())) / 1e9,
    }
