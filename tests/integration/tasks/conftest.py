"""One cloud with short delays for all tests of this folder, with an image that is a small web server."""

from __future__ import annotations

import json
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.cloud.client import CloudSettings, RunningCloud, start_cloud
from harness.cloud.settings import LocalImage
from tests.waiting import awaited

DETECTION_S = 0.4
STATEMENT = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]})
WEB = LocalImage(dir=str(Path(__file__).parent / "web"), command=("python", "server.py"))
IMAGES = {
    "web": WEB,
    "broken": LocalImage(dir="/", command=("python", "-c", "raise SystemExit(7)")),
    "python": LocalImage(dir="/", command=("python",)),
    "sleeper": LocalImage(dir="/", command=("sleep", "600")),
}


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    settings = CloudSettings(
        state_dir=tmp_path_factory.mktemp("cloud"),
        detection_s=DETECTION_S,
        images=IMAGES,
        health_interval_s=0.2,
        deregistration_s=30.0,
        scaling_period_s=1.0,
    )
    running = start_cloud(settings)
    yield running
    running.stop()


def fetch(url: str, timeout_s: float = 60.0, **headers: str) -> str:
    """The body of an answer; raises OSError."""
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - our own server's address
    with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
        return str(answer.read().decode())


@dataclass
class Cluster:
    """A cluster of this test's own, as a user sees it."""

    cloud: RunningCloud
    name: str = field(default_factory=lambda: f"c{uuid.uuid4().hex[:8]}")

    @property
    def ecs(self) -> Any:
        return self.cloud.target.client("ecs")

    def define(self, image: str = "web", **container: Any) -> str:
        """A task definition of one container; returns its ARN."""
        one = {"name": "web", "image": image, "essential": True, "portMappings": [{"containerPort": 8080}]}
        extra = {key: container.pop(key) for key in ("taskRoleArn", "sidecars") if key in container}
        sidecars = extra.pop("sidecars", [])
        made = self.ecs.register_task_definition(
            family=self.name,
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            containerDefinitions=[{**one, **container}, *sidecars],
            **extra,
        )
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def role(self) -> str:
        """A role for tasks; returns its ARN."""
        iam = self.cloud.target.client("iam")
        return str(iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"])

    def run(self, definition: str, **settings: Any) -> dict[str, Any]:
        """RunTask; the task as answered."""
        (task,) = self.ecs.run_task(cluster=self.name, taskDefinition=definition, launchType="FARGATE", **settings)[
            "tasks"
        ]
        return dict(task)

    def serve(self, definition: str, count: int = 1, **settings: Any) -> dict[str, Any]:
        """CreateService named web."""
        made = self.ecs.create_service(
            cluster=self.name,
            serviceName="web",
            taskDefinition=definition,
            desiredCount=count,
            launchType="FARGATE",
            **settings,
        )
        return dict(made["service"])

    def task(self, arn: str) -> dict[str, Any]:
        return dict(self.ecs.describe_tasks(cluster=self.name, tasks=[arn])["tasks"][0])

    def service(self) -> dict[str, Any]:
        return dict(self.ecs.describe_services(cluster=self.name, services=["web"])["services"][0])

    def running(self) -> list[dict[str, Any]]:
        """The tasks of the cluster that run and are to run."""
        arns = self.ecs.list_tasks(cluster=self.name, desiredStatus="RUNNING")["taskArns"]
        found = self.ecs.describe_tasks(cluster=self.name, tasks=arns)["tasks"] if arns else []
        return [one for one in found if one["lastStatus"] == "RUNNING"]

    def steady(self, count: int) -> list[dict[str, Any]]:
        """The tasks, once the deployment is complete and so many run."""

        def done() -> list[dict[str, Any]]:
            (deployment, *others) = self.service()["deployments"]
            tasks = self.running()
            good = deployment["rolloutState"] == "COMPLETED" and not others and len(tasks) == count
            return tasks if good else []

        return list(awaited(done))

    def stopped(self, arn: str) -> dict[str, Any]:
        """The task, once it has stopped."""
        awaited(lambda: self.task(arn)["lastStatus"] == "STOPPED")
        return self.task(arn)


@pytest.fixture
def cluster(cloud: RunningCloud) -> Iterator[Cluster]:
    made = Cluster(cloud)
    made.ecs.create_cluster(clusterName=made.name)
    yield made
    cloud.control.heal()
    for arn in made.ecs.list_services(cluster=made.name)["serviceArns"]:
        made.ecs.delete_service(cluster=made.name, service=arn, force=True)
    for arn in made.ecs.list_tasks(cluster=made.name)["taskArns"]:
        made.ecs.stop_task(cluster=made.name, task=arn)


def url_of(task: dict[str, Any], path: str = "/") -> str:
    """Where on this machine the task answers."""
    return f"http://127.0.0.1:{task['containers'][0]['networkBindings'][0]['hostPort']}{path}"
