"""One cloud with IAM enforced for every test of CodeDeploy; a minute of its configurations takes 50 ms here."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.cloud.client import CloudSettings, RunningCloud, start_cloud
from harness.cloud.settings import LocalImage
from tests.waiting import awaited

WEB = Path(__file__).parents[1] / "tasks" / "web"
ENDED = {"Succeeded", "Failed", "Stopped"}


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    settings = CloudSettings(
        state_dir=tmp_path_factory.mktemp("cloud"), deployment_minute_s=0.05, health_interval_s=0.2,
        deregistration_s=1.0, images={"web": LocalImage(dir=str(WEB), command=("python", "server.py"))},
    )  # fmt: skip
    running = start_cloud(settings)
    yield running
    running.stop()


@dataclass
class Site:
    """What a test deploys with: a role of its own and an application, both with a name of their own."""

    cloud: RunningCloud
    name: str = field(default_factory=lambda: f"a{uuid.uuid4().hex[:8]}")

    def client(self, service: str) -> Any:
        return self.cloud.target.client(service)

    @property
    def deploys(self) -> Any:
        return self.client("codedeploy")

    def role(self, principal: str, *policies: str) -> str:
        """The ARN of a new role with AWS's own policies; without any it may do everything."""
        name = f"{self.name}-{uuid.uuid4().hex[:6]}"
        statement = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        arn: str = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        for policy in policies:
            self.client("iam").attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        if not policies:
            every = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
            self.client("iam").put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(every))
        return arn

    def function(self, name: str, code: str) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as files:
            files.writestr("app.py", code)
        self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=self.role("lambda.amazonaws.com"),
            Handler="app.handler",
            Timeout=120,
            Code={"ZipFile": archive.getvalue()},
        )

    def config(self, platform: str, *, percent: int, minutes: int) -> str:
        """A canary of this test's own."""
        name = f"{self.name}-{uuid.uuid4().hex[:6]}"
        canary = {"canaryPercentage": percent, "canaryInterval": minutes}
        self.deploys.create_deployment_config(
            deploymentConfigName=name,
            computePlatform=platform,
            trafficRoutingConfig={"type": "TimeBasedCanary", "timeBasedCanary": canary},
        )
        return name

    def told(self, deployment: str) -> dict[str, Any]:
        return dict(self.deploys.get_deployment(deploymentId=deployment)["deploymentInfo"])

    def ended(self, deployment: str) -> dict[str, Any]:
        """What is told of a deployment once it has ended."""

        def look() -> dict[str, Any] | None:
            found = self.told(deployment)
            return found if found["status"] in ENDED else None

        found = awaited(look)
        assert found is not None
        return found

    def taken_back(self, deployment: str) -> dict[str, Any]:
        """What is told of a deployment that failed, once the one that takes it back has succeeded."""
        found = self.ended(deployment)
        back = self.ended(found["rollbackInfo"]["rollbackDeploymentId"])
        assert (back["status"], back["creator"]) == ("Succeeded", "codeDeployRollback")
        assert back["rollbackInfo"]["rollbackTriggeringDeploymentId"] == deployment
        return found

    def target(self, deployment: str) -> dict[str, Any]:
        """Its one target."""
        (name,) = self.deploys.list_deployment_targets(deploymentId=deployment)["targetIds"]
        found = self.deploys.get_deployment_target(deploymentId=deployment, targetId=name)["deploymentTarget"]
        return dict(found["lambdaTarget" if found["deploymentTargetType"] == "LambdaTarget" else "ecsTarget"])

    def events(self, deployment: str) -> dict[str, str]:
        """Its lifecycle events and how each went."""
        return {one["lifecycleEventName"]: one["status"] for one in self.target(deployment)["lifecycleEvents"]}

    def ring(self, alarm: str, state: str = "ALARM") -> None:
        self.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="test")

    def alarm(self) -> str:
        """An alarm that rings when it is told to."""
        name = f"{self.name}-alarm"
        self.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace="test",
            MetricName=name,
            Statistic="Sum",
            Period=3600,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        return name


@pytest.fixture
def site(cloud: RunningCloud) -> Site:
    return Site(cloud)
