"""Another set of tasks beside those of a service, for a deployment controller of its own: CodeDeploy.

The new tasks come up in another target group; the old ones stay until they are let go, so that going back costs one
change of a listener. Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-bluegreen.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.cloud.tasks import deployments, emulated
from harness.cloud.tasks.ecs import Ecs
from harness.cloud.tasks.emulated import EcsError, Record
from harness.cloud.tasks.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """The new tasks of one service: `old` and `new` are ids of its deployments, `group` the new target group."""

    ecs: Ecs
    service: Service
    group: str
    old: str
    new: str

    @property
    def ready(self) -> bool:
        """Whether as many new tasks are healthy as the service should have."""
        return self.service.healthy(self.new) >= int(self.service.record["desiredCount"])

    @property
    def last_event(self) -> str:
        """What the service said last."""
        events = self.service.record["events"]
        return str(events[0]["message"]) if events else ""

    def let_old_go(self) -> None:
        """The old tasks end; the service is the new one."""
        with self.ecs.site.lock, emulated.in_scope(*self.service.scope):
            record = self.service.record
            record["loadBalancers"] = [{**one, "targetGroupArn": self.group} for one in record["loadBalancers"]]
            record["_held"] = False
        self.ecs.look_soon()

    def take_back(self) -> None:
        """The new tasks end; the service is the old one. May be repeated."""
        with self.ecs.site.lock, emulated.in_scope(*self.service.scope):
            record = self.service.record
            record["_held"] = False
            back = next((one for one in record["deployments"] if one["id"] == self.old), None)
            if back is None or back["status"] == "PRIMARY":
                return
            for one in record["deployments"]:
                one["status"] = "ACTIVE"
            back.update(status="PRIMARY", rolloutState="IN_PROGRESS")
            record["deployments"].sort(key=lambda one: one["status"] != "PRIMARY")
            record["taskDefinition"] = back["taskDefinition"]
            deployments.note(record, f"rolling back to deployment {back['id']}.")
        self.ecs.look_soon()

    def shown(self, label: str) -> dict[str, Any]:
        """One of its sets, `Blue` (old) or `Green` (new), as CodeDeploy tells it."""
        wanted = self.old if label == "Blue" else self.new
        found: Record = next((one for one in self.service.record["deployments"] if one["id"] == wanted), {})
        return {
            "identifer": wanted,  # CodeDeploy's own spelling
            "desiredCount": int(self.service.record["desiredCount"]) if found else 0,
            "pendingCount": found.get("pendingCount", 0),
            "runningCount": found.get("runningCount", 0),
            "status": found.get("status", "DRAINING"),
            "taskSetLabel": label,
        }


def find_service(ecs: Ecs, scope: tuple[str, str], cluster: str, name: str) -> Service:
    """A service that CodeDeploy may deploy to.

    Raises:
        EcsError: there is none, or it has another deployment controller.
    """
    service = ecs.services.get((*scope, f"{cluster.rpartition('/')[2]}/{name}"))
    if service is None:
        raise EcsError("ServiceNotFoundException", f"there is no service {name} in cluster {cluster}")
    controller = service.record["deploymentController"]["type"]
    if controller != "CODE_DEPLOY":
        raise EcsError("InvalidParameterException", f"the deployment controller of {name} is {controller}")
    return service


def replace(ecs: Ecs, service: Service, definition: str, group: str) -> Replacement:
    """Start as many tasks of another definition in a target group; the others stay.

    Raises:
        EcsError: there is no such task definition.
    """
    with ecs.site.lock, emulated.in_scope(*service.scope):
        found = emulated.task_definition(definition)["taskDefinitionArn"]
        old = deployments.primary(service.record)
        service.record["_held"] = True
        new = deployments.begin(service.record, found)
        new["_group"] = group
    ecs.look_soon()
    return Replacement(ecs=ecs, service=service, group=group, old=old["id"], new=new["id"])
