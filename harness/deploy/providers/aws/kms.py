"""KMS: keys, their policies, aliases, grants, replicas and imported material; data that is decrypted for programs."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.iam import told_json
from harness.deploy.providers.aws.tags import KEYS
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties

_DELETION_DAYS = 30  # the provider's default waiting time
_POLICY = "default"  # the only name that a key's policy can have


class _Key(Declared):
    """What keys of every origin share; the id is the key's. A key in its waiting time counts as gone."""

    service: ClassVar[str] = "kms"
    creates: ClassVar[str] = "CreateKey"
    reads: ClassVar[str] = "DescribeKey"
    key: ClassVar = {"KeyId": "id"}
    id_from: ClassVar[str] = "KeyMetadata.KeyId"
    body: ClassVar[str] = "KeyMetadata"
    tagging: ClassVar = KEYS
    json_keys: ClassVar = frozenset({"policy"})
    enabled: ClassVar[str] = "enabled"

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it; rotation and state are set afterwards."""
        resource_id = str(super().make(context, inputs))
        self._switch(context, resource_id, {}, inputs)
        return resource_id

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """The key's metadata."""
        body = super().ask(context, resource_id, inputs)
        return None if body is None or "Deletion" in str(body.get("KeyState")) else body

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """State, policy, rotation."""
        client, symmetric = self.client(context), body.get("KeySpec") == "SYMMETRIC_DEFAULT"
        policy = client.get_key_policy(KeyId=resource_id, PolicyName=_POLICY)["Policy"]
        told: Properties = {self.enabled: body["Enabled"], "policy": policy_text(inputs.get("policy"), policy)}
        if "enableKeyRotation" in inputs and symmetric:
            rotation = client.get_key_rotation_status(KeyId=resource_id)
            told["enableKeyRotation"] = rotation["KeyRotationEnabled"]
            if rotation["KeyRotationEnabled"]:
                told["rotationPeriodInDays"] = rotation.get("RotationPeriodInDays")
        return told

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Description, policy, state, rotation."""
        client, changed = self.client(context), roots(olds, news)
        if "description" in changed:
            client.update_key_description(KeyId=resource_id, Description=news.get("description") or "")
        if "policy" in changed and news.get("policy"):
            client.put_key_policy(KeyId=resource_id, PolicyName=_POLICY, Policy=news["policy"])
        self._switch(context, resource_id, olds, news)

    def tag_target(self, resource_id: str, state: Properties) -> str:
        """Keys are tagged by id."""
        return resource_id

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Its waiting time begins."""
        days = int(state.get("deletionWindowInDays") or _DELETION_DAYS)
        if self.ask(context, resource_id, state) is not None:
            self.client(context).schedule_key_deletion(KeyId=resource_id, PendingWindowInDays=days)

    def _switch(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        client = self.client(context)
        rotates, period = news.get("enableKeyRotation"), news.get("rotationPeriodInDays")
        if rotates and (not olds.get("enableKeyRotation") or olds.get("rotationPeriodInDays") != period):
            client.enable_key_rotation(KeyId=resource_id, **({"RotationPeriodInDays": int(period)} if period else {}))
        if olds.get("enableKeyRotation") and not rotates:
            client.disable_key_rotation(KeyId=resource_id)
        if olds.get(self.enabled, True) != news.get(self.enabled, True):
            method = client.enable_key if news.get(self.enabled, True) else client.disable_key
            method(KeyId=resource_id)


def policy_text(given: Any, found: str) -> str:
    """A policy as AWS tells it in text; in the words in which it was given where it means the same."""
    return told_json(given, json.loads(found)) if given else found


class Key(_Key):
    """aws:kms/key:Key."""

    token: ClassVar = "aws:kms/key:Key"
    defaults: ClassVar = {
        "bypassPolicyLockoutSafetyCheck": False, "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "enableKeyRotation": False, "isEnabled": True, "keyUsage": "ENCRYPT_DECRYPT",
    }  # fmt: skip
    renames: ClassVar = {"customerMasterKeySpec": "KeySpec"}
    replace_on: ClassVar = frozenset(
        {"customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"}
    )
    enabled: ClassVar = "isEnabled"


class ExternalKey(_Key):
    """aws:kms/externalKey:ExternalKey: its material comes from the program."""

    token: ClassVar = "aws:kms/externalKey:ExternalKey"
    defaults: ClassVar = {"bypassPolicyLockoutSafetyCheck": False}
    replace_on: ClassVar = frozenset({"keyMaterialBase64", "multiRegion", "keySpec", "keyUsage"})
    secret_outputs: ClassVar = frozenset({"keyMaterialBase64"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it without material, then bring the material in."""
        made = self.send(context, "CreateKey", inputs, Origin="EXTERNAL", Tags=self.wire_tags(context, inputs))
        resource_id = str(made["KeyMetadata"]["KeyId"])
        if inputs.get("keyMaterialBase64"):
            self._import(context, resource_id, inputs)
        return resource_id

    def _import(self, context: Context, resource_id: str, inputs: Properties) -> None:
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import padding, rsa

        client = self.client(context)
        wrapping = client.get_parameters_for_import(
            KeyId=resource_id, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
        )
        public = serialization.load_der_public_key(wrapping["PublicKey"])
        if not isinstance(public, rsa.RSAPublicKey):
            raise CheckError([("keyMaterialBase64", "KMS gave no RSA key to wrap it with")])
        scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        until = {"ValidTo": inputs["validTo"]} if inputs.get("validTo") else {}
        client.import_key_material(
            KeyId=resource_id,
            ImportToken=wrapping["ImportToken"],
            EncryptedKeyMaterial=public.encrypt(base64.b64decode(inputs["keyMaterialBase64"]), scheme),
            ExpirationModel="KEY_MATERIAL_EXPIRES" if until else "KEY_MATERIAL_DOES_NOT_EXPIRE",
            **until,
        )


class ReplicaKey(_Key):
    """aws:kms/replicaKey:ReplicaKey: a multi-region key in one more region."""

    token: ClassVar = "aws:kms/replicaKey:ReplicaKey"
    defaults: ClassVar = {"bypassPolicyLockoutSafetyCheck": False, "enabled": True}
    replace_on: ClassVar = frozenset({"primaryKeyArn"})

    def make(self, context: Context, inputs: Properties) -> str:
        """The primary's region makes it."""
        known = {key: value for key, value in inputs.items() if key not in {"tags", "region"}}
        primary = str(inputs["primaryKeyArn"])
        owner = context.in_region(primary.split(":")[3])
        answer = self.send(
            owner, "ReplicateKey", known,
            KeyId=primary, ReplicaRegion=context.region, Tags=self.wire_tags(context, inputs),
        )  # fmt: skip
        resource_id = str(answer["ReplicaKeyMetadata"]["KeyId"])
        self._switch(context, resource_id, {}, inputs)
        return resource_id


class KeyPolicy(AwsType):
    """aws:kms/keyPolicy:KeyPolicy; the id is the key's. After it the key has AWS's default policy again."""

    token: ClassVar = "aws:kms/keyPolicy:KeyPolicy"
    parts: ClassVar = ("keyId",)
    json_keys: ClassVar = frozenset({"policy"})
    replace_on: ClassVar = frozenset({"keyId"})
    defaults: ClassVar = {"bypassPolicyLockoutSafetyCheck": False}
    outlives: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> str:
        """Put it."""
        self.change(context, str(inputs["keyId"]), {}, inputs)
        return str(inputs["keyId"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """What it says now."""
        found = self.client(context).get_key_policy(KeyId=resource_id, PolicyName=_POLICY)["Policy"]
        return {"keyId": resource_id, "policy": policy_text(inputs.get("policy"), found)}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it (again)."""
        self.client(context).put_key_policy(KeyId=resource_id, PolicyName=_POLICY, Policy=news["policy"])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """AWS's default policy: the account may do everything."""
        everything = {
            "Sid": "Enable IAM User Permissions", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
            "Principal": {"AWS": f"arn:aws:iam::{context.account_id}:root"},
        }  # fmt: skip
        text = json.dumps({"Version": "2012-10-17", "Id": "default", "Statement": [everything]})
        self.change(context, resource_id, {}, {"policy": text})


class Alias(AwsType):
    """aws:kms/alias:Alias; the id is the name, `alias/…`."""

    token: ClassVar = "aws:kms/alias:Alias"
    parts: ClassVar = ("name",)
    replace_on: ClassVar = frozenset({"name", "namePrefix"})

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """A name that Pulumi makes begins with `alias/` too; one that is given must."""
        name = context.autoname(inputs, olds, "name", limit=249)
        made = inputs.get("name") is None and not inputs.get("namePrefix") and not name.startswith("alias/")
        named = {**inputs, "name": f"alias/{name}" if made else name}
        if isinstance(named["name"], str) and not named["name"].startswith("alias/"):
            raise CheckError([("name", "must begin with alias/")])
        return super().check(context, named, olds)

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        self.client(context).create_alias(AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"])
        return str(inputs["name"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """ARNs, and the key it leads to, as it was given."""
        found = find_alias(self.client(context), resource_id)
        if found is None:
            return None
        target = str(found["TargetKeyId"])
        arn = f"{found['AliasArn'].rpartition(':')[0]}:key/{target}"
        given = inputs.get("targetKeyId")
        return {
            "name": resource_id, "arn": found["AliasArn"], "targetKeyArn": arn,
            "targetKeyId": given if given in {arn, target} else target,
        }  # fmt: skip

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Lead to another key."""
        self.client(context).update_alias(AliasName=resource_id, TargetKeyId=news["targetKeyId"])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        self.client(context).delete_alias(AliasName=resource_id)


def find_alias(client: Any, name: str) -> dict[str, Any] | None:
    """The alias of this name that leads to a key."""
    for page in client.get_paginator("list_aliases").paginate():
        for alias in page["Aliases"]:
            if alias["AliasName"] == name and alias.get("TargetKeyId"):
                return dict(alias)
    return None


class Grant(AwsType):
    """aws:kms/grant:Grant; the id is `key:grant`."""

    token: ClassVar = "aws:kms/grant:Grant"
    creates: ClassVar = "CreateGrant"
    parts: ClassVar = ("keyId", "grantId")
    separator: ClassVar = ":"
    listed: ClassVar = "GrantId"
    asks: ClassVar = {"KeyId": "keyId"}
    defaults: ClassVar = {"retireOnDelete": False}
    named: ClassVar = "name"
    replace_on: ClassVar = frozenset(
        {"constraints", "grantCreationTokens", "granteePrincipal", "keyId", "name", "operations", "retiringPrincipal"}
    )
    secret_outputs: ClassVar = frozenset({"grantToken"})
    told_once: ClassVar = frozenset({"grantId", "grantToken"})
    renames: ClassVar = {"grantCreationTokens": "GrantTokens"}

    def make(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Create it; its token is told only now."""
        answer = self.call(context, "CreateGrant", inputs)
        told = {"grantId": answer["GrantId"], "grantToken": answer["GrantToken"]}
        return f"{inputs['keyId']}:{answer['GrantId']}", told

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """There, or not."""
        key, _, grant = resource_id.rpartition(":")
        for page in self.client(context).get_paginator("list_grants").paginate(KeyId=key):
            for found in page["Grants"]:
                if found["GrantId"] == grant:
                    told = {"granteePrincipal": found.get("GranteePrincipal"), "operations": found.get("Operations")}
                    return {"grantId": grant, "keyId": key, "name": found.get("Name"), **told}
        return None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Only how it ends may change."""

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Retire or revoke it."""
        key, _, grant = resource_id.rpartition(":")
        client = self.client(context)
        end = client.retire_grant if state.get("retireOnDelete") else client.revoke_grant
        end(KeyId=key, GrantId=grant)


class Ciphertext(AwsType):
    """aws:kms/ciphertext:Ciphertext: encrypted once; nothing of it is in the cloud."""

    token: ClassVar = "aws:kms/ciphertext:Ciphertext"
    replace_on: ClassVar = frozenset({"keyId", "plaintext", "plaintextWoVersion", "context"})
    secret_outputs: ClassVar = frozenset({"plaintext", "plaintextWo"})
    told_once: ClassVar = frozenset({"ciphertextBlob"})
    outlives: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Encrypt it; the id is the ciphertext."""
        plaintext = str(inputs.get("plaintext") or inputs.get("plaintextWo") or "").encode()
        answer = self.client(context).encrypt(
            KeyId=inputs["keyId"], Plaintext=plaintext, EncryptionContext=inputs.get("context") or {}
        )
        text = base64.b64encode(answer["CiphertextBlob"]).decode()
        return text, {"ciphertextBlob": text}

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """The id is the ciphertext."""
        return {"ciphertextBlob": resource_id}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """There is nothing to delete."""


def get_key(context: Context, arguments: Properties) -> Properties:
    """A key by id, ARN or alias."""
    tokens = {"GrantTokens": arguments["grantTokens"]} if arguments.get("grantTokens") else {}
    found = context.client("kms").describe_key(KeyId=arguments["keyId"], **tokens)["KeyMetadata"]
    return {
        **arguments, "id": found["KeyId"], "arn": found["Arn"], "awsAccountId": context.account_id,
        "cloudHsmClusterId": found.get("CloudHsmClusterId", ""), "creationDate": found["CreationDate"].isoformat(),
        "customKeyStoreId": found.get("CustomKeyStoreId", ""), "customerMasterKeySpec": found.get("KeySpec", ""),
        "deletionDate": str(found.get("DeletionDate", "")), "description": found.get("Description", ""),
        "enabled": found["Enabled"], "expirationModel": found.get("ExpirationModel", ""),
        "keyManager": found.get("KeyManager", ""), "keySpec": found.get("KeySpec", ""),
        "keyState": found["KeyState"], "keyUsage": found["KeyUsage"], "multiRegion": found.get("MultiRegion", False),
        "multiRegionConfigurations": [], "origin": found.get("Origin", ""), "pendingDeletionWindowInDays": 0,
        "region": context.region, "validTo": str(found.get("ValidTo", "")), "xksKeyConfigurations": [],
    }  # fmt: skip


def get_alias(context: Context, arguments: Properties) -> Properties:
    """An alias by name; AWS's own (`alias/aws/s3`) exist once their service has used them, and here always."""
    client, name = context.client("kms"), str(arguments["name"])
    found = find_alias(client, name)
    place = f"arn:aws:kms:{context.region}:{context.account_id}"
    target = client.describe_key(KeyId=name)["KeyMetadata"] if found is None else {"KeyId": found["TargetKeyId"]}
    arn = target.get("Arn") or f"{place}:key/{target['KeyId']}"
    told = {"arn": f"{place}:{name}", "targetKeyArn": arn, "targetKeyId": target["KeyId"], "region": context.region}
    return {**arguments, **told, "id": told["arn"]}


def get_cipher_text(context: Context, arguments: Properties) -> Properties:
    """A text, encrypted."""
    answer = context.client("kms").encrypt(
        KeyId=arguments["keyId"],
        Plaintext=str(arguments["plaintext"]).encode(),
        EncryptionContext=arguments.get("context") or {},
    )
    text = base64.b64encode(answer["CiphertextBlob"]).decode()
    return {**arguments, "ciphertextBlob": text, "id": text, "region": context.region}


def get_secrets(context: Context, arguments: Properties) -> Properties:
    """Ciphertexts of the program, decrypted, by name."""
    client, plaintext = context.client("kms"), {}
    for secret in arguments.get("secrets") or ():
        answer = client.decrypt(
            CiphertextBlob=base64.b64decode(secret["payload"]), EncryptionContext=secret.get("context") or {}
        )
        plaintext[secret["name"]] = answer["Plaintext"].decode()
    return {**arguments, "plaintext": plaintext, "id": context.region, "region": context.region}


def get_public_key(context: Context, arguments: Properties) -> Properties:
    """The public half of an asymmetric key."""
    found = context.client("kms").get_public_key(KeyId=arguments["keyId"])
    text = base64.b64encode(found["PublicKey"]).decode()
    lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return {
        **arguments, "id": found["KeyId"], "arn": found["KeyId"], "publicKey": text, "region": context.region,
        "publicKeyPem": f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n",
        "keyUsage": found["KeyUsage"], "customerMasterKeySpec": found.get("KeySpec", ""),
        "encryptionAlgorithms": found.get("EncryptionAlgorithms", []),
        "signingAlgorithms": found.get("SigningAlgorithms", []),
    }  # fmt: skip


RESOURCES = (Key(), ExternalKey(), ReplicaKey(), KeyPolicy(), Alias(), Grant(), Ciphertext())
INVOKES: Mapping[str, Invoke] = {
    "aws:kms/getKey:getKey": get_key,
    "aws:kms/getAlias:getAlias": get_alias,
    "aws:kms/getCipherText:getCipherText": get_cipher_text,
    "aws:kms/getSecrets:getSecrets": get_secrets,
    "aws:kms/getPublicKey:getPublicKey": get_public_key,
}
