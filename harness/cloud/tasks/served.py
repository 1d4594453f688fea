"""A task as its own containers see it through the agent: metadata, stats, credentials."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

from harness.cloud.tasks import emulated

if TYPE_CHECKING:
    from harness.cloud.tasks.container import Container
    from harness.cloud.tasks.task import Task

_HOUR = dt.timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class ServedTask:
    """Implements `agent.Served`.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-response.html
    """

    task: Task

    def metadata(self, container: str = "") -> dict[str, Any]:
        """The task's, or one container's."""
        record = self.task.record
        shown = [self._container(one) for one in record["containers"]]
        if container:
            return next((one for one in shown if one["Name"] == container), shown[0])
        definition = self.task.definition
        return {
            "Cluster": record["clusterArn"],
            "TaskARN": record["taskArn"],
            "Family": definition["family"],
            "Revision": str(definition["revision"]),
            "DesiredStatus": record["desiredStatus"],
            "KnownStatus": record["lastStatus"],
            "Limits": {"CPU": int(record["cpu"]) / 1024, "Memory": int(record["memory"])},
            "AvailabilityZone": record["availabilityZone"],
            "LaunchType": record["launchType"],
            "ServiceName": record["group"].removeprefix("service:") if record["group"].startswith("service:") else "",
            "Containers": shown,
        }

    def _container(self, shown: Mapping[str, Any]) -> dict[str, Any]:
        definition = self.task.definition
        labels = {
            "com.amazonaws.ecs.cluster": self.task.record["clusterArn"],
            "com.amazonaws.ecs.container-name": shown["name"],
            "com.amazonaws.ecs.task-arn": self.task.arn,
            "com.amazonaws.ecs.task-definition-family": definition["family"],
            "com.amazonaws.ecs.task-definition-version": str(definition["revision"]),
        }
        return {
            "DockerId": shown["runtimeId"] or "",
            "Name": shown["name"],
            "DockerName": f"ecs-{definition['family']}-{definition['revision']}-{shown['name']}",
            "Image": shown["image"],
            "Labels": labels,
            "DesiredStatus": self.task.record["desiredStatus"],
            "KnownStatus": shown["lastStatus"],
            "Limits": {"CPU": int(shown["cpu"])},
            "Type": "NORMAL",
            "ContainerARN": shown["containerArn"],
            "Networks": [{"NetworkMode": "awsvpc", "IPv4Addresses": [self.task.address]}],
        }

    def stats(self, container: str = "") -> dict[str, Any]:
        """What `docker stats` would say, in part: total CPU time and memory."""
        found = {one.name: _used(one) for one in self.task.containers}
        return found.get(container, {}) if container else found

    def credentials(self) -> Mapping[str, str]:
        """The role's, good for six hours."""
        if not self.task.role:
            return {}
        with emulated.in_scope(*self.task.scope):
            found = emulated.role_credentials(self.task.role, self.task.arn)
        return {
            "RoleArn": self.task.role,
            "AccessKeyId": found["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": found["AWS_SECRET_ACCESS_KEY"],
            "Token": found["AWS_SESSION_TOKEN"],
            "Expiration": (dt.datetime.now(dt.UTC) + _HOUR).isoformat(timespec="seconds").replace("+00:00", "Z"),
        }


def _used(container: Container) -> dict[str, Any]:
    cpu_s, memory_bytes = used_by(container.family())
    return {"cpu_stats": {"cpu_usage": {"total_usage": int(cpu_s * 1e9)}}, "memory_stats": {"usage": memory_bytes}}


def used_by(processes: Iterable[psutil.Process]) -> tuple[float, int]:
    """CPU seconds used and bytes in memory of those of the processes that run now."""
    cpu_s, memory_bytes = 0.0, 0
    for process in processes:
        try:
            times = process.cpu_times()
            cpu_s += times.user + times.system
            memory_bytes += process.memory_info().rss
        except psutil.Error:
            continue
    return cpu_s, memory_bytes
