"""Partners' messages are signed: the key is rotated while everybody works on, and nobody else can read it."""

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = [pytest.mark.part("partners"), pytest.mark.blackstart_covers("lambda", "secretsmanager")]


def ask(shop: Any, **event: str) -> Any:
    function = shop.outputs["partner_function"]
    answer = shop.aws("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    assert "FunctionError" not in answer, answer["Payload"].read()
    return json.load(answer["Payload"])


@pytest.mark.blackstart_requires("secret-rotation")
def test_the_key_is_rotated_without_downtime(shop: Any, eventually: Any) -> None:
    """Signatures of before stay good after one rotation; new ones are made with the new key all along."""
    secrets, secret, text = shop.aws("secretsmanager"), shop.outputs["partner_secret_arn"], uuid.uuid4().hex
    before = ask(shop, text=text)["signature"]
    assert ask(shop, text=text, signature=before) == {"good": True}
    token = secrets.rotate_secret(SecretId=secret)["VersionId"]

    def rotated() -> bool:
        assert ask(shop, text=text, signature=before) == {"good": True}  # also in the middle of it
        return "AWSCURRENT" in secrets.describe_secret(SecretId=secret)["VersionIdsToStages"].get(token, ())

    eventually(rotated, within_s=60, what="the new key current")
    after = ask(shop, text=text)["signature"]
    assert after != before
    assert ask(shop, text=text, signature=before) == {"good": True}
    assert ask(shop, text=text, signature=after) == {"good": True}
    assert ask(shop, text=text, signature=after.replace(after[0], "x")) == {"good": False}


def test_the_key_is_kept_under_a_key_of_its_own_that_rotates(shop: Any) -> None:
    secret = shop.aws("secretsmanager").describe_secret(SecretId=shop.outputs["partner_secret_arn"])
    assert secret["KmsKeyId"] == shop.outputs["partner_key_arn"]
    assert secret["RotationRules"]["AutomaticallyAfterDays"] == 30
    assert shop.aws("kms").get_key_rotation_status(KeyId=shop.outputs["partner_key_arn"])["KeyRotationEnabled"]


@pytest.mark.blackstart_requires("iam")
def test_a_call_that_nobody_allowed_is_denied(shop: Any, blackstart_stack: Any) -> None:
    """Somebody whose role may list buckets reads no secret: what is not allowed is forbidden."""
    iam, sts, name = shop.aws("iam"), shop.aws("sts"), f"guest-{uuid.uuid4().hex[:8]}"
    account = sts.get_caller_identity()["Account"]
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)
    given = sts.assume_role(RoleArn=role, RoleSessionName="guest")["Credentials"]
    credentials = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    guest = blackstart_stack.target.client("secretsmanager", role=credentials)
    with pytest.raises(ClientError) as denied:
        guest.get_secret_value(SecretId=shop.outputs["partner_secret_arn"])
    assert denied.value.response["Error"]["Code"] == "AccessDeniedException"
    assert blackstart_stack.target.client("s3", role=credentials).list_buckets()["Buckets"]
    iam.delete_role_policy(RoleName=name, PolicyName="own")
    iam.delete_role(RoleName=name)
