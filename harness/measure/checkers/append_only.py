"""A list that only grows: acknowledged elements are there once, in the order of real time; reads are its beginnings.

Source: Jepsen's list-append workload (Kingsbury & Alvaro, "Elle", VLDB 2020), for one list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from harness.measure.checkers.calls import Call, Value, by_key
from harness.measure.finding import Finding


def check_append_only(
    appends: Iterable[Call],
    final: Mapping[str, Sequence[Value]],
    reads: Iterable[tuple[str, float, Sequence[Value]]] = (),
) -> list[Finding]:
    """Findings `lost`, `duplicate`, `phantom`, `reordered` and `diverged`.

    Args:
        appends: calls whose values are the elements, all different.
        final: each list at its end.
        reads: key, instant, and the list as it was read then.
    """
    found = []
    for key, history in by_key(appends).items():
        found += _elements(key, history, final.get(key, ()))
        found += _order(key, history, final.get(key, ()))
    for key, at_s, seen in reads:
        whole = final.get(key, ())
        if list(seen) != list(whole[: len(seen)]):
            detail = f"{len(seen)} elements were read that are not how the list begins"
            found.append(Finding(kind="diverged", key=key, at_s=at_s, detail=detail))
    return found


def _elements(key: str, history: Sequence[Call], final: Sequence[Value]) -> list[Finding]:
    times = Counter(final)
    possible = {call.value for call in history if call.possible}
    lost = [
        Finding(kind="lost", key=key, at_s=call.ended_s, detail=f"element {call.value!r} was acknowledged")
        for call in history
        if call.outcome == "ok" and not times[call.value]
    ]
    twice = [
        Finding(kind="duplicate", key=key, detail=f"element {value!r} is there {count} times")
        for value, count in times.items()
        if count > 1
    ]
    phantom = [
        Finding(kind="phantom", key=key, detail=f"element {value!r} was never appended")
        for value in times
        if value not in possible
    ]
    return [*lost, *twice, *phantom]


def _order(key: str, history: Sequence[Call], final: Sequence[Value]) -> list[Finding]:
    """An element stands behind another although it was acknowledged before that one was even sent."""
    call_of = {call.value: call for call in history if call.outcome == "ok"}
    started_s = {call.value: call.started_s for call in history}
    found, latest_s, latest = [], float("-inf"), None
    for value in final:
        call = call_of.get(value)
        if call is not None and call.ended_s < latest_s:
            detail = f"element {value!r} was acknowledged before {latest!r} was sent, and stands behind it"
            found.append(Finding(kind="reordered", key=key, at_s=call.ended_s, detail=detail))
        if started_s.get(value, float("-inf")) > latest_s:
            latest_s, latest = started_s[value], value
    return found
