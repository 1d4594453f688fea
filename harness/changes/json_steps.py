"""Steps as JSON: what `--json` lists under `steps`, and the stream of `--json --events`, one object a line.

    {"schema":1,"event":"step","status":"started|done|failed","op":"create|update|replace|delete|read|refresh|same",
     "urn":…,"type":…,"name":…,"id":…,"parent":…,"duration_s":f,"message":…,"done":n,"planned":n,
     "changes":[{"path":…,"kind":"add|delete|update","old":…,"new":…,"replaces":bool}],"reasons":[…],"not_compared":[…]}

`planned` is 0 where the number of steps is not known. Secrets are "[secret]", values that only a deployment can
know "[unknown]". The last line of the stream is the command's answer, the same object that `--json` alone prints.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TextIO

from harness.changes.board import Board
from harness.deploy.api import StepEvent


def step_json(event: StepEvent) -> dict[str, Any]:  # JSON, as in the module's docstring
    """One step."""
    return {
        "op": event.op,
        "status": event.status,
        "urn": event.urn,
        "type": event.type,
        "name": event.name,
        "id": event.id,
        "parent": event.parent,
        "duration_s": round(event.duration_s, 3),
        "message": event.message,
        "changes": [asdict(change) for change in event.changes],
        "reasons": list(event.reasons),
        "not_compared": list(event.unknown),
    }


def steps_json(events: Sequence[StepEvent]) -> list[dict[str, Any]]:
    """Every step that is not a plain `same`."""
    return [step_json(event) for event in events if event.op != "same" or event.status == "failed"]


@dataclass(slots=True)
class EventLines:
    """A listener that writes each event at once."""

    out: TextIO
    _board: Board = field(default_factory=Board)

    def __call__(self, event: StepEvent) -> None:
        """Write one line."""
        self._board.note(event)
        place = {"done": self._board.done, "planned": self._board.planned}
        self.out.write(json.dumps({"schema": 1, "event": "step", **step_json(event), **place}) + "\n")
        self.out.flush()
