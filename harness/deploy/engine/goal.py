"""What the program asks of one resource: a RegisterResource request, taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.clock import parse_duration_s
from harness.deploy.engine import wire
from harness.deploy.engine.hooks import bindings
from harness.deploy.engine.urn import STACK_TYPE, make_urn, own_name, own_type
from harness.deploy.engine.values import Value, dependencies, without_outputs

_SCHEME = re.compile(r"^(?:file|project)://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One resource as the program wants it. Options unset by the program are None."""

    urn: str
    type: str
    name: str
    custom: bool
    parent: str = ""
    inputs: Mapping[str, Value] = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, list[str]] = field(default_factory=dict)
    provider: str = ""
    providers: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    protect: bool | None = None
    retain_on_delete: bool | None = None
    deleted_with: str = ""
    delete_before_replace: bool | None = None
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    timeouts_s: Mapping[str, float] = field(default_factory=dict)
    import_id: str = ""
    replace_with: tuple[str, ...] = ()
    replacement_trigger: Value = None
    hooks: Mapping[str, list[str]] = field(default_factory=dict)  # moment → names
    remote: bool = False
    source: str = ""

    @property
    def is_stack(self) -> bool:
        """True for the root of the program."""
        return self.type == STACK_TYPE

    @property
    def package(self) -> str:
        """The package of its type, such as `aws` or `pulumi`."""
        return self.type.split(":", 1)[0]

    @property
    def where(self) -> str:
        """The URN, and the program's file:line where the SDK told it."""
        return f"{self.urn} ({self.source})" if self.source else self.urn


def read_goal(request: Any, *, stack: str, project: str) -> Goal:  # a RegisterResourceRequest; protobuf has no types
    """The goal in a RegisterResource request."""
    inputs = wire.from_struct(request.object)
    property_dependencies = {key: list(value.urns) for key, value in request.propertyDependencies.items()}
    for key, value in inputs.items():
        known = property_dependencies.setdefault(key, [])
        known.extend(sorted(dependencies(value) - set(known)))
    return Goal(
        urn=make_urn(stack, project, request.parent, request.type, request.name),
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        inputs=without_outputs(inputs),
        dependencies=tuple(sorted(set(request.dependencies))),
        property_dependencies={key: sorted(urns) for key, urns in property_dependencies.items() if urns},
        provider=request.provider,
        providers=dict(request.providers),
        version=request.version,
        protect=request.protect if request.HasField("protect") else None,
        retain_on_delete=request.retainOnDelete if request.HasField("retainOnDelete") else None,
        deleted_with=request.deletedWith,
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        aliases=_aliases(request, stack=stack, project=project),
        timeouts_s=_timeouts(request),
        import_id=request.importId,
        replace_with=tuple(request.replace_with),
        replacement_trigger=_trigger(request),
        hooks=bindings(request.hooks),
        remote=request.remote,
        source=source_of(request),
    )


def _aliases(request: Any, *, stack: str, project: str) -> tuple[str, ...]:
    found = list(request.aliasURNs)
    for alias in request.aliases:
        if alias.WhichOneof("alias") == "urn":
            found.append(alias.urn)
            continue
        spec = alias.spec
        parent = "" if spec.noParent else (spec.parentUrn or request.parent)
        kind, name = spec.type or request.type, spec.name or request.name
        found.append(make_urn(spec.stack or stack, spec.project or project, parent, kind, name))
    return tuple(found)


def _trigger(request: Any) -> Value:
    """The value whose change asks for a new resource; None when there is none."""
    if not request.HasField("replacement_trigger"):
        return None
    return without_outputs(wire.from_proto(request.replacement_trigger))


def inherited_aliases(goal: Goal, parent_name: str, parent_aliases: Iterable[str]) -> tuple[str, ...]:
    """The URNs that a child had while its parent had one of its aliases, names that start with the parent's included.

    Source: pulumi's pkg/resource/deploy/step_generator.go, generateAliases.
    """
    own = [(goal.type, goal.name), *((own_type(urn), own_name(urn)) for urn in goal.aliases)]
    found = []
    for alias in parent_aliases:
        for kind, name in own:
            suffix = name[len(parent_name) :] if name.startswith(parent_name) else None
            renamed = name if suffix is None else own_name(alias) + suffix
            stack, project = alias.removeprefix("urn:pulumi:").split("::")[:2]
            found.append(make_urn(stack, project, alias, kind, renamed))
    return tuple(dict.fromkeys(found))


def _timeouts(request: Any) -> dict[str, float]:
    if not request.HasField("customTimeouts"):
        return {}
    given = {key: getattr(request.customTimeouts, key) for key in ("create", "update", "delete")}
    return {key: parse_duration_s(text) for key, text in given.items() if text}


def source_of(request: Any) -> str:
    """`file:line` of the program, as far as the SDK gives it."""
    if not request.HasField("sourcePosition"):
        return ""
    position = request.sourcePosition
    return f"{_SCHEME.sub('', position.uri)}:{position.line}"
