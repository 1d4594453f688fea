"""SQS: every message that was accepted is received, at least once."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.stores.store import Client, told
from harness.measure.checkers.calls import Call
from harness.measure.checkers.queue import QueueEnd, check_queue
from harness.measure.finding import Finding

PATIENCE_S = 40.0
"""How long an accepted message may take to be received: more than the 30 s of a queue's visibility timeout."""


@dataclass(slots=True)
class Queue:
    """Sends to a queue of its own, and drains it at the end."""

    make: Client
    name: str
    client: Any = field(init=False)
    url: str = ""
    patience_s: float = PATIENCE_S

    def __post_init__(self) -> None:
        self.client = self.make("sqs")

    def prepare(self) -> None:
        """Create the queue."""
        self.url = self.client.create_queue(QueueName=self.name)["QueueUrl"]

    def step(self, chance: random.Random, number: int) -> Call:
        """Send a message of its own."""
        del chance
        body = f"message-{number}"
        return told(
            body, "write", None, lambda: self.client.send_message(QueueUrl=self.url, MessageBody=body) and None
        )

    def check(self, calls: Sequence[Call]) -> list[Finding]:
        """Nothing vanished, and nothing came from nowhere."""
        accepted = {call.key for call in calls if call.outcome == "ok"}
        return check_queue(calls, QueueEnd(processed=drained(self.client, self.url, accepted, self.patience_s)))

    def clear(self) -> None:
        """Delete the queue."""
        self.client.delete_queue(QueueUrl=self.url)


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
