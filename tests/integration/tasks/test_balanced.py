"""Services behind a load balancer: targets come and go with tasks; blue/green shifts at once, and back."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from tests.integration.tasks.conftest import Cluster, fetch, url_of
from tests.waiting import awaited

IN_PEACE = {"healthCheckGracePeriodSeconds": 600}
"""Where a process takes longer to start than two health checks, none would ever be let live."""


@dataclass
class Balanced:
    """A load balancer before the cluster's service."""

    cluster: Cluster
    arn: str = ""
    dns: str = ""
    rule: str = ""
    groups: list[str] = field(default_factory=list)

    @property
    def elb(self) -> Any:
        return self.cluster.cloud.target.client("elbv2")

    def make(self, subnets: Sequence[str] = ("subnet-00000001", "subnet-00000002", "subnet-00000003")) -> None:
        name = f"b{uuid.uuid4().hex[:8]}"
        (made,) = self.elb.create_load_balancer(Name=name, Subnets=list(subnets))["LoadBalancers"]
        self.arn, self.dns = made["LoadBalancerArn"], made["DNSName"]
        for letter in "ab":
            group = self.elb.create_target_group(
                Name=f"{name}{letter}", TargetType="ip", Protocol="HTTP", Port=80, VpcId="vpc-00000001",
                HealthCheckPath="/health", HealthyThresholdCount=2, UnhealthyThresholdCount=2,
                HealthCheckTimeoutSeconds=60,
            )  # fmt: skip
            self.groups.append(group["TargetGroups"][0]["TargetGroupArn"])
        weights = [{"TargetGroupArn": group, "Weight": 1 - at} for at, group in enumerate(self.groups)]
        listener = self.elb.create_listener(
            LoadBalancerArn=self.arn, Port=80, Protocol="HTTP",
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
        )["Listeners"][0]["ListenerArn"]  # fmt: skip
        self.rule = self.elb.create_rule(
            ListenerArn=listener, Priority=1, Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
            Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}],
        )["Rules"][0]["RuleArn"]  # fmt: skip

    def targets(self, group: str) -> dict[str, str]:
        """Address → state."""
        shown = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {one["Target"]["Id"]: one["TargetHealth"]["State"] for one in shown}

    def place(self, **advanced: Any) -> list[dict[str, Any]]:
        """What CreateService takes."""
        return [{"targetGroupArn": self.groups[0], "containerName": "web", "containerPort": 8080, **advanced}]

    def get(self, path: str = "/") -> str:
        return fetch(f"http://{self.dns}{path}", timeout_s=60)


@pytest.fixture
def balanced(cluster: Cluster) -> Iterator[Balanced]:
    made = Balanced(cluster)
    made.make()
    yield made
    made.elb.delete_load_balancer(LoadBalancerArn=made.arn)


def test_requests_reach_tasks_in_every_zone_and_go_on_when_one_is_lost(balanced: Balanced) -> None:
    cluster = balanced.cluster
    network = {"awsvpcConfiguration": {"subnets": ["subnet-00000001", "subnet-00000002", "subnet-00000003"]}}
    cluster.serve(cluster.define(), 3, loadBalancers=balanced.place(), networkConfiguration=network, **IN_PEACE)
    tasks = cluster.steady(3)
    addresses = {address_of(task) for task in tasks}
    assert set(balanced.targets(balanced.groups[0])) == addresses
    assert all(address.startswith("172.31.") for address in addresses)
    assert len({balanced.get() for _ in range(9)}) == 3
    cluster.cloud.control.cut_power("use1-az2", owner="test")
    lost = next(address_of(task) for task in tasks if task["availabilityZone"] == "us-east-1b")
    awaited(lambda: lost not in balanced.targets(balanced.groups[0]))
    awaited(lambda: list(balanced.targets(balanced.groups[0]).values()) == ["healthy"] * 3)
    assert len({balanced.get() for _ in range(9)}) == 3


def address_of(task: dict[str, Any]) -> str:
    details = {one["name"]: one["value"] for one in task["attachments"][0]["details"]}
    return str(details["privateIPv4Address"])


def test_a_task_that_fails_the_load_balancers_checks_is_replaced(balanced: Balanced) -> None:
    cluster = balanced.cluster
    cluster.serve(cluster.define(), 1, loadBalancers=balanced.place(), **IN_PEACE)
    (task,) = cluster.steady(1)
    cluster.ecs.update_service(cluster=cluster.name, service="web", healthCheckGracePeriodSeconds=0)
    fetch(url_of(task, "/sicken"))
    reason = cluster.stopped(task["taskArn"])["stoppedReason"]
    assert reason == f"Task failed ELB health checks in ({balanced.groups[0]})"
    cluster.ecs.update_service(cluster=cluster.name, service="web", **IN_PEACE)
    assert awaited(lambda: list(balanced.targets(balanced.groups[0]).values()) == ["healthy"])


def versioned(cluster: Cluster, version: str) -> str:
    return cluster.define(environment=[{"name": "VERSION", "value": version}])


@pytest.fixture
def blue(balanced: Balanced) -> Balanced:
    """A service whose deployments are blue/green, with an alarm that takes them back; version 1 runs."""
    cluster = balanced.cluster
    cluster.cloud.target.client("cloudwatch").put_metric_alarm(
        AlarmName=cluster.name, Namespace="n", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", TreatMissingData="ignore",
    )  # fmt: skip
    advanced = {
        "alternateTargetGroupArn": balanced.groups[1],
        "productionListenerRule": balanced.rule,
        "roleArn": "arn:aws:iam::000000000000:role/ecs",
    }
    cluster.serve(
        versioned(cluster, "1"),
        2,
        loadBalancers=balanced.place(advancedConfiguration=advanced),
        **IN_PEACE,
        deploymentConfiguration={
            "strategy": "BLUE_GREEN",
            "bakeTimeInMinutes": 60,
            "alarms": {"alarmNames": [cluster.name], "enable": True, "rollback": True},
        },
    )
    cluster.steady(2)
    return balanced


def test_blue_green_keeps_the_old_tasks_while_the_new_ones_bake_and_an_alarm_goes_back_at_once(
    blue: Balanced,
) -> None:
    cluster = blue.cluster
    before = {task["taskArn"] for task in cluster.running()}
    second = versioned(cluster, "2")
    cluster.ecs.update_service(cluster=cluster.name, service="web", taskDefinition=second)
    awaited(lambda: blue.get().startswith("2 "))
    assert all(blue.get().startswith("2 ") for _ in range(4))
    assert before < {task["taskArn"] for task in cluster.running()}
    cluster.cloud.target.client("cloudwatch").set_alarm_state(
        AlarmName=cluster.name, StateValue="ALARM", StateReason="the test says so"
    )
    awaited(lambda: blue.get().startswith("1 "))
    assert {task["taskArn"] for task in cluster.steady(2)} == before
    assert any("alarm detected" in event["message"] for event in cluster.service()["events"])


def test_a_release_that_supersedes_another_starts_and_visitors_stay_where_they_are_until_it_is_ready(
    blue: Balanced,
) -> None:
    """In the bake time the visitors are at the second release; before they had moved they are at the first."""
    cluster = blue.cluster

    def release(version: str) -> str:
        definition = versioned(cluster, version)
        cluster.ecs.update_service(cluster=cluster.name, service="web", taskDefinition=definition)
        return definition

    release("2")
    awaited(lambda: blue.get().startswith("2 "))
    release("3")
    seen = [blue.get()[0]]
    awaited(lambda: seen.append(blue.get()[0]) or seen[-1] == "3")
    assert "".join(seen).strip("2").strip("3") == ""  # the first release is not seen again
    awaited(lambda: [one["runningCount"] for one in cluster.service()["deployments"]] == [2, 2])  # the second is kept
    release("4")
    last = release("5")
    awaited(lambda: blue.get().startswith("5 "))
    settings = {**cluster.service()["deploymentConfiguration"], "bakeTimeInMinutes": 0}
    cluster.ecs.update_service(cluster=cluster.name, service="web", deploymentConfiguration=settings)
    assert {task["taskDefinitionArn"] for task in cluster.steady(2)} == {last}
    stopped = [event for event in cluster.service()["events"] if "another was started" in event["message"]]
    assert len(stopped) >= 2


def _is_empty(blue: Balanced, group: str) -> bool:
    return not blue.targets(group)


def test_blue_green_ends_with_the_bake_time(blue: Balanced) -> None:
    cluster = blue.cluster
    settings = {**cluster.service()["deploymentConfiguration"], "bakeTimeInMinutes": 0}
    for version, group in (("2", 1), ("3", 0)):
        cluster.ecs.update_service(
            cluster=cluster.name,
            service="web",
            taskDefinition=versioned(cluster, version),
            deploymentConfiguration=settings,
        )
        cluster.steady(2)
        assert blue.get().startswith(f"{version} ")
        assert list(blue.targets(blue.groups[group]).values()) == ["healthy", "healthy"]
        awaited(partial(_is_empty, blue, blue.groups[1 - group]))
