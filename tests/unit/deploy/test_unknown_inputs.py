"""In a preview much is not known yet; what is not known yet is given all the same."""

from pathlib import Path
from typing import Any

import pytest

from harness.deploy.engine.values import UNKNOWN
from harness.deploy.providers.aws import registry
from harness.deploy.providers.resource import CheckError, Context
from harness.target import endpoint_target


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(
        target=endpoint_target("http://127.0.0.1:9", regions=["eu-west-1"]),
        region="eu-west-1",
        account_id="0" * 12,
        urn="urn:pulumi:dev::shop::x::thing",
        name="thing",
        folder=tmp_path,
        clients=lambda _service, _region: pytest.fail("no cloud is needed"),
    )


@pytest.mark.parametrize(
    ("token", "inputs", "key"),
    [
        ("aws:lambda/function:Function", {"role": "r", "packageType": "Image"}, "imageUri"),
        ("aws:cloudwatch/eventRule:EventRule", {}, "eventPattern"),
        (
            "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
            {"destination": "extended_s3"},
            "extendedS3Configuration",
        ),
        ("aws:secretsmanager/secretRotation:SecretRotation", {"secretId": "s"}, "rotationRules"),
    ],
)
def test_an_unknown_input_is_not_a_missing_one(
    context: Context, token: str, inputs: dict[str, Any], key: str
) -> None:
    handler = registry().resources[token]
    assert handler.check(context, {**inputs, key: UNKNOWN}, None)[key] is UNKNOWN
    with pytest.raises(CheckError, match="is required"):
        handler.check(context, inputs, None)


def test_an_unknown_key_is_not_the_resources_name(context: Context) -> None:
    handler = registry().resources["aws:s3/bucketObjectv2:BucketObjectv2"]
    assert handler.check(context, {"bucket": "b", "key": UNKNOWN}, None)["key"] is UNKNOWN
    assert handler.check(context, {"bucket": "b"}, None)["key"] == "thing"


def test_broken_json_is_an_error_of_the_program(context: Context) -> None:
    handler = registry().resources["aws:iam/role:Role"]
    with pytest.raises(CheckError, match="assumeRolePolicy: is not JSON: Expecting value: line 1 column 15"):
        handler.check(context, {"assumeRolePolicy": '{"Statement": '}, None)
