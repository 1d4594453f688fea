"""A counter: acknowledged additions count once, unknown ones at most once, failed ones never.

Every read, and the end, is a sum that the additions before it, and some of those beside it or unanswered, come to.
Not every number between the smallest and the largest is one: of 3 and 5 that nobody answered no 4 comes.

Source: Jepsen's counter checker, https://jepsen-io.github.io/jepsen/jepsen.checker.html#var-counter
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.measure.checkers.calls import Call, by_key
from harness.measure.finding import Finding


def check_counter(
    calls: Iterable[Call], final: Mapping[str, int], *, initial: Mapping[str, int] | None = None
) -> list[Finding]:
    """Findings `lost addition` (below what is possible), `duplicate addition` (above it) and `impossible sum`."""
    found = []
    for key, history in by_key(calls).items():
        first = (initial or {}).get(key, 0)
        adds = [call for call in history if call.action == "write" and call.possible]
        reads = [
            (call.started_s, call.ended_s, call.value)
            for call in history
            if call.action == "read" and call.outcome == "ok"
        ]
        last_s = max((call.ended_s for call in history), default=0.0)
        if key in final:
            reads.append((last_s, last_s, final[key]))
        for started_s, ended_s, value in reads:
            sums = _sums(adds, first, started_s, ended_s)
            if isinstance(value, int) and value not in sums:
                low, high = min(sums), max(sums)
                kind = "lost addition" if value < low else "duplicate addition" if value > high else "impossible sum"
                detail = f"{value}, and between {low} and {high} is possible"
                found.append(Finding(kind=kind, key=key, at_s=ended_s, detail=detail))
    return found


def _sums(adds: Sequence[Call], first: int, started_s: float, ended_s: float) -> set[int]:
    """Every value that a read from `started_s` to `ended_s` may return."""
    sums = {first}
    for add in adds:
        delta = add.value if isinstance(add.value, int) else 0
        if add.outcome == "ok" and add.ended_s <= started_s:
            sums = {one + delta for one in sums}
        elif add.started_s <= ended_s:
            sums |= {one + delta for one in sums}
    return sums
