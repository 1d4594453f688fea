"""The resources of a checkpoint as a list that is whole: in topological order, without edges to nothing."""

from __future__ import annotations

import copy
from collections.abc import Container, Mapping

from harness.deploy.engine.state import ResourceState


def with_new_names(old: ResourceState, renamed: Mapping[str, str]) -> ResourceState:
    """`old` with its edges following resources whose URNs have changed (old URN → new URN)."""
    if not renamed:
        return old
    changed = copy.copy(old)
    changed.parent = renamed.get(old.parent, old.parent)
    changed.dependencies = [renamed.get(urn, urn) for urn in old.dependencies]
    changed.propertyDependencies = {k: [renamed.get(u, u) for u in v] for k, v in old.propertyDependencies.items()}
    urn, _, identity = old.provider.rpartition("::")
    changed.provider = f"{renamed.get(urn, urn)}::{identity}" if urn else ""
    changed.deletedWith = renamed.get(old.deletedWith, old.deletedWith)
    return changed


def in_order(resources: list[ResourceState]) -> list[ResourceState]:
    """`resources` with everything after what it needs, otherwise as they were; edges to nothing are cut."""
    present = {resource.urn: resource for resource in reversed(resources) if not resource.delete}
    present |= {resource.urn: resource for resource in resources if resource.urn not in present}
    ordered: dict[int, ResourceState] = {}

    def place(resource: ResourceState, above: frozenset[int]) -> None:
        if id(resource) in ordered or id(resource) in above:
            return
        for urn in sorted(resource.needs()):
            if urn in present and present[urn] is not resource:
                place(present[urn], above | {id(resource)})
        ordered[id(resource)] = resource

    for resource in resources:
        place(resource, frozenset())
    return [_without_dangling(resource, present) for resource in ordered.values()]


def _without_dangling(resource: ResourceState, present: Container[str]) -> ResourceState:
    """Edges to what is no longer in the checkpoint are cut: their owners go later in this deployment."""
    if all(urn in present for urn in resource.needs()):
        return resource
    clean = copy.copy(resource)
    clean.dependencies = [urn for urn in resource.dependencies if urn in present]
    clean.propertyDependencies = {
        key: [urn for urn in urns if urn in present] for key, urns in resource.propertyDependencies.items()
    }
    if clean.parent not in present:
        clean.parent = ""
    if clean.deletedWith not in present:
        clean.deletedWith = ""
    return clean
