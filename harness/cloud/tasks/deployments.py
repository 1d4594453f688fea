"""The deployments of a service as records, and what becomes of them: completed, failed, rolled back.

Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html,
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Mapping
from typing import Any

from harness.cloud.tasks import emulated, timing
from harness.cloud.tasks.emulated import Record

EVENTS_KEPT = 100
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages.html"""


def new_deployment(service: Record, definition: str) -> Record:
    """A deployment that begins now; the first of a service, or one in place of another."""
    now_s = time.time()
    return {
        "id": f"ecs-svc/{uuid.uuid4().int % 10**19:019d}",
        "status": "PRIMARY",
        "taskDefinition": definition,
        "desiredCount": service["desiredCount"],
        "runningCount": 0,
        "pendingCount": 0,
        "failedTasks": 0,
        "launchType": service.get("launchType"),
        "capacityProviderStrategy": service.get("capacityProviderStrategy"),
        "networkConfiguration": service.get("networkConfiguration"),
        "createdAt": now_s,
        "updatedAt": now_s,
        "rolloutState": "IN_PROGRESS",
        "rolloutStateReason": "ECS deployment in progress.",
    }


def primary(service: Record) -> Record:
    """The deployment that is wanted."""
    found: Record = next(one for one in service["deployments"] if one["status"] == "PRIMARY")
    return found


def begin(service: Record, definition: str) -> Record:
    """Deploy another definition, or the same anew."""
    made = new_deployment(service, definition)
    for one in service["deployments"]:
        one["status"] = "ACTIVE"
    service["deployments"].insert(0, made)
    service["taskDefinition"] = definition
    return made


def note(service: Record, message: str) -> None:
    """An event of the service, the newest first."""
    said = {
        "id": str(uuid.uuid4()),
        "createdAt": time.time(),
        "message": f"(service {service['serviceName']}) {message}",
    }
    service["events"].insert(0, said)
    del service["events"][EVENTS_KEPT:]


def breaker_threshold(desired: int) -> int:
    """How many failed tasks end a deployment.

    >>> [breaker_threshold(n) for n in (1, 10, 1000)]
    [3, 5, 200]
    """
    return min(max(math.ceil(desired * timing.BREAKER_SHARE), timing.BREAKER_LEAST), timing.BREAKER_MOST)


def why_failed(service: Record) -> str:
    """Why the primary deployment has failed; '' while it has not."""
    deployment, settings = primary(service), service["deploymentConfiguration"]
    if deployment["rolloutState"] != "IN_PROGRESS":
        return ""
    if deployment["failedTasks"] >= breaker_threshold(service["desiredCount"]) and _breaker(service).get("enable"):
        return "tasks failed to start."
    alarms = settings.get("alarms") or {}
    ringing = ringing_alarm(service) if alarms.get("enable") else ""
    return f"alarm detected: {ringing}." if ringing and not deployment.get("_rollback") else ""


def ringing_alarm(service: Record) -> str:
    """An alarm of the service's deployments in ALARM; '' when there is none."""
    names = (service["deploymentConfiguration"].get("alarms") or {}).get("alarmNames") or ()
    return next((name for name, state in emulated.alarm_states(list(names)).items() if state == "ALARM"), "")


def rolls_back(service: Record) -> bool:
    """Whether a failed deployment is rolled back."""
    alarms = service["deploymentConfiguration"].get("alarms") or {}
    return bool(_breaker(service).get("rollback") or alarms.get("rollback"))


def _breaker(service: Record) -> Mapping[str, Any]:
    return service["deploymentConfiguration"].get("deploymentCircuitBreaker") or {}


def fail(service: Record, reason: str) -> Record | None:
    """The primary deployment failed; returns the deployment that it is rolled back to, None without a rollback."""
    failed = primary(service)
    failed.update(rolloutState="FAILED", rolloutStateReason=f"ECS deployment failed: {reason}", updatedAt=time.time())
    note(service, f"(deployment {failed['id']}) deployment failed: {reason}")
    good = service.get("_good") or ""
    if not rolls_back(service) or not good or good == failed["taskDefinition"]:
        return None
    back = next((one for one in service["deployments"] if one["taskDefinition"] == good and one is not failed), None)
    if back is None:
        back = begin(service, good)
    else:
        failed["status"], back["status"] = "ACTIVE", "PRIMARY"
        service["deployments"].remove(back)
        service["deployments"].insert(0, back)
        service["taskDefinition"] = good
    said = f"ECS deployment circuit breaker: rolling back to deploymentId {back['id']}."
    back.update(rolloutState="IN_PROGRESS", rolloutStateReason=said, failedTasks=0, updatedAt=time.time())
    back["_rollback"] = True  # the alarm that rings goes on ringing for a while
    note(service, f"rolling back to deployment {back['id']}.")
    return back


def complete(service: Record) -> None:
    """The primary deployment runs as wanted, and nothing else does."""
    deployment = primary(service)
    said = f"ECS deployment {deployment['id']} completed."
    deployment.update(rolloutState="COMPLETED", rolloutStateReason=said, updatedAt=time.time())
    service["_good"] = deployment["taskDefinition"]
    note(service, f"(deployment {deployment['id']}) deployment completed.")
    note(service, "has reached a steady state.")
