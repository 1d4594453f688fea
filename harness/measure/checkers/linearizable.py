"""Linearizability of single registers: is there an order of the calls, within their times, that explains the reads?

The search of Wing and Gong with Lowe's memory of (calls taken, value), key by key: a set of registers is linearizable
when each of them is (Horn & Kroening's P-compositionality). A write of unknown outcome may take effect at any time
after it began, or never. The search is exponential in how many calls overlap, so it has a bound; beyond it the answer
is a finding `undecided`, which is inconclusive and not a violation.

Sources: Wing & Gong, "Testing and verifying concurrent objects", 1993; Lowe, "Testing for linearizability", 2017;
Horn & Kroening, "Faster linearizability checking via P-compositionality", 2015; Jepsen's Knossos.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from harness.measure.checkers.calls import Call, Value, by_key
from harness.measure.finding import Finding

UNDECIDED = "undecided"

MOST_STATES = 100_000
"""States that the search visits for one key before it gives up; about a second."""


class _BoundReachedError(Exception):
    """The search would take too long."""


def check_linearizable(
    calls: Iterable[Call], *, initial: Mapping[str, Value] | None = None, most_states: int = MOST_STATES
) -> list[Finding]:
    """Findings `not linearizable`, at the first answer that no order explains, and `undecided`."""
    found = []
    for key, history in by_key(calls).items():
        read = {call.value for call in history if call.action == "read" and call.outcome == "ok"}
        relevant = [call for call in history if call.outcome == "ok" or _matters(call, read)]
        try:
            refuted = _first_refuted(relevant, (initial or {}).get(key), most_states)
        except _BoundReachedError:
            detail = f"{len(relevant)} calls overlap too much for {most_states:,} states"
            found.append(Finding(kind=UNDECIDED, key=key, at_s=relevant[0].started_s, detail=detail))
            continue
        if refuted is not None:
            verb = "read" if refuted.action == "read" else "wrote"
            detail = f"no order of the calls explains that this one {verb} {refuted.value!r}"
            found.append(Finding(kind="not linearizable", key=key, at_s=refuted.ended_s, detail=detail))
    return found


def _matters(call: Call, read: AbstractSet[Value]) -> bool:
    """Whether an unknown write explains anything: one that nobody read may as well never have happened."""
    return call.action == "write" and call.possible and call.value in read


def _end_s(call: Call) -> float:
    return call.ended_s if call.outcome == "ok" else math.inf


def _first_refuted(calls: Sequence[Call], first: Value, most_states: int) -> Call | None:
    """The answer up to which the history is linearizable, and with which it no longer is; None when all of it is."""
    if _explained(calls, first, most_states):
        return None
    answers = sorted((call for call in calls if call.outcome == "ok"), key=_end_s)
    low, high = 0, len(answers) - 1  # the shortest prefix of answers that cannot be explained, by halving
    while low < high:
        middle = (low + high) // 2
        if _explained(_until(calls, answers[middle].ended_s), first, most_states):
            low = middle + 1
        else:
            high = middle
    return answers[low]


def _until(calls: Sequence[Call], instant_s: float) -> list[Call]:
    """The history as it was known at `instant_s`: later answers are unknown writes, or reads that say nothing."""
    known = []
    for call in calls:
        if call.ended_s <= instant_s and call.outcome == "ok":
            known.append(call)
        elif call.action == "write" and call.started_s <= instant_s:
            known.append(msgspec.structs.replace(call, outcome="unknown"))
    return known


def _explained(calls: Sequence[Call], first: Value, most_states: int) -> bool:
    """Whether some order exists. States are (calls taken as bits, value); each is visited once."""
    needed = sum(1 << number for number, call in enumerate(calls) if call.outcome == "ok")
    seen = {(0, first)}
    stack = [(0, first)]
    while stack:
        taken, value = stack.pop()
        if taken & needed == needed:
            return True
        for number, call in _next(calls, taken):
            if call.action == "read" and call.value != value:
                continue
            state = (taken | 1 << number, call.value)
            if state not in seen:
                if len(seen) >= most_states:
                    raise _BoundReachedError
                seen.add(state)
                stack.append(state)
    return False


def _next(calls: Sequence[Call], taken: int) -> list[tuple[int, Call]]:
    """The calls that may come next: not taken, and begun before any call that is not taken had ended."""
    number = (~taken & taken + 1).bit_length() - 1  # the first that is not taken
    limit_s, found = math.inf, []
    while number < len(calls) and calls[number].started_s <= limit_s:
        if not taken >> number & 1:
            found.append((number, calls[number]))
            limit_s = min(limit_s, _end_s(calls[number]))
        number += 1
    return [(number, call) for number, call in found if call.started_s <= limit_s]
