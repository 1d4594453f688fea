"""Dead letters sent again: SQS's StartMessageMoveTask, ListMessageMoveTasks and CancelMessageMoveTask.

ministack has none of them. A task runs in a thread of its own, so many messages a second, and may be cancelled; a
message that moved is a new one, with a new id and age. Source:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
"""

from __future__ import annotations

import base64
import contextvars
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.ministack_hooks import before_first_call

Record = dict[str, Any]
"""ministack's record of a queue or of a message."""

MOST_A_SECOND = 500
_LISTED = 10


@dataclass(slots=True, kw_only=True)
class Move:
    """One task. `to` is '' when each message goes back to the queue that gave it up."""

    source: str
    to: str
    rate: int
    started_ms: int
    told_rate: int | None
    to_move: int
    moved: int = 0
    status: str = "RUNNING"
    why: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def handle(self) -> str:
        """What names the task to CancelMessageMoveTask."""
        text = json.dumps({"taskId": self.id, "sourceArn": self.source})
        return base64.b64encode(text.encode()).decode()

    def told(self) -> Record:
        """As ListMessageMoveTasks tells it; only a running task has a handle."""
        found: Record = {
            "Status": self.status,
            "SourceArn": self.source,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "StartedTimestamp": self.started_ms,
        }
        optional = {
            "TaskHandle": self.handle if self.status == "RUNNING" else "",
            "DestinationArn": self.to,
            "MaxNumberOfMessagesPerSecond": self.told_rate,
            "FailureReason": self.why,
        }
        return found | {name: value for name, value in optional.items() if value}


_moves: dict[str, list[Move]] = {}  # source ARN → tasks, newest first; state is ministack's too, one a process


def install() -> None:
    """Let SQS know the three operations. Call it before SQS is used."""
    before_first_call("sqs", _add)


def forget() -> None:
    """The cloud was reset."""
    for moves in _moves.values():
        for move in moves:
            move.status = "CANCELLED"
    _moves.clear()


def _add() -> None:
    from ministack.services import sqs

    handlers: dict[str, Callable[[Record, str], Record]] = sqs._HANDLERS  # noqa: SLF001
    handlers.update(StartMessageMoveTask=_start, ListMessageMoveTasks=_list, CancelMessageMoveTask=_cancel)


def _start(data: Mapping[str, Any], _url: str) -> Record:
    source, to = str(data.get("SourceArn", "")), str(data.get("DestinationArn") or "")
    queue = _queue(source)
    if not _is_dead_letter_queue(source):
        raise _error("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    if to:
        _queue(to)
    if any(move.status == "RUNNING" for move in _moves.get(source, ())):
        raise _error(
            "UnsupportedOperation", "There is already a task running. Only one active task is allowed for a source."
        )
    rate = data.get("MaxNumberOfMessagesPerSecond")
    if rate is not None and not 1 <= int(rate) <= MOST_A_SECOND:
        raise _error("InvalidParameterValue", f"MaxNumberOfMessagesPerSecond must be from 1 to {MOST_A_SECOND}.")
    move = Move(
        source=source,
        to=to,
        rate=int(rate or MOST_A_SECOND),
        told_rate=rate,
        started_ms=int(time.time() * 1000),
        to_move=len(queue["messages"]),
    )
    _moves.setdefault(source, []).insert(0, move)
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_run, move), name="message-move", daemon=True).start()
    return {"TaskHandle": move.handle}


def _list(data: Mapping[str, Any], _url: str) -> Record:
    source = str(data.get("SourceArn", ""))
    _queue(source)
    most = min(int(data.get("MaxResults") or 1), _LISTED)
    return {"Results": [move.told() for move in _moves.get(source, ())[:most]]}


def _cancel(data: Mapping[str, Any], _url: str) -> Record:
    handle = str(data.get("TaskHandle", ""))
    for moves in _moves.values():
        for move in moves:
            if move.handle == handle and move.status == "RUNNING":
                move.status = "CANCELLED"
                return {"ApproximateNumberOfMessagesMoved": move.moved}
    raise _error("ResourceNotFoundException", "The task handle is of no running task.", 404)


def _run(move: Move) -> None:
    """Move what is there and visible, `rate` a second, until it is all gone."""
    from ministack.services import sqs

    while move.status == "RUNNING":
        batch = [m for m in tuple(_queue(move.source)["messages"]) if m["visible_at"] <= time.time()][: move.rate]
        for message in batch:
            to = move.to or str(message["sys"].get("DeadLetterQueueSourceArn", ""))
            target = sqs._queue_by_arn(to)  # noqa: SLF001
            if target is None:
                move.why, move.status = "AWS.SimpleQueueService.NonExistentQueue", "FAILED"
                return
            _queue(move.source)["messages"].remove(message)
            target["messages"].append(_as_new(message))
            move.moved += 1
            sqs.esm_wake.set()
        if len(batch) < move.rate:
            move.status = "COMPLETED" if move.status == "RUNNING" else move.status
            return
        time.sleep(1.0)


def _as_new(message: Record) -> Record:
    now = time.time()
    sys = {name: value for name, value in message["sys"].items() if name != "DeadLetterQueueSourceArn"}
    sys["SentTimestamp"] = str(int(now * 1000))
    fresh = {"id": str(uuid.uuid4()), "sent_at": now, "enqueued_at": now, "visible_at": now, "sys": sys}
    return {**message, **fresh, "receipt_handle": None, "receive_count": 0, "first_receive_at": None}


def _queue(arn: str) -> Record:
    from ministack.services import sqs

    found: Record | None = sqs._queue_by_arn(arn)  # noqa: SLF001
    if found is None:
        raise _error("ResourceNotFoundException", "The resource that you specified for SourceArn doesn't exist.", 404)
    return found


def _is_dead_letter_queue(arn: str) -> bool:
    from ministack.services import sqs

    policies = (queue["attributes"].get("RedrivePolicy") for queue in sqs._queues.values())  # noqa: SLF001
    return any(policy and json.loads(policy).get("deadLetterTargetArn") == arn for policy in policies)


def _error(code: str, message: str, status: int = 400) -> Exception:
    from ministack.services import sqs

    found: Exception = sqs._Err(code, message, status)  # noqa: SLF001
    return found
