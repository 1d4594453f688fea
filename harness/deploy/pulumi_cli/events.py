"""The CLI's engine events as our steps, and its diagnostics as our errors.

Source: pulumi's sdk/go/common/apitype/events.go, as `pulumi.automation.events` has it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.deploy.engine import wire
from harness.deploy.engine.detail import every, property_changes, value_at
from harness.deploy.engine.events import Listener, Operation, PropertyChange, Status, StepEvent
from harness.deploy.engine.values import masked

_OPERATIONS: Mapping[str, Operation] = {
    "same": "same",
    "create": "create",
    "update": "update",
    "delete": "delete",
    "create-replacement": "replace",
    "delete-replaced": "delete",
    "read": "read",
    "read-replacement": "read",
    "refresh": "refresh",
    "discard": "delete",
    "discard-replaced": "delete",
    "import": "read",
    "import-replacement": "read",
}  # `replace` and `remove-pending-replace` are the engine's own bookkeeping
_COPIES = frozenset({"delete-replaced", "discard-replaced"})
_MARKUP = re.compile(r"<\{%[^%]*%\}>")
GONE = "gone from AWS"


@dataclass(slots=True)
class EventReader:
    """Hears the engine's events, tells ours, and keeps what went wrong and what there is.

    `dry_run`: a preview announces steps and does not carry them out.
    """

    listen: Listener
    dry_run: bool
    errors: list[tuple[str, str]] = field(default_factory=list)  # URN (or ''), message
    failed: list[StepEvent] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    living: set[str] = field(default_factory=set)
    _began: dict[str, tuple[float, str]] = field(default_factory=dict)  # URN → when, which operation

    def __call__(self, event: Any) -> None:  # an EngineEvent; pulumi.automation has no usable types here
        """Take in one event."""
        if event.diagnostic_event is not None:
            self._diagnose(event.diagnostic_event)
        elif event.resource_pre_event is not None:
            self._step(event.resource_pre_event.metadata, "done" if self.dry_run else "started")
        elif event.res_outputs_event is not None and not self.dry_run:
            self._step(event.res_outputs_event.metadata, "done")
        elif event.res_op_failed_event is not None:
            self._step(event.res_op_failed_event.metadata, "failed")

    def _diagnose(self, diagnostic: Any) -> None:  # a DiagnosticEvent
        if diagnostic.severity == "error":
            self.errors.append((diagnostic.urn or "", plain_text(diagnostic.message)))

    def _step(self, metadata: Any, status: Status) -> None:  # a StepEventMetadata
        op = _OPERATIONS.get(str(metadata.op.value))
        if op is None or _is_default_provider(metadata):
            return
        since_s, begun_as = self._began.get(metadata.urn, (time.monotonic(), ""))
        if status == "started":
            self._began[metadata.urn] = (time.monotonic(), str(metadata.op.value))
        result = op
        if begun_as == "refresh" and op in {"same", "update"}:
            op = "refresh"
        event = self._event(metadata, op, status, time.monotonic() - since_s if status == "done" else 0.0)
        if begun_as == "refresh" and result == "delete":
            event = _with_message(event, GONE)
        self._keep(event)
        self.listen(event)

    def _keep(self, event: StepEvent) -> None:
        if event.status == "failed":
            self.failed.append(event)
        if event.status != "done" or not event.custom or event.type.startswith("pulumi:"):
            return
        self.counts[event.op] = self.counts.get(event.op, 0) + 1
        if event.op == "delete" and not event.copy:
            self.living.discard(event.urn)
        elif event.op != "delete":
            self.living.add(event.urn)

    def _event(self, metadata: Any, op: Operation, status: Status, duration_s: float) -> StepEvent:
        state = metadata.new or metadata.old
        changes = _changes(metadata, op)
        message = next((text for urn, text in reversed(self.errors) if urn == metadata.urn), "")
        if status != "failed":
            message = ", ".join(change.path for change in changes) if op in {"update", "replace", "refresh"} else ""
        return StepEvent(
            op=op,
            urn=metadata.urn,
            type=metadata.type,
            name=metadata.urn.split("::", 3)[3],
            status=status,
            duration_s=duration_s,
            message=f"import {state.id}" if str(metadata.op.value).startswith("import") else message,
            id=state.id if state else "",
            parent=state.parent if state else "",
            custom=bool(state.custom) if state else True,
            copy=str(metadata.op.value) in _COPIES,
            changes=changes,
            reasons=tuple(metadata.keys or ()) if op == "replace" else (),
        )


def plain_text(message: str) -> str:
    """A diagnostic without the CLI's colour marks."""
    return _MARKUP.sub("", message).strip()


def _changes(metadata: Any, op: Operation) -> tuple[PropertyChange, ...]:
    old, new = metadata.old, metadata.new
    if op == "create":
        return every(_shown(new.inputs), "add")
    if op == "delete":
        return () if str(metadata.op.value) in _COPIES or old is None else every(_shown(old.inputs), "delete")
    if op not in {"update", "replace", "refresh"} or old is None or new is None:
        return ()
    if not metadata.detailed_diff:
        side = "outputs" if op == "refresh" else "inputs"
        keys = set(metadata.keys or ())
        return property_changes(
            _shown(getattr(old, side)), _shown(getattr(new, side)), replaces=lambda path: path in keys
        )
    return tuple(
        _detailed(path, difference, metadata, seen=op == "refresh")
        for path, difference in sorted(metadata.detailed_diff.items())
    )


def _detailed(path: str, difference: Any, metadata: Any, *, seen: bool) -> PropertyChange:
    """One entry of the provider's own diff; what a refresh has `seen` is in the outputs."""
    old, new = metadata.old, metadata.new
    kind, _, replaces = str(difference.diff_kind.value).partition("-")
    left = _first(path, old.inputs if difference.input_diff else old.outputs, old.inputs)
    right = _first(path, new.outputs, new.inputs) if seen else _first(path, new.inputs, new.outputs)
    return PropertyChange(
        path=path,
        kind=kind,  # type: ignore[arg-type] # add, delete or update
        old=None if kind == "add" else masked(left),
        new=None if kind == "delete" else masked(right),
        replaces=bool(replaces),
    )


def _first(path: str, *sides: Any) -> Any:
    return next((found for side in sides if (found := value_at(_shown(side), path)) is not None), None)


def _shown(properties: Any) -> dict[str, Any]:
    """Properties of an event as values; the CLI has blinded secrets already, as the text `[secret]`."""
    values = wire.from_json(properties or {}, lambda _text: '"[secret]"')
    return {key: value for key, value in values.items() if not key.startswith("__")}


def _is_default_provider(metadata: Any) -> bool:
    return bool(metadata.type.startswith("pulumi:providers:") and "::default" in metadata.urn)


def _with_message(event: StepEvent, message: str) -> StepEvent:
    from dataclasses import replace

    return replace(event, message=message)
