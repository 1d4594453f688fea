"""One service: keeps as many tasks running as it should have, and carries its deployments out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.tasks import deployments, emulated, timing
from harness.cloud.tasks.blue_green import BlueGreen
from harness.cloud.tasks.emulated import Record
from harness.cloud.tasks.placing import Placing
from harness.cloud.tasks.records import Order, new_task
from harness.cloud.tasks.scheduling import Condition, Seen, Wanted, plan
from harness.cloud.tasks.site import Site, Target
from harness.cloud.tasks.task import Task

_MOST_STARTS = 10
"""Tasks that one look starts; the next look comes at once."""

_FAILURES = frozenset({"TaskFailedToStart", "EssentialContainerExited"})
"""Ends that say something about the deployment: neither a lost zone nor a scaling activity does."""


@dataclass(slots=True, kw_only=True, eq=False)
class Service:
    """One service. `look` is called under the site's lock and the service's account and region."""

    site: Site
    placing: Placing
    scope: tuple[str, str]
    cluster: Record
    record: Record
    changed: Callable[[Task], None]
    tasks: list[Task] = field(default_factory=list)
    _of: dict[str, str] = field(default_factory=dict)
    """Task ARN → deployment id."""
    _proved: set[str] = field(default_factory=set)
    """Tasks that were healthy once."""
    _not_before_s: float = 0.0
    _blue_green: BlueGreen = field(default_factory=BlueGreen)

    @property
    def settled(self) -> bool:
        """True when there is nothing to do until something changes."""
        return (
            deployments.primary(self.record)["rolloutState"] != "IN_PROGRESS"
            and len(self.tasks) == self.record["desiredCount"]
            and all(task.arn in self._proved for task in self.tasks)
        )

    def look(self) -> None:
        """Do what is to be done now."""
        self._bury()
        conditions = {task.arn: self._condition(task) for task in self.tasks if not task.stopping}
        self._proved |= {arn for arn, condition in conditions.items() if condition == "healthy"}
        self._judge(conditions)
        self._schedule(conditions)
        self._count(conditions)

    def healthy(self, deployment: str) -> int:
        """How many tasks of a deployment are well."""
        return sum(
            one.arn in self._proved and not one.stopping and self._of.get(one.arn) == deployment
            for one in list(self.tasks)
        )

    @property
    def _held(self) -> bool:
        """True while tasks of the deployment before must stay: its own blue/green, or CodeDeploy's."""
        return bool(self.record.get("_held")) or self._blue_green.holds(self.record)

    # -- what there is -----------------------------------------------------------------------------------------

    def _bury(self) -> None:
        """Forget tasks that stopped; those that never got well count against their deployment."""
        for task in [one for one in self.tasks if one.status == "STOPPED"]:
            self.tasks.remove(task)
            if task.arn not in self._proved and (
                task.record.get("_unhealthy") or task.record["stopCode"] in _FAILURES
            ):
                self._failed(task)
            self._proved.discard(task.arn)

    def _failed(self, task: Task) -> None:
        for deployment in self.record["deployments"]:
            if deployment["id"] == self._of.get(task.arn):
                deployment["failedTasks"] += 1
                pause_s = timing.BACK_OFF_S * 2 ** min(deployment["failedTasks"], 10)
                self._not_before_s = time.monotonic() + min(pause_s, timing.BACK_OFF_MOST_S)
        deployments.note(self.record, f"(task {task.arn.rpartition('/')[2]}) failed: {task.record['stoppedReason']}")

    def _condition(self, task: Task) -> Condition:
        if task.record["healthStatus"] == "UNHEALTHY":
            return "unhealthy"
        if task.status == "RUNNING" and "unhealthy" in task.target_health() and self._out_of_grace(task):
            return "unhealthy"
        return "healthy" if task.healthy() and self._steady(task) else "starting"

    def _steady(self, task: Task) -> bool:
        """A process that has only just begun proves nothing, unless a health check vouches for it."""
        vouched = task.record["healthStatus"] == "HEALTHY" or "healthy" in task.target_health()
        return bool(vouched or task.arn in self._proved or time.monotonic() - task.began_s >= timing.STEADY_S)

    def _out_of_grace(self, task: Task) -> bool:
        grace_s = float(self.record.get("healthCheckGracePeriodSeconds") or 0)
        return time.time() - float(task.record["startedAt"]) >= grace_s

    # -- what becomes of its deployments -----------------------------------------------------------------------

    def _judge(self, conditions: Mapping[str, Condition]) -> None:
        primary = deployments.primary(self.record)
        mine = [conditions[one.arn] for one in self.tasks if one.arn in conditions and self._is(one, primary)]
        healthy = mine.count("healthy")
        if healthy and primary["failedTasks"] and "unhealthy" not in mine and healthy >= self.record["desiredCount"]:
            primary["failedTasks"] = 0
        if self._blue_green.applies(self.record):
            self._blue_green.advance(self.site, self.record, ready=healthy >= self.record["desiredCount"])
        reason = deployments.why_failed(self.record)
        if reason:
            self._blue_green.back(self.site, self.record)
            deployments.fail(self.record, reason)
            self._not_before_s = 0.0
            return
        others = [one for one in self.tasks if not self._is(one, primary)]
        if (
            primary["rolloutState"] == "IN_PROGRESS"
            and healthy == self.record["desiredCount"] == len(mine)
            and not others
            and not self._held
        ):
            deployments.complete(self.record)
            self.record["deployments"] = [primary]

    def _is(self, task: Task, deployment: Record) -> bool:
        return self._of.get(task.arn) == str(deployment["id"])

    # -- what to do --------------------------------------------------------------------------------------------

    def _schedule(self, conditions: Mapping[str, Condition]) -> None:
        settings, primary = self.record["deploymentConfiguration"], deployments.primary(self.record)
        held, superseded = self._held, self._blue_green.superseded(self.record)
        given_up = [task for task in self.tasks if task.arn in conditions and self._of.get(task.arn) in superseded]
        for task in given_up:
            self._stop(task, conditions[task.arn], primary)
        seen = [
            Seen(
                arn=task.arn,
                primary=self._is(task, primary),
                condition=conditions[task.arn],
                zone=task.zone.id,
                order=order,
            )
            for order, task in enumerate(self.tasks)
            if task.arn in conditions and task not in given_up
        ]
        wanted = Wanted(
            desired=int(self.record["desiredCount"]),
            minimum_percent=int(settings.get("minimumHealthyPercent", 100)),
            maximum_percent=max(int(settings.get("maximumPercent", 200)), 200 if held else 0),
        )
        found = plan(seen, wanted)
        kept = {one.arn for one in seen if held and not one.primary and one.condition != "unhealthy"}
        for task in self.tasks:
            if task.arn in found.stop and task.arn not in kept:
                self._stop(task, conditions[task.arn], primary)
        if found.start and primary["rolloutState"] != "FAILED" and time.monotonic() >= self._not_before_s:
            for _ in range(min(found.start, _MOST_STARTS)):
                self._start(primary)

    def _stop(self, task: Task, condition: Condition, primary: Record) -> None:
        reason = f"Scaling activity initiated by (deployment {primary['id']})"
        if condition == "unhealthy":
            task.record["_unhealthy"] = True
            groups = ", ".join(target.group for target in task.targets)
            checks = task.record["healthStatus"] == "UNHEALTHY"
            reason = (
                "Task failed container health checks" if checks else f"Task failed ELB health checks in ({groups})"
            )
            deployments.note(self.record, f"(task {task.arn.rpartition('/')[2]}) {reason}")
        task.stop(reason, "ServiceSchedulerInitiated")

    def _start(self, deployment: Record) -> None:
        network = self.record.get("networkConfiguration") or {}
        # Balanced among the tasks of this deployment: those of the one before go away.
        taken = [one.zone for one in self.tasks if not one.stopping and self._is(one, deployment)]
        place = self.placing.next_place(network, self.scope[1], taken)
        if place is None:
            deployments.note(self.record, "was unable to place a task: no availability zone has capacity.")
            self._not_before_s = time.monotonic() + 1.0
            return
        definition = emulated.task_definition(deployment["taskDefinition"])
        account, region = self.scope
        propagated = self.record.get("propagateTags")
        tags = emulated.tags_of(self.record["serviceArn"]) if propagated == "SERVICE" else ()
        order = Order(
            account=account,
            region=region,
            cluster=self.cluster,
            zone=place.zone,
            subnet=place.subnet,
            group=f"service:{self.record['serviceName']}",
            started_by=deployment["id"],
            launch_type=self.record.get("launchType") or "FARGATE",
            tags=tags,
            execute_command=bool(self.record.get("enableExecuteCommand")),
        )
        task = Task(
            site=self.site,
            scope=self.scope,
            record=new_task(order, definition),
            definition=definition,
            zone=place.zone,
            subnet=place.subnet,
            targets=self._targets(deployment),
            changed=self.changed,
        )
        self.tasks.append(task)
        self._of[task.arn] = deployment["id"]
        emulated.tasks()[task.arn] = task.record
        emulated.put_tags(task.arn, task.record["tags"])
        deployments.note(self.record, f"has started 1 tasks: (task {task.arn.rpartition('/')[2]}).")
        self.changed(task)
        task.begin()

    def _targets(self, deployment: Mapping[str, Any]) -> tuple[Target, ...]:
        return tuple(
            Target(
                group=deployment.get("_group") or one["targetGroupArn"],
                container=one["containerName"],
                port=int(one["containerPort"]),
            )
            for one in self.record.get("loadBalancers") or ()
            if one.get("targetGroupArn")
        )

    def _count(self, conditions: Mapping[str, Condition]) -> None:
        """What Describe* says."""
        for deployment in [*self.record["deployments"], self.record]:
            mine = [one for one in self.tasks if deployment is self.record or self._is(one, deployment)]
            running = sum(one.status == "RUNNING" for one in mine)
            deployment["runningCount"] = running
            deployment["pendingCount"] = sum(one.arn in conditions for one in mine) - sum(
                one.status == "RUNNING" and one.arn in conditions for one in mine
            )
        self.record["deployments"] = [
            one
            for one in self.record["deployments"]
            if one["status"] == "PRIMARY" or one["runningCount"] or one["pendingCount"]
        ]
        emulated.recount(self.cluster["clusterName"])
