"""Services as ECS's API shows them: checked, made, changed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from harness.cloud.tasks import deployments, emulated
from harness.cloud.tasks.emulated import EcsError, Record

_CHANGED_AS_GIVEN = (
    "networkConfiguration", "healthCheckGracePeriodSeconds", "enableExecuteCommand", "platformVersion",
    "loadBalancers", "serviceRegistries", "propagateTags", "enableECSManagedTags", "placementConstraints",
    "placementStrategy", "availabilityZoneRebalancing", "capacityProviderStrategy",
)  # fmt: skip
_ROLLS_OUT = frozenset({"networkConfiguration", "loadBalancers", "platformVersion", "capacityProviderStrategy"})
"""What makes a new deployment when it changes.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html"""


def check_service(request: Mapping[str, Any]) -> None:
    """Refuse what cannot be carried out.

    Raises:
        EcsError: with the reason.
    """
    strategy = (request.get("deploymentConfiguration") or {}).get("strategy") or "ROLLING"
    if strategy not in {"ROLLING", "BLUE_GREEN"}:
        raise EcsError("InvalidParameterException", f"deployment strategy {strategy} is not carried out here")
    names = set(((request.get("deploymentConfiguration") or {}).get("alarms") or {}).get("alarmNames") or ())
    missing = names - set(emulated.alarm_states(sorted(names)))
    if missing:
        raise EcsError("InvalidParameterException", f"No alarm {', '.join(sorted(missing))} exists.")


def new_service(request: Record, cluster: Record, launch_type: str, definition: Record | None) -> Record:
    """The record of a service that was just made; without a definition it has an external deployment controller."""
    account, region = emulated.scope()
    arn = f"arn:aws:ecs:{region}:{account}:service/{cluster['clusterName']}/{request['serviceName']}"
    daemon = request.get("schedulingStrategy") == "DAEMON"
    given = definition["taskDefinitionArn"] if definition else request.get("taskDefinition", "")
    record: Record = {
        **{key: request[key] for key in _CHANGED_AS_GIVEN if key in request},
        "serviceArn": arn,
        "serviceName": request["serviceName"],
        "clusterArn": cluster["clusterArn"],
        "taskDefinition": given,
        # No container instance is registered here, so a daemon has nowhere to be.
        "desiredCount": 0 if daemon else int(request.get("desiredCount") or 0),
        "runningCount": 0,
        "pendingCount": 0,
        "status": "ACTIVE",
        "launchType": launch_type or None,
        "platformVersion": request.get("platformVersion") or "LATEST",
        "loadBalancers": request.get("loadBalancers") or [],
        "serviceRegistries": request.get("serviceRegistries") or [],
        "schedulingStrategy": request.get("schedulingStrategy") or "REPLICA",
        "deploymentController": request.get("deploymentController") or {"type": "ECS"},
        "deploymentConfiguration": _configuration({}, request),
        "healthCheckGracePeriodSeconds": int(request.get("healthCheckGracePeriodSeconds") or 0),
        "events": [],
        "roleArn": request.get("role", ""),
        "createdAt": time.time(),
        "createdBy": f"arn:aws:iam::{account}:root",
        "enableECSManagedTags": bool(request.get("enableECSManagedTags")),
        "propagateTags": request.get("propagateTags") or "NONE",
        "enableExecuteCommand": bool(request.get("enableExecuteCommand")),
        "tags": request.get("tags") or [],
        "deployments": [],
    }
    deployments.begin(record, given)
    return record


def changed_service(record: Record, request: Record) -> None:
    """Change a service as UpdateService asks.

    Raises:
        EcsError: there is no such task definition.
    """
    definition = record["taskDefinition"]
    if record["deploymentController"]["type"] == "CODE_DEPLOY":
        _refuse_beside_code_deploy(record, request)
    if request.get("taskDefinition"):
        definition = emulated.task_definition(request["taskDefinition"])["taskDefinitionArn"]
    rolls_out = definition != record["taskDefinition"] or bool(request.get("forceNewDeployment"))
    for key in _CHANGED_AS_GIVEN:
        if key in request:
            rolls_out = rolls_out or (key in _ROLLS_OUT and request[key] != record.get(key))
            record[key] = request[key]
    record["deploymentConfiguration"] = _configuration(record["deploymentConfiguration"], request)
    if request.get("desiredCount") is not None and record["schedulingStrategy"] != "DAEMON":
        record["desiredCount"] = int(request["desiredCount"])
    if rolls_out:
        deployments.begin(record, definition)
    deployments.primary(record)["desiredCount"] = record["desiredCount"]


def _refuse_beside_code_deploy(record: Mapping[str, Any], request: Mapping[str, Any]) -> None:
    """In ECS's words. The definition that it has may be given again."""
    said = "on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment."
    wanted = request.get("taskDefinition")
    if wanted and emulated.task_definition(wanted)["taskDefinitionArn"] != record["taskDefinition"]:
        raise EcsError("InvalidParameterException", f"Unable to update task definition {said}")
    if request.get("forceNewDeployment"):
        raise EcsError("InvalidParameterException", f"Cannot force a new deployment {said}")


def _configuration(old: Mapping[str, Any], request: Mapping[str, Any]) -> Record:
    """With AWS's defaults: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html."""
    return {
        "strategy": "ROLLING",
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        **old,
        **(request.get("deploymentConfiguration") or {}),
    }
