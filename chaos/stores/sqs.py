"""SQS: every message that was accepted is received, at least once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.stores.store import Client, told
from harness.measure.checkers.calls import Call
from harness.measure.checkers.queue import QueueEnd, check_queue
from harness.measure.finding import Finding

_EMPTY_LOOKS = 2
"""So many empty answers in a row are the end of a queue; each waits a second for a message."""


@dataclass(slots=True)
class Queue:
    """Sends to a queue of its own, and drains it at the end."""

    make: Client
    name: str
    client: Any = field(init=False)
    url: str = ""

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
        return check_queue(calls, QueueEnd(processed=drained(self.client, self.url)))

    def clear(self) -> None:
        """Delete the queue."""
        self.client.delete_queue(QueueUrl=self.url)


def drained(client: Any, url: str) -> Counter[str]:
    """How often each body was received, until the queue stayed empty; everything received is deleted."""
    received: Counter[str] = Counter()
    empty = 0
    while empty < _EMPTY_LOOKS:
        found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        empty = 0 if found else empty + 1
        received.update(message["Body"] for message in found)
        if found:
            entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(found)]
            client.delete_message_batch(QueueUrl=url, Entries=entries)
    return received
