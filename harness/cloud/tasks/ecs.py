"""ECS's operations that start, change or end something; the rest ministack answers from the records kept here."""

from __future__ import annotations

import copy
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.call import Caller
from harness.cloud.scaling.tracking import ScaledTarget
from harness.cloud.tasks import emulated, timing
from harness.cloud.tasks.emulated import EcsError, Record
from harness.cloud.tasks.placing import Place, Placing, capacity_of
from harness.cloud.tasks.records import Order, new_task
from harness.cloud.tasks.service import Service
from harness.cloud.tasks.service_records import changed_service, check_service, new_service
from harness.cloud.tasks.site import Site
from harness.cloud.tasks.task import Task
from harness.cloud.zones import Zone

_LOG = logging.getLogger(__name__)
_LOOK_S, _REST_S = 0.1, 0.5
_MOST_TASKS = 10  # of one RunTask: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html

Scope = tuple[str, str]


@dataclass(slots=True)
class Ecs:
    """The services and tasks of one cloud; a resident of its zones. Safe from any thread."""

    site: Site
    placing: Placing = field(init=False)
    services: dict[tuple[str, str, str], Service] = field(default_factory=dict)
    """By account, region and `cluster/name`."""
    tasks: dict[str, Task] = field(default_factory=dict)
    """Every task that has not stopped, by ARN."""
    _stopped: dict[str, tuple[Task, float]] = field(default_factory=dict)
    _wake: threading.Event = field(default_factory=threading.Event)
    _closed: bool = False
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        self.placing = Placing(self.site.zones, self.site.timing.detection_s)

    def operations(self) -> dict[str, Callable[[Record], Record]]:
        """What is answered here."""
        return {
            "CreateService": self._create_service,
            "UpdateService": self._update_service,
            "DeleteService": self._delete_service,
            "RunTask": self._run_task,
            "StopTask": self._stop_task,
        }

    # -- services ----------------------------------------------------------------------------------------------

    def _create_service(self, request: Record) -> Record:
        cluster, scope = emulated.cluster_of(request.get("cluster", "")), emulated.scope()
        name = str(request["serviceName"])
        key = f"{cluster['clusterName']}/{name}"
        with self.site.lock:
            known = emulated.services().get(key)
            if known is not None and known["status"] == "ACTIVE":
                raise EcsError("InvalidParameterException", "Creation of service was not idempotent.")
            check_service(request)
            launch_type, provider = capacity_of(request, cluster)
            external = (request.get("deploymentController") or {}).get("type") == "EXTERNAL"
            definition = None if external else emulated.task_definition(request["taskDefinition"])
            record = new_service(request, cluster, launch_type if not provider else "", definition)
            emulated.services()[key] = record
            emulated.put_tags(record["serviceArn"], request.get("tags") or ())
            self.services[(*scope, key)] = Service(
                site=self.site,
                placing=self.placing,
                scope=scope,
                cluster=cluster,
                record=record,
                changed=self._task_changed,
            )
        self.look_soon()
        return {"service": record}

    def _update_service(self, request: Record) -> Record:
        cluster = emulated.cluster_of(request.get("cluster", ""))
        with self.site.lock:
            record = emulated.service_of(cluster["clusterName"], request["service"])
            check_service({**record, **request})
            changed_service(record, request)
        self.look_soon()
        return {"service": record}

    def _delete_service(self, request: Record) -> Record:
        cluster = emulated.cluster_of(request.get("cluster", ""))
        with self.site.lock:
            record = emulated.service_of(cluster["clusterName"], request["service"])
            if record["desiredCount"] and not request.get("force"):
                said = "The service cannot be stopped while it is scaled above 0."
                raise EcsError("InvalidParameterException", said)
            record.update(status="DRAINING", desiredCount=0)
        self.look_soon()
        return {"service": record}

    def desired_count(self, target: ScaledTarget) -> int | None:
        """How many tasks a service should have; None when there is no such service."""
        found = self.services.get((target.account, target.region, target.resource.partition("/")[2]))
        return int(found.record["desiredCount"]) if found is not None else None

    def scale(self, target: ScaledTarget, count: int) -> None:
        """Let a service have so many tasks."""
        found = self.services.get((target.account, target.region, target.resource.partition("/")[2]))
        if found is not None:
            with self.site.lock:
                changed_service(found.record, {"desiredCount": count})
            self.look_soon()

    # -- tasks -------------------------------------------------------------------------------------------------

    def _run_task(self, request: Record) -> Record:
        cluster = emulated.cluster_of(request.get("cluster", ""))
        definition = emulated.task_definition(request["taskDefinition"])
        count = int(request.get("count") or 1)
        if not 1 <= count <= _MOST_TASKS:
            raise EcsError("InvalidParameterException", f"count must be between 1 and {_MOST_TASKS}.")
        launch_type, provider = capacity_of(request, cluster)
        made: list[Task] = []
        failures: list[Record] = []
        with self.site.lock:
            for _ in range(count):
                taken = [task.zone for task in made]
                place = self.placing.next_place(request.get("networkConfiguration") or {}, emulated.scope()[1], taken)
                if place is None:
                    failures.append({"reason": "Capacity is unavailable at this time"})
                else:
                    made.append(self._new_task(request, cluster, definition, (launch_type, provider, place)))
        placed = [copy.deepcopy(task.record) for task in made]
        for task in made:
            self._task_changed(task)
            task.begin()
        return {"tasks": placed, "failures": failures}

    def _new_task(self, request: Record, cluster: Record, definition: Record, where: tuple[str, str, Place]) -> Task:
        launch_type, provider, place = where
        account, region = emulated.scope()
        order = Order(
            account=account,
            region=region,
            cluster=cluster,
            zone=place.zone,
            subnet=place.subnet,
            group=str(request.get("group") or ""),
            started_by=str(request.get("startedBy") or ""),
            launch_type=launch_type,
            capacity_provider=provider,
            overrides=request.get("overrides") or {},
            tags=request.get("tags") or (),
            execute_command=bool(request.get("enableExecuteCommand")),
        )
        task = Task(
            site=self.site,
            scope=(account, region),
            record=new_task(order, definition),
            definition=definition,
            zone=place.zone,
            subnet=place.subnet,
            changed=self._task_changed,
        )
        emulated.tasks()[task.arn] = task.record
        emulated.put_tags(task.arn, task.record["tags"])
        self.tasks[task.arn] = task
        return task

    def _stop_task(self, request: Record) -> Record:
        cluster = emulated.cluster_of(request.get("cluster", ""))
        record = emulated.task_of(cluster["clusterName"], request["task"])
        task = self.tasks.get(record["taskArn"])
        if task is not None:
            task.stop(request.get("reason") or "Task stopped by user", "UserInitiated")
        return {"task": record}

    # -- what happens to them ----------------------------------------------------------------------------------

    def _task_changed(self, task: Task) -> None:
        """A task entered another state: told to EventBridge and to its service."""
        if self._closed:
            return
        with self.site.lock:
            self.tasks[task.arn] = task
            if task.status == "STOPPED":
                del self.tasks[task.arn]
                self._stopped[task.arn] = (task, time.monotonic())
            record = copy.deepcopy(task.record)
        shown = {key: value for key, value in record.items() if not key.startswith("_") and value is not None}
        self.site.publish(
            region=task.scope[1],
            source="aws.ecs",
            detail_type="ECS Task State Change",
            resources=[task.arn],
            detail=shown,
        )
        self.look_soon()

    def look_soon(self) -> None:
        """Let the scheduler look at once."""
        with self.site.lock:
            if self._thread is None and not self._closed:
                self.site.warden.watch()
                self._thread = threading.Thread(target=self._work, name="ECS scheduler", daemon=True)
                self._thread.start()
        self._wake.set()

    def _work(self) -> None:
        while not self._closed:
            with self.site.lock:
                settled = all(one.settled for one in self.services.values())
            self._wake.wait(_REST_S if settled else _LOOK_S)
            self._wake.clear()
            for key, service in list(self.services.items()):
                try:
                    self._look_at(key, service)
                except Exception:  # noqa: BLE001 - one service must not keep the others from being looked at
                    _LOG.exception("service %s", key)
            self._forget_old()

    def _look_at(self, key: tuple[str, str, str], service: Service) -> None:
        with self.site.lock, emulated.in_scope(*service.scope):
            if self._closed or self.services.get(key) is not service:
                return
            service.look()
            if service.record["status"] == "DRAINING" and not service.tasks:
                service.record["status"] = "INACTIVE"
                del self.services[key]

    def _forget_old(self) -> None:
        now_s = time.monotonic()
        for arn, (task, stopped_s) in list(self._stopped.items()):
            if now_s - stopped_s > timing.STOPPED_KEPT_S:
                with emulated.in_scope(*task.scope):
                    emulated.tasks().pop(arn, None)
                del self._stopped[arn]

    # -- zones (a Resident) ------------------------------------------------------------------------------------

    def power_lost(self, zone: Zone, *, owner: str) -> int:
        """Kill every task in the zone at once; returns how many died."""
        self.placing.went_dark(zone)
        died = 0
        for task in list(self.tasks.values()):
            if task.zone == zone and task.power_lost():
                died += 1
                self.site.evidence.add(
                    "environment_killed", owner=owner, zone=zone.id, resource=task.arn, group=task.record["group"]
                )
        self._wake.set()
        return died

    def power_restored(self, zone: Zone, *, owner: str) -> None:
        """The zone is used again."""
        del owner
        self.placing.lit_up(zone)
        self._wake.set()

    # -- the server --------------------------------------------------------------------------------------------

    def caller(self, app_id: str) -> Caller | None:
        """The task that sends requests under this SDK app id; None for anybody else."""
        for task in list(self.tasks.values()):
            if task.caller_id == app_id:
                role = task.role
                return Caller(
                    zone_id=task.zone.id, subnet_id=task.subnet, role=role, environment_id=task.id, task=task.arn
                )
        return None

    def shown(self) -> list[dict[str, Any]]:
        """The tasks that run now, for the control API."""
        return [
            {
                "task": task.arn,
                "group": task.record["group"],
                "zone": task.zone.id,
                "subnet": task.subnet,
                "status": task.status,
                "address": task.address,
                "pids": [container.pid for container in task.containers if container.pid],
            }
            for task in list(self.tasks.values())
        ]

    def reset(self) -> None:
        """End and forget every task and service; new ones may be made."""
        with self.site.lock:
            self.services.clear()
            ending = list(self.tasks.values())
            for task in ending:
                task.targets = ()
                task.stop("Reset", "UserInitiated")
                task.kill()
        until_s = time.monotonic() + 10.0
        while any(task.status != "STOPPED" for task in ending) and time.monotonic() < until_s:
            time.sleep(0.01)
            for task in ending:
                task.kill()
        self.tasks.clear()
        self._stopped.clear()

    def close(self) -> None:
        """End everything for good."""
        self.reset()
        self._closed = True
        self._wake.set()
        self.site.agent.close()
        self.site.warden.close()
