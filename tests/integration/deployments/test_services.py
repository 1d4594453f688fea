"""CodeDeploy to ECS: new tasks in the other target group, a listener that is shifted, and back at once."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.deployments.conftest import Site
from tests.waiting import awaited

SUBNETS = ["subnet-00000001", "subnet-00000002"]


class Front:
    """A service of one task behind a load balancer with two target groups, and a deployment group for it."""

    def __init__(self, site: Site, **group: Any) -> None:
        self.site, self.elb, self.ecs = site, site.client("elbv2"), site.client("ecs")
        (made,) = self.elb.create_load_balancer(Name=site.name, Subnets=SUBNETS)["LoadBalancers"]
        self.dns, self.groups = made["DNSName"], [self._target_group(letter) for letter in "ab"]
        self.listener = self.elb.create_listener(
            LoadBalancerArn=made["LoadBalancerArn"], Port=80, Protocol="HTTP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.groups[0]}],
        )["Listeners"][0]["ListenerArn"]  # fmt: skip
        self.ecs.create_cluster(clusterName=site.name)
        self.ecs.create_service(
            cluster=site.name, serviceName="web", taskDefinition=self.define("1"), desiredCount=1,
            launchType="FARGATE", deploymentController={"type": "CODE_DEPLOY"},
            loadBalancers=[{"targetGroupArn": self.groups[0], "containerName": "web", "containerPort": 8080}],
            networkConfiguration={"awsvpcConfiguration": {"subnets": SUBNETS}},
        )  # fmt: skip
        site.deploys.create_application(applicationName=site.name, computePlatform="ECS")
        pair = {
            "targetGroups": [{"name": f"{site.name}{letter}"} for letter in "ab"],
            "prodTrafficRoute": {"listenerArns": [self.listener]},
        }
        site.deploys.create_deployment_group(
            applicationName=site.name, deploymentGroupName="web",
            serviceRoleArn=site.role("codedeploy.amazonaws.com", "AWSCodeDeployRoleForECS"),
            deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
            ecsServices=[{"clusterName": site.name, "serviceName": "web"}],
            loadBalancerInfo={"targetGroupPairInfoList": [pair]},
            blueGreenDeploymentConfiguration={
                "terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE",
                                                              "terminationWaitTimeInMinutes": 2000},
                "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT"},
            },
            **group,
        )  # fmt: skip

    def _target_group(self, letter: str) -> str:
        made = self.elb.create_target_group(
            Name=f"{self.site.name}{letter}", TargetType="ip", Protocol="HTTP", Port=80, VpcId="vpc-00000001",
            HealthCheckPath="/", HealthyThresholdCount=2, UnhealthyThresholdCount=2, HealthCheckTimeoutSeconds=60,
        )  # fmt: skip
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def define(self, version: str) -> str:
        container = {
            "name": "web", "image": "web", "essential": True, "portMappings": [{"containerPort": 8080}],
            "environment": [{"name": "VERSION", "value": version}],
        }  # fmt: skip
        made = self.ecs.register_task_definition(
            family=self.site.name, requiresCompatibilities=["FARGATE"], networkMode="awsvpc", cpu="256", memory="512",
            containerDefinitions=[container],
        )  # fmt: skip
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def deploy(self, definition: str, **more: Any) -> str:
        balancer = {"ContainerName": "web", "ContainerPort": 8080}
        properties = {"TaskDefinition": definition, "LoadBalancerInfo": balancer}
        appspec = {"version": 0.0, "Resources": [{"web": {"Type": "AWS::ECS::Service", "Properties": properties}}]}
        content = {"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(appspec)}}
        made = self.site.deploys.create_deployment(
            applicationName=self.site.name, deploymentGroupName="web", revision=content, **more
        )
        return str(made["deploymentId"])

    def versions(self, calls: int = 1) -> set[str]:
        """What the load balancer's clients hear; nothing while it has no target."""
        found = set()
        for _ in range(calls):
            try:
                with urllib.request.urlopen(f"http://{self.dns}/", timeout=30) as answer:
                    found.add(answer.read().decode().split()[0])
            except OSError:
                return set()
        return found

    def weights(self) -> list[int]:
        """Of the two target groups in the listener."""
        (listener,) = self.elb.describe_listeners(ListenerArns=[self.listener])["Listeners"]
        groups = listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
        found = {one["TargetGroupArn"]: one["Weight"] for one in groups}
        return [found.get(group, 0) for group in self.groups]

    def tasks(self) -> int:
        (service,) = self.ecs.describe_services(cluster=self.site.name, services=["web"])["services"]
        return int(service["runningCount"])


def test_a_canary_of_tasks_is_rolled_back_at_once_and_then_deployed(site: Site) -> None:
    alarm = site.alarm()
    front = Front(
        site,
        deploymentConfigName=site.config("ECS", percent=50, minutes=2000),
        alarmConfiguration={"enabled": True, "alarms": [{"name": alarm}]},
        autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_FAILURE"]},
    )
    awaited(lambda: front.versions() == {"1"})
    second = front.define("2")
    with pytest.raises(ClientError, match="Use AWS CodeDeploy to trigger a new deployment"):
        front.ecs.update_service(cluster=site.name, service="web", taskDefinition=second)

    canary = front.deploy(second)
    awaited(lambda: "errorInformation" in site.told(canary) or front.weights() == [50, 50])
    awaited(lambda: front.versions(20) == {"1", "2"})
    sets = {one["taskSetLabel"]: one for one in site.target(canary)["taskSetsInfo"]}
    assert {label: (one["trafficWeight"], one["runningCount"]) for label, one in sets.items()} == {
        "Blue": (50.0, 1), "Green": (50.0, 1),
    }  # fmt: skip
    site.ring(alarm)
    assert site.taken_back(canary)["errorInformation"]["code"] == "ALARM_ACTIVE"
    assert (front.weights(), front.versions(6)) == ([100, 0], {"1"})
    awaited(lambda: front.tasks() == 1)

    site.ring(alarm, "OK")
    whole = front.deploy(second, deploymentConfigName="CodeDeployDefault.ECSAllAtOnce")
    awaited(lambda: site.told(whole).get("instanceTerminationWaitTimeStarted"))
    assert (front.weights(), front.versions(6), front.tasks()) == ([0, 100], {"2"}, 2)  # the old task is kept
    assert set(site.events(whole).values()) == {"Succeeded"}
    site.deploys.stop_deployment(deploymentId=whole, autoRollbackEnabled=True)  # instant, as the old task still runs
    assert site.taken_back(whole)["status"] == "Stopped"
    assert (front.weights(), front.versions(6)) == ([100, 0], {"1"})
    awaited(lambda: front.tasks() == 1)

    last = front.deploy(second, deploymentConfigName="CodeDeployDefault.ECSAllAtOnce")
    awaited(lambda: site.told(last).get("instanceTerminationWaitTimeStarted"))
    site.deploys.continue_deployment(deploymentId=last, deploymentWaitType="TERMINATION_WAIT")
    assert site.ended(last)["status"] == "Succeeded"
    awaited(lambda: front.tasks() == 1)
    assert front.versions(6) == {"2"}
    missing = front.deploy("nothing:7")
    assert site.ended(missing)["errorInformation"]["code"] == "INVALID_ECS_SERVICE"
    assert front.versions(6) == {"2"}
