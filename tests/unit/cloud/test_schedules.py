"""When schedules are due, in their own time zone, and what they do then."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.cloud.schedules.delivery import Delivery, call_of
from harness.cloud.schedules.due import is_once, next_due_s

QUEUE = "arn:aws:sqs:us-east-1:000000000000:reconcile"


def instant(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def at_half_past_two(_expression: str, local: datetime) -> datetime:
    """As cron(30 2 * * ? *) would."""
    today = local.replace(hour=2, minute=30, second=0, microsecond=0)
    return today if today > local else today + timedelta(days=1)


def due(expression: str, timezone: str, since: str) -> float | None:
    return next_due_s(expression, timezone, since_s=instant(since), next_match=at_half_past_two)


def test_at_is_read_in_the_schedules_time_zone() -> None:
    assert due("at(2026-07-01T12:00:00)", "Europe/Berlin", "2026-01-01T00:00:00") == instant("2026-07-01T10:00:00")
    assert due("at(2026-07-01T12:00:00)", "", "2026-01-01T00:00:00") == instant("2026-07-01T12:00:00")


def test_at_that_is_past_is_due_now_and_not_never() -> None:
    assert due("at(2026-01-01T00:00:00)", "UTC", "2026-06-01T00:00:00") == instant("2026-01-01T00:00:00")


@pytest.mark.parametrize(("expression", "after_s"), [("rate(1 minute)", 60), ("rate(2 hours)", 7200)])
def test_rate_counts_from_the_last_time(expression: str, after_s: int) -> None:
    since = "2026-01-01T00:00:00"
    assert due(expression, "UTC", since) == instant(since) + after_s


def test_cron_moves_with_summer_time() -> None:
    cron = "cron(30 2 * * ? *)"
    assert due(cron, "Europe/Berlin", "2026-01-10T00:00:00") == instant("2026-01-10T01:30:00")
    assert due(cron, "Europe/Berlin", "2026-07-10T00:00:00") == instant("2026-07-10T00:30:00")


def test_only_at_fires_once() -> None:
    assert is_once("at(2026-01-01T00:00:00)")
    assert not is_once("rate(1 day)")


def test_every_kind_of_target_is_a_call() -> None:
    fifo = {"Arn": f"{QUEUE}.fifo", "Input": "{}", "SqsParameters": {"MessageGroupId": "g"}}
    found = call_of(fifo)
    assert found is not None
    assert (found.service, found.operation, found.arguments["MessageGroupId"]) == ("sqs", "send_message", "g")
    universal = call_of({"Arn": "arn:aws:scheduler:::aws-sdk:dynamodb:putItem", "Input": '{"TableName": "t"}'})
    assert universal is not None
    assert (universal.operation, universal.arguments) == ("put_item", {"TableName": "t"})
    assert call_of({"Arn": "arn:aws:glue:us-east-1:000000000000:job/x"}) is None


class Queue:
    """A client that refuses the first calls."""

    def __init__(self, refuses: int) -> None:
        self.refuses, self.sent = refuses, []

    def send_message(self, **arguments: Any) -> None:
        if self.refuses:
            self.refuses -= 1
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "SendMessage")
        self.sent.append(arguments)


def delivered(queue: Queue, retries: int) -> list[tuple[str, str]]:
    """Deliver once; returns what went to the dead letters."""
    letters: list[tuple[str, str]] = []
    delivery = Delivery(send=lambda arn, text, _: letters.append((arn, text)), endpoint="http://cloud")
    delivery.stopped.wait = lambda _timeout: False  # type: ignore[method-assign] # no waiting between attempts
    target = {"Arn": QUEUE, "Input": "hello", "RetryPolicy": {"MaximumRetryAttempts": retries}}
    delivery.deliver({"Name": "s", "Target": {**target, "DeadLetterConfig": {"Arn": "dlq"}}}, lambda _service: queue)
    return letters


def test_a_call_that_fails_is_made_again_as_often_as_the_policy_says() -> None:
    queue = Queue(refuses=2)
    assert delivered(queue, retries=2) == []
    assert [sent["MessageBody"] for sent in queue.sent] == ["hello"]
    assert queue.sent[0]["QueueUrl"] == "http://cloud/000000000000/reconcile"


def test_what_cannot_be_delivered_goes_to_the_dead_letters() -> None:
    queue = Queue(refuses=3)
    assert delivered(queue, retries=2) == [("dlq", "hello")]
    assert queue.sent == []
