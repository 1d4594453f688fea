"""A rotation calls its function for each step; one that fails leaves the current value in place."""

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.waiting import until

CODE = """
import boto3
def handler(event, _):
    secrets, step = boto3.client('secretsmanager'), event['Step']
    secret, token = event['SecretId'], event['ClientRequestToken']
    if step == 'createSecret':
        try:
            secrets.get_secret_value(SecretId=secret, VersionId=token, VersionStage='AWSPENDING')
        except secrets.exceptions.ResourceNotFoundException:
            secrets.put_secret_value(
                SecretId=secret, ClientRequestToken=token, SecretString='new', VersionStages=['AWSPENDING'])
    if step == 'testSecret' and 'broken' in secret:
        raise ValueError('the new one does not work')
    if step == 'finishSecret':
        stages = secrets.describe_secret(SecretId=secret)['VersionIdsToStages']
        old = next(version for version, labels in stages.items() if 'AWSCURRENT' in labels)
        secrets.update_secret_version_stage(
            SecretId=secret, VersionStage='AWSCURRENT', MoveToVersionId=token, RemoveFromVersionId=old)
"""


@pytest.fixture
def rotating(cloud: Any) -> str:
    """The ARN of a rotation function."""
    iam = cloud.target.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="rotates", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName="rotates", PolicyName="own", PolicyDocument=policy)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("app.py", CODE)
    found = cloud.target.client("lambda").create_function(
        FunctionName="rotates",
        Runtime="python3.12",
        Role=role,
        Handler="app.handler",
        Timeout=60,
        Code={"ZipFile": archive.getvalue()},
    )
    return str(found["FunctionArn"])


def test_the_new_value_is_current_once_the_function_says_so(cloud: Any, rotating: str) -> None:
    secrets = cloud.target.client("secretsmanager")
    secrets.create_secret(Name="good", SecretString="old")
    token = secrets.rotate_secret(SecretId="good", RotationLambdaARN=rotating)["VersionId"]
    assert until(lambda: secrets.get_secret_value(SecretId="good")["SecretString"] == "new")
    assert secrets.get_secret_value(SecretId="good")["VersionId"] == token
    assert secrets.get_secret_value(SecretId="good", VersionStage="AWSPREVIOUS")["SecretString"] == "old"


def test_a_secret_is_rotated_again_and_again(cloud: Any, rotating: str) -> None:
    secrets = cloud.target.client("secretsmanager")
    secrets.create_secret(Name="often", SecretString="old")
    for _ in range(3):
        token = secrets.rotate_secret(SecretId="often", RotationLambdaARN=rotating)["VersionId"]
        assert until(lambda t=token: secrets.get_secret_value(SecretId="often")["VersionId"] == t)


def test_a_new_value_that_does_not_work_never_becomes_current(cloud: Any, rotating: str) -> None:
    secrets = cloud.target.client("secretsmanager")
    secrets.create_secret(Name="broken", SecretString="old")
    token = secrets.rotate_secret(SecretId="broken", RotationLambdaARN=rotating)["VersionId"]
    assert until(lambda: token not in secrets.describe_secret(SecretId="broken")["VersionIdsToStages"])
    assert secrets.get_secret_value(SecretId="broken")["SecretString"] == "old"


def test_a_function_that_there_is_not_rotates_nothing(cloud: Any) -> None:
    secrets = cloud.target.client("secretsmanager")
    secrets.create_secret(Name="alone", SecretString="old")
    nobody = "arn:aws:lambda:us-east-1:000000000000:function:nobody"
    with pytest.raises(ClientError, match="cannot invoke the specified Lambda function"):
        secrets.rotate_secret(SecretId="alone", RotationLambdaARN=nobody)
    assert secrets.get_secret_value(SecretId="alone")["SecretString"] == "old"


def test_a_secret_whose_rotation_is_cancelled_keeps_its_value_and_says_so(cloud: Any, rotating: str) -> None:
    secrets = cloud.target.client("secretsmanager")
    secrets.create_secret(Name="ended", SecretString="old")
    secrets.rotate_secret(SecretId="ended", RotationLambdaARN=rotating, RotateImmediately=False)
    assert secrets.describe_secret(SecretId="ended")["RotationEnabled"]
    assert secrets.cancel_rotate_secret(SecretId="ended")["Name"] == "ended"
    assert not secrets.describe_secret(SecretId="ended")["RotationEnabled"]
    assert secrets.get_secret_value(SecretId="ended")["SecretString"] == "old"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        secrets.cancel_rotate_secret(SecretId="nobody")
