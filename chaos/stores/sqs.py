"""SQS: every message that was accepted ends processed or in the dead-letter queue."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.stores.store import Client, told
from harness.measure.checkers.calls import Call, Value
from harness.measure.checkers.queue import QueueEnd, check_queue
from harness.measure.finding import Finding

PATIENCE_S = 40.0
"""How long an accepted message may take to be received: more than the 30 s of a queue's visibility timeout."""


MOST_RECEIVED = 3
"""So often a message is received before it is given up: `maxReceiveCount`."""

_POISON = 7
_LOOK_S = 1.0


@dataclass(slots=True)
class Queue:
    """Senders and a consumer of a queue with a dead-letter queue; one message of seven is never done."""

    make: Client
    name: str
    client: Any = field(init=False)
    url: str = ""
    dead_url: str = ""
    patience_s: float = PATIENCE_S
    processed: set[str] = field(default_factory=set)
    perhaps: set[str] = field(default_factory=set)
    """What the consumer has deleted, for certain and without having been told."""

    def __post_init__(self) -> None:
        self.client = self.make("sqs")

    def prepare(self) -> None:
        """Create both queues."""
        self.dead_url = self.client.create_queue(QueueName=f"{self.name}-dead")["QueueUrl"]
        asked = {"QueueUrl": self.dead_url, "AttributeNames": ["QueueArn"]}
        arn = self.client.get_queue_attributes(**asked)["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": MOST_RECEIVED})
        self.url = self.client.create_queue(QueueName=self.name, Attributes={"RedrivePolicy": redrive})["QueueUrl"]

    def step(self, chance: random.Random, number: int) -> Call:
        """Two calls of three send a message of their own, one consumes."""
        del chance
        if number % 3 == 2:
            return told("*", "read", None, self._consume)
        body = f"message-{number}"
        return told(
            body, "write", None, lambda: self.client.send_message(QueueUrl=self.url, MessageBody=body) and None
        )

    def check(self, calls: Sequence[Call]) -> list[Finding]:
        """Every message ends processed or given up; nothing vanished, and nothing came from nowhere."""
        sends = [call for call in calls if call.action == "write"]
        gone = self.processed | self.perhaps
        wanted = {call.key for call in sends if call.outcome == "ok"} - gone
        left: Counter[str] = Counter()
        dead: set[str] = set()
        until_s = time.monotonic() + self.patience_s
        while True:
            dead |= drained(self.client, self.dead_url, (), 0.0).keys()
            more = drained(self.client, self.url, wanted - left.keys() - dead, _LOOK_S)
            left += more
            dead |= drained(self.client, self.dead_url, (), 0.0).keys()
            if wanted <= left.keys() | dead or (not more and time.monotonic() > until_s):
                break
        processed = {**left, **dict.fromkeys(self.processed, 1)}
        return check_queue(sends, QueueEnd(processed=processed, dead=dead, perhaps=self.perhaps - self.processed))

    def clear(self) -> None:
        """Delete both queues."""
        for name in (f"{self.name}-dead", self.name):
            self.client.delete_queue(QueueUrl=self.client.get_queue_url(QueueName=name)["QueueUrl"])

    def _consume(self) -> Value:
        """Receive some; what can be done is deleted, the rest comes again at once."""
        for message in self.client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=5).get("Messages", []):
            handle, body = {"QueueUrl": self.url, "ReceiptHandle": message["ReceiptHandle"]}, message["Body"]
            if int(body.rpartition("-")[2]) % _POISON == 0:
                self.client.change_message_visibility(**handle, VisibilityTimeout=0)
                continue
            self.perhaps.add(body)
            self.client.delete_message(**handle)
            self.processed.add(body)
        return None


def drained(
    client: Any, url: str, wanted: Collection[str], patience_s: float, *, named: Callable[[str], str] = str
) -> Counter[str]:
    """How often each message was received, by what `named` reads from its body; everything received is deleted.

    An empty answer ends it once all that is `wanted` has come, or `patience_s` after the last message.
    """
    received: Counter[str] = Counter()
    until_s = time.monotonic() + patience_s
    while True:
        found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        if found:
            received.update(named(message["Body"]) for message in found)
            entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(found)]
            client.delete_message_batch(QueueUrl=url, Entries=entries)
            until_s = time.monotonic() + patience_s
        elif time.monotonic() >= until_s or set(wanted) <= received.keys():
            return received
