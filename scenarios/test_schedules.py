"""What happens by the clock: the nightly comparison stands as written, and a schedule fires once when it is due."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.part("schedules")


def test_the_books_are_compared_each_night_in_the_shops_own_time(shop: Any) -> None:
    found = shop.aws("scheduler").get_schedule(
        GroupName=shop.outputs["schedule_group"], Name=shop.outputs["nightly_schedule"]
    )
    assert found["ScheduleExpression"] == "cron(30 2 * * ? *)"
    assert found["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert found["State"] == "ENABLED"
    assert found["Target"]["Arn"] == shop.outputs["reconcile_queue_arn"]
    assert found["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 3


def test_a_one_time_schedule_fires_and_is_gone(shop: Any, eventually: Any) -> None:
    scheduler, sqs, mark = shop.aws("scheduler"), shop.aws("sqs"), f"once-{uuid.uuid4().hex[:10]}"
    due = datetime.now(UTC) + timedelta(seconds=1)
    scheduler.create_schedule(
        Name=mark,
        GroupName=shop.outputs["schedule_group"],
        ScheduleExpression=f"at({due:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={
            "Arn": shop.outputs["reconcile_queue_arn"],
            "RoleArn": shop.outputs["schedule_role_arn"],
            "Input": json.dumps({"do": mark}),
        },
    )

    def told() -> bool:
        answer = sqs.receive_message(
            QueueUrl=shop.outputs["reconcile_queue_url"], MaxNumberOfMessages=10, VisibilityTimeout=1
        )
        return any(json.loads(message["Body"])["do"] == mark for message in answer.get("Messages", ()))

    eventually(told, within_s=90, what="the scheduled message")

    def gone() -> bool:
        names = scheduler.list_schedules(GroupName=shop.outputs["schedule_group"])["Schedules"]
        return mark not in {one["Name"] for one in names}

    eventually(gone, within_s=60, what="the schedule deleted after it fired")
