"""Fan-out: an accepted event reaches every target that it matches, at least once, and no other.

An event without an answer was accepted when it came to any target, and then belongs to all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet

from harness.measure.checkers.calls import Call
from harness.measure.finding import Finding


def check_fan_out(
    events: Iterable[Call], received: Mapping[str, AbstractSet[str]], matches: Callable[[Call], AbstractSet[str]]
) -> list[Finding]:
    """Findings `not delivered`, `wrong target` and `phantom`.

    Args:
        events: one call for each event, by its key.
        received: the keys that each target got.
        matches: the targets whose rule an event matches.
    """
    found = []
    known: set[str] = set()
    for event in events:
        known |= {event.key} if event.possible else set()
        wanted = matches(event)
        came = event.possible and any(event.key in keys for keys in received.values())
        for target, keys in received.items():
            if (event.outcome == "ok" or came) and target in wanted and event.key not in keys:
                detail = f"accepted, and never came to {target}"
                found.append(Finding(kind="not delivered", key=event.key, at_s=event.ended_s, detail=detail))
            if target not in wanted and event.key in keys:
                detail = f"came to {target}, which it does not match"
                found.append(Finding(kind="wrong target", key=event.key, at_s=event.ended_s, detail=detail))
    for target, keys in received.items():
        found += [
            Finding(kind="phantom", key=key, detail=f"came to {target}, and was never accepted")
            for key in sorted(keys - known)
        ]
    return found
