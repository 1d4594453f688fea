"""Tasks as ECS's API shows them: the record of a new task, and what becomes of it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.tasks.emulated import Record
from harness.cloud.zones import Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a task is started for, beside its definition."""

    account: str
    region: str
    cluster: Record
    zone: Zone
    subnet: str = ""
    group: str = ""
    started_by: str = ""
    launch_type: str = "FARGATE"
    capacity_provider: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    tags: Iterable[Mapping[str, str]] = ()
    execute_command: bool = False


def new_task(order: Order, definition: Record) -> Record:
    """The record of a task that was just placed.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
    """
    task_id, cluster = uuid.uuid4().hex, order.cluster["clusterName"]
    arn = f"arn:aws:ecs:{order.region}:{order.account}:task/{cluster}/{task_id}"
    family = (definition.get("runtimePlatform") or {}).get("operatingSystemFamily", "Linux")
    return {
        "taskArn": arn,
        "clusterArn": order.cluster["clusterArn"],
        "taskDefinitionArn": definition["taskDefinitionArn"],
        "availabilityZone": order.zone.name,
        "attachments": [],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "connectivity": "CONNECTED",
        "containers": [_container(arn, one) for one in definition["containerDefinitions"]],
        "cpu": str((order.overrides.get("cpu") or definition.get("cpu")) or "256"),
        "memory": str((order.overrides.get("memory") or definition.get("memory")) or "512"),
        "createdAt": time.time(),
        "desiredStatus": "RUNNING",
        "lastStatus": "PROVISIONING",
        "healthStatus": "UNKNOWN",
        "enableExecuteCommand": order.execute_command,
        "group": order.group or f"family:{definition['family']}",
        "startedBy": order.started_by or None,
        "launchType": order.launch_type,
        "capacityProviderName": order.capacity_provider or None,
        "platformFamily": family.capitalize() if order.launch_type == "FARGATE" else None,
        "platformVersion": "1.4.0" if order.launch_type == "FARGATE" else None,
        "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": [], **order.overrides},
        "ephemeralStorage": definition.get("ephemeralStorage") or {"sizeInGiB": 20},
        "tags": [dict(tag) for tag in order.tags],
        "version": 1,
    }


def _container(task: str, definition: Mapping[str, Any]) -> Record:
    base = task.replace(":task/", ":container/")
    return {
        "containerArn": f"{base}/{uuid.uuid4()}",
        "taskArn": task,
        "name": definition["name"],
        "image": definition["image"],
        "lastStatus": "PENDING",
        "healthStatus": "UNKNOWN",
        "networkBindings": [],
        "networkInterfaces": [],
        "cpu": str(definition.get("cpu") or 0),
        "memory": str(definition["memory"]) if definition.get("memory") else None,
        "runtimeId": None,
    }


def attachment(subnet: str, address: str) -> Record:
    """The network interface of an awsvpc task."""
    interface = f"eni-{uuid.uuid4().hex[:17]}"
    shown = {"subnetId": subnet, "networkInterfaceId": interface, "privateIPv4Address": address,
             "privateDnsName": f"ip-{address.replace('.', '-')}.ec2.internal"}  # fmt: skip
    return {
        "id": str(uuid.uuid4()),
        "type": "ElasticNetworkInterface",
        "status": "ATTACHED",
        "details": [{"name": name, "value": value} for name, value in shown.items() if value],
    }


def overridden(definition: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A container definition with its override applied."""
    found: dict[str, Any] = {}
    for one in overrides.get("containerOverrides") or ():
        if one.get("name") == definition["name"]:
            found = one
    environment = {**_pairs(definition), **_pairs(found)}
    changed = {key: found[key] for key in ("command", "cpu", "memory") if found.get(key)}
    shown = [{"name": name, "value": value} for name, value in environment.items()]
    return {**definition, **changed, "environment": shown}


def _pairs(definition: Mapping[str, Any]) -> dict[str, str]:
    return {one["name"]: str(one.get("value", "")) for one in definition.get("environment") or ()}


def environment_of(definition: Mapping[str, Any]) -> dict[str, str]:
    """A container definition's variables."""
    return _pairs(definition)
