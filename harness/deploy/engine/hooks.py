"""Resource hooks: functions of the program that run before and after a step on a resource, and on its errors.

A hook that raises before a step stops it; one after a step is only warned about. Source: pulumi's
pkg/resource/deploy/resource_hooks.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pulumi.runtime.proto import resource_pb2

from harness.deploy.engine import wire
from harness.deploy.engine.callbacks import Callbacks
from harness.deploy.engine.state import ResourceState
from harness.errors import ProgramError

Moment = Literal["before_create", "after_create", "before_update", "after_update", "before_delete", "after_delete"]
MOMENTS: tuple[str, ...] = (
    "before_create", "after_create", "before_update", "after_update", "before_delete", "after_delete", "on_error",
)  # fmt: skip


@dataclass(slots=True)
class Hooks:
    """The hooks that one program has registered, by name."""

    callbacks: Callbacks
    known: dict[str, Any] = field(default_factory=dict)  # RegisterResourceHookRequest
    on_error: dict[str, Any] = field(default_factory=dict)  # RegisterErrorHookRequest
    warnings: list[str] = field(default_factory=list)

    def run(
        self,
        moment: Moment,
        names: Mapping[str, list[str]],
        *,
        new: ResourceState | None,
        old: ResourceState | None,
        dry_run: bool,
    ) -> None:
        """Run the hooks that `names` binds to this moment.

        Raises:
            ProgramError: a hook before the step raised, or it is unknown because the program did not run.
        """
        resource = new or old
        for name in names.get(moment, ()):
            if resource is None:
                return
            hook = self.known.get(name)
            if hook is None:
                raise ProgramError(
                    f"the hook {name} of {resource.urn} is not registered",
                    where=resource.urn,
                    hint="its program has to run for that: remove the resource from the program and run up",
                )
            if not dry_run or hook.on_dry_run:
                self._run(moment, hook, new=new, old=old)

    def retries(self, names: Mapping[str, list[str]], resource: ResourceState, operation: str, error: str) -> bool:
        """True when an error hook wants a failed operation tried again.

        Raises:
            ProgramError: the hook raised.
        """
        wanted = False
        for name in names.get("on_error", ()):
            request = resource_pb2.ErrorHookRequest(
                urn=resource.urn, id=resource.id, name=resource.name, type=resource.type,
                failed_operation=operation, errors=[error], new_inputs=wire.to_struct(resource.inputs),
            )  # fmt: skip
            hook = self.on_error[name]
            answer = self.callbacks.call(
                hook.callback, request, resource_pb2.ErrorHookResponse, what=f"the error hook {name}"
            )
            if answer.error:
                raise ProgramError(f"the error hook {name} failed: {answer.error}", where=resource.urn)
            wanted = wanted or answer.retry
        return wanted

    def _run(self, moment: Moment, hook: Any, *, new: ResourceState | None, old: ResourceState | None) -> None:
        resource = new or old
        if resource is None:
            return
        request = resource_pb2.ResourceHookRequest(
            urn=resource.urn, id=resource.id, name=resource.name, type=resource.type
        )
        if new is not None:
            request.new_inputs.CopyFrom(wire.to_struct(new.inputs))
            if moment.startswith("after"):
                request.new_outputs.CopyFrom(wire.to_struct(new.outputs))
        if old is not None:
            request.old_inputs.CopyFrom(wire.to_struct(old.inputs))
            request.old_outputs.CopyFrom(wire.to_struct(old.outputs))
        answer = self.callbacks.call(
            hook.callback, request, resource_pb2.ResourceHookResponse, what=f"the hook {hook.name}"
        )
        if not answer.error:
            return
        text = f"the hook {hook.name} ({moment} of {resource.urn}) failed: {answer.error}"
        if moment.startswith("before") and not hook.ignore_errors:
            raise ProgramError(text, where=resource.urn)
        self.warnings.append(text)


def bindings(request: Any) -> dict[str, list[str]]:  # a ResourceHooksBinding
    """Moment → names of hooks, without empty ones."""
    return {moment: list(getattr(request, moment)) for moment in MOMENTS if getattr(request, moment)}
