"""Reads back, strongly consistent, what the prober wrote, and counts what each write caused.

Source of the method: Jepsen's set checker; the rules are in docs/measures.md.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.drill_file import EffectPart, VerificationPart
from chaos.stores.sqs import drained
from harness.clock import Clock, parse_duration_s
from harness.measure.journal import Journal, JournalWriter, Reading
from harness.stack import RunningStack

_ATTRIBUTE = re.compile(r"\{([A-Za-z0-9_]+)\}")
_POLL_S = 0.5

Item = Mapping[str, str]
"""An item of a table, its attributes as text."""


@dataclass(frozen=True, slots=True)
class Store:
    """The recovery target of one drill: one table, and the effects that its items cause."""

    stack: RunningStack
    part: VerificationPart
    gone: bool = False
    """True when the table could not be restored: it holds nothing."""

    taken: dict[str, Counter[str]] = field(default_factory=dict)
    """What was taken out of each queue until now."""

    def items(self) -> dict[str, list[Item]]:
        """The items by their key attribute, strongly consistent; more than one is one too many."""
        found: dict[str, list[Item]] = {}
        for item in () if self.gone else self._scan(self.part.table):
            if self.part.key in item:
                found.setdefault(item[self.part.key], []).append(item)
        return found

    def look(self) -> Seen:
        """Everything that one pass looks at."""
        return Seen(self.items(), [self._count(effect) for effect in self.part.effects])

    def settled(self, items: Sequence[Item]) -> bool | None:
        """Whether all of a write's items reached their final state; None when the drill asks for none."""
        if not self.part.settled:
            return None
        return all(item.get(name) == value for item in items for name, value in self.part.settled.items())

    def reading(self, key: str, pass_number: int, at_s: float, seen: Seen) -> Reading:
        """What one pass of verification says about one key."""
        items = seen.items.get(key)
        if not items:
            return Reading(at_s=at_s, pass_number=pass_number, key=key, present=False, effects=0, settled=False)
        counts = {"items": len(items)}
        for effect, count in zip(self.part.effects, seen.counts, strict=True):
            wanted = {_named(effect.object or effect.equals, item) for item in items}
            counts[effect.name] = sum(count[name] for name in wanted)
        return Reading(
            at_s=at_s,
            pass_number=pass_number,
            key=key,
            present=True,
            effects=max(counts.values()),
            fewest=min(counts.values()),
            settled=self.settled(items),
            fields={"status": items[0].get("status", ""), **counts},
        )

    def _count(self, effect: EffectPart) -> Counter[str]:
        """How often each effect of one kind is there: versions by object, or items by attribute."""
        if effect.table:
            return Counter(item[effect.attribute] for item in self._scan(effect.table) if effect.attribute in item)
        if effect.queue:
            return self._messages(effect)
        client = self.stack.target.client("s3", region=self.part.region or None)
        pages = client.get_paginator("list_object_versions").paginate(Bucket=self.filled(effect.bucket))
        return Counter(version["Key"] for page in pages for version in page.get("Versions", ()))

    def _messages(self, effect: EffectPart) -> Counter[str]:
        """How often each value was in a queue's messages, those of earlier looks included."""
        client = self.stack.target.client("sqs", region=self.part.region or None)
        found = self.taken.setdefault(effect.name, Counter())
        found.update(
            drained(client, self.filled(effect.queue), (), 0.0, named=lambda body: _member(body, effect.attribute))
        )
        return Counter(found)

    def _scan(self, table: str) -> Iterator[Item]:
        client = self.stack.target.client("dynamodb", region=self.part.region or None)
        pages = client.get_paginator("scan").paginate(TableName=self.filled(table), ConsistentRead=True)
        for page in pages:
            for raw in page["Items"]:
                yield {name: str(next(iter(value.values()))) for name, value in raw.items()}

    def filled(self, text: str) -> str:
        """The text with the stack's outputs put in."""
        outputs: dict[str, Any] = self.stack.outputs
        return re.sub(r"\{outputs\.([A-Za-z0-9_]+)\}", lambda match: str(outputs[match[1]]), text)


def _member(body: str, name: str) -> str:
    """A member of a JSON message; '' when it is none, or has none."""
    try:
        return str(json.loads(body)[name])
    except (ValueError, KeyError, TypeError):
        return ""


def _named(text: str, item: Item) -> str:
    """`text` with the item's attributes in place of their names in braces."""
    return _ATTRIBUTE.sub(lambda match: item.get(match[1], ""), text)


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the recovery target: the items by key, and the counts of each kind of effect."""

    items: Mapping[str, Sequence[Item]]
    counts: Sequence[Counter[str]]


def settle(store: Store, journal: Journal, clock: Clock, *, meanwhile: Callable[[], None]) -> None:
    """Wait until every acknowledged write has settled, or none has for the drill's settle time.

    As long as some still do, a slow machine is at work, and nothing is proven by waiting no longer.
    """
    if not store.part.settled:
        return
    acked = {o.key for o in journal.operations if o.write and o.key and o.outcome == "ok"}
    longest_s, fewest = parse_duration_s(store.part.settle), len(acked) + 1
    until_s = clock.now_s() + longest_s
    while clock.now_s() < until_s:
        items = store.items()
        open_keys = sum(not store.settled(items[key]) for key in acked if key in items)
        if not open_keys:
            return
        if open_keys < fewest:
            fewest, until_s = open_keys, clock.now_s() + longest_s
        meanwhile()
        time.sleep(_POLL_S)


def verify(store: Store, journal: Journal, writer: JournalWriter, clock: Clock) -> None:
    """Read every key that was sent, twice, and append what is there to the journal.

    Raises:
        botocore.exceptions.ClientError: the recovery target does not answer; then nothing is proven.
    """
    keys = sorted({o.key for o in journal.operations if o.write and o.key})
    for pass_number in (1, 2):
        seen = store.look()
        at_s = clock.now_s()
        for key in keys:
            writer.append(store.reading(key, pass_number, at_s, seen))
