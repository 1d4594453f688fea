"""Keys: what a grant allows, and whom services ask for the key that a call names."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.delivery.clerks import ANYBODY, allow, clients_of, role


def refused(call: Callable[[], Any], what: str) -> None:
    with pytest.raises(ClientError) as denied:
        call()
    told = denied.value.response["Error"]
    assert (what in told["Message"], "AccessDenied" in told["Code"]) == (True, True), told


def test_a_grant_allows_what_it_says_until_it_is_retired_and_nothing_else(shop: Any) -> None:
    ours = shop.cloud.target.client("kms")
    key = ours.create_key()["KeyMetadata"]["Arn"]
    clerk = role(shop, "clerk", ANYBODY)
    allow(shop, "clerk", "kms:ListAliases")
    theirs = clients_of(shop, clerk)("kms")
    context = {"shop": "orders"}
    sealed = ours.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]

    def decrypt() -> Any:
        return theirs.decrypt(CiphertextBlob=sealed, EncryptionContext=context)["Plaintext"]

    refused(decrypt, f"not authorized to perform: kms:Decrypt on resource: {key}")
    granted = {"KeyId": key, "GranteePrincipal": clerk, "Operations": ["Decrypt", "CreateGrant", "RetireGrant"]}
    other = ours.create_grant(**granted, Constraints={"EncryptionContextEquals": {"shop": "other"}})["GrantId"]
    refused(decrypt, "kms:Decrypt")
    ours.revoke_grant(KeyId=key, GrantId=other)
    subset = {"EncryptionContextSubset": context}
    grant = ours.create_grant(**granted, Constraints=subset)
    assert decrypt() == b"x"
    refused(lambda: theirs.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context), "kms:Encrypt")
    handed_on = {"KeyId": key, "GranteePrincipal": shop.role, "Constraints": subset}
    refused(lambda: theirs.create_grant(**handed_on, Operations=["Encrypt"]), "kms:CreateGrant")
    assert theirs.create_grant(**handed_on, Operations=["Decrypt"])["GrantId"]
    allow(shop, "clerk", "kms:ListAliases", also=[{"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"}])
    refused(decrypt, "explicit deny")
    allow(shop, "clerk", "kms:ListAliases")
    theirs.retire_grant(GrantToken=grant["GrantToken"])
    refused(decrypt, "kms:Decrypt")


def test_an_alias_is_no_resource_of_what_its_key_does(shop: Any) -> None:
    ours = shop.cloud.target.client("kms")
    key = ours.create_key()["KeyMetadata"]["Arn"]
    ours.create_alias(AliasName="alias/first", TargetKeyId=key)
    theirs = clients_of(shop, role(shop, "clerk", ANYBODY))("kms")
    allow(shop, "clerk", "kms:*", resource=f"{key.rpartition(':')[0]}:alias/first")
    refused(lambda: theirs.encrypt(KeyId="alias/first", Plaintext=b"x"), f"kms:Encrypt on resource: {key}")
    allow(shop, "clerk", "kms:Encrypt", resource=key)
    theirs.encrypt(KeyId="alias/first", Plaintext=b"x")


def test_the_key_that_a_call_names_is_asked_of_its_caller(shop: Any) -> None:
    ours = shop.cloud.target.client
    key, other = (ours("kms").create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    as_clerk = clients_of(shop, role(shop, "clerk", ANYBODY))
    s3, ssm = as_clerk("s3"), as_clerk("ssm")
    ours("s3").create_bucket(Bucket="named")
    for name in ("open", "closed"):
        ours("ssm").put_parameter(Name=f"/shop/{name}", Value="x", Type="SecureString", KeyId=key)
    named = {"Bucket": "named", "Key": "gold", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    secure = {"Name": "/shop/new", "Value": "x", "Type": "SecureString", "KeyId": key, "Overwrite": True}
    function = {
        "FunctionName": "sealed", "Role": shop.role, "Handler": "app.handler", "Runtime": "python3.12",
        "Code": {"ZipFile": b"PK\x05\x06" + b"\0" * 18}, "KMSKeyArn": key,
    }  # fmt: skip
    uses: dict[str, Callable[[], Any]] = {
        "kms:GenerateDataKey": lambda: s3.put_object(**named, Body=b"x"),
        "kms:Decrypt": lambda: s3.create_multipart_upload(**named),
        "kms:Encrypt": lambda: ssm.put_parameter(**secure),
        "kms:Decrypt ": lambda: ssm.get_parameter(Name="/shop/open", WithDecryption=True),
        "kms:Decrypt  ": lambda: ssm.get_parameters(Names=["/shop/open", "/shop/closed"], WithDecryption=True),
        "kms:Decrypt   ": lambda: ssm.get_parameters_by_path(Path="/shop", WithDecryption=True),
        "kms:CreateGrant": lambda: as_clerk("lambda").create_function(**function),
    }
    all_uses = {what.strip() for what in uses}
    may = ("s3:*", "ssm:*", "lambda:*", "iam:PassRole")
    for what, use in uses.items():
        key_of = {"Effect": "Allow", "Action": sorted(all_uses - {what.strip()}), "Resource": key}
        allow(shop, "clerk", *may, also=[key_of])
        refused(use, f"not authorized to perform: {what.strip()} on resource: {key}")
        allow(shop, "clerk", *may, also=[key_of | {"Action": sorted(all_uses)}])
        use()
    assert ssm.get_parameter(Name="/shop/open")["Parameter"]["Value"] != "x"
    allow(shop, "clerk", "ssm:GetParameter*", resource="arn:aws:ssm:us-east-1:000000000000:parameter/shop/open")
    refused(lambda: ssm.get_parameters(Names=["/shop/open", "/shop/closed"]), "parameter/shop/closed")
    s3 = ours("s3")
    s3.put_object(**(named | {"SSEKMSKeyId": other}), Body=b"x")


def test_a_log_group_takes_a_key_that_lets_cloudwatch_logs_use_it(shop: Any) -> None:
    kms, logs = shop.cloud.target.client("kms"), shop.cloud.target.client("logs")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    group = "arn:aws:logs:us-east-1:000000000000:log-group:sealed"
    told = f"does not exist or is not allowed to be used with Arn '{group}'"
    refused(lambda: logs.create_log_group(logGroupName="sealed", kmsKeyId=key), told)
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "Resource": "*",
        "Condition": {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": group}},
    }
    policy["Statement"].append(statement)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    logs.create_log_group(logGroupName="sealed", kmsKeyId=key)
    refused(lambda: logs.create_log_group(logGroupName="open", kmsKeyId=key), told.replace("sealed", "open"))
