"""EventBridge Scheduler under its role, and dead letters that are moved back, over the wire."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.waiting import until


def new_queue(sqs: Any, name: str, **attributes: str) -> tuple[str, str]:
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def bodies(sqs: Any, url: str) -> list[str]:
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", ())
    return [message["Body"] for message in found]


@pytest.fixture
def sqs(cloud: Any) -> Any:
    return cloud.target.client("sqs")


def role(cloud: Any, *actions: str) -> str:
    iam = cloud.target.client("iam")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "scheduler.amazonaws.com"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName="teller", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    if actions:
        allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        iam.put_role_policy(RoleName="teller", PolicyName="own", PolicyDocument=policy)
    return str(arn)


def schedule(cloud: Any, queue: str, role_arn: str, letters: str) -> None:
    cloud.target.client("scheduler").create_schedule(
        Name="once",
        ScheduleExpression="at(2020-01-01T00:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={
            "Arn": queue,
            "RoleArn": role_arn,
            "Input": "hello",
            "RetryPolicy": {"MaximumRetryAttempts": 0},
            "DeadLetterConfig": {"Arn": letters},
        },
    )


def test_a_schedule_sends_under_its_role_and_is_gone(cloud: Any, sqs: Any) -> None:
    (url, arn), (lost, lost_arn) = new_queue(sqs, "told"), new_queue(sqs, "lost")
    schedule(cloud, arn, role(cloud, "sqs:SendMessage"), lost_arn)
    assert until(lambda: bodies(sqs, url) == ["hello"])
    assert until(lambda: cloud.target.client("scheduler").list_schedules()["Schedules"] == [])
    assert bodies(sqs, lost) == []


def test_a_role_that_may_not_send_sends_nothing(cloud: Any, sqs: Any) -> None:
    (url, arn), (lost, lost_arn) = new_queue(sqs, "told"), new_queue(sqs, "lost")
    schedule(cloud, arn, role(cloud), lost_arn)
    assert until(lambda: bodies(sqs, lost) == ["hello"])
    assert bodies(sqs, url) == []


def test_dead_letters_go_back_to_where_they_came_from(cloud: Any, sqs: Any) -> None:
    lost, lost_arn = new_queue(sqs, "lost")
    policy = json.dumps({"deadLetterTargetArn": lost_arn, "maxReceiveCount": 1})
    url, _ = new_queue(sqs, "work", RedrivePolicy=policy, VisibilityTimeout="0")
    sqs.send_message(QueueUrl=url, MessageBody="hard")
    assert until(lambda: (bodies(sqs, url), bodies(sqs, lost))[1] == ["hard"])
    sqs.start_message_move_task(SourceArn=lost_arn)
    assert until(lambda: sqs.list_message_move_tasks(SourceArn=lost_arn)["Results"][0]["Status"] == "COMPLETED")
    assert bodies(sqs, lost) == []
    assert sqs.list_message_move_tasks(SourceArn=lost_arn)["Results"][0]["ApproximateNumberOfMessagesMoved"] == 1
    (message,) = sqs.receive_message(QueueUrl=url, AttributeNames=["ApproximateReceiveCount"])["Messages"]
    assert (message["Body"], message["Attributes"]["ApproximateReceiveCount"]) == ("hard", "1")


def test_only_dead_letter_queues_are_moved_from(cloud: Any, sqs: Any) -> None:
    _, arn = new_queue(sqs, "plain")
    with pytest.raises(ClientError, match="must be configured as a Dead Letter Queue"):
        sqs.start_message_move_task(SourceArn=arn)
