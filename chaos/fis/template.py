"""Experiment templates: what AWS refuses about one before it is stored.

Messages follow those seen on the real service (docs of FIS, and `blackstart`'s own notes in the tests).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaos.fis.actions import ACTIONS
from chaos.fis.actions.action import Action
from chaos.fis.errors import ValidationException
from harness.errors import nearest

MOST_ACTIONS, MOST_STOP_CONDITIONS = 20, 5
Template = dict[str, Any]  # JSON by FIS's own member names


def check_template(template: Template, capabilities: frozenset[str]) -> None:
    """Refuse what cannot run, here or anywhere.

    Raises:
        ValidationException: the reason, with the action, target or parameter.
    """
    actions, targets = template.get("actions") or {}, template.get("targets") or {}
    if not actions:
        raise ValidationException("You must specify at least one action")
    if len(actions) > MOST_ACTIONS:
        raise ValidationException(f"A template may have at most {MOST_ACTIONS} actions")
    _check_stop_conditions(template.get("stopConditions") or [])
    for name, target in targets.items():
        _check_target(name, target)
    used = set()
    for name, action in actions.items():
        used |= _check_action(name, action, targets, actions, capabilities)
    unused = sorted(set(targets) - used)
    if unused:
        raise ValidationException(f"Target {unused[0]} is not used by any action")
    _check_order(actions)


def _check_stop_conditions(conditions: list[Mapping[str, Any]]) -> None:
    if len(conditions) > MOST_STOP_CONDITIONS:
        raise ValidationException(f"A template may have at most {MOST_STOP_CONDITIONS} stop conditions")
    if not conditions:
        raise ValidationException("You must specify at least one stop condition; its source may be none")
    for condition in conditions:
        source, value = condition.get("source"), condition.get("value")
        if source == "none" and (value or len(conditions) > 1):
            raise ValidationException("A stop condition with source none stands alone and has no value")
        if source not in {"none", "aws:cloudwatch:alarm"}:
            raise ValidationException(f"Unknown stop condition source '{source}'")
        if source == "aws:cloudwatch:alarm" and not str(value or "").startswith("arn:"):
            raise ValidationException("A stop condition on an alarm needs the alarm's ARN as value")


def _check_target(name: str, target: Mapping[str, Any]) -> None:
    from chaos.fis.actions import RESOURCE_TYPES

    kind = target["resourceType"]
    if kind not in RESOURCE_TYPES:
        raise ValidationException(f"Unknown resource type '{kind}' in target {name}; {nearest(kind, RESOURCE_TYPES)}")
    arns, tags, parameters = target.get("resourceArns"), target.get("resourceTags"), target.get("parameters")
    if arns and tags:
        raise ValidationException(f"You cannot specify both resource ARNs and resource tags for target {name}.")
    if arns and target.get("filters"):
        raise ValidationException(f"You cannot specify both resource ARNs and filters for target {name}.")
    if not (arns or tags or parameters):
        raise ValidationException(
            f"You must specify resource ARNs, resource tags, or resource parameters for target {name}"
        )
    selection_count(target["selectionMode"], 1)


def selection_count(mode: str, found: int) -> int:
    """How many of `found` resources a selection mode takes; a share is rounded down.

    `COUNT(n)` with fewer than n takes them all; AWS does not document that case.

    Raises:
        ValidationException: no such mode.
    """
    if mode == "ALL":
        return found
    kind, _, rest = mode.partition("(")
    number = rest.removesuffix(")")
    if kind not in {"COUNT", "PERCENT"} or not rest.endswith(")") or not number.isdigit() or int(number) < 1:
        raise ValidationException(f"Invalid selection mode '{mode}': ALL, COUNT(n) or PERCENT(n)")
    if kind == "COUNT":
        return min(int(number), found)
    if int(number) > 100:
        raise ValidationException(f"Invalid selection mode '{mode}': at most PERCENT(100)")
    return found * int(number) // 100


def _check_action(
    name: str,
    given: Mapping[str, Any],
    targets: Mapping[str, Any],
    actions: Mapping[str, Any],
    capabilities: frozenset[str],
) -> set[str]:
    """Check one action of a template; returns the targets it uses."""
    identity = given.get("actionId", "")
    action = ACTIONS.get(identity)
    if action is None:
        raise ValidationException(f"Unknown action '{identity}' in action {name}; {nearest(identity, ACTIONS)}")
    if action.capability and action.capability not in capabilities:
        raise ValidationException(
            f"Action {identity} is not supported on this target: it lacks the capability '{action.capability}'"
        )
    _check_parameters(name, action, given.get("parameters") or {})
    used = given.get("targets") or {}
    for slot, target in used.items():
        if slot not in action.targets:
            raise ValidationException(f'Unexpected target "{slot}" found in action "{name}"')
        if target not in targets:
            raise ValidationException(f"Action {name} uses target {target}, which is not defined")
        if targets[target]["resourceType"] != action.targets[slot]:
            raise ValidationException(
                f"Target {target} of action {name} must have resource type {action.targets[slot]}"
            )
    for slot in action.targets:
        if slot not in used:
            raise ValidationException(f'Missing target "{slot}" in action "{name}"')
    for before in given.get("startAfter") or ():
        if before not in actions:
            raise ValidationException(f"Action {name} starts after {before}, which is not defined")
    return set(used.values())


def _check_parameters(name: str, action: Action, parameters: Mapping[str, str]) -> None:
    for key in parameters:
        if key not in action.parameters:
            raise ValidationException(
                f"Unexpected parameter '{key}' in action {name}; {nearest(key, action.parameters)}"
            )
    for key, parameter in action.parameters.items():
        if parameter.required and not parameters.get(key):
            raise ValidationException(f"Missing required parameter '{key}' in action {name}")
    try:
        action.check(parameters)
    except ValidationException as error:
        raise ValidationException(f"{error} (action {name})") from error


def _check_order(actions: Mapping[str, Any]) -> None:
    """Refuse a circle of startAfter."""
    done: set[str] = set()
    while len(done) < len(actions):
        ready = [n for n, a in actions.items() if n not in done and set(a.get("startAfter") or ()) <= done]
        if not ready:
            circle = sorted(set(actions) - done)
            raise ValidationException(f"Actions {', '.join(circle)} wait for each other")
        done.update(ready)
