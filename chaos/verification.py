"""Reads back, strongly consistent, what the prober wrote, and counts what each write caused.

Source of the method: Jepsen's set checker; the rules are in docs/measures.md.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chaos.drill_file import VerificationPart
from harness.clock import Clock, parse_duration_s
from harness.measure.journal import Journal, JournalWriter, Reading
from harness.stack import RunningStack

_ATTRIBUTE = re.compile(r"\{([A-Za-z0-9_]+)\}")
_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Store:
    """The recovery target of one drill: one table, and the objects that its items cause."""

    stack: RunningStack
    part: VerificationPart

    def items(self) -> dict[str, dict[str, str]]:
        """Every item by its key attribute, strongly consistent; attributes as text."""
        client = self.stack.target.client("dynamodb", region=self.part.region or None)
        pages = client.get_paginator("scan").paginate(TableName=self._filled(self.part.table), ConsistentRead=True)
        found = {}
        for page in pages:
            for raw in page["Items"]:
                item = {name: str(next(iter(value.values()))) for name, value in raw.items()}
                if self.part.key in item:
                    found[item[self.part.key]] = item
        return found

    def effects(self) -> Counter[str] | None:
        """How many versions each object has; None when the drill counts no effects."""
        if self.part.effects is None:
            return None
        client = self.stack.target.client("s3", region=self.part.region or None)
        pages = client.get_paginator("list_object_versions").paginate(Bucket=self._filled(self.part.effects.bucket))
        return Counter(version["Key"] for page in pages for version in page.get("Versions", ()))

    def settled(self, item: Mapping[str, str]) -> bool | None:
        """Whether an item reached its final state; None when the drill asks for none."""
        if not self.part.settled:
            return None
        return all(item.get(name) == value for name, value in self.part.settled.items())

    def reading(self, key: str, pass_number: int, at_s: float, seen: _Seen) -> Reading:
        """What one pass of verification says about one key."""
        item = seen.items.get(key)
        if item is None:
            return Reading(at_s=at_s, pass_number=pass_number, key=key, present=False, effects=0, settled=False)
        effects = None
        if seen.effects is not None and self.part.effects is not None:
            effects = seen.effects[_ATTRIBUTE.sub(lambda m: item.get(m[1], ""), self.part.effects.object)]
        return Reading(
            at_s=at_s,
            pass_number=pass_number,
            key=key,
            present=True,
            effects=effects,
            settled=self.settled(item),
            fields={"status": item.get("status", "")},
        )

    def _filled(self, text: str) -> str:
        outputs: dict[str, Any] = self.stack.outputs
        return re.sub(r"\{outputs\.([A-Za-z0-9_]+)\}", lambda match: str(outputs[match[1]]), text)


@dataclass(frozen=True, slots=True)
class _Seen:
    items: dict[str, dict[str, str]]
    effects: Counter[str] | None


def settle(store: Store, journal: Journal, clock: Clock) -> None:
    """Wait until every acknowledged write has settled, or until the drill's settle time is over."""
    if not store.part.settled:
        return
    acked = {o.key for o in journal.operations if o.write and o.key and o.outcome == "ok"}
    until_s = clock.now_s() + parse_duration_s(store.part.settle)
    while clock.now_s() < until_s:
        items = store.items()
        if all(store.settled(items[key]) for key in acked if key in items):
            return
        time.sleep(_POLL_S)


def verify(store: Store, journal: Journal, writer: JournalWriter, clock: Clock) -> None:
    """Read every key that was sent, twice, and append what is there to the journal.

    Raises:
        botocore.exceptions.ClientError: the recovery target does not answer; then nothing is proven.
    """
    keys = sorted({o.key for o in journal.operations if o.write and o.key})
    for pass_number in (1, 2):
        seen = _Seen(store.items(), store.effects())
        at_s = clock.now_s()
        for key in keys:
            writer.append(store.reading(key, pass_number, at_s, seen))
