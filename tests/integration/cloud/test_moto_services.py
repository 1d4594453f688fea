"""The services that moto answers: the same port, account and region as ministack's, under the same gate."""

import subprocess
import sys
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.cloud.client import RunningCloud
from harness.cloud.faults import ApiError, FaultRule, Selector

TARGET = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/shop/web",
    "ScalableDimension": "ecs:service:DesiredCount",
}


def targets(client: Any) -> list[str]:
    return [
        found["ResourceId"] for found in client.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    ]


def test_a_service_of_moto_is_answered_with_account_and_region_of_the_call(cloud: RunningCloud) -> None:
    clients = [cloud.target.client("codecommit", region=region) for region in ("us-east-1", "us-west-2")]
    arns = [client.create_repository(repositoryName="shop")["repositoryMetadata"]["Arn"] for client in clients]
    account = cloud.target.account_id
    assert [arn.split(":")[3:5] for arn in arns] == [["us-east-1", account], ["us-west-2", account]]


def test_a_cloud_that_needs_no_moto_does_not_import_it() -> None:
    text = (
        "import sys; from harness.cloud import server, moto_services\n"
        "moto_services.MotoHost(None).services(); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout.split()
    assert "harness.cloud.moto_services" in loaded
    assert not {"moto", "responses", "werkzeug"} & set(loaded)


def test_a_target_of_a_service_that_lives_on_ministack_can_be_scaled(cloud: RunningCloud) -> None:
    client = cloud.target.client("application-autoscaling")
    client.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=4)
    assert targets(client) == ["service/shop/web"]


def test_a_pipeline_takes_a_role_that_lives_on_ministack(cloud: RunningCloud) -> None:
    client = cloud.target.client("codepipeline")
    stage = {
        "name": "Source",
        "actions": [
            {
                "name": "S",
                "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
                "configuration": {"S3Bucket": "artifacts", "S3ObjectKey": "k"},
                "outputArtifacts": [{"name": "o"}],
            }
        ],
    }
    pipeline = {
        "name": "p",
        "roleArn": "arn:aws:iam::000000000000:role/pipeline",
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "stages": [stage, {**stage, "name": "Deploy"}],
    }
    assert client.create_pipeline(pipeline=pipeline)["pipeline"]["name"] == "p"


def test_a_reset_empties_moto_too(cloud: RunningCloud) -> None:
    client = cloud.target.client("application-autoscaling")
    client.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=4)
    cloud.control.reset()
    assert targets(client) == []


def test_faults_reach_moto_as_they_reach_ministack(cloud: RunningCloud) -> None:
    client = cloud.target.client("xray", retries={"total_max_attempts": 1})
    rule = FaultRule(
        id="r",
        owner="test",
        selector=Selector(service="xray"),
        effect=ApiError(code="ThrottledException"),
        lease_s=30,
    )
    cloud.control.put_rule(rule)
    with pytest.raises(client.exceptions.ThrottledException):
        client.get_trace_summaries(StartTime=0, EndTime=1)


def test_an_operation_that_moto_lacks_is_refused_in_the_services_own_form(cloud: RunningCloud) -> None:
    client = cloud.target.client("codepipeline", retries={"total_max_attempts": 1})
    with pytest.raises(ClientError, match="lacks ListActionTypes of codepipeline") as caught:
        client.list_action_types()
    assert caught.value.response["Error"]["Code"] == "NotImplemented"
