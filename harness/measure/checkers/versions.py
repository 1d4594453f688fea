"""Versions of objects in S3: every acknowledged put is a version that stays, and none is above a later one.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel (strong consistency; of
two concurrent puts either may be the newest).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from harness.measure.checkers.calls import Call, by_key
from harness.measure.finding import Finding


def check_versions(puts: Iterable[Call], listed: Mapping[str, Sequence[str]]) -> list[Finding]:
    """Findings `lost`, `duplicate`, `phantom`, `old version on top` and, below the top, `old version above`.

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
    return found + _order(key, acked, listed)


def _order(key: str, acked: Sequence[Call], listed: Sequence[str]) -> list[Finding]:
    """A version stands above one whose put began only after its own was acknowledged."""
    put_of = {put.value: put for put in acked}
    found: list[Finding] = []
    for place, body in enumerate(listed):
        above = put_of.get(body)
        below = [put_of[other] for other in listed[place + 1 :] if other in put_of]
        newer = [] if above is None else [put for put in below if put.started_s > above.ended_s]
        if newer:
            kind = "old version above" if place else "old version on top"
            latest = max(newer, key=lambda put: put.started_s)
            detail = f"version {body!r} is above the later {latest.value!r}"
            found.append(Finding(kind=kind, key=key, at_s=latest.ended_s, detail=detail))
    return found
