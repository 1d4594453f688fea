"""Edits of a stack's resources in the state alone: delete, rename, unprotect; and what a sound state is.

AWS is not asked and not changed. Names and rules are those of `pulumi state`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

from harness.deploy.engine.selection import Selection
from harness.deploy.engine.state import ResourceState
from harness.deploy.engine.urn import STACK_TYPE, make_urn
from harness.errors import StateError, UsageError

Resources = list[ResourceState]


def find_one(resources: Sequence[ResourceState], pattern: str) -> ResourceState:
    """The resource that `pattern` (URN, name, `type::name`, wildcards) stands for.

    Raises:
        UsageError: it stands for none, naming the nearest, or for several, naming them.
    """
    selection = Selection((pattern,))
    selection.require([r.urn for r in resources], where=pattern)
    found = [r for r in resources if selection.names(r.urn)]
    alive = [r for r in found if not r.delete] or found
    if len(alive) > 1:
        raise UsageError(
            f"{pattern!r} names {len(alive)} resources: " + ", ".join(r.urn for r in alive),
            hint="give the URN, or type::name",
        )
    return alive[0]


def without(resources: Resources, gone: ResourceState, *, force: bool, dependents: bool) -> Resources:
    """`resources` without `gone`, and without what needs it when `dependents` may go too.

    Raises:
        UsageError: it is protected, or something still needs it.
    """
    going = [gone]
    for resource in going:
        going += [r for r in resources if resource.urn in r.needs() and r not in going]
    others = [r for r in going if r is not gone]
    if others and not dependents:
        raise UsageError(
            f"{', '.join(r.urn for r in others)} need it",
            where=gone.urn,
            hint="add --target-dependents to take them out of the state too",
        )
    protected = [r.urn for r in going if r.protect]
    if protected and not force:
        raise UsageError(f"protected: {', '.join(protected)}", hint="blackstart state unprotect, or --force")
    return [r for r in resources if r not in going]


def renamed(resources: Resources, old: ResourceState, name: str) -> Resources:
    """`resources` in which `old` is called `name`, wherever it is mentioned.

    Raises:
        UsageError: the name cannot be one, or is taken.
    """
    if not name or "::" in name:
        raise UsageError(f"{name!r} is no name", hint="a name is not empty and has no '::' in it")
    urn = old.urn.rsplit("::", 1)[0] + f"::{name}"
    if any(r.urn == urn for r in resources):
        raise UsageError(f"there is already a {urn}")
    return [_with_urns(r, lambda known: urn if known == old.urn else known) for r in resources]


def moved_to(resources: Resources, stack: str) -> Resources:
    """`resources` as those of another stack."""

    def change(urn: str) -> str:
        _, project, kind, name = urn.split("::", 3)
        return make_urn(stack, project, "", kind, f"{project}-{stack}" if kind == STACK_TYPE else name)

    return [_with_urns(r, change) for r in resources]


def unprotected(resources: Resources, chosen: Sequence[ResourceState]) -> Resources:
    """`resources` with the protection of `chosen` lifted."""
    result = []
    for resource in resources:
        changed = copy.copy(resource)
        changed.protect = resource.protect and resource not in chosen
        result.append(changed)
    return result


def require_sound(resources: Sequence[ResourceState], *, where: str) -> None:
    """Check what Pulumi checks of a snapshot: no URN twice, and nothing before what it needs.

    Raises:
        StateError: with every fault.
    """
    faults: list[str] = []
    seen: set[str] = set()
    for resource in resources:
        if resource.urn.count("::") < 3 or not resource.urn.startswith("urn:pulumi:"):
            faults.append(f"{resource.urn!r} is no URN")
            continue
        if resource.urn.split("::")[2].rsplit("$", 1)[-1] != resource.type:
            faults.append(f"{resource.urn}: its type is {resource.type}")
        if resource.urn in seen and not resource.delete:
            faults.append(f"{resource.urn} stands there twice")
        missing = sorted(resource.needs() - seen - {resource.urn})
        if missing:
            faults.append(f"{resource.urn} needs {', '.join(missing)}, which does not come before it")
        seen.add(resource.urn)
    if faults:
        raise StateError("the state is not sound:\n  " + "\n  ".join(faults), where=where, hint="nothing was changed")


def _with_urns(resource: ResourceState, change: Callable[[str], str]) -> ResourceState:
    result = copy.copy(resource)
    result.urn = change(resource.urn)
    result.parent = change(resource.parent) if resource.parent else ""
    result.deletedWith = change(resource.deletedWith) if resource.deletedWith else ""
    result.dependencies = [change(urn) for urn in resource.dependencies]
    result.propertyDependencies = {
        key: [change(urn) for urn in urns] for key, urns in resource.propertyDependencies.items()
    }
    if resource.provider:
        urn, _, identity = resource.provider.rpartition("::")
        result.provider = f"{change(urn)}::{identity}"
    return result
