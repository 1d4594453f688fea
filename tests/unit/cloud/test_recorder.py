"""Control plane or data plane: what makes a recovery statically stable."""

from typing import Any

import pytest

from harness.cloud.call import AwsCall, Caller
from harness.cloud.recorder import Recorder, is_control_plane


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("lambda", "UpdateFunctionConfiguration"),
        ("ecs", "RunTask"),
        ("dynamodb", "CreateTable"),
        ("sns", "Subscribe"),
        ("rds", "FailoverDBCluster"),
        ("autoscaling", "SetDesiredCapacity"),
        ("s3", "PutBucketPolicy"),
        ("events", "PutRule"),
    ],
)
def test_changing_infrastructure_is_control_plane(service: str, operation: str) -> None:
    assert is_control_plane(service, operation)


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("dynamodb", "PutItem"),
        ("s3", "PutObject"),
        ("sqs", "SendMessage"),
        ("sqs", "DeleteMessage"),
        ("sns", "Publish"),
        ("events", "PutEvents"),
        ("lambda", "Invoke"),
        ("stepfunctions", "StartExecution"),
        ("sts", "AssumeRole"),
        ("fis", "StartExperiment"),
        ("execute-api", "Invoke"),
        ("ec2", "DescribeSubnets"),
    ],
)
def test_using_it_is_data_plane(service: str, operation: str) -> None:
    assert not is_control_plane(service, operation)


def test_calls_are_kept_with_their_instant_and_caller(clock: Any) -> None:
    recorder = Recorder(clock)
    call = AwsCall(
        service="lambda",
        operation="CreateFunction",
        region="us-east-1",
        account="000000000000",
        resource="f",
        caller=Caller(zone_id="use1-az1", function="deployer"),
    )
    assert recorder.wants("lambda", "CreateFunction")
    assert not recorder.wants("lambda", "Invoke")
    recorder.record(call)
    clock.at_s += 10
    recorder.record(call)
    assert [entry["at_s"] for entry in recorder.between(1000.0, 1005.0)] == [1000.0]
    assert recorder.between(0, 2000)[0]["caller"] == "deployer"
    recorder.clear()
    assert recorder.between(0, 2000) == []
