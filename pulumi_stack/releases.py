"""Releases of the storefront: blue/green with an alarm that takes them back, and a rehearsal of a bad one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
from alarms import Metric, alarm_at_one
from allocation import SERVICE
from function import service_role
from statement import Statement

BAD_RELEASE = "orders-bad-release"
"""The runbook's name, which the experiment `deploy-gone-wrong` knows."""


@dataclass(frozen=True)
class BlueGreenArgs:
    """What stands in front of the service. `group` is made by `like`, and so is the second one."""

    listener: aws.lb.Listener
    group: aws.lb.TargetGroup
    like: Mapping[str, Any]


class BlueGreen(pulumi.ComponentResource):
    """Outputs: `alarm`; `service`, what the ECS service is given for it; `target`, the same for its load balancer."""

    def __init__(self, name: str, args: BlueGreenArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:BlueGreen", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        spare = aws.lb.TargetGroup(f"{name}-spare", **args.like, opts=child)
        self.rule = aws.lb.ListenerRule(
            name,
            listener_arn=args.listener.arn,
            priority=1,
            conditions=[{"path_pattern": {"values": ["/*"]}}],
            actions=[
                {
                    "type": "forward",
                    "forward": {
                        "target_groups": [{"arn": args.group.arn, "weight": 100}, {"arn": spare.arn, "weight": 0}]
                    },
                }
            ],
            # ECS moves the weights.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["actions"]),
        )
        # What the tasks count themselves: the load balancer's own metrics come by the minute, too late for a release.
        errors = Metric("Shop", "StorefrontErrors", {"service": SERVICE})
        self.alarm = alarm_at_one(f"{name}-errors", errors, child, app="shop", period_s=10)
        role, _ = service_role(f"{name}-shift", "ecs.amazonaws.com", [], child)
        aws.iam.RolePolicyAttachment(
            f"{name}-shift",
            role=role.name,
            policy_arn="arn:aws:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers",
            opts=child,
        )
        self.service = {
            "deployment_configuration": {"strategy": "BLUE_GREEN", "bake_time_in_minutes": "5"},
            "alarms": {"alarm_names": [self.alarm.name], "enable": True, "rollback": True},
        }
        self.target = {
            "advanced_configuration": {
                "alternate_target_group_arn": spare.arn,
                "production_listener_rule": self.rule.arn,
                "role_arn": role.arn,
            }
        }
        self.register_outputs({})


@dataclass(frozen=True)
class BadReleaseArgs:
    """The service, its task definition, and one that starts, is healthy, and cannot answer."""

    cluster: aws.ecs.Cluster
    service: aws.ecs.Service
    good: aws.ecs.TaskDefinition
    faulty: aws.ecs.TaskDefinition


class BadRelease(pulumi.ComponentResource):
    """A runbook that releases the faulty version and waits until ECS has gone back; else it goes back itself."""

    def __init__(self, name: str, args: BadReleaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:BadRelease", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        statements = [
            Statement(["ecs:UpdateService", "ecs:DescribeServices"], [args.service.arn]),
            Statement(["iam:PassRole"], [args.good.task_role_arn, args.good.execution_role_arn]),
        ]
        role, granted = service_role(name, "ssm.amazonaws.com", statements, child)
        content = pulumi.Output.all(
            role.arn, args.cluster.name, args.service.name, args.good.arn, args.faulty.arn
        ).apply(lambda found: json.dumps(_runbook(*found)))
        self.document = aws.ssm.Document(
            name,
            name=BAD_RELEASE,
            document_type="Automation",
            document_format="JSON",
            content=content,
            tags={"app": "shop"},
            opts=pulumi.ResourceOptions(parent=self, depends_on=granted),
        )
        self.register_outputs({})


def _runbook(role: str, cluster: str, service: str, good: str, faulty: str) -> dict[str, Any]:
    def update(definition: str) -> dict[str, str]:
        where = {"Service": "ecs", "Api": "UpdateService", "cluster": cluster, "service": service}
        return {**where, "taskDefinition": definition}

    instead = {"onFailure": "step:goBack", "onCancel": "step:goBack"}
    return {
        "schemaVersion": "0.3",
        "description": "Releases a version of the storefront that is healthy and cannot answer",
        "assumeRole": role,
        "mainSteps": [
            {"name": "release", "action": "aws:executeAwsApi", "inputs": update(faulty), **instead},
            {
                "name": "rolledBack",
                "action": "aws:waitForAwsResourceProperty",
                "timeoutSeconds": 240,
                "inputs": {
                    "Service": "ecs",
                    "Api": "DescribeServices",
                    "cluster": cluster,
                    "services": [service],
                    "PropertySelector": "$.services[0].taskDefinition",
                    "DesiredValues": [good],
                },
                "isEnd": True,
                **instead,
            },
            {"name": "goBack", "action": "aws:executeAwsApi", "inputs": update(good), "isEnd": True},
        ],
    }
