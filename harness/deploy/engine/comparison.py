"""What a goal changes about a resource, and whether that needs a new one."""

from __future__ import annotations

from dataclasses import dataclass

from harness.deploy.engine.detail import property_changes
from harness.deploy.engine.diff import changes, is_below, root
from harness.deploy.engine.events import Detail
from harness.deploy.engine.goal import Goal
from harness.deploy.engine.state import ResourceState
from harness.deploy.engine.values import plain
from harness.deploy.providers.resource import Context, ResourceType


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The property paths that differ, and those of them (or words) for which a new resource is needed."""

    changed: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    delete_before_replace: bool = False


def compare(
    goal: Goal, resource: ResourceState, old: ResourceState, handler: ResourceType, context: Context
) -> Comparison:
    """The difference between the checked inputs of before and of now, by the type itself where it knows better."""
    olds, news = plain(old.inputs), plain(resource.inputs)
    told = handler.diff(context, old.id, plain({**old.inputs, **old.outputs}), news)
    if told is not None:
        by_program = tuple(path for path in told.changed if _by_program(goal, path))
        return Comparison(
            changed=told.changed,
            reasons=tuple(dict.fromkeys((*told.replaces, *by_program))),
            delete_before_replace=told.delete_before_replace,
        )
    changed = sorted(changes(olds, news, handler.json_keys))
    reasons = tuple(path for path in changed if _replaces(goal, handler, path))
    return Comparison(changed=tuple(changed), reasons=reasons)


def difference(goal: Goal, resource: ResourceState, old: ResourceState, handler: ResourceType) -> Detail:
    """What differs between the inputs of before and those of now, as it may be shown."""
    found = property_changes(
        old.inputs,
        resource.inputs,
        json_keys=handler.json_keys,
        replaces=lambda path: _replaces(goal, handler, path),
    )
    return Detail(message=", ".join(change.path for change in found), changes=found)


def _replaces(goal: Goal, handler: ResourceType, path: str) -> bool:
    """True when a change at `path` alone asks for a new resource."""
    return _by_program(goal, path) or root(path) in handler.replace_on


def _by_program(goal: Goal, path: str) -> bool:
    return any(is_below(selector, path) for selector in goal.replace_on_changes)
