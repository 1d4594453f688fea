"""What somebody should be told: failing fulfilment, and messages that were given up."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class AlarmsArgs:
    """Names of what is watched; `service` is that of the business metrics."""

    function_name: pulumi.Input[str]
    dead_letters_name: pulumi.Input[str]
    service: str


@dataclass(frozen=True)
class Metric:
    """A metric of one resource."""

    namespace: str
    name: str
    dimensions: dict[str, pulumi.Input[str]]
    statistic: str = "Sum"


def alarm_at_one(
    name: str, metric: Metric, opts: pulumi.ResourceOptions, *, app: str = "orders", period_s: int = 60
) -> aws.cloudwatch.MetricAlarm:
    """It goes off when one was counted in a period; a period without data is a good one."""
    return aws.cloudwatch.MetricAlarm(
        name,
        namespace=metric.namespace,
        metric_name=metric.name,
        dimensions=metric.dimensions,
        statistic=metric.statistic,
        period=period_s,
        evaluation_periods=1,
        threshold=1,
        comparison_operator="GreaterThanOrEqualToThreshold",
        treat_missing_data="notBreaching",
        tags={"app": app},
        opts=opts,
    )


class Alarms(pulumi.ComponentResource):
    """Outputs: `fulfilment`, `failing` and `dead_letters` (alarms).

    A function that answers for a batch does not fail with one message of it: what it counts itself rings soon.
    """

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Alarms", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        errors = Metric("AWS/Lambda", "Errors", {"FunctionName": args.function_name})
        self.fulfilment = alarm_at_one(f"{name}-fulfilment-errors", errors, child)
        failures = Metric("Shop", "FulfilmentFailures", {"service": args.service})
        self.failing = alarm_at_one(f"{name}-fulfilment-failing", failures, child, period_s=10)
        waiting = {"QueueName": args.dead_letters_name}
        given_up = Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", waiting, "Maximum")
        self.dead_letters = alarm_at_one(f"{name}-dead-letters", given_up, child)
        self.register_outputs({})


class StandbyAlarm(pulumi.ComponentResource):
    """Outputs: `alarm`: customers come to a standby. The metrics of health checks are in us-east-1 alone."""

    def __init__(self, name: str, api_id: pulumi.Input[str]) -> None:
        super().__init__("orders:index:StandbyAlarm", name)
        calls = Metric("AWS/ApiGateway", "Count", {"ApiId": api_id})
        self.alarm = alarm_at_one(f"{name}-customers-come", calls, pulumi.ResourceOptions(parent=self))
        self.register_outputs({})
