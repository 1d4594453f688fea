"""Which of an object's versions a bucket's life cycle expires, deletes or moves. Pure.

A day may be shorter here than on AWS. Ages are rounded up to the next midnight, as S3 rounds them.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-conflicts.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

DAY_S = 86_400.0
SMALLEST_MOVED_BYTES = 128 << 10
"""What is smaller is not moved unless a rule names sizes, as it would cost more than it saves."""
_COLDER = ("STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")

Rule = Mapping[str, Any]  # of PutBucketLifecycleConfiguration


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of an object, or a delete marker. `id` is None in a bucket that never had versions."""

    id: str | None
    modified_s: float
    size: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)
    storage_class: str = "STANDARD"
    is_marker: bool = False


@dataclass(frozen=True, slots=True)
class Deed:
    """What is due: `expire` the current version, `delete` one for good, or `move` one to `to`."""

    kind: Literal["expire", "delete", "move"]
    version: Version
    to: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The instant (seconds since the epoch), and how long a day takes (seconds)."""

    now_s: float
    day_s: float = DAY_S

    def old(self, since_s: float, days: float) -> bool:
        """Whether so many days are over, at the midnight that follows them."""
        return math.ceil((since_s + days * self.day_s) / self.day_s) * self.day_s <= self.now_s

    def over(self, since_s: float, rule: Mapping[str, Any]) -> bool:
        """Whether the `Days` or the `Date` of an action are reached."""
        if "Date" in rule:
            date = datetime.fromisoformat(str(rule["Date"]))
            return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() <= self.now_s
        return "Days" in rule and self.old(since_s, float(rule["Days"]))


def due(rules: Sequence[Rule], key: str, versions: Sequence[Version], calendar: Calendar) -> list[Deed]:
    """What is to be done with the versions (oldest first) of a key; at most one deed a version.

    To delete for good comes before moving, moving before a delete marker.
    """
    order = ("delete", "move", "expire")
    found = sorted(_deeds(rules, key, versions, calendar), key=lambda deed: order.index(deed.kind))
    first: dict[str | None, Deed] = {}
    for deed in found:
        first.setdefault(deed.version.id, deed)
    return list(first.values())


def abandoned(rules: Sequence[Rule], key: str, began_s: float, calendar: Calendar) -> bool:
    """Whether an upload in parts that was never completed is to be aborted."""
    for rule in rules:
        asked = rule.get("AbortIncompleteMultipartUpload")
        if asked and _selects(rule, key, None) and calendar.old(began_s, float(asked["DaysAfterInitiation"])):
            return True
    return False


def _deeds(rules: Sequence[Rule], key: str, versions: Sequence[Version], calendar: Calendar) -> Iterator[Deed]:
    *older, current = versions
    for rule in rules:
        if _selects(rule, key, current):
            yield from _current(rule, current, calendar, alone=not older)
        noncurrent = list(zip(older, versions[1:], strict=True))  # with what came after each
        for newer, (version, successor) in enumerate(reversed(noncurrent)):
            if _selects(rule, key, version):
                yield from _noncurrent(rule, version, (newer, successor.modified_s), calendar)


def _current(rule: Rule, version: Version, calendar: Calendar, *, alone: bool) -> Iterator[Deed]:
    expiration = rule.get("Expiration") or {}
    if version.is_marker:
        orphaned = expiration.get("ExpiredObjectDeleteMarker") or calendar.over(version.modified_s, expiration)
        if alone and orphaned:
            yield Deed("delete", version)
        return
    if calendar.over(version.modified_s, expiration):
        yield Deed("delete" if version.id is None else "expire", version)
    reached = [one for one in rule.get("Transitions") or () if calendar.over(version.modified_s, one)]
    yield from _moved(rule, version, reached)


def _noncurrent(rule: Rule, version: Version, since: tuple[int, float], calendar: Calendar) -> Iterator[Deed]:
    newer, superseded_s = since

    def reached(action: Mapping[str, Any]) -> bool:
        kept = newer < int(action.get("NewerNoncurrentVersions") or 0)
        return not kept and calendar.old(superseded_s, float(action.get("NoncurrentDays") or 0))

    expiration = rule.get("NoncurrentVersionExpiration")
    if expiration and reached(expiration):
        yield Deed("delete", version)
    if not version.is_marker:
        moves = rule.get("NoncurrentVersionTransitions") or ()
        yield from _moved(rule, version, [one for one in moves if reached(one)])


def _moved(rule: Rule, version: Version, reached: Sequence[Mapping[str, Any]]) -> Iterator[Deed]:
    """To the coldest class of those that are due; never back."""
    small = version.size < SMALLEST_MOVED_BYTES and not _names_sizes(rule)
    classes = [str(one["StorageClass"]) for one in reached]
    coldest = max(classes, key=_COLDER.index, default=version.storage_class)
    if not small and _COLDER.index(coldest) > _COLDER.index(version.storage_class):
        yield Deed("move", version, coldest)


def _conditions(rule: Rule) -> Mapping[str, Any]:
    given = rule.get("Filter") or {}
    return {"Prefix": rule.get("Prefix", ""), **given, **(given.get("And") or {})}


def _names_sizes(rule: Rule) -> bool:
    return bool({"ObjectSizeGreaterThan", "ObjectSizeLessThan"} & set(_conditions(rule)))


def _selects(rule: Rule, key: str, version: Version | None) -> bool:
    """Whether a rule is about a version, or about uploads (None). Delete markers have neither tags nor a size."""
    asked = _conditions(rule)
    if rule.get("Status") != "Enabled" or not key.startswith(str(asked["Prefix"] or "")):
        return False
    tags = [*(asked.get("Tags") or ()), *([asked["Tag"]] if "Tag" in asked else ())]
    if version is None or version.is_marker:
        return not tags and not _names_sizes(rule)
    if any(version.tags.get(one["Key"]) != one["Value"] for one in tags):
        return False
    return version.size > int(asked.get("ObjectSizeGreaterThan", -1)) and version.size < float(
        asked.get("ObjectSizeLessThan") or math.inf
    )
