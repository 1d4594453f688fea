"""End to end: an acknowledged order has each of its effects exactly once, whatever happened in between.

Effects are counted where they can be seen from outside: payments, receipts, notifications by the order's id. Delivery
is at least once everywhere in between, so this is a promise of the application, not of any service.

Source: Saltzer, Reed & Clark, "End-to-end arguments in system design", 1984.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.measure.checkers.calls import Call
from harness.measure.finding import Finding


def check_exactly_once(orders: Iterable[Call], effects: Mapping[str, Mapping[str, int]]) -> list[Finding]:
    """Findings `missing`, `duplicate`, `partial` and `phantom`.

    Args:
        orders: the attempts, by order; several with one key are retries of the same order.
        effects: effect → order → how often it was seen.
    """
    attempts: dict[str, list[Call]] = {}
    for order in orders:
        attempts.setdefault(order.key, []).append(order)
    found = []
    for key, calls in attempts.items():
        acked_s = min((call.ended_s for call in calls if call.outcome == "ok"), default=None)
        found += _check(key, acked_s, {name: seen.get(key, 0) for name, seen in effects.items()}, calls)
    for name, seen in effects.items():
        found += [
            Finding(kind="phantom", key=key, detail=f"{name} of an order that nobody placed")
            for key, count in seen.items()
            if count and key not in attempts
        ]
    return found


def _check(key: str, acked_s: float | None, seen: Mapping[str, int], calls: Iterable[Call]) -> list[Finding]:
    found = [
        Finding(kind="duplicate", key=key, at_s=acked_s, detail=f"{count} of {name}")
        for name, count in seen.items()
        if count > 1
    ]
    absent = [name for name, count in seen.items() if not count]
    present = [name for name, count in seen.items() if count]
    if acked_s is not None:
        found += [Finding(kind="missing", key=key, at_s=acked_s, detail=f"acknowledged without {n}") for n in absent]
    elif present and not any(call.possible for call in calls):
        found += [Finding(kind="phantom", key=key, detail=f"{name} of an order that was refused") for name in present]
    elif present and absent:
        detail = f"has {', '.join(present)} and not {', '.join(absent)}"
        found.append(Finding(kind="partial", key=key, detail=detail))
    return found
