"""What a deployment tells while it works, and what it has done in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Operation = Literal["same", "create", "update", "replace", "delete", "read", "refresh"]
Status = Literal["started", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyChange:
    """One property path that differs. `old` and `new` are JSON, fit to be shown: secrets masked, files as hashes.

    `replaces` says that this change alone asks for a new resource.
    """

    path: str
    kind: Literal["add", "delete", "update"]
    old: Any = None  # any JSON, as in Pulumi's property values
    new: Any = None
    replaces: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEvent:
    """One step of one resource. `duration_s` is 0 until it is done; `message` says what changed or went wrong.

    A creation lists every input as added, a deletion every input as deleted. `reasons` are why a resource is
    replaced, `unknown` the inputs that a refresh cannot compare. `planned` is how many steps are expected in
    all, 0 where that is not known. `copy` marks the deletion of what a replacement has made obsolete.
    """

    op: Operation
    urn: str
    type: str
    name: str
    status: Status
    duration_s: float = 0.0
    message: str = ""
    id: str = ""
    parent: str = ""
    custom: bool = True
    copy: bool = False
    planned: int = 0
    changes: tuple[PropertyChange, ...] = ()
    reasons: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """What a step is about, beyond its resource: the part of a `StepEvent` that the kind of step decides."""

    message: str = ""
    changes: tuple[PropertyChange, ...] = ()
    reasons: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


PLAIN = Detail()

Listener = Callable[[StepEvent], None]


def nobody(_event: StepEvent) -> None:
    """Listens to nothing."""
