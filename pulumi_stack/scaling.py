"""Auto scaling of a table: its capacity follows the use, by target tracking."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class ScalingArgs:
    """The least and the most units a second, and how much of what is provisioned should be in use."""

    table: aws.dynamodb.Table
    least: int
    most: int = 2_000
    target_percent: float = 70.0


class Scaling(pulumi.ComponentResource):
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html."""

    def __init__(self, name: str, args: ScalingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Scaling", name, None, opts)
        for way in ("Read", "Write"):
            self._follow_use(f"{name}-{way.lower()}", way, args)
        self.register_outputs({})

    def _follow_use(self, name: str, way: str, args: ScalingArgs) -> None:
        child = pulumi.ResourceOptions(parent=self)
        target = aws.appautoscaling.Target(
            name,
            service_namespace="dynamodb",
            resource_id=args.table.name.apply(lambda made: f"table/{made}"),
            scalable_dimension=f"dynamodb:table:{way}CapacityUnits",
            min_capacity=args.least,
            max_capacity=args.most,
            opts=child,
        )
        aws.appautoscaling.Policy(
            name,
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            resource_id=target.resource_id,
            scalable_dimension=target.scalable_dimension,
            target_tracking_scaling_policy_configuration={
                "target_value": args.target_percent,
                "predefined_metric_specification": {"predefined_metric_type": f"DynamoDB{way}CapacityUtilization"},
            },
            opts=child,
        )
