"""Experiment templates: what AWS refuses about one before it is stored.

Messages follow those seen on the real service as far as they are known publicly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaos.fis.actions import ACTIONS, ELSEWHERE
from chaos.fis.actions.action import Action
from chaos.fis.actions.elsewhere import ElsewhereAction
from chaos.fis.errors import ServiceQuotaExceededException, ValidationException
from chaos.fis.region import AWS_QUOTAS, Quotas, Template
from chaos.fis.resource_types import RESOURCE_TYPES
from chaos.fis.selection import selection_count
from harness.clock import parse_duration_s
from harness.errors import nearest

Part = Mapping[str, Any]  # a part of the template, in FIS's own JSON


def check_template(template: Template, capabilities: frozenset[str], quotas: Quotas = AWS_QUOTAS) -> None:
    """Refuse what cannot run, here or anywhere.

    Raises:
        ValidationException: the reason, with the action, target or parameter.
        ServiceQuotaExceededException: more actions or stop conditions than allowed.
    """
    if "targets" not in template:
        raise ValidationException("targets is required")
    actions, targets = template["actions"], template["targets"]
    if not actions:
        raise ValidationException("You must specify at least one action.")
    if len(actions) > quotas.actions:
        raise ServiceQuotaExceededException(f"You may have at most {quotas.actions} actions in a template.")
    _check_stop_conditions(template["stopConditions"], quotas)
    _check_role(template["roleArn"])
    _check_logging(template.get("logConfiguration"))
    _check_report(template.get("experimentReportConfiguration"))
    for name, target in targets.items():
        _check_target(name, target)
    used = set()
    for name, action in actions.items():
        used |= _check_action(name, action, template, capabilities)
    unused = sorted(set(targets) - used)
    if unused:
        raise ValidationException(f"Target {unused[0]} is not used by any action.")
    _check_order(actions, quotas)


def check_update(changed: Template) -> None:
    """Refuse an update that is none.

    Raises:
        ValidationException: an action of the update lacks its id, which the model leaves optional there.
    """
    for name, action in (changed.get("actions") or {}).items():
        if not action.get("actionId"):
            raise ValidationException(f"actionId is required for action {name}.")


def _check_stop_conditions(conditions: list[Part], quotas: Quotas) -> None:
    if len(conditions) > quotas.stop_conditions:
        raise ServiceQuotaExceededException(
            f"You may have at most {quotas.stop_conditions} stop conditions in a template."
        )
    if not conditions:
        raise ValidationException("You must specify at least one stop condition; its source may be none.")
    for condition in conditions:
        source, value = condition["source"], condition.get("value")
        if source == "none" and (value or len(conditions) > 1):
            raise ValidationException("A stop condition with source none stands alone and has no value.")
        if source not in {"none", "aws:cloudwatch:alarm"}:
            raise ValidationException(f"Unknown stop condition source '{source}'.")
        if source == "aws:cloudwatch:alarm" and ":alarm:" not in str(value or ""):
            raise ValidationException("A stop condition on an alarm needs the alarm's ARN as its value.")


def _check_role(arn: str) -> None:
    if not arn.startswith("arn:") or ":role/" not in arn:
        raise ValidationException(f"'{arn}' is not the ARN of an IAM role.")


def _check_logging(given: Part | None) -> None:
    if given is None:
        return
    if given.get("logSchemaVersion") not in {1, 2}:
        raise ValidationException("logSchemaVersion must be 1 or 2.")
    if not given.get("cloudWatchLogsConfiguration") and not given.get("s3Configuration"):
        raise ValidationException("Must specify at least one log destination in logConfiguration")
    logs = given.get("cloudWatchLogsConfiguration")
    if logs and ":log-group:" not in logs["logGroupArn"]:
        raise ValidationException(f"'{logs['logGroupArn']}' is not the ARN of a log group.")


def _check_report(given: Part | None) -> None:
    for name in ("preExperimentDuration", "postExperimentDuration"):
        text = (given or {}).get(name, "PT20M")
        try:
            seconds = parse_duration_s(text) if text.startswith("P") else -1.0
        except ValueError:
            seconds = -1.0
        if seconds < 0:
            raise ValidationException(f"Invalid value '{text}' for {name}: an ISO 8601 duration")


def _check_target(name: str, target: Part) -> None:
    kind = target["resourceType"]
    if kind not in RESOURCE_TYPES:
        raise ValidationException(f"Unknown resource type '{kind}' in target {name}; {nearest(kind, RESOURCE_TYPES)}")
    told = RESOURCE_TYPES[kind]
    arns, tags, parameters = target.get("resourceArns"), target.get("resourceTags"), target.get("parameters") or {}
    if arns and tags:
        raise ValidationException(f"You cannot specify both resource ARNs and resource tags for target {name}.")
    if arns and target.get("filters"):
        raise ValidationException("You cannot specify both resource ARNs and filters")
    if not (arns or tags or parameters):
        raise ValidationException(
            f"You must specify resource ARNs, resource tags, or resource parameters for target {name}"
        )
    if told.tags_only and not tags:
        raise ValidationException(f"Targets of type {kind} are given by resource tags; target {name} is not.")
    if arns and len(set(arns)) < len(arns):
        raise ValidationException(f"Target {name} names the same resource ARN twice.")
    for key in parameters:
        if key not in told.parameters:
            raise ValidationException(f"Unexpected parameter '{key}' in target {name} of type {kind}.")
    missing = [key for key, one in told.parameters.items() if one.required and not parameters.get(key)]
    if missing:
        raise ValidationException(f"Missing required parameter '{missing[0]}' in target {name}.")
    if "functionQualifier" in parameters:
        raise ValidationException(
            f"functionQualifier is not supported here (target {name}): name the function's ARN; every version is hit"
        )
    selection_count(target["selectionMode"], 1)


def _check_action(name: str, given: Part, template: Template, capabilities: frozenset[str]) -> set[str]:
    """Check one action of a template; returns the targets it uses."""
    identity = given["actionId"]
    action = ACTIONS.get(identity) or ELSEWHERE.get(identity)
    if action is None:
        raise ValidationException(f"Unknown action '{identity}' in action {name}; {nearest(identity, ACTIONS)}")
    if isinstance(action, ElsewhereAction) and (not action.targets or not _skips(template)):
        raise ValidationException(
            f"Action {identity} is not carried out by the embedded cloud; nearest: {action.nearest}. With "
            f"emptyTargetResolutionMode skip, an action that has targets is skipped (action {name})"
        )
    if action.capability and action.capability not in capabilities:
        raise ValidationException(
            f"Action {identity} is not supported on this target: it lacks the capability '{action.capability}'"
        )
    _check_parameters(name, action, given.get("parameters") or {})
    _check_slots(name, action, given.get("targets") or {}, template["targets"])
    for before in given.get("startAfter") or ():
        if before not in template["actions"]:
            raise ValidationException(f"Action {name} starts after {before}, which is not defined")
    return set((given.get("targets") or {}).values())


def _skips(template: Template) -> bool:
    return bool(template.get("experimentOptions", {}).get("emptyTargetResolutionMode") == "skip")


def _check_slots(name: str, action: Action, used: Mapping[str, str], targets: Part) -> None:
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
        if slot not in used and slot not in action.optional_targets:
            raise ValidationException(f'Missing target "{slot}" in action "{name}"')


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


def _check_order(actions: Mapping[str, Part], quotas: Quotas) -> None:
    """Refuse a circle of startAfter, and more actions at once than may run."""
    done: set[str] = set()
    while len(done) < len(actions):
        ready = [n for n, a in actions.items() if n not in done and set(a.get("startAfter") or ()) <= done]
        if not ready:
            circle = sorted(set(actions) - done)
            raise ValidationException(f"Actions {', '.join(circle)} wait for each other")
        if len(ready) > quotas.parallel_actions:
            raise ServiceQuotaExceededException(f"At most {quotas.parallel_actions} actions may run in parallel.")
        done.update(ready)
