"""What a deployment tells while it works, and what it has done in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Operation = Literal["same", "create", "update", "replace", "delete", "read", "refresh"]
Status = Literal["started", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEvent:
    """One step of one resource. `duration_s` is 0 until it is done; `message` says what changed or went wrong."""

    op: Operation
    urn: str
    type: str
    name: str
    status: Status
    duration_s: float = 0.0
    message: str = ""


Listener = Callable[[StepEvent], None]


def nobody(_event: StepEvent) -> None:
    """Listens to nothing."""
