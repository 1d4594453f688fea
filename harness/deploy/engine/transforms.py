"""Transforms: functions of the program that change resources and invokes before the engine looks at them.

They run in Pulumi's order: those of the resource, of its parents from the inside out, of the stack.
Source: pulumi's pkg/resource/deploy/source_eval.go.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pulumi.runtime.proto import resource_pb2

from harness.deploy.engine.callbacks import Callbacks
from harness.deploy.engine.urn import STACK_TYPE, make_urn

# Option in a transform → the same in a registration, where the names differ by more than being copied.
_SAME = {
    "version": "version", "provider": "provider", "plugin_download_url": "pluginDownloadURL",
    "deleted_with": "deletedWith", "import": "importId",
}  # fmt: skip
_LISTS = {
    "depends_on": "dependencies", "ignore_changes": "ignoreChanges", "replace_on_changes": "replaceOnChanges",
    "aliases": "aliases", "additional_secret_outputs": "additionalSecretOutputs", "replace_with": "replace_with",
    "hide_diff": "hideDiffs",
}  # fmt: skip
_PRESENT = {"protect": "protect", "retain_on_delete": "retainOnDelete"}
_MESSAGES = {"custom_timeouts": "customTimeouts", "hooks": "hooks", "replacement_trigger": "replacement_trigger"}


@dataclass(slots=True)
class Transforms:
    """The transforms of one program. Safe from any thread."""

    callbacks: Callbacks
    stack: list[Any] = field(default_factory=list)  # callback_pb2.Callback
    invokes: list[Any] = field(default_factory=list)
    _own: dict[str, list[Any]] = field(default_factory=dict)  # by URN
    _parents: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def registration(self, request: Any, *, stack: str, project: str) -> Any:  # a RegisterResourceRequest
        """The request as the transforms leave it.

        Raises:
            ProgramError: one of them raised.
        """
        urn = make_urn(stack, project, request.parent, request.type, request.name)
        with self._lock:
            self._own[urn], self._parents[urn] = list(request.transforms), request.parent
            steps = [] if request.type == STACK_TYPE else [*self._for(urn), *self.stack]
        for callback in steps:
            asked = resource_pb2.TransformRequest(
                type=request.type,
                name=request.name,
                custom=request.custom,
                parent=request.parent,
                properties=request.object,
                options=_options(request),
            )
            answer = self.callbacks.call(
                callback, asked, resource_pb2.TransformResponse, what=f"a transform of {request.type} {request.name}"
            )
            request = _transformed(request, answer)
        return request

    def invocation(self, request: Any) -> Any:  # a ResourceInvokeRequest
        """The request of a data source as the transforms leave it.

        Raises:
            ProgramError: one of them raised.
        """
        for callback in list(self.invokes):
            options = resource_pb2.TransformInvokeOptions(
                provider=request.provider, version=request.version, plugin_download_url=request.pluginDownloadURL
            )
            asked = resource_pb2.TransformInvokeRequest(token=request.tok, args=request.args, options=options)
            answer = self.callbacks.call(
                callback, asked, resource_pb2.TransformInvokeResponse, what=f"a transform of {request.tok}"
            )
            changed = resource_pb2.ResourceInvokeRequest()
            changed.CopyFrom(request)
            if answer.HasField("args"):
                changed.args.CopyFrom(answer.args)
            if answer.HasField("options"):
                changed.provider, changed.version = answer.options.provider, answer.options.version
            request = changed
        return request

    def _for(self, urn: str) -> Iterator[Any]:
        while urn:
            yield from self._own.get(urn, ())
            urn = self._parents.get(urn, "")


def _options(request: Any) -> Any:
    """The options of a registration, as a transform gets them."""
    options = resource_pb2.TransformResourceOptions(providers=dict(request.providers))
    for name, field_name in _SAME.items():
        setattr(options, name, getattr(request, field_name))
    for name, field_name in _LISTS.items():
        getattr(options, name).extend(getattr(request, field_name))
    for name, field_name in _PRESENT.items():
        if request.HasField(field_name):
            setattr(options, name, getattr(request, field_name))
    for name, field_name in _MESSAGES.items():
        if request.HasField(field_name):
            getattr(options, name).CopyFrom(getattr(request, field_name))
    if request.deleteBeforeReplaceDefined:
        options.delete_before_replace = request.deleteBeforeReplace
    return options


def _transformed(request: Any, answer: Any) -> Any:
    """`request` with the properties and options that a transform answered; edges of properties are kept."""
    changed: Any = resource_pb2.RegisterResourceRequest()  # protobuf's stubs know no computed names
    changed.CopyFrom(request)
    if answer.HasField("properties"):
        changed.object.CopyFrom(answer.properties)
    if not answer.HasField("options"):
        return changed
    options = answer.options
    changed.providers.clear()
    changed.providers.update(dict(options.providers))
    for name, field_name in _SAME.items():
        setattr(changed, field_name, getattr(options, name))
    for name, field_name in _LISTS.items():
        changed.ClearField(field_name)
        getattr(changed, field_name).extend(getattr(options, name))
    for name, field_name in {**_PRESENT, **_MESSAGES}.items():
        changed.ClearField(field_name)
        if options.HasField(name):
            if name in _PRESENT:
                setattr(changed, field_name, getattr(options, name))
            else:
                getattr(changed, field_name).CopyFrom(getattr(options, name))
    changed.deleteBeforeReplaceDefined = options.HasField("delete_before_replace")
    changed.deleteBeforeReplace = options.delete_before_replace
    return changed
