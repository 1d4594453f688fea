"""A queue that delivers at least once: every accepted message ends processed or in the dead-letter queue.

Processed more than once is no violation of the queue (`exactly_once` looks at the effects); vanished is.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from harness.measure.checkers.calls import Call
from harness.measure.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEnd:
    """Where the messages were, by key, when everything had come to rest. `processed` counts how often.

    `perhaps` were received and deleted without an answer: they may be gone, and may have come again.
    """

    processed: Mapping[str, int] = field(default_factory=dict)
    dead: AbstractSet[str] = frozenset()
    waiting: AbstractSet[str] = frozenset()
    perhaps: AbstractSet[str] = frozenset()


def check_queue(sends: Iterable[Call], end: QueueEnd) -> list[Finding]:
    """Findings `vanished`, `stuck` (neither processed nor given up), `phantom`, and `dead after success`."""
    found = []
    known: dict[str, Call] = {}
    for send in sends:
        if send.key not in known or send.outcome == "ok":
            known[send.key] = send
    for key, send in known.items():
        if end.processed.get(key) or key in end.dead:
            continue
        if key in end.waiting:
            found.append(Finding(kind="stuck", key=key, at_s=send.ended_s, detail="still in the queue at the end"))
        elif send.outcome == "ok" and key not in end.perhaps:
            detail = "accepted, and neither processed nor in the dead-letter queue"
            found.append(Finding(kind="vanished", key=key, at_s=send.ended_s, detail=detail))
    found += [
        Finding(kind="phantom", key=key, detail="delivered, and never accepted")
        for key in sorted({*end.processed, *end.dead, *end.waiting, *end.perhaps})
        if key not in known or known[key].outcome == "fail"
    ]
    found += [
        Finding(kind="dead after success", key=key, detail="processed, and given up all the same")
        for key in sorted(end.dead)
        if end.processed.get(key)
    ]
    return found
