"""EventBridge: an accepted event reaches every target whose rule it matches, and no other."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from chaos.stores.sqs import PATIENCE_S, drained
from chaos.stores.store import Client, told
from harness.measure.checkers.calls import Call
from harness.measure.checkers.fan_out import check_fan_out
from harness.measure.finding import Finding

_SOURCE = "blackstart.store"
_EVERY, _ODD = "every", "odd"
_PATTERNS: dict[str, dict[str, Any]] = {
    _EVERY: {"source": [_SOURCE]},
    _ODD: {"source": [_SOURCE], "detail": {"odd": [True]}},
}


@dataclass(slots=True)
class FanOut:
    """A bus of its own with two rules, each with a queue: one takes every event, one the odd ones."""

    make: Client
    name: str
    events: Any = field(init=False)
    sqs: Any = field(init=False)
    urls: dict[str, str] = field(default_factory=dict)
    patience_s: float = PATIENCE_S

    def __post_init__(self) -> None:
        self.events, self.sqs = self.make("events"), self.make("sqs")

    def prepare(self) -> None:
        """Create bus, rules and queues."""
        self.events.create_event_bus(Name=self.name)
        for target, pattern in _PATTERNS.items():
            queue = f"{self.name}-{target}"
            url = self.sqs.create_queue(QueueName=queue)["QueueUrl"]
            self.urls[target] = url
            arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            rule = self.events.put_rule(Name=queue, EventBusName=self.name, EventPattern=json.dumps(pattern))[
                "RuleArn"
            ]
            self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _allow(arn, rule)})
            self.events.put_targets(Rule=queue, EventBusName=self.name, Targets=[{"Id": "queue", "Arn": arn}])

    def step(self, chance: random.Random, number: int) -> Call:
        """Put one event."""
        del chance
        detail = json.dumps({"number": number, "odd": number % 2 == 1})
        entry = {"EventBusName": self.name, "Source": _SOURCE, "DetailType": "store", "Detail": detail}
        return told(str(number), "write", number, lambda: self._put(entry))

    def check(self, calls: Sequence[Call]) -> list[Finding]:
        """Every target got what it matches."""
        received = {target: self._received(target, {call.key for call in calls if call.outcome == "ok"}, calls)
                    for target in self.urls}  # fmt: skip
        came = set().union(*received.values())  # what came to one without an answer was accepted, and belongs to all
        late = {target: self._received(target, came - keys, calls) for target, keys in received.items()}
        return check_fan_out(calls, {target: keys | late[target] for target, keys in received.items()}, _matches)

    def clear(self) -> None:
        """Delete rules, queues and bus."""
        for target in _PATTERNS:
            queue = f"{self.name}-{target}"
            self.sqs.delete_queue(QueueUrl=self.sqs.get_queue_url(QueueName=queue)["QueueUrl"])
            self.events.remove_targets(Rule=queue, EventBusName=self.name, Ids=["queue"])
            self.events.delete_rule(Name=queue, EventBusName=self.name)
        self.events.delete_event_bus(Name=self.name)

    def _received(self, target: str, keys: AbstractSet[str], calls: Sequence[Call]) -> set[str]:
        wanted = {call.key for call in calls if call.key in keys and target in _matches(call)}
        return set(drained(self.sqs, self.urls[target], wanted, self.patience_s, named=_number))

    def _put(self, entry: dict[str, str]) -> None:
        answer = self.events.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise ClientError(
                {"Error": answer["Entries"][0], "ResponseMetadata": {"HTTPStatusCode": 500}}, "PutEvents"
            )


def _matches(event: Call) -> frozenset[str]:
    return frozenset({_EVERY, _ODD} if isinstance(event.value, int) and event.value % 2 else {_EVERY})


def _number(body: str) -> str:
    return str(json.loads(body)["detail"]["number"])


def _allow(queue: str, rule: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
