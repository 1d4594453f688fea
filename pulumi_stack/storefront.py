"""The storefront: three tasks on Fargate, one in each zone, behind an internal load balancer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
from allocation import SERVICE
from dashboards import of_balancer
from fargate import PORT, SMALL, execution_role, reads, targets, task_role
from placement import Placement
from releases import BadRelease, BadReleaseArgs, BlueGreen, BlueGreenArgs


@dataclass(frozen=True)
class StorefrontArgs:
    """`image` is a container image, or a name in `[images]` of blackstart.toml.

    Between `tasks` and `most` there are so many tasks that each gets about `requests` a minute.
    """

    vpc_id: pulumi.Input[str]
    placement: Placement
    orders: aws.dynamodb.Table
    image: str = "orders-storefront"
    tasks: int = 3
    most: int = 6
    requests: float = 400.0
    blue_green: bool = False


class Storefront(pulumi.ComponentResource):
    """Outputs: `url`, `balancer`, `group`, `cluster`, `service`, `panels`; `alarm` where releases are blue/green."""

    def __init__(self, name: str, args: StorefrontArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Storefront", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.balancer, self.group = self._balance()
        self.url = self.balancer.dns_name.apply(lambda dns: f"http://{dns}")
        self.panels = of_balancer("Storefront", self.balancer, self.group)
        self.cluster = aws.ecs.Cluster(name, tags={"app": "shop"}, opts=self._child)
        self.service = self._service(self.group)
        if not args.blue_green:  # with two target groups, requests per target are no measure: AWS refuses the metric
            self._follow_requests(self.balancer, self.group)
        self.register_outputs({"url": self.url})

    def _follow_requests(self, balancer: aws.lb.LoadBalancer, group: aws.lb.TargetGroup) -> None:
        """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html."""
        service = pulumi.Output.concat("service/", self.cluster.name, "/", self.service.name)
        target = aws.appautoscaling.Target(
            self._name,
            service_namespace="ecs",
            resource_id=service,
            scalable_dimension="ecs:service:DesiredCount",
            min_capacity=self._args.tasks,
            max_capacity=self._args.most,
            tags={"app": "shop"},
            opts=self._child,
        )
        aws.appautoscaling.Policy(
            self._name,
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            resource_id=target.resource_id,
            scalable_dimension=target.scalable_dimension,
            target_tracking_scaling_policy_configuration={
                "target_value": self._args.requests,
                "predefined_metric_specification": {
                    "predefined_metric_type": "ALBRequestCountPerTarget",
                    "resource_label": pulumi.Output.concat(balancer.arn_suffix, "/", group.arn_suffix),
                },
                "scale_out_cooldown": 0,
                "scale_in_cooldown": 0,
            },
            opts=self._child,
        )

    def _balance(self) -> tuple[aws.lb.LoadBalancer, aws.lb.TargetGroup]:
        placement = self._args.placement
        balancer = aws.lb.LoadBalancer(
            self._name,
            internal=True,
            load_balancer_type="application",
            subnets=placement.subnet_ids,
            security_groups=[placement.security_group_id],
            enable_zonal_shift=True,
            tags={"app": "shop"},
            opts=self._child,
        )
        self._like = targets(self._args.vpc_id)
        group = aws.lb.TargetGroup(self._name, **self._like, opts=self._child)
        self._listener = aws.lb.Listener(
            self._name,
            load_balancer_arn=balancer.arn,
            port=80,
            default_actions=[{"type": "forward", "target_group_arn": group.arn}],
            opts=self._child,
        )
        return balancer, group

    def _service(self, group: aws.lb.TargetGroup) -> aws.ecs.Service:
        logs = aws.cloudwatch.LogGroup(self._name, retention_in_days=7, opts=self._child)
        role, execution = task_role(f"{self._name}-task", self._child), execution_role(self._name, self._child)
        aws.iam.RolePolicy(self._name, role=role.id, policy=reads(self._args.orders), opts=self._child)
        roles = {"task_role_arn": role.arn, "execution_role_arn": execution.arn}
        definition = self._definition(self._name, self._args.orders.name, logs, roles)
        shift = self._blue_green(group) if self._args.blue_green else None
        self.alarm = shift.alarm if shift else None
        service = self._serve(definition, group, shift)
        if shift is not None:
            faulty = self._definition(f"{self._name}-faulty", "no-such-table", logs, roles)
            made = BadReleaseArgs(cluster=self.cluster, service=service, good=definition, faulty=faulty)
            BadRelease(f"{self._name}-bad-release", made, self._child)
        return service

    def _definition(
        self, name: str, table: pulumi.Input[str], logs: aws.cloudwatch.LogGroup, roles: Mapping[str, Any]
    ) -> aws.ecs.TaskDefinition:
        given = pulumi.Output.all(logs.name, table, aws.get_region().region)
        return aws.ecs.TaskDefinition(
            name,
            family=f"orders-{name}",
            container_definitions=given.apply(self._containers),
            **SMALL,
            **roles,
            opts=self._child,
        )

    def _blue_green(self, group: aws.lb.TargetGroup) -> BlueGreen:
        made = BlueGreenArgs(listener=self._listener, group=group, like=self._like)
        return BlueGreen(f"{self._name}-release", made, self._child)

    def _serve(
        self, definition: aws.ecs.TaskDefinition, group: aws.lb.TargetGroup, shift: BlueGreen | None
    ) -> aws.ecs.Service:
        placement = self._args.placement
        target = {"target_group_arn": group.arn, "container_name": "web", "container_port": PORT}
        return aws.ecs.Service(
            self._name,
            cluster=self.cluster.arn,
            task_definition=definition.arn,
            desired_count=self._args.tasks,
            launch_type="FARGATE",
            network_configuration={
                "subnets": placement.subnet_ids,
                "security_groups": [placement.security_group_id],
            },
            load_balancers=[{**target, **(shift.target if shift else {})}],
            deployment_circuit_breaker={"enable": True, "rollback": True},
            health_check_grace_period_seconds=30,
            wait_for_steady_state=True,
            propagate_tags="SERVICE",
            tags={"app": "shop", "chaos": "ready"},
            **(shift.service if shift else {}),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[shift.rule if shift else self._listener],
                ignore_changes=["desiredCount"],  # auto scaling moves it
            ),
        )

    def _containers(self, given: list[str]) -> str:
        logs, table, region = given
        options = {"awslogs-group": logs, "awslogs-region": region, "awslogs-stream-prefix": "storefront"}
        container = {
            "name": "web",
            "image": self._args.image,
            "essential": True,
            "portMappings": [{"containerPort": PORT}],
            "environment": [{"name": "ORDERS_TABLE", "value": table}, {"name": "SERVICE", "value": SERVICE}],
            "logConfiguration": {"logDriver": "awslogs", "options": options},
        }
        return json.dumps([container])
