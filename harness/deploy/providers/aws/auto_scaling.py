"""EC2 Auto Scaling: groups, launch configurations, policies, schedules, hooks."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.described import Described
from harness.deploy.providers.resource import Context, Properties

_GROUP = {"AutoScalingGroupName": "autoscalingGroupName"}


class LaunchConfiguration(Described):
    """How instances are launched, in the old way; the id is the name, and every change replaces it."""

    token: ClassVar = "aws:ec2/launchConfiguration:LaunchConfiguration"
    service: ClassVar = "autoscaling"
    creates: ClassVar = "CreateLaunchConfiguration"
    reads: ClassVar = "DescribeLaunchConfigurations"
    deletes: ClassVar = "DeleteLaunchConfiguration"
    selects: ClassVar = "LaunchConfigurationNames"
    body: ClassVar = "LaunchConfigurations"
    key: ClassVar = {"LaunchConfigurationName": "id"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    defaults: ClassVar = {"enableMonitoring": True}
    renames: ClassVar = {"name": "LaunchConfigurationName", "arn": "LaunchConfigurationARN", "enableMonitoring": ""}
    replace_on: ClassVar = frozenset(
        {"associatePublicIpAddress", "ebsBlockDevices", "ebsOptimized", "enableMonitoring", "ephemeralBlockDevices",
         "iamInstanceProfile", "imageId", "instanceType", "keyName", "metadataOptions", "name", "namePrefix",
         "placementTenancy", "rootBlockDevice", "securityGroups", "spotPrice", "userData", "userDataBase64"}
    )  # fmt: skip

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """User data in base64, disks as mappings."""
        del context
        text = inputs.get("userData")
        encoded = inputs.get("userDataBase64") or (base64.b64encode(text.encode()).decode() if text else None)
        disks = [{"deviceName": "/dev/xvda", **inputs["rootBlockDevice"]}] if inputs.get("rootBlockDevice") else []
        disks += inputs.get("ebsBlockDevices") or []
        mappings = [{"deviceName": one["deviceName"], "ebs": one} for one in disks]
        monitoring = {"enabled": inputs["enableMonitoring"]}
        return {
            **inputs,
            "userData": encoded,
            "blockDeviceMappings": mappings or None,
            "instanceMonitoring": monitoring,
        }

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """User data as it was given."""
        del context, resource_id, body
        return {"userData": inputs.get("userData")}


class Group(Described):
    """Instances that are kept running; the id is the name."""

    token: ClassVar = "aws:autoscaling/group:Group"
    creates: ClassVar = "CreateAutoScalingGroup"
    reads: ClassVar = "DescribeAutoScalingGroups"
    updates: ClassVar = "UpdateAutoScalingGroup"
    selects: ClassVar = "AutoScalingGroupNames"
    body: ClassVar = "AutoScalingGroups"
    key: ClassVar = {"AutoScalingGroupName": "id"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    defaults: ClassVar = {
        "forceDelete": False,
        "forceDeleteWarmPool": False,
        "healthCheckGracePeriod": 300,
        "metricsGranularity": "1Minute",
        "protectFromScaleIn": False,
        "waitForCapacityTimeout": "10m",
        "ignoreFailedScalingActivities": False,
    }
    renames: ClassVar = {
        "name": "AutoScalingGroupName", "arn": "AutoScalingGroupARN",
        "launchConfiguration": "LaunchConfigurationName",
        "targetGroupArns": "TargetGroupARNs", "protectFromScaleIn": "NewInstancesProtectedFromScaleIn",
        "loadBalancers": "LoadBalancerNames", "vpcZoneIdentifiers": "", "id": "LaunchTemplateId",
        "launchTemplateId": "LaunchTemplateId", "enabledMetrics": "", "suspendedProcesses": "", "trafficSources": "",
    }  # fmt: skip
    replace_on: ClassVar = frozenset({"name", "namePrefix"})

    def send(self, context: Context, operation: str, inputs: Properties, **fixed: Any) -> dict[str, Any]:
        """Subnets are one text; tags say whether instances get them."""
        subnets = inputs.get("vpcZoneIdentifiers")
        if subnets:
            fixed = {**fixed, "VPCZoneIdentifier": ",".join(subnets)}
        if operation == self.creates and self._wire(context, inputs):
            fixed = {**fixed, "Tags": self._wire(context, inputs)}
        template = inputs.get("launchTemplate")
        if template:
            named = {"id": "LaunchTemplateId", "name": "LaunchTemplateName", "version": "Version"}
            told = {named[name]: str(value) for name, value in template.items() if value}
            told.pop("LaunchTemplateName" if "LaunchTemplateId" in told else "", None)
            fixed = {**fixed, "LaunchTemplate": {"Version": "$Default", **told}}
        return super().send(context, operation, {**inputs, "launchTemplate": None}, **fixed)

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Subnets as a list, the template as a block, tags as a list."""
        del context, resource_id
        subnets = [one for one in str(body.get("VPCZoneIdentifier") or "").split(",") if one]
        wanted = inputs.get("vpcZoneIdentifiers")
        told: Properties = {"vpcZoneIdentifiers": wanted if wanted and set(wanted) == set(subnets) else subnets}
        template = body.get("LaunchTemplate")
        if template:
            found = {"id": template.get("LaunchTemplateId"), "name": template.get("LaunchTemplateName"),
                     "version": template.get("Version")}  # fmt: skip
            given = inputs.get("launchTemplate") or {}
            told["launchTemplate"] = {**found, **{name: found.get(name) or value for name, value in given.items()}}
            told["launchTemplate"] = {name: told["launchTemplate"][name] for name in given or found}
        return told

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Settings by one operation; tags, target groups and hooks by others."""
        client, differs = self.client(context), roots(olds, news)
        if differs - {"tags", "targetGroupArns", "loadBalancers"}:
            self.send(context, self.updates, {**news, "name": None}, AutoScalingGroupName=resource_id)
        if "targetGroupArns" in differs:
            old, new = set(olds.get("targetGroupArns") or ()), set(news.get("targetGroupArns") or ())
            for verb, arns in (("attach", new - old), ("detach", old - new)):
                if arns:
                    call = getattr(client, f"{verb}_load_balancer_target_groups")
                    call(AutoScalingGroupName=resource_id, TargetGroupARNs=sorted(arns))
        if "tags" in differs:
            old_tags, new_tags = self._wire(context, olds), self._wire(context, news)
            gone = [one for one in old_tags if one["Key"] not in {tag["Key"] for tag in new_tags}]
            if gone:
                client.delete_tags(Tags=gone)
            if new_tags:
                client.create_or_update_tags(Tags=new_tags)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Let its instances go, then delete it."""
        client = self.client(context)
        if self.ask(context, resource_id, state) is not None:
            client.update_auto_scaling_group(
                AutoScalingGroupName=resource_id, MinSize=0, MaxSize=0, DesiredCapacity=0
            )
            client.delete_auto_scaling_group(AutoScalingGroupName=resource_id, ForceDelete=True)

    def _wire(self, context: Context, inputs: Properties) -> list[dict[str, Any]]:
        del context
        base = {"ResourceId": inputs["name"], "ResourceType": "auto-scaling-group"}
        return [
            {**base, "Key": one["key"], "Value": one["value"], "PropagateAtLaunch": bool(one["propagateAtLaunch"])}
            for one in inputs.get("tags") or ()
        ]


class _OfGroup(Described):
    """Something of a group, by name."""

    service: ClassVar[str] = "autoscaling"
    naming: ClassVar[tuple[str, str]]
    """The property that names it, and AWS's member."""

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """Among those of its group. An import is `<group>/<name>`."""
        known = self.known(resource_id, inputs)
        name, member = self.naming
        asked = {"AutoScalingGroupName": known["autoscalingGroupName"]}
        found = self.send(context, self.reads, {}, **asked)[self.body]
        return next((one for one in found if one[member] == known[name]), None)


class Policy(_OfGroup):
    """When a group is scaled; the id is the name."""

    token: ClassVar = "aws:autoscaling/policy:Policy"
    creates: ClassVar = "PutScalingPolicy"
    updates: ClassVar = "PutScalingPolicy"
    reads: ClassVar = "DescribePolicies"
    deletes: ClassVar = "DeletePolicy"
    body: ClassVar = "ScalingPolicies"
    naming: ClassVar = ("name", "PolicyName")
    key: ClassVar = {**_GROUP, "PolicyName": "name"}
    parts: ClassVar = ("autoscalingGroupName", "name")
    id_format: ClassVar = "{name}"
    named: ClassVar = "name"
    defaults: ClassVar = {"policyType": "SimpleScaling", "enabled": True}
    renames: ClassVar = {"name": "PolicyName", "arn": "PolicyARN", "metricDimensions": "Dimensions"}
    replace_on: ClassVar = frozenset({"name", "autoscalingGroupName"})


class Schedule(_OfGroup):
    """When a group's size changes; the id is the name."""

    token: ClassVar = "aws:autoscaling/schedule:Schedule"
    creates: ClassVar = "PutScheduledUpdateGroupAction"
    updates: ClassVar = "PutScheduledUpdateGroupAction"
    reads: ClassVar = "DescribeScheduledActions"
    deletes: ClassVar = "DeleteScheduledAction"
    body: ClassVar = "ScheduledUpdateGroupActions"
    naming: ClassVar = ("scheduledActionName", "ScheduledActionName")
    key: ClassVar = {**_GROUP, "ScheduledActionName": "scheduledActionName"}
    parts: ClassVar = ("autoscalingGroupName", "scheduledActionName")
    id_format: ClassVar = "{scheduledActionName}"
    renames: ClassVar = {"arn": "ScheduledActionARN"}
    replace_on: ClassVar = frozenset({"scheduledActionName", "autoscalingGroupName"})


class LifecycleHook(_OfGroup, noun="LifecycleHook", verbs="Put - Put Delete"):
    """What is waited for when instances come and go; the id is the name."""

    token: ClassVar = "aws:autoscaling/lifecycleHook:LifecycleHook"
    reads: ClassVar = "DescribeLifecycleHooks"
    body: ClassVar = "LifecycleHooks"
    naming: ClassVar = ("name", "LifecycleHookName")
    key: ClassVar = {**_GROUP, "LifecycleHookName": "name"}
    parts: ClassVar = ("autoscalingGroupName", "name")
    id_format: ClassVar = "{name}"
    named: ClassVar = "name"
    renames: ClassVar = {
        "name": "LifecycleHookName",
        "notificationTargetArn": "NotificationTargetARN",
        "roleArn": "RoleARN",
    }
    replace_on: ClassVar = frozenset({"name", "autoscalingGroupName"})


class Attachment(Described):
    """A target group that a group's instances are in."""

    token: ClassVar = "aws:autoscaling/attachment:Attachment"
    parts: ClassVar = ("autoscalingGroupName", "lbTargetGroupArn")
    replace_on: ClassVar = frozenset({"autoscalingGroupName", "elb", "lbTargetGroupArn"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Attach it."""
        self._call(context, "attach", inputs)
        return self.joined(inputs)

    def joined(self, inputs: Properties) -> str:
        """The group and what it is behind."""
        return f"{inputs['autoscalingGroupName']}-{inputs.get('lbTargetGroupArn') or inputs.get('elb')}"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Among the group's target groups."""
        del resource_id
        names = [inputs["autoscalingGroupName"]]
        found = self.client(context).describe_auto_scaling_groups(AutoScalingGroupNames=names)["AutoScalingGroups"]
        wanted = inputs.get("lbTargetGroupArn") or inputs.get("elb")
        there = any(wanted in (*one.get("TargetGroupARNs", ()), *one.get("LoadBalancerNames", ())) for one in found)
        return {} if there else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Detach it."""
        if self.look(context, resource_id, state) is not None:
            self._call(context, "detach", state)

    def _call(self, context: Context, verb: str, state: Properties) -> None:
        client, group = self.client(context), state["autoscalingGroupName"]
        if state.get("lbTargetGroupArn"):
            call = getattr(client, f"{verb}_load_balancer_target_groups")
            call(AutoScalingGroupName=group, TargetGroupARNs=[state["lbTargetGroupArn"]])
        else:
            call = getattr(client, f"{verb}_load_balancers")
            call(AutoScalingGroupName=group, LoadBalancerNames=[state["elb"]])


RESOURCES = (LaunchConfiguration(), Group(), Policy(), Schedule(), LifecycleHook(), Attachment())
