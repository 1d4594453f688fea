"""Listens to ministack for what its services would charge and no request at the gate tells.

DynamoDB: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
SQS and SNS count a request for every 64 KB, EventBridge an event: https://aws.amazon.com/sqs/pricing/
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from harness.cloud.usage.meters import UsageMeters, units

Answer = tuple[int, dict[str, str], Any]
Record = dict[str, Any]  # a request's or ministack's JSON
_CHUNK_BYTES = 64 << 10


def install(meters: UsageMeters) -> None:
    """Tell `meters` of everything, from now on. Call it once, before the emulator serves."""
    from ministack.services import eventbridge, sns, sqs, stepfunctions

    sns._fanout = _published(sns._fanout, meters)  # noqa: SLF001 - this file is a seam into ministack
    eventbridge._put_events = _put_events(eventbridge._put_events, meters)  # noqa: SLF001
    for action, handler in list(sqs._HANDLERS.items()):  # noqa: SLF001
        sqs._HANDLERS[action] = _requested(handler, meters)  # noqa: SLF001
    sqs._receive_messages_for_esm = _polled(sqs._receive_messages_for_esm, meters)  # noqa: SLF001
    stepfunctions._add_event = _transition(stepfunctions._add_event, meters)  # noqa: SLF001
    meters.held = _held


def table_counter(meters: UsageMeters) -> Callable[[str, str, float], None]:
    """Counts what a table's requests consume: `Read` or `Write`, the table's name, units."""

    def count(kind: str, table: str, units: float) -> None:
        _add(meters, f"dynamodb.{kind.lower()}_units", table, units)

    return count


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
