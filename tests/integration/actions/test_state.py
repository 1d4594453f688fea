"""Actions on EC2 and alarms, through the cloud's own API; what AWS shows afterwards is shown here."""

import json
from typing import Any

import pytest


@pytest.fixture
def instance(aws: Any) -> Any:
    ec2 = aws.client("ec2")
    made = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    yield made
    ec2.terminate_instances(InstanceIds=[made])


def state(aws: Any, instance: str) -> str:
    found = aws.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return str(found["State"]["Name"])


def run(aws: Any, instance: str, identity: str, **parameters: str) -> str:
    arn = f"arn:aws:ec2:us-east-1:000000000000:instance/{instance}"
    targets = {"t": {"resourceType": "aws:ec2:instance", "resourceArns": [arn], "selectionMode": "ALL"}}
    action = {"actionId": identity, "parameters": parameters, "targets": {"Instances": "t"}}
    return str(aws.start({"a": action}, targets))


def test_instances_stop_and_start_again_also_on_stop(aws: Any, instance: str) -> None:
    experiment = run(aws, instance, "aws:ec2:stop-instances", startInstancesAfterDuration="PT1S")
    aws.wait(experiment, "completed")
    assert state(aws, instance) == "running"
    experiment = run(aws, instance, "aws:ec2:stop-instances", startInstancesAfterDuration="PT10M")
    aws.wait(experiment, "running")
    assert state(aws, instance) in {"stopping", "stopped"}
    aws.client("fis").stop_experiment(id=experiment)
    assert state(aws, instance) == "running"


@pytest.mark.parametrize(("flag", "end"), [("false", "failed"), ("true", "completed")])
def test_an_instance_that_vanished_fails_unless_that_was_expected(aws: Any, flag: str, end: str) -> None:
    ec2 = aws.client("ec2")
    for duration in ("PT1S", "PT10S", "PT40S"):  # so long that it vanishes while the experiment runs
        instance = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        experiment = run(
            aws,
            instance,
            "aws:ec2:stop-instances",
            startInstancesAfterDuration=duration,
            completeIfInstancesTerminated=flag,
        )
        aws.wait(experiment, "running", "completed")
        ec2.terminate_instances(InstanceIds=[instance])
        if aws.status(experiment) == "running":
            break
    shown = aws.wait(experiment, "failed", "completed")
    assert shown["state"]["status"] == end
    if end == "failed":
        assert shown["state"]["error"]["code"] == "InvalidTarget"
        assert instance in shown["actions"]["a"]["state"]["reason"]


def test_instances_are_rebooted_and_terminated(aws: Any, instance: str) -> None:
    aws.wait(run(aws, instance, "aws:ec2:reboot-instances"), "completed")
    assert state(aws, instance) == "running"
    aws.wait(run(aws, instance, "aws:ec2:terminate-instances"), "completed")
    assert state(aws, instance) in {"shutting-down", "terminated"}


@pytest.mark.parametrize(
    ("identity", "parameters"),
    [
        ("aws:ebs:pause-volume-io", {"duration": "PT1S"}),
        ("aws:ebs:volume-io-latency", {"duration": "PT1S", "readIOPercentage": "50"}),
    ],
)
def test_volumes_are_found_and_nothing_more(aws: Any, identity: str, parameters: dict[str, str]) -> None:
    ec2 = aws.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    arn = f"arn:aws:ec2:us-east-1:000000000000:volume/{volume}"
    targets = {"t": {"resourceType": "aws:ec2:ebs-volume", "resourceArns": [arn], "selectionMode": "ALL"}}
    action = {"actionId": identity, "parameters": parameters, "targets": {"Volumes": "t"}}
    experiment = aws.start({"a": action}, targets)
    aws.wait(experiment, "completed")
    noted = [e for e in aws.cloud.control.evidence(owner=experiment) if e.kind == "state_only"]
    assert [e.detail["resource"] for e in noted] == [arn]
    ec2.delete_volume(VolumeId=volume)


@pytest.fixture
def alarm(aws: Any) -> Any:
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="orders-5xx",
        Namespace="orders",
        MetricName="errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    cloudwatch.set_alarm_state(AlarmName="orders-5xx", StateValue="OK", StateReason="test")
    yield "arn:aws:cloudwatch:us-east-1:000000000000:alarm:orders-5xx"
    cloudwatch.delete_alarms(AlarmNames=["orders-5xx"])


def set_state(aws: Any, value: str) -> None:
    aws.client("cloudwatch").set_alarm_state(AlarmName="orders-5xx", StateValue=value, StateReason="test")


def test_an_alarm_stops_a_running_experiment_within_a_second(aws: Any, alarm: str) -> None:
    conditions = [{"source": "aws:cloudwatch:alarm", "value": alarm}]
    wait = {"actionId": "aws:fis:wait", "parameters": {"duration": "PT10M"}}
    experiment = aws.start({"a": wait}, stopConditions=conditions)
    aws.wait(experiment, "running")
    set_state(aws, "ALARM")
    shown = aws.wait(experiment, "stopped")
    assert shown["state"]["reason"] == "Experiment halted by stop condition."
    assert shown["actions"]["a"]["state"]["status"] == "stopped"
    already = aws.wait(aws.start({"a": wait}, stopConditions=conditions), "stopped")
    assert already["actions"]["a"]["state"]["status"] == "cancelled"


def test_an_alarm_that_does_not_exist_fails_the_experiment(aws: Any) -> None:
    value = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:nobody"
    wait = {"actionId": "aws:fis:wait", "parameters": {"duration": "PT10M"}}
    experiment = aws.start({"a": wait}, stopConditions=[{"source": "aws:cloudwatch:alarm", "value": value}])
    shown = aws.wait(experiment, "failed")
    assert shown["state"]["error"]["code"] == "ConfigurationFailure"
    assert "nobody" in shown["state"]["reason"]


def test_an_alarm_is_asserted(aws: Any, alarm: str) -> None:
    action = {
        "actionId": "aws:cloudwatch:assert-alarm-state",
        "parameters": {"alarmArns": alarm, "alarmStates": "OK,INSUFFICIENT_DATA"},
    }
    aws.wait(aws.start({"a": action}), "completed")
    set_state(aws, "ALARM")
    shown = aws.wait(aws.start({"a": action}), "failed")
    assert shown["actions"]["a"]["state"]["reason"] == "orders-5xx is in ALARM, not in OK or INSUFFICIENT_DATA"


def test_an_instance_is_in_the_zone_of_its_subnet(aws: Any, vpc: Any) -> None:
    ec2 = aws.client("ec2")
    made = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=vpc.there)["Instances"][0]
    assert made["Placement"]["AvailabilityZone"] == "us-east-1b"
    ec2.terminate_instances(InstanceIds=[made["InstanceId"]])


def test_a_tables_policy_is_obeyed(aws: Any, caller: Any) -> None:
    table = aws.client("dynamodb").create_table(
        TableName="guarded",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]["TableArn"]

    def get() -> str:
        return str(caller("dynamodb", "get_item", TableName="guarded", Key={"id": {"S": "1"}}))

    assert get() == "ok"
    deny = {"Effect": "Deny", "Principal": "*", "Action": "dynamodb:GetItem", "Resource": table}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    aws.client("dynamodb").put_resource_policy(ResourceArn=table, Policy=policy)
    assert get() == "AccessDeniedException"
    aws.client("dynamodb").delete_resource_policy(ResourceArn=table)
    assert get() == "ok"


def test_a_role_may_be_let_at_one_service_of_a_cluster(aws: Any) -> None:
    aws.client("ecs").create_cluster(clusterName="shared")
    mine = "arn:aws:ecs:us-east-1:000000000000:service/shared/mine"
    allow = {"Effect": "Allow", "Action": "ecs:UpdateService", "Resource": mine}
    aws.client("iam").put_role_policy(
        RoleName="caller",
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    try:
        role = aws.client("sts").assume_role(
            RoleArn="arn:aws:iam::000000000000:role/app/caller", RoleSessionName="narrow"
        )["Credentials"]
        keys = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        given = dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), keys, strict=True))
        ecs = aws.cloud.target.client("ecs", role={name: role[key] for name, key in given.items()})
        for service, says in (("mine", "ServiceNotFoundException"), ("other", "AccessDeniedException")):
            found = aws.code_of(
                lambda name=service: ecs.update_service(cluster="shared", service=name, desiredCount=1)
            )
            assert found == says
    finally:
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        aws.client("iam").put_role_policy(
            RoleName="caller",
            PolicyName="all",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
        )
