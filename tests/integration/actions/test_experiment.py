"""What an experiment leaves behind besides its faults: logs, objects, events; and what it needs: a role."""

import json
import time
from typing import Any

import pytest

from tests.waiting import until

WAIT = {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1S"}}
FUNCTIONS = {
    "fns": {
        "resourceType": "aws:lambda:function",
        "resourceArns": ["arn:aws:lambda:us-east-1:000000000000:function:caller"],
        "selectionMode": "ALL",
    }
}
DELAY = {
    "actionId": "aws:lambda:invocation-add-delay",
    "parameters": {"duration": "PT1S", "startupDelayMilliseconds": "1"},
    "targets": {"Functions": "fns"},
    "startAfter": ["settle"],
}


@pytest.fixture
def destinations(aws: Any) -> dict[str, Any]:
    aws.client("logs").create_log_group(logGroupName="fis")
    aws.client("s3").create_bucket(Bucket="fis-logs")
    return {
        "logSchemaVersion": 2,
        "cloudWatchLogsConfiguration": {"logGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:fis:*"},
        "s3Configuration": {"bucketName": "fis-logs", "prefix": "drills"},
    }


def test_an_experiment_logs_in_the_schema_of_aws(aws: Any, caller: Any, destinations: dict[str, Any]) -> None:
    experiment = aws.start({"settle": WAIT, "slow": DELAY}, FUNCTIONS, logConfiguration=destinations)
    aws.wait(experiment, "completed")
    s3 = aws.client("s3")
    (key,) = until(lambda: [o["Key"] for o in s3.list_objects_v2(Bucket="fis-logs").get("Contents", ())])
    assert key.startswith(f"drills/AWSLogs/000000000000/fis/us-east-1/{experiment}/")
    records = [json.loads(line) for line in s3.get_object(Bucket="fis-logs", Key=key)["Body"].read().splitlines()]
    assert [r["log_type"] for r in records] == [
        "experiment-start",
        "target-resolution-start",
        "target-resolution-detail",
        "target-resolution-end",
        "action-start",
        "action-end",
        "action-start",
        "action-end",
        "experiment-end",
    ]
    assert {(r["id"], r["version"]) for r in records} == {(experiment, "2")}
    assert records[3]["details"]["resolved_targets"] == [{"arn": FUNCTIONS["fns"]["resourceArns"][0]}]
    assert records[6]["details"]["parameters"] == DELAY["parameters"]
    assert records[8]["details"]["experiment_state"]["status"] == "completed"
    logs, stream = aws.client("logs"), {"logGroupName": "fis", "logStreamName": f"/aws/fis/{experiment}"}
    assert until(lambda: [json.loads(e["message"]) for e in logs.get_log_events(**stream)["events"]] == records)


def test_a_destination_that_does_not_exist_fails_the_experiment(aws: Any) -> None:
    group = {"logGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:nowhere:*"}
    logs = {"logSchemaVersion": 2, "cloudWatchLogsConfiguration": group}
    shown = aws.wait(aws.start({"a": WAIT}, logConfiguration=logs), "failed")
    assert shown["state"]["error"]["code"] == "ConfigurationFailure"
    assert shown["actions"]["a"]["state"]["status"] == "cancelled"


def test_state_changes_are_events_on_the_default_bus(aws: Any) -> None:
    queue = aws.client("sqs").create_queue(QueueName="fis-events")["QueueUrl"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    aws.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    events = aws.client("events")
    events.put_rule(Name="fis", EventPattern=json.dumps({"source": ["aws.fis"]}))
    events.put_targets(Rule="fis", Targets=[{"Id": "1", "Arn": "arn:aws:sqs:us-east-1:000000000000:fis-events"}])
    experiment = aws.start({"a": WAIT})
    aws.wait(experiment, "completed")
    seen: list[dict[str, Any]] = []

    def received() -> set[str]:
        answer = aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        seen.extend(json.loads(m["Body"]) for m in answer.get("Messages", ()))
        return {e["detail"]["new-state"]["status"] for e in seen}

    assert until(lambda: received() == {"initiating", "running", "completed"}), seen
    assert {e["detail-type"] for e in seen} == {"FIS Experiment State Change"}
    assert {e["detail"]["experiment-id"] for e in seen} == {experiment}
    events.remove_targets(Rule="fis", Ids=["1"])
    events.delete_rule(Name="fis")


@pytest.mark.parametrize("name", ["nobody", "app/caller"])
def test_a_role_that_fis_may_not_assume_fails_the_experiment(aws: Any, caller: Any, name: str) -> None:
    shown = aws.wait(aws.start({"a": WAIT}, roleArn=f"arn:aws:iam::000000000000:role/{name}"), "failed")
    assert shown["state"]["error"]["code"] == "AuthorizationFailure"
    assert shown["state"]["reason"].startswith("Unable to assume role")
    assert shown["actions"]["a"]["state"]["status"] == "cancelled"


def test_actions_that_run_elsewhere_are_refused_or_skipped_by_name(aws: Any) -> None:
    tasks = {"t": {"resourceType": "aws:eks:cluster", "resourceTags": {"a": "b"}, "selectionMode": "ALL"}}
    parameters = dict.fromkeys(
        ("kubernetesApiVersion", "kubernetesKind", "kubernetesNamespace", "kubernetesSpec"), "x"
    )
    action = {
        "actionId": "aws:eks:inject-kubernetes-custom-resource",
        "parameters": {**parameters, "maxDuration": "PT1M"},
        "targets": {"Cluster": "t"},
    }
    with pytest.raises(
        aws.client("fis").exceptions.ValidationException, match="nearest: aws:lambda:invocation-error"
    ):
        aws.start({"a": action}, tasks)
    skip = {"emptyTargetResolutionMode": "skip"}
    shown = aws.wait(aws.start({"a": action, "b": WAIT}, tasks, experimentOptions=skip), "completed")
    assert shown["actions"]["a"]["state"]["status"] == "skipped"
    assert "does not carry it out" in shown["actions"]["a"]["state"]["reason"]
    assert shown["actions"]["b"]["state"]["status"] == "completed"


def test_regions_do_not_know_each_other(aws: Any) -> None:
    template = aws.template({"a": WAIT})
    west = aws.cloud.target.client("fis", region="us-west-2")
    assert template not in {t["id"] for t in west.list_experiment_templates()["experimentTemplates"]}
    east = aws.client("fis").get_experiment_template(id=template)["experimentTemplate"]
    assert east["arn"] == f"arn:aws:fis:us-east-1:000000000000:experiment-template/{template}"


def test_an_experiment_neither_hits_itself_nor_counts_as_recovery(aws: Any) -> None:
    ec2 = aws.client("ec2")
    instance = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    arn = f"arn:aws:ec2:us-east-1:000000000000:instance/{instance}"
    targets = {"t": {"resourceType": "aws:ec2:instance", "resourceArns": [arn], "selectionMode": "ALL"}}
    outage = {
        "service": "ec2",
        "operations": "DescribeInstances,StopInstances,StartInstances",
        "percentage": "100",
        "duration": "PT10M",
    }
    actions = {
        "outage": {"actionId": "aws:fis:inject-api-unavailable-error", "parameters": outage},
        "settle": WAIT,
        "stop": {
            "actionId": "aws:ec2:stop-instances",
            "parameters": {"startInstancesAfterDuration": "PT10M"},
            "targets": {"Instances": "t"},
            "startAfter": ["settle"],
        },
    }
    began_s = time.monotonic()
    experiment = aws.start(actions, targets)
    assert until(
        lambda: (
            aws.client("fis").get_experiment(id=experiment)["experiment"]["actions"]["stop"]["state"]["status"]
            == "running"
        )
    )
    with pytest.raises(ec2.exceptions.ClientError):
        ec2.describe_instances()
    aws.client("fis").stop_experiment(id=experiment)
    shown = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    assert shown["State"]["Name"] == "running"
    calls = aws.cloud.control.control_plane_calls(began_s, time.monotonic())
    assert [c["operation"] for c in calls if c["service"] == "ec2"] == []
    ec2.terminate_instances(InstanceIds=[instance])
    calls = aws.cloud.control.control_plane_calls(began_s, time.monotonic())
    assert [c["operation"] for c in calls if c["service"] == "ec2"] == ["TerminateInstances"]
