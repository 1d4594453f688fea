"""A deployment to ECS: new tasks in the other target group, a listener whose weights move, and the old tasks' end.

Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.deployments.appspec import AppSpec
from harness.cloud.deployments.refusals import DeploymentError
from harness.cloud.sessions import Client
from harness.cloud.tasks import replacement
from harness.cloud.tasks.ecs import Ecs
from harness.cloud.tasks.emulated import EcsError
from harness.cloud.tasks.replacement import Replacement

INSTALL_MINUTES = 60.0
"""https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-ecs.html"""

STAGES = (
    "BeforeInstall", "Install", "AfterInstall", "AllowTestTraffic", "AfterAllowTestTraffic", "BeforeAllowTraffic",
    "AllowTraffic", "AfterAllowTraffic",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class ServiceTraffic:
    """`group` is the deployment group; `weight` the share of the new tasks in percent."""

    ecs: Ecs
    scope: tuple[str, str]
    group: Mapping[str, Any]
    appspec: AppSpec
    client: Client
    weight: int = 0
    stages: tuple[str, ...] = STAGES
    _pair: dict[str, str] = field(default_factory=dict)
    """`old` and `new` → the target group's ARN."""
    _made: Replacement | None = None

    @property
    def _service(self) -> tuple[str, str]:
        """Cluster and name."""
        one = (self.group.get("ecsServices") or [{}])[0]
        return str(one.get("clusterName") or "default"), str(one.get("serviceName"))

    @property
    def id(self) -> str:
        """Of the target: `cluster:service`."""
        return ":".join(self._service)

    @property
    def _info(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = (
            (self.group.get("loadBalancerInfo") or {}).get("targetGroupPairInfoList") or [{}]
        )[0]
        return found

    def _listeners(self, route: str) -> list[str]:
        return list((self._info.get(route) or {}).get("listenerArns") or ())

    def check(self) -> None:
        """Find the service, the two target groups and which of them is in production.

        Raises:
            DeploymentError: something is missing.
        """
        names = [one["name"] for one in self._info.get("targetGroups") or ()]
        if len(names) != 2 or not self._listeners("prodTrafficRoute"):
            said = "the deployment group names no pair of target groups with a production listener"
            raise DeploymentError("MISSING_ELB_INFORMATION", said)
        cluster, name = self._service
        self.client("ecs").describe_services(cluster=cluster, services=[name])  # the role must be allowed to
        try:
            replacement.find_service(self.ecs, self.scope, cluster, name)
        except EcsError as error:
            raise DeploymentError("INVALID_ECS_SERVICE", str(error)) from error
        found = self.client("elbv2").describe_target_groups(Names=names)["TargetGroups"]
        arns = {one["TargetGroupName"]: one["TargetGroupArn"] for one in found}
        weights = self._weights(self._listeners("prodTrafficRoute")[0])
        one, other = (arns[name] for name in names)
        old = other if weights.get(other, 0) > weights.get(one, 0) else one
        self._pair = {"old": old, "new": one if old == other else other}

    def work(self, stage: str, until: Callable[[Callable[[], bool], float], bool]) -> None:
        """Bring the new tasks up, or send the test traffic to them."""
        if stage == "AllowTestTraffic":
            self._route("testTrafficRoute", 100)
        if stage != "Install":
            return
        try:
            service = replacement.find_service(self.ecs, self.scope, *self._service)
            definition = str(self.appspec.properties["TaskDefinition"])
            self._made = made = replacement.replace(self.ecs, service, definition, self._pair["new"])
        except EcsError as error:
            raise DeploymentError("INVALID_ECS_SERVICE", str(error)) from error
        if not until(lambda: made.ready, INSTALL_MINUTES):
            said = (
                "The deployment timed out while waiting for the replacement task set to become healthy. This time out"
            )
            raise DeploymentError("TIMEOUT", f"{said} period is {INSTALL_MINUTES:g} minutes. {made.last_event}")

    def shift(self, percent: int) -> None:
        """Give the new tasks so many percent of the production traffic."""
        self._route("prodTrafficRoute", percent)
        self.weight = percent

    def restore(self) -> None:
        """All traffic to the old tasks at once; the new ones end."""
        if self._pair:
            self.shift(0)
            self._route("testTrafficRoute", 0)
        if self._made is not None:
            self._made.take_back()

    def finish(self) -> float:
        """Minutes that the old tasks are kept."""
        return float(self._termination.get("terminationWaitTimeInMinutes") or 0)

    def clean(self) -> None:
        """End the old tasks, unless the group keeps them."""
        if self._made is not None and self._termination.get("action") != "KEEP_ALIVE":
            self._made.let_old_go()

    @property
    def _termination(self) -> Mapping[str, Any]:
        config = self.group.get("blueGreenDeploymentConfiguration") or {}
        found: Mapping[str, Any] = config.get("terminateBlueInstancesOnDeploymentSuccess") or {}
        return found

    def shown(self) -> dict[str, Any]:
        """What a deployment target tells of it."""
        made, sets = self._made, []
        if made is not None:
            shares = (("Blue", 100 - self.weight, self._pair["old"]), ("Green", self.weight, self._pair["new"]))
            sets = [
                {**made.shown(label), "trafficWeight": float(share), "targetGroup": {"name": arn.split("/")[-2]}}
                for label, share, arn in shares
            ]
        return {"deploymentTargetType": "ECSTarget", "ecsTarget": {"taskSetsInfo": sets}}

    # -- listeners ---------------------------------------------------------------------------------------------

    def _weights(self, listener: str) -> dict[str, int]:
        """Target group → weight in a listener's default action, or in the first rule that leads to the pair."""
        rules = self.client("elbv2").describe_rules(ListenerArn=listener)["Rules"]
        for rule in sorted(rules, key=lambda one: not one["IsDefault"]):
            for action in rule["Actions"]:
                groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or ()
                if groups:
                    return {one["TargetGroupArn"]: int(one.get("Weight", 1)) for one in groups}
        return {}

    def _route(self, route: str, percent: int) -> None:
        """Let every rule of the route's listeners that leads to the pair split its traffic so."""
        split = [(self._pair["new"], percent), (self._pair["old"], 100 - percent)]
        forward = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in split]}
        actions = [{"Type": "forward", "ForwardConfig": forward}]
        elb, ours = self.client("elbv2"), set(self._pair.values())
        for listener in self._listeners(route):
            for rule in elb.describe_rules(ListenerArn=listener)["Rules"]:
                if not ours & _groups_of(rule):
                    continue
                if rule["IsDefault"]:
                    elb.modify_listener(ListenerArn=listener, DefaultActions=actions)
                else:
                    elb.modify_rule(RuleArn=rule["RuleArn"], Actions=actions)


def _groups_of(rule: Mapping[str, Any]) -> set[str]:
    return {
        arn
        for action in rule["Actions"]
        for arn in (
            action.get("TargetGroupArn"),
            *(one["TargetGroupArn"] for one in (action.get("ForwardConfig") or {}).get("TargetGroups") or ()),
        )
        if arn
    }


def services_of(
    ecs: Ecs, scope: tuple[str, str], group: Mapping[str, Any], appspec: AppSpec, client: Client
) -> ServiceTraffic:
    """The traffic of a deployment to the services of `ecs`."""
    return ServiceTraffic(ecs=ecs, scope=scope, group=group, appspec=appspec, client=client)
