"""CodeDeploy: applications, deployment groups and configurations. Deployments are made by whoever deploys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Properties

_TAGGING = Tagging(resource="ResourceArn")


class Application(Declared, noun="Application", verbs="Create Get - Delete"):
    """aws:codedeploy/application:Application; the id is `id:name`."""

    token: ClassVar = "aws:codedeploy/application:Application"
    key: ClassVar = {"applicationName": "name"}
    parts: ClassVar = ("applicationId", "name")
    separator: ClassVar = ":"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 100}
    body: ClassVar = "application"
    defaults: ClassVar = {"computePlatform": "Server"}
    computed: ClassVar = {"arn": "arn:aws:codedeploy:{region}:{account}:application:{name}"}
    tagging: ClassVar = _TAGGING
    renames: ClassVar = {"name": "applicationName"}
    replace_on: ClassVar = frozenset({"computePlatform", "name"})

    def make(self, context: Context, inputs: Properties) -> str:
        """AWS makes the first part of the id."""
        answer = self.send(context, self.creates, inputs, tags=self.wire_tags(context, inputs))
        return f"{answer['applicationId']}:{inputs['name']}"

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name."""
        found = self.read(context, "", inputs)
        return f"{found['applicationId']}:{inputs['name']}" if found is not None else None


class DeploymentGroup(Declared, noun="DeploymentGroup"):
    """aws:codedeploy/deploymentGroup:DeploymentGroup."""

    token: ClassVar = "aws:codedeploy/deploymentGroup:DeploymentGroup"
    key: ClassVar = {
        "applicationName": "appName",
        "deploymentGroupName": "deploymentGroupName",
        "currentDeploymentGroupName": "deploymentGroupName",
    }
    id_from: ClassVar = "deploymentGroupId"
    body: ClassVar = "deploymentGroupInfo"
    defaults: ClassVar = {
        "deploymentConfigName": "CodeDeployDefault.OneAtATime", "outdatedInstancesStrategy": "UPDATE"
    }  # fmt: skip
    computed: ClassVar = {
        "arn": "arn:aws:codedeploy:{region}:{account}:deploymentgroup:{appName}/{deploymentGroupName}"
    }
    tagging: ClassVar = _TAGGING
    renames: ClassVar = {
        "appName": "applicationName", "autoscalingGroups": "autoScalingGroups",
        "blueGreenDeploymentConfig": "blueGreenDeploymentConfiguration", "ecsService": "ecsServices",
        "elbInfos": "elbInfoList", "targetGroupInfos": "targetGroupInfoList",
        "targetGroupPairInfo": "targetGroupPairInfoList",
    }  # fmt: skip
    replace_on: ClassVar = frozenset({"appName", "deploymentGroupName"})

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Alarms are blocks with a name, tag filters carry their kind, sets of them are lists of lists."""
        made = dict(inputs)
        for name in ("ec2TagFilters", "onPremisesInstanceTagFilters"):
            if inputs.get(name):
                made[name] = [_filter(one) for one in inputs[name]]
        if inputs.get("ec2TagSets"):
            sets = [[_filter(one) for one in group.get("ec2TagFilters") or ()] for group in inputs["ec2TagSets"]]
            made["ec2TagSet"] = {"ec2TagSetList": sets}
        alarms = inputs.get("alarmConfiguration")
        alarms = alarms[0] if isinstance(alarms, list) and alarms else alarms
        if alarms:
            made["alarmConfiguration"] = {**alarms, "alarms": [{"name": name} for name in alarms.get("alarms") or ()]}
        return made

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """What AWS writes otherwise is told as it was given."""
        odd = ("alarmConfiguration", "ec2TagFilters", "ec2TagSets", "onPremisesInstanceTagFilters")
        return {name: inputs[name] for name in odd if inputs.get(name)}


class DeploymentConfig(Declared, noun="DeploymentConfig", verbs="Create Get - Delete"):
    """aws:codedeploy/deploymentConfig:DeploymentConfig; the id is the name."""

    token: ClassVar = "aws:codedeploy/deploymentConfig:DeploymentConfig"
    key: ClassVar = {"deploymentConfigName": "deploymentConfigName"}
    parts: ClassVar = ("deploymentConfigName",)
    named: ClassVar = "deploymentConfigName"
    name_rules: ClassVar = {"limit": 100}
    body: ClassVar = "deploymentConfigInfo"
    defaults: ClassVar = {"computePlatform": "Server"}
    computed: ClassVar = {"arn": "arn:aws:codedeploy:{region}:{account}:deploymentconfig:{deploymentConfigName}"}
    replace_on: ClassVar = frozenset({
        "computePlatform", "deploymentConfigName", "minimumHealthyHosts", "trafficRoutingConfig", "zonalConfig"
    })  # fmt: skip

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Members of canaries and lines have longer names on AWS."""
        routing = inputs.get("trafficRoutingConfig")
        if not routing:
            return inputs
        wire = dict(routing)
        for kind, word in (("timeBasedCanary", "canary"), ("timeBasedLinear", "linear")):
            if routing.get(kind):
                wire[kind] = {f"{word}{name.capitalize()}": value for name, value in routing[kind].items()}
        return {**inputs, "trafficRoutingConfig": wire}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its routing as it was given."""
        return {"trafficRoutingConfig": inputs["trafficRoutingConfig"]} if inputs.get("trafficRoutingConfig") else {}


def _filter(one: Mapping[str, Any]) -> Properties:
    return {
        member: one[key] for key, member in (("key", "Key"), ("value", "Value"), ("type", "Type")) if one.get(key)
    }


RESOURCES = (Application(), DeploymentConfig(), DeploymentGroup())
