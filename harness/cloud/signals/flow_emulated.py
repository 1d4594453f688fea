"""Listens to ministack's topics, queues and state machines, which count nothing themselves."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from harness.cloud.signals.emulated import scope
from harness.cloud.signals.flow_metrics import FlowMetrics

Record = dict[str, Any]  # ministack's record of a queue, a message, an execution


def listen(flow: FlowMetrics) -> None:
    """Tell `flow` of every message that is published, sent, received or deleted, and of every execution."""
    from ministack.services import lambda_svc, sns, sqs, stepfunctions

    sns._fanout = _published(sns._fanout, flow)  # noqa: SLF001 - this file is a seam into ministack
    handlers = sqs._HANDLERS  # noqa: SLF001
    handlers["SendMessage"] = _sent(handlers["SendMessage"], flow)
    sqs._act_send_message = handlers["SendMessage"]  # noqa: SLF001 - what a batch calls for each of its messages
    handlers["ReceiveMessage"] = _received(handlers["ReceiveMessage"], flow)
    handlers["DeleteMessage"] = _deleted(handlers["DeleteMessage"], flow)
    handlers["DeleteMessageBatch"] = _deleted(handlers["DeleteMessageBatch"], flow)
    sqs._receive_messages_for_esm = _polled(sqs._receive_messages_for_esm, flow)  # noqa: SLF001
    lambda_svc._run_sqs_batch = _processed(lambda_svc._run_sqs_batch, flow)  # noqa: SLF001
    stepfunctions._emit_execution_status_event = _executed(  # noqa: SLF001
        stepfunctions._emit_execution_status_event,  # noqa: SLF001
        flow,
    )


def _published(builtin: Callable[..., Any], flow: FlowMetrics) -> Callable[..., Any]:
    @functools.wraps(builtin)
    def fan_out(topic_arn: str, message_id: str, message: str, *rest: Any, **named: Any) -> Any:
        parts = topic_arn.split(":")
        if len(parts) > 5:
            flow.published((parts[4], parts[3]), parts[5], len(message.encode()))
        return builtin(topic_arn, message_id, message, *rest, **named)

    return fan_out


def _queue_name(data: Record, url: str) -> str:
    return str(data.get("QueueUrl") or url).rstrip("/").rpartition("/")[2]


def _sent(builtin: Callable[..., Any], flow: FlowMetrics) -> Callable[..., Any]:
    @functools.wraps(builtin)
    def send(data: Record, url: str) -> Any:
        answer = builtin(data, url)
        flow.sent(scope(), _queue_name(data, url), len(str(data.get("MessageBody", "")).encode()))
        return answer

    return send


def _received(builtin: Callable[..., Any], flow: FlowMetrics) -> Callable[..., Any]:
    @functools.wraps(builtin)
    async def receive(data: Record, url: str) -> Any:
        answer = await builtin(data, url)
        flow.received(scope(), _queue_name(data, url), len(answer.get("Messages", ())))
        return answer

    return receive


def _deleted(builtin: Callable[..., Any], flow: FlowMetrics) -> Callable[..., Any]:
    @functools.wraps(builtin)
    def delete(data: Record, url: str) -> Any:
        answer = builtin(data, url)
        flow.deleted(scope(), _queue_name(data, url), len(answer.get("Successful", (1,))))
        return answer

    return delete


def _polled(builtin: Callable[..., Any], flow: FlowMetrics) -> Callable[..., Any]:
    """An event source's receive; its empty ones are too many to tell of (AWS polls as much, and counts them)."""

    @functools.wraps(builtin)
    def receive(url: str, most: int) -> Any:
        found = builtin(url, most)
        if found:
            flow.received(scope(), url.rstrip("/").rpartition("/")[2], len(found))
        return found

    return receive


def _processed(builtin: Callable[..., Any], flow: FlowMetrics) -> Callable[..., Any]:
    @functools.wraps(builtin)
    def run(esm: Record, function: Record, event: Any, batch: list[Record], url: str, name: str) -> Any:  # noqa: PLR0917 - its signature
        from ministack.services import sqs

        answer = builtin(esm, function, event, batch, url, name)
        queue = sqs._queues.get(url) or {"messages": ()}  # noqa: SLF001
        left = {message["id"] for message in list(queue["messages"])}
        flow.deleted(scope(), name, sum(message["id"] not in left for message in batch))
        return answer

    return run


def _executed(builtin: Callable[[Record], None], flow: FlowMetrics) -> Callable[[Record], None]:
    def emit(execution: Record) -> None:
        builtin(execution)
        began = execution.get("startDate")
        began_s = datetime.fromisoformat(began).timestamp() if isinstance(began, str) else float(began or time.time())
        flow.execution(scope(), str(execution["stateMachineArn"]), str(execution["status"]), time.time() - began_s)

    return emit
