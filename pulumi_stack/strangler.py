"""The strangler fig: an old HTTP service behind the same front as the new one, moved route by route by weight.

Each route is a rule of the load balancer that forwards to both services; all weight is on the old one until somebody
moves it. Nothing in front has to know. https://docs.aws.amazon.com/prescriptive-guidance/latest/cloud-design-patterns/strangler-fig.html
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from fargate import PORT, SMALL, execution_role, reads, targets, task_role
from placement import Placement

ROUTES = ("prices", "delivery")


@dataclass(frozen=True)
class StranglerArgs:
    """The images are container images, or names in `[images]` of blackstart.toml."""

    vpc_id: pulumi.Input[str]
    placement: Placement
    table: aws.dynamodb.Table
    legacy_image: str = "shop-legacy-prices"
    modern_image: str = "shop-prices"


class Strangler(pulumi.ComponentResource):
    """Outputs: `url`, `cluster`, `services` and `groups` by generation, `rules` by route."""

    def __init__(self, name: str, args: StranglerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Strangler", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.groups = {generation: self._group(generation) for generation in ("legacy", "modern")}
        balancer = aws.lb.LoadBalancer(
            name,
            internal=True,
            load_balancer_type="application",
            subnets=args.placement.subnet_ids,
            security_groups=[args.placement.security_group_id],
            tags={"app": "shop"},
            opts=self._child,
        )
        self.url = balancer.dns_name.apply(lambda dns: f"http://{dns}")
        self.rules = self._rules(balancer)
        self.cluster = aws.ecs.Cluster(name, tags={"app": "shop"}, opts=self._child)
        self._execution = execution_role(name, self._child)
        self.services = {
            "legacy": self._service("legacy", args.legacy_image, None),
            "modern": self._service("modern", args.modern_image, args.table),
        }
        self.register_outputs({"url": self.url})

    def _group(self, generation: str) -> aws.lb.TargetGroup:
        return aws.lb.TargetGroup(f"{self._name}-{generation}", **targets(self._args.vpc_id), opts=self._child)

    def _rules(self, balancer: aws.lb.LoadBalancer) -> dict[str, aws.lb.ListenerRule]:
        unknown = {"content_type": "text/plain", "message_body": "no such page", "status_code": "404"}
        listener = aws.lb.Listener(
            self._name,
            load_balancer_arn=balancer.arn,
            port=80,
            default_actions=[{"type": "fixed-response", "fixed_response": unknown}],
            opts=self._child,
        )
        weights = [
            {"arn": self.groups["legacy"].arn, "weight": 100},
            {"arn": self.groups["modern"].arn, "weight": 0},
        ]
        return {
            route: aws.lb.ListenerRule(
                f"{self._name}-{route}",
                listener_arn=listener.arn,
                priority=priority,
                conditions=[{"path_pattern": {"values": [f"/{route}/*"]}}],
                actions=[{"type": "forward", "forward": {"target_groups": weights}}],
                # The weights are moved by who migrates, not by a deployment.
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=["actions"]),
            )
            for priority, route in enumerate(ROUTES, 1)
        }

    def _role(self, generation: str, table: aws.dynamodb.Table | None) -> aws.iam.Role:
        role = task_role(f"{self._name}-{generation}", self._child)
        if table is not None:
            aws.iam.RolePolicy(f"{self._name}-{generation}", role=role.id, policy=reads(table), opts=self._child)
        return role

    def _service(self, generation: str, image: str, table: aws.dynamodb.Table | None) -> aws.ecs.Service:
        label = f"{self._name}-{generation}"
        definition = aws.ecs.TaskDefinition(
            label,
            family=f"shop-{generation}-prices",
            **SMALL,
            task_role_arn=self._role(generation, table).arn,
            execution_role_arn=self._execution.arn,
            container_definitions=_containers(image, [] if table is None else [table.name]),
            opts=self._child,
        )
        placement = self._args.placement
        return aws.ecs.Service(
            label,
            cluster=self.cluster.arn,
            task_definition=definition.arn,
            desired_count=1,
            launch_type="FARGATE",
            network_configuration={
                "subnets": placement.subnet_ids,
                "security_groups": [placement.security_group_id],
            },
            load_balancers=[
                {
                    "target_group_arn": self.groups[generation].arn,
                    "container_name": "web",
                    "container_port": PORT,
                }
            ],
            wait_for_steady_state=True,
            tags={"app": "shop"},
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=list(self.rules.values()), ignore_changes=["desiredCount"]
            ),
        )


def _containers(image: str, tables: Sequence[pulumi.Input[str]]) -> pulumi.Output[str]:
    def written(names: Sequence[str]) -> str:
        environment = [{"name": "CATALOGUE_TABLE", "value": name} for name in names]
        ports = [{"containerPort": PORT}]
        container = {"name": "web", "image": image, "essential": True, "portMappings": ports}
        return json.dumps([{**container, "environment": environment}])

    return pulumi.Output.all(*tables).apply(written)
