"""KMS, Secrets Manager, SSM, and the data sources that ask where and who we are."""

import base64
import json
from typing import Any

import pytest

from harness.deploy.providers import registry
from harness.deploy.providers.resource import CheckError

ROOT = {"AWS": "arn:aws:iam::000000000000:root"}
KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": ROOT, "Action": "kms:*", "Resource": "*"}],
}
SECRET_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": ROOT, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}],
}
KMS, SECRET, SSM = "aws:kms/", "aws:secretsmanager/", "aws:ssm/"

ROWS = {
    "key": (KMS + "key:Key", {
        "description": "orders", "enableKeyRotation": True, "policy": json.dumps(KEY_POLICY),
        "deletionWindowInDays": 7, "tags": {"a": "b"}}),
    "second": (KMS + "key:Key", {"multiRegion": True}),
    "signing": (KMS + "key:Key", {"keyUsage": "SIGN_VERIFY", "customerMasterKeySpec": "ECC_NIST_P256"}),
    "external": (KMS + "externalKey:ExternalKey", {
        "keyMaterialBase64": base64.b64encode(b"k" * 32).decode(), "description": "ours"}),
    "replica": (KMS + "replicaKey:ReplicaKey", {"primaryKeyArn": "${second.arn}", "region": "us-west-2"}),
    "alias": (KMS + "alias:Alias", {"targetKeyId": "${key}"}),
    "named": (KMS + "alias:Alias", {"name": "alias/orders", "targetKeyId": "${key.arn}"}),
    "policy": (KMS + "keyPolicy:KeyPolicy", {"keyId": "${second}", "policy": json.dumps(KEY_POLICY)}),
    "grant": (KMS + "grant:Grant", {
        "keyId": "${key}", "granteePrincipal": "arn:aws:iam::000000000000:role/x", "operations": ["Decrypt"]}),
    "cipher": (KMS + "ciphertext:Ciphertext", {"keyId": "${key}", "plaintext": "hunter2"}),
    "secret": (SECRET + "secret:Secret", {
        "description": "database", "kmsKeyId": "${key.arn}", "recoveryWindowInDays": 7, "tags": {"a": "b"}}),
    "plain": (SECRET + "secret:Secret", {"recoveryWindowInDays": 0, "policy": json.dumps(SECRET_POLICY)}),
    "value": (SECRET + "secretVersion:SecretVersion", {"secretId": "${secret}", "secretString": '{"password": "x"}'}),
    "binary": (SECRET + "secretVersion:SecretVersion", {
        "secretId": "${plain}", "secretBinary": base64.b64encode(b"\0x").decode(), "versionStages": ["AWSCURRENT"]}),
    "secretPolicy": (SECRET + "secretPolicy:SecretPolicy", {
        "secretArn": "${secret.arn}", "policy": json.dumps(SECRET_POLICY)}),
    "parameter": (SSM + "parameter:Parameter", {
        "type": "String", "value": "1", "description": "limit", "tags": {"a": "b"}}),
    "password": (SSM + "parameter:Parameter", {
        "name": "/shop/password", "type": "SecureString", "value": "x", "keyId": "${key.arn}"}),
    "list": (SSM + "parameter:Parameter", {"name": "/shop/zones", "type": "StringList", "value": "a,b"}),
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "key": {
        "description": "all orders",
        "enableKeyRotation": False,
        "policy": json.dumps({**KEY_POLICY, "Id": "second"}),
        "tags": {"c": "d"},
    },
    "signing": {"isEnabled": False},
    "replica": {"description": "west", "enabled": False},
    "alias": {"targetKeyId": "${second}"},
    "policy": {"policy": json.dumps({**KEY_POLICY, "Id": "second"})},
    "secret": {"description": "the database", "tags": {"a": "c"}},
    "plain": {"policy": json.dumps({**SECRET_POLICY, "Id": "second"})},
    "value": {"versionStages": ["AWSCURRENT", "live"]},
    "secretPolicy": {"policy": json.dumps({**SECRET_POLICY, "Id": "second"})},
    "parameter": {"value": "2", "description": "upper limit", "tags": {"c": "d"}},
    "password": {"value": "y"},
}


def test_keys_secrets_and_parameters(lives: Any) -> None:
    lives.run(ROWS, CHANGES)


def test_what_is_refused(lives: Any) -> None:
    for token, inputs, said in (
        (KMS + "alias:Alias", {"name": "orders", "targetKeyId": "k"}, "name: must begin with alias/"),
        (SSM + "parameter:Parameter", {"type": "String"}, "value: is required"),
        (SECRET + "secretRotation:SecretRotation", {"secretId": "s"}, "rotationRules: is required"),
    ):
        with pytest.raises(CheckError, match=said):
            lives.create("x", token, inputs)


def test_data_sources_find_and_decrypt(lives: Any) -> None:
    key = lives.create("key", KMS + "key:Key", {"multiRegion": False})
    lives.create("alias", KMS + "alias:Alias", {"name": "alias/a", "targetKeyId": "${key}"})
    lives.create("secret", SECRET + "secret:Secret", {"name": "db", "tags": {"a": "b"}})
    lives.create("v", SECRET + "secretVersion:SecretVersion", {"secretId": "${secret}", "secretString": "s3cret"})
    lives.create("p", SSM + "parameter:Parameter", {"name": "/a/b", "type": "SecureString", "value": "v"})
    cipher = lives.create("c", KMS + "ciphertext:Ciphertext", {"keyId": "${key}", "plaintext": "hi"})

    def ask(token: str, **arguments: Any) -> dict[str, Any]:
        name = token.rpartition("/")[2]
        return registry().invokes[f"aws:{token}:{name}"](key.context, arguments)

    assert ask("kms/getKey", keyId="alias/a")["arn"] == key.outputs["arn"]
    assert ask("kms/getAlias", name="alias/a")["targetKeyId"] == key.id
    secrets = [{"name": "x", "payload": cipher.outputs["ciphertextBlob"]}]
    assert ask("kms/getSecrets", secrets=secrets)["plaintext"] == {"x": "hi"}
    assert ask("secretsmanager/getSecret", name="db")["tags"] == {"a": "b"}
    assert ask("secretsmanager/getSecretVersion", secretId="db")["secretString"] == "s3cret"
    drawn = ask("secretsmanager/getRandomPassword", passwordLength=40, excludePunctuation=True)["randomPassword"]
    assert len(drawn) == 40
    assert drawn.isalnum()
    assert ask("ssm/getParameter", name="/a/b")["value"] == "v"
    assert ask("ssm/getParametersByPath", path="/a")["names"] == ["/a/b"]
    assert ask("index/getCallerIdentity")["accountId"] == "000000000000"
    assert ask("index/getRegion", endpoint="ec2.eu-west-1.amazonaws.com")["description"] == "Europe (Ireland)"
    assert "us-east-1" in ask("index/getRegions")["names"]
    assert ask("index/getService", serviceId="s3")["reverseDnsName"] == "com.amazonaws.us-east-1.s3"
    assert ask("index/getService", dnsName="s3.eu-west-1.amazonaws.com")["region"] == "eu-west-1"
    assert ask("index/getServicePrincipal", serviceName="s3")["name"] == "s3.amazonaws.com"
    assert ask("index/getArn", arn="arn:aws:s3:::b/c:d")["resource"] == "b/c:d"
