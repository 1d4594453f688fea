"""What a deployment told, kept: one entry for each resource, and how many of each kind."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from harness.deploy.api import StepEvent

SIGNS: Mapping[str, str] = {
    "create": "+",
    "update": "~",
    "replace": "+-",
    "delete": "-",
    "import": "=",
    "drift": "~",
    "read": ">",
    "same": "",
}
COLOURS: Mapping[str, str] = {
    "create": "green",
    "update": "yellow",
    "replace": "magenta",
    "delete": "red",
    "import": "green",
    "drift": "cyan",
}
_PLANNED = {"drift": "drifted", "import": "to import"}
DONE = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
    "import": "imported",
    "drift": "drifted",
}


@dataclass(slots=True)
class ChangeRecord:
    """A listener that keeps the last word on each resource. Safe from any thread."""

    last: dict[str, StepEvent] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, event: StepEvent) -> None:
        """Keep `event`, unless it only begins, or only cleans up after a replacement."""
        if event.status == "started" or event.copy:
            return
        with self._lock:
            before = self.last.get(event.urn)
            if before is not None and before.op == "replace" and event.op == "delete":
                return
            self.last[event.urn] = event

    @property
    def events(self) -> list[StepEvent]:
        """One event for each resource, in the order in which they were told."""
        with self._lock:
            return list(self.last.values())


def kind_of(event: StepEvent) -> str:
    """What an event means to people: its operation; a refresh is drift or the same, a read may be an import."""
    if event.op == "refresh":
        return "drift" if event.changes else "same"
    if event.op == "read":
        return "import" if event.message.startswith("import") else "same"
    return event.op


def counts(events: Iterable[StepEvent]) -> Counter[str]:
    """How many AWS resources were, or would be, created, updated, …; components and providers do not count."""
    return Counter(
        kind_of(event)
        for event in events
        if event.custom and not event.type.startswith("pulumi:") and event.status == "done"
    )


def summary(events: Iterable[StepEvent], *, planned: bool) -> list[tuple[str, str]]:
    """The lines of the summary, each with the kind that gives it its colour.

    >>> summary([StepEvent(op="create", urn="u", type="aws:sqs/queue:Queue", name="q", status="done")], planned=True)
    [('create', '+  1 to create')]
    """
    found = counts(events)
    lines = [
        (kind, f"{SIGNS[kind]:2} {found[kind]} {_PLANNED.get(kind, f'to {kind}') if planned else DONE[kind]}")
        for kind in DONE
        if found[kind]
    ]
    if found["same"]:
        lines.append(("same", f"   {found['same']} unchanged"))
    return lines or [("same", "   no resources")]
