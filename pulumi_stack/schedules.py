"""What happens by the clock: EventBridge Scheduler tells a queue, under a role that may send there only."""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from function import Statement, service_role


@dataclass(frozen=True)
class SchedulesArgs:
    """When the day's books are compared, in the shop's own time."""

    nightly: str = "cron(30 2 * * ? *)"
    timezone: str = "Europe/Berlin"


class Schedules(pulumi.ComponentResource):
    """Outputs: `group`, `nightly` (schedule), `queue`, `role`."""

    def __init__(self, name: str, args: SchedulesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Schedules", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = {"app": "shop"}
        self.queue = aws.sqs.Queue(f"{name}-reconcile", sqs_managed_sse_enabled=True, tags=tags, opts=child)
        self.role, granted = service_role(
            name, "scheduler.amazonaws.com", [Statement(["sqs:SendMessage"], [self.queue.arn])], child
        )
        self.group = aws.scheduler.ScheduleGroup(name, tags=tags, opts=child)
        self.nightly = aws.scheduler.Schedule(
            f"{name}-nightly",
            group_name=self.group.name,
            schedule_expression=args.nightly,
            schedule_expression_timezone=args.timezone,
            flexible_time_window={"mode": "FLEXIBLE", "maximum_window_in_minutes": 15},
            target={
                "arn": self.queue.arn,
                "role_arn": self.role.arn,
                "input": json.dumps({"do": "reconcile"}),
                "retry_policy": {"maximum_retry_attempts": 3, "maximum_event_age_in_seconds": 3600},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=granted),
        )
        self.register_outputs({})
