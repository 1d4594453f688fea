"""Reads back, strongly consistent, what the prober wrote, and counts what each write caused.

Source of the method: Jepsen's set checker; the rules are in docs/measures.md.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.drill_parts import EffectPart, QueryPart, VerificationPart
from chaos.stores.sqs import drained
from harness.clock import Clock, parse_duration_s
from harness.cloud.identify import OBSERVER_APP_ID
from harness.errors import NotReadyError
from harness.measure import journal as names
from harness.measure.journal import Journal, JournalWriter, Reading
from harness.stack import RunningStack

_ATTRIBUTE = re.compile(r"\{([A-Za-z0-9_]+)\}")
_POLL_S = 0.5
_REST_S, _MOST_LOOKS = 1.0, 30
"""So long a counter must stand still before a drill may rely on it, and so often it is looked at."""

_DEPTH = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)

Item = Mapping[str, str]
"""An item of a table, its attributes as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What was there before the drill: effects by their kind, without those in queues, and counters by their name."""

    effects: Mapping[str, Counter[str]] = field(default_factory=dict)
    counters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Store:
    """The recovery target of one drill: one table or query, and the effects that its items cause."""

    stack: RunningStack
    part: VerificationPart
    gone: bool = False
    """True when the table could not be restored: it holds nothing."""

    taken: dict[str, Counter[str]] = field(default_factory=dict)
    """What was taken out of each queue until now."""

    before: Before = field(default_factory=Before)
    """What was there before the drill."""

    def items(self) -> dict[str, list[Item]]:
        """The items by their key attribute, strongly consistent; more than one is one too many."""
        return self._by_key([] if self.gone else list(self._all()))

    def look(self) -> Seen:
        """Everything that one pass looks at."""
        items = [] if self.gone else list(self._all())
        counts = [self._count(effect) for effect in self.part.effects]
        return Seen(self._by_key(items), counts, self._strays(items, counts))

    def look_before(self) -> Before:
        """What is there before the first write; nothing is taken out of a queue for it."""
        effects = {effect.name: self._count(effect) for effect in self.part.effects if not effect.queue}
        return Before(effects=effects, counters=self._at_rest())

    def _at_rest(self) -> dict[str, float]:
        """The counters once nobody moves them any more: what was sent before may only now be done.

        Raises:
            NotReadyError: somebody else goes on moving them, so that they can prove nothing.
        """
        found = self.counters()
        for _ in range(_MOST_LOOKS if found else 0):
            time.sleep(_REST_S)
            before, found = found, self.counters()
            if found == before:
                return found
        if found:
            raise NotReadyError(f"{', '.join(found)} goes on moving without the drill", where="verification.counters")
        return found

    def counters(self) -> dict[str, float]:
        """What each counter holds now, by its name."""
        client = self._client("dynamodb")
        found = {}
        for part in self.part.counters:
            key = {name: {"S": value} for name, value in part.key.items()}
            item = client.get_item(TableName=self.filled(part.table), Key=key, ConsistentRead=True).get("Item", {})
            found[part.name] = float(next(iter(item[part.attribute].values())))
        return found

    def waiting(self) -> int:
        """The messages in the queues that must be empty: to be received, being worked on, or delayed."""
        client = self._client("sqs")
        asked = {"AttributeNames": list(_DEPTH)}
        depths = [
            client.get_queue_attributes(QueueUrl=self.filled(url), **asked)["Attributes"] for url in self.part.queues
        ]
        return sum(int(depth.get(name, 0)) for depth in depths for name in _DEPTH)

    def _by_key(self, items: Iterable[Item]) -> dict[str, list[Item]]:
        found: dict[str, list[Item]] = {}
        for item in items:
            if self.part.key in item:
                found.setdefault(item[self.part.key], []).append(item)
        return found

    def _strays(self, items: Sequence[Item], counts: Sequence[Counter[str]]) -> frozenset[tuple[str, str]]:
        """Effects, by kind and name, that came during the drill and belong to no item; a copy has other items."""
        if self.gone or self.part.restore:
            return frozenset()
        return frozenset(
            (effect.name, name)
            for effect, count in zip(self.part.effects, counts, strict=True)
            if effect.name in self.before.effects
            for name in count.keys()
            - self.before.effects[effect.name].keys()
            - {_named(effect.object or effect.equals, item) for item in items}
        )

    def differs(self, key: str, item: Item) -> str:
        """Where an item is not what was written under `key`; '' when it is."""
        for name, wanted in self.part.content.items():
            if item.get(name) != wanted.replace("{key}", key):
                return f"{name} is {item.get(name)!r} instead of {wanted.replace('{key}', key)!r}"
        return ""

    def settled(self, items: Sequence[Item]) -> bool | None:
        """Whether all of a write's items reached their final state; None when the drill asks for none."""
        if not self.part.settled:
            return None
        return all(item.get(name) == value for item in items for name, value in self.part.settled.items())

    def reading(self, key: str, pass_number: int, at_s: float, seen: Seen) -> Reading:
        """What one pass of verification says about one key."""
        items = seen.items.get(key)
        wrong = next(filter(None, (self.differs(key, item) for item in items or ())), "")
        if not items or wrong:
            return Reading(
                at_s=at_s,
                pass_number=pass_number,
                key=key,
                present=False,
                effects=0,
                settled=False,
                fields={"differs": wrong} if wrong else None,
            )
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
            return Counter(
                item[effect.attribute]
                for item in self._scan(effect.table)
                if effect.attribute in item and effect.content.items() <= item.items()
            )
        if effect.queue:
            return self._messages(effect)
        client = self._client("s3")
        pages = client.get_paginator("list_object_versions").paginate(Bucket=self.filled(effect.bucket))
        return Counter(version["Key"] for page in pages for version in page.get("Versions", ()))

    def _messages(self, effect: EffectPart) -> Counter[str]:
        """How often each value was in a queue's messages, those of earlier looks included."""
        client = self._client("sqs")
        found = self.taken.setdefault(effect.name, Counter())
        found.update(
            drained(client, self.filled(effect.queue), (), 0.0, named=lambda body: _member(body, effect.attribute))
        )
        return Counter(found)

    def _all(self) -> Iterator[Item]:
        return self._scan(self.part.table) if self.part.query is None else self._rows(self.part.query)

    def _rows(self, query: QueryPart) -> Iterator[Item]:
        """What the writer of an Aurora cluster answers, one attribute for each column."""
        client = self._client("rds-data")
        answer = client.execute_statement(
            resourceArn=self.filled(query.cluster),
            secretArn=self.filled(query.secret),
            database=query.database,
            sql=query.sql,
            includeResultMetadata=True,
        )
        columns = [column["label"] for column in answer["columnMetadata"]]
        for row in answer["records"]:
            yield {name: str(next(iter(value.values()))) for name, value in zip(columns, row, strict=True)}

    def _scan(self, table: str) -> Iterator[Item]:
        client = self._client("dynamodb")
        pages = client.get_paginator("scan").paginate(TableName=self.filled(table), ConsistentRead=True)
        for page in pages:
            for raw in page["Items"]:
                yield {name: str(next(iter(value.values()))) for name, value in raw.items()}

    def _client(self, service: str) -> Any:  # boto3 makes clients at run time
        """A client that no fault hits: what is seen must not depend on what is broken."""
        return self.stack.target.client(
            service, region=self.filled(self.part.region) or None, user_agent_appid=OBSERVER_APP_ID
        )

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
    """One look at the recovery target: the items by key, the counts of each effect, and what belongs to none."""

    items: Mapping[str, Sequence[Item]]
    counts: Sequence[Counter[str]]
    strays: frozenset[tuple[str, str]] = frozenset()


def settle(store: Store, journal: Journal, clock: Clock, *, meanwhile: Callable[[], None]) -> int:
    """Wait until every write that is there has settled and the queues are empty, or nothing moves any more.

    As long as something still does, a slow machine is at work, and nothing is proven by waiting no longer than the
    drill's settle time. Returns how many messages were still under way.
    """
    sent = {o.key for o in journal.operations if o.write and o.key and o.outcome != "fail"}
    longest_s, fewest = parse_duration_s(store.part.settle), math.inf
    until_s = clock.now_s() + longest_s
    while True:
        items = store.items() if store.part.settled else {}
        open_keys = sum(not store.settled(items[key]) for key in sent if key in items)
        waiting = store.waiting() if store.part.queues else 0
        if not open_keys + waiting or clock.now_s() >= until_s:
            return waiting
        if open_keys + waiting < fewest:
            fewest, until_s = open_keys + waiting, clock.now_s() + longest_s
        meanwhile()
        time.sleep(_POLL_S)


def verify(store: Store, journal: Journal, writer: JournalWriter, clock: Clock, *, prefix: str = "") -> None:
    """Read every key that was sent, twice, and append what is there to the journal.

    What begins with `prefix`, as all keys of this run do, and was never sent is read too. An effect that belongs to
    nothing in either pass is a stray.

    Raises:
        botocore.exceptions.ClientError: the recovery target does not answer; then nothing is proven.
    """
    sent = {o.key for o in journal.operations if o.write and o.key}
    strays: frozenset[tuple[str, str]] | None = None
    for pass_number in (1, 2):
        seen = store.look()
        at_s = clock.now_s()
        invented = {key for key in seen.items if prefix and key.startswith(prefix)} - sent
        for key in sorted(sent | invented):
            writer.append(store.reading(key, pass_number, at_s, seen))
        strays = seen.strays if strays is None else strays & seen.strays
    writes = sum(len(seen.items.get(key, ())) for key in sent | invented)
    for part in store.part.counters if store.before.counters and not store.part.restore else ():
        writer.event(
            names.COUNTER_READ,
            clock.now_s(),
            key=part.name,
            before=store.before.counters[part.name],
            after=store.counters()[part.name],
            each=part.each,
            writes=writes,
        )
    for effect, name in sorted(strays or ()):
        detail = f"one of {effect} that belongs to nothing that was written"
        writer.event(names.STRAY_EFFECT, clock.now_s(), key=name, detail=detail)
