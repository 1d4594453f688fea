"""DynamoDB: registers, a list that only grows, counters, unique keys; strongly consistent reads."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.stores.store import Client, told
from harness.measure.checkers.append_only import check_append_only
from harness.measure.checkers.calls import Call, Value
from harness.measure.checkers.counter import check_counter
from harness.measure.checkers.linearizable import check_linearizable
from harness.measure.checkers.register import check_register
from harness.measure.checkers.unique import check_unique
from harness.measure.finding import Finding

KEYS = ("a", "b", "c")


@dataclass(slots=True)
class _Table:
    """A table of its own."""

    make: Client
    name: str
    client: Any = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.make("dynamodb")

    def prepare(self) -> None:
        """Create the table."""
        self.client.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        )
        self.client.get_waiter("table_exists").wait(TableName=self.name, WaiterConfig={"Delay": 1})

    def clear(self) -> None:
        """Delete the table."""
        self.client.delete_table(TableName=self.name)

    def get(self, key: str) -> dict[str, Any]:
        """One item, strongly consistent; {} when there is none."""
        found = self.client.get_item(TableName=self.name, Key={"key": {"S": key}}, ConsistentRead=True)
        item: dict[str, Any] = found.get("Item", {})
        return item

    def update(self, key: str, expression: str, values: dict[str, Any]) -> Value:
        """One update of one item."""
        self.client.update_item(
            TableName=self.name,
            Key={"key": {"S": key}},
            UpdateExpression=expression,
            ExpressionAttributeValues=values,
        )
        return None


class Registers(_Table):
    """Reads and writes of a few items."""

    def step(self, chance: random.Random, number: int) -> Call:
        """Half of the calls write a value of their own, half read."""
        key = chance.choice(KEYS)
        if chance.random() < 0.5:
            return told(key, "read", None, lambda: self._number(key))
        item = {"key": {"S": key}, "value": {"N": str(number)}}
        return told(key, "write", number, lambda: self.client.put_item(TableName=self.name, Item=item) and None)

    def check(self, calls: Sequence[Call]) -> list[Finding]:
        """Registers, and linearizable ones."""
        final = {key: self._number(key) for key in KEYS}
        return [*check_register(calls, final), *check_linearizable(calls)]

    def _number(self, key: str) -> int | None:
        item = self.get(key)
        return int(item["value"]["N"]) if item else None


class AppendOnly(_Table):
    """Appends to a few lists."""

    def step(self, chance: random.Random, number: int) -> Call:
        """Append a number of its own."""
        key = chance.choice(KEYS)
        values = {":new": {"L": [{"N": str(number)}]}, ":none": {"L": []}}
        expression = "SET elements = list_append(if_not_exists(elements, :none), :new)"
        return told(key, "write", number, lambda: self.update(key, expression, values))

    def check(self, calls: Sequence[Call]) -> list[Finding]:
        """Every element once, and in order."""
        return check_append_only(calls, {key: self._elements(key) for key in KEYS})

    def _elements(self, key: str) -> list[int]:
        return [int(element["N"]) for element in self.get(key).get("elements", {}).get("L", ())]


class Counters(_Table):
    """Additions to a few numbers, and reads of them."""

    def step(self, chance: random.Random, number: int) -> Call:
        """Three calls of four add from 1 to 5, one reads."""
        key = chance.choice(KEYS)
        if number % 4 == 0:
            return told(key, "read", None, lambda: self._total(key))
        delta = chance.randint(1, 5)
        return told(key, "write", delta, lambda: self.update(key, "ADD amount :n", {":n": {"N": str(delta)}}))

    def check(self, calls: Sequence[Call]) -> list[Finding]:
        """Every total is one that the additions allow."""
        return check_counter(calls, {key: self._total(key) for key in KEYS})

    def _total(self, key: str) -> int:
        return int(self.get(key).get("amount", {}).get("N", 0))


class UniqueKeys(_Table):
    """Several claim each key on the condition that nobody has it."""

    def step(self, chance: random.Random, number: int) -> Call:
        """Claim a key that about four others claim too."""
        del chance
        key, claimant = f"key-{number // 5}", f"claimant-{number}"
        item = {"key": {"S": key}, "owner": {"S": claimant}}
        condition = {"ConditionExpression": "attribute_not_exists(#key)", "ExpressionAttributeNames": {"#key": "key"}}
        return told(
            key,
            "write",
            claimant,
            lambda: self.client.put_item(TableName=self.name, Item=item, **condition) and None,
        )

    def check(self, calls: Sequence[Call]) -> list[Finding]:
        """One owner for each, and the one that was told so."""
        keys = {call.key for call in calls}
        return check_unique(calls, {key: self.get(key).get("owner", {}).get("S") for key in keys})
