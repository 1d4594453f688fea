"""Versions of objects in S3: every acknowledged put is a version that stays, and the newest is no old one.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel (strong consistency; of
two concurrent puts either may be the newest).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from harness.measure.checkers.calls import Call, by_key
from harness.measure.finding import Finding


def check_versions(puts: Iterable[Call], listed: Mapping[str, Sequence[str]]) -> list[Finding]:
    """Findings `lost`, `duplicate`, `phantom` and `old version on top`.

    Args:
        puts: writes whose value identifies the body (its ETag); bodies differ from each other.
        listed: the bodies of each object's versions, newest first, as ListObjectVersions gives them.
    """
    found = []
    histories = by_key(puts)
    for key in [*histories, *(key for key in listed if key not in histories)]:
        found += _check(key, histories.get(key, []), listed.get(key, ()))
    return found


def _check(key: str, history: Sequence[Call], listed: Sequence[str]) -> list[Finding]:
    times = Counter(listed)
    possible = {put.value for put in history if put.possible}
    acked = [put for put in history if put.outcome == "ok"]
    found = [
        Finding(kind="lost", key=key, at_s=put.ended_s, detail=f"version {put.value!r} was acknowledged")
        for put in acked
        if put.value not in times
    ]
    found += [
        Finding(kind="duplicate", key=key, detail=f"version {body!r} is there {count} times")
        for body, count in times.items()
        if count > 1
    ]
    found += [
        Finding(kind="phantom", key=key, detail=f"version {body!r} was never put")
        for body in times
        if body not in possible
    ]
    top = next((put for put in acked if listed and put.value == listed[0]), None)
    newer = [put for put in acked if top is not None and put.started_s > top.ended_s and put.value in times]
    if top is not None and newer:
        detail = f"version {top.value!r} is on top of the later {newer[-1].value!r}"
        found.append(Finding(kind="old version on top", key=key, at_s=newer[-1].ended_s, detail=detail))
    return found
