"""What somebody should be told: failing fulfilment, and messages that were given up."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class AlarmsArgs:
    """Names of what is watched."""

    function_name: pulumi.Input[str]
    dead_letters_name: pulumi.Input[str]


class Alarms(pulumi.ComponentResource):
    """Outputs: `fulfilment` and `dead_letters` (alarms)."""

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Alarms", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.fulfilment = aws.cloudwatch.MetricAlarm(
            f"{name}-fulfilment-errors",
            namespace="AWS/Lambda",
            metric_name="Errors",
            dimensions={"FunctionName": args.function_name},
            statistic="Sum",
            period=60,
            evaluation_periods=1,
            threshold=1,
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="notBreaching",
            tags={"app": "orders"},
            opts=child,
        )
        self.dead_letters = aws.cloudwatch.MetricAlarm(
            f"{name}-dead-letters",
            namespace="AWS/SQS",
            metric_name="ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": args.dead_letters_name},
            statistic="Maximum",
            period=60,
            evaluation_periods=1,
            threshold=1,
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="notBreaching",
            tags={"app": "orders"},
            opts=child,
        )
        self.register_outputs({})


class StandbyAlarm(pulumi.ComponentResource):
    """Outputs: `alarm`: customers come to a standby. The metrics of health checks are in us-east-1 alone."""

    def __init__(self, name: str, api_id: pulumi.Input[str]) -> None:
        super().__init__("orders:index:StandbyAlarm", name)
        self.alarm = aws.cloudwatch.MetricAlarm(
            f"{name}-customers-come",
            namespace="AWS/ApiGateway",
            metric_name="Count",
            dimensions={"ApiId": api_id},
            statistic="Sum",
            period=60,
            evaluation_periods=1,
            threshold=1,
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="notBreaching",
            tags={"app": "orders"},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
