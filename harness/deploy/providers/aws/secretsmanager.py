"""Secrets Manager: secrets, their values, policies and rotation."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.kms import policy_text
from harness.deploy.providers.aws.tags import SECRETS
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties

_CURRENT = "AWSCURRENT"


def _going(error: ClientError) -> bool:
    """True when the secret is in its recovery window: deleted as far as a program is concerned."""
    text = str(error.response.get("Error", {}).get("Message", ""))
    return "deletion" in text or "deleted" in text


class Secret(Declared, noun="Secret", verbs="Create Describe Update -"):
    """aws:secretsmanager/secret:Secret; the id is the ARN."""

    token: ClassVar = "aws:secretsmanager/secret:Secret"
    key: ClassVar = {"SecretId": "id"}
    id_from: ClassVar = "ARN"
    named: ClassVar = "name"
    defaults: ClassVar = {"forceOverwriteReplicaSecret": False, "recoveryWindowInDays": 30}
    computed: ClassVar = {"arn": "{id}"}
    tagging: ClassVar = SECRETS
    json_keys: ClassVar = frozenset({"policy"})
    renames: ClassVar = {"replicas": "AddReplicaRegions"}
    replace_on: ClassVar = frozenset({"name", "namePrefix", "type"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then put its policy."""
        resource_id = str(super().make(context, inputs))
        if inputs.get("policy"):
            self.client(context).put_resource_policy(SecretId=resource_id, ResourcePolicy=inputs["policy"])
        return resource_id

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """The secret, unless it is being deleted."""
        body = super().ask(context, resource_id, inputs)
        return None if body is None or body.get("DeletedDate") else body

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its policy."""
        found = self.client(context).get_resource_policy(SecretId=resource_id).get("ResourcePolicy")
        told: Properties = {"policy": policy_text(inputs.get("policy"), found)} if found else {}
        replicas = [one["Region"] for one in body.get("ReplicationStatus", ())]
        if inputs.get("replicas") and sorted(replicas) != sorted(one["region"] for one in inputs["replicas"]):
            told["replicas"] = [{"region": region} for region in replicas]
        return told

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Description, key, policy, replicas."""
        client, changed = self.client(context), roots(olds, news)
        if changed & {"description", "kmsKeyId"}:
            super().change(context, resource_id, olds, news)
        if "policy" in changed and news.get("policy"):
            client.put_resource_policy(SecretId=resource_id, ResourcePolicy=news["policy"])
        elif "policy" in changed:
            client.delete_resource_policy(SecretId=resource_id)
        before, after = ({one["region"]: one for one in state.get("replicas") or ()} for state in (olds, news))
        if before.keys() - after.keys():
            gone = sorted(before.keys() - after.keys())
            client.remove_regions_from_replication(SecretId=resource_id, RemoveReplicaRegions=gone)
        if after.keys() - before.keys():
            fresh = {"replicas": [after[region] for region in sorted(after.keys() - before.keys())]}
            self.send(context, "ReplicateSecretToRegions", fresh, SecretId=resource_id)

    def tag_target(self, resource_id: str, state: Properties) -> str:
        """Secrets are tagged by ARN."""
        return resource_id

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """At once where no recovery window is wanted."""
        days = int(state.get("recoveryWindowInDays") or 0)
        how = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
        if days and self.ask(context, resource_id, state) is None:
            return
        self.client(context).delete_secret(SecretId=resource_id, **how)


class SecretVersion(AwsType):
    """aws:secretsmanager/secretVersion:SecretVersion; the id is `arn|version`."""

    token: ClassVar = "aws:secretsmanager/secretVersion:SecretVersion"
    lists: ClassVar = "ListSecretVersionIds"
    listed: ClassVar = "VersionId"
    asks: ClassVar = {"SecretId": "secretId"}
    parts: ClassVar = ("secretId", "versionId")
    separator: ClassVar = "|"
    replace_on: ClassVar = frozenset({"secretId", "secretString", "secretBinary", "secretStringWoVersion"})
    secret_outputs: ClassVar = frozenset({"secretString", "secretBinary", "secretStringWo"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Put the value."""
        value: dict[str, Any] = {
            "SecretString": str(inputs.get("secretString") or inputs.get("secretStringWo") or "")
        }
        if inputs.get("secretBinary"):
            value = {"SecretBinary": base64.b64decode(inputs["secretBinary"])}
        stages = {"VersionStages": inputs["versionStages"]} if inputs.get("versionStages") else {}
        answer = self.client(context).put_secret_value(SecretId=inputs["secretId"], **value, **stages)
        return f"{answer['ARN']}|{answer['VersionId']}"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """The value and its stages; None without any stage."""
        secret, _, version = resource_id.partition("|")
        try:
            found = self.client(context).get_secret_value(SecretId=secret, VersionId=version)
        except ClientError as error:
            if _going(error):
                return None
            raise
        if not found.get("VersionStages"):
            return None
        told: Properties = {
            "arn": secret, "secretArn": secret, "secretId": inputs.get("secretId") or secret, "versionId": version,
            "versionStages": _in_order(inputs.get("versionStages"), found["VersionStages"]),
            "hasSecretStringWo": bool(inputs.get("secretStringWoVersion")),
        }  # fmt: skip
        if found.get("SecretBinary"):
            told["secretBinary"] = base64.b64encode(found["SecretBinary"]).decode()
        elif not told["hasSecretStringWo"]:
            told["secretString"] = found.get("SecretString")
        return told

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Stages: they move from the version that has them."""
        secret, _, version = resource_id.partition("|")
        client = self.client(context)
        stages = client.describe_secret(SecretId=secret)["VersionIdsToStages"]
        before, after = set(olds.get("versionStages") or ()), set(news.get("versionStages") or [_CURRENT])
        for stage in sorted(after - set(stages.get(version, ()))):
            holder = next((one for one, held in stages.items() if stage in held), None)
            source = {"RemoveFromVersionId": holder} if holder else {}
            client.update_secret_version_stage(SecretId=secret, VersionStage=stage, MoveToVersionId=version, **source)
        for stage in sorted(before - after - {_CURRENT}):
            client.update_secret_version_stage(SecretId=secret, VersionStage=stage, RemoveFromVersionId=version)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Take its stages away; the current one stays, because a secret must have one."""
        secret, _, version = resource_id.partition("|")
        client = self.client(context)
        try:
            stages = client.describe_secret(SecretId=secret).get("VersionIdsToStages", {}).get(version, ())
            for stage in stages:
                if stage != _CURRENT:
                    client.update_secret_version_stage(
                        SecretId=secret, VersionStage=stage, RemoveFromVersionId=version
                    )
        except ClientError as error:
            if not _going(error):
                raise


def _in_order(given: Any, found: list[str]) -> list[str]:
    return list(given) if given and sorted(given) == sorted(found) else found


class SecretPolicy(AwsType):
    """aws:secretsmanager/secretPolicy:SecretPolicy; the id is the secret's ARN."""

    token: ClassVar = "aws:secretsmanager/secretPolicy:SecretPolicy"
    parts: ClassVar = ("secretArn",)
    json_keys: ClassVar = frozenset({"policy"})
    replace_on: ClassVar = frozenset({"secretArn"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Put it."""
        self.change(context, str(inputs["secretArn"]), {}, inputs)
        return str(inputs["secretArn"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """What it says, or None."""
        try:
            found = self.client(context).get_resource_policy(SecretId=resource_id).get("ResourcePolicy")
        except ClientError as error:
            if _going(error):
                return None
            raise
        return {"secretArn": resource_id, "policy": policy_text(inputs.get("policy"), found)} if found else None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it (again)."""
        self.client(context).put_resource_policy(
            SecretId=resource_id,
            ResourcePolicy=news["policy"],
            BlockPublicPolicy=bool(news.get("blockPublicPolicy")),
        )

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        self.client(context).delete_resource_policy(SecretId=resource_id)


class SecretRotation(AwsType):
    """aws:secretsmanager/secretRotation:SecretRotation; the id is the secret's."""

    token: ClassVar = "aws:secretsmanager/secretRotation:SecretRotation"
    parts: ClassVar = ("secretId",)
    defaults: ClassVar = {"rotateImmediately": True}
    replace_on: ClassVar = frozenset({"secretId"})

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """A schedule is needed."""
        given = super().check(context, inputs, olds)
        if given.get("rotationRules") is None:
            raise CheckError([("rotationRules", "is required")])
        return given

    def make(self, context: Context, inputs: Properties) -> str:
        """Rotate it from now on."""
        self.change(context, str(inputs["secretId"]), {}, inputs)
        return str(inputs["secretId"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Its function; None where it does not rotate."""
        found = self.client(context).describe_secret(SecretId=resource_id)
        if not found.get("RotationEnabled") or found.get("DeletedDate"):
            return None
        told = {"secretId": resource_id, "rotationEnabled": True}
        return {**told, "rotationLambdaArn": found.get("RotationLambdaARN") or inputs.get("rotationLambdaArn")}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Another function or schedule."""
        self.call(
            context, "RotateSecret", {key: news[key] for key in news if key != "secretId"}, SecretId=resource_id
        )

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """It rotates no more."""
        self.client(context).cancel_rotate_secret(SecretId=resource_id)


def get_secret(context: Context, arguments: Properties) -> Properties:
    """A secret without its value, by name or ARN."""
    client, wanted = context.client("secretsmanager"), arguments.get("arn") or arguments.get("name")
    found = client.describe_secret(SecretId=wanted)
    return {
        **arguments, "id": found["ARN"], "arn": found["ARN"], "name": found["Name"], "region": context.region,
        "description": found.get("Description", ""), "kmsKeyId": found.get("KmsKeyId", ""), "type": "",
        "createdDate": _date(found.get("CreatedDate")), "lastChangedDate": _date(found.get("LastChangedDate")),
        "policy": client.get_resource_policy(SecretId=wanted).get("ResourcePolicy", ""),
        "tags": SECRETS.plain(found.get("Tags")),
    }  # fmt: skip


def get_secret_version(context: Context, arguments: Properties) -> Properties:
    """A secret's value: the current one unless a version or a stage is given."""
    which = {"VersionId": arguments["versionId"]} if arguments.get("versionId") else {}
    which = which or {"VersionStage": arguments.get("versionStage") or _CURRENT}
    found = context.client("secretsmanager").get_secret_value(SecretId=arguments["secretId"], **which)
    return {
        **arguments, "id": f"{found['ARN']}|{found['VersionId']}", "arn": found["ARN"], "secretArn": found["ARN"],
        "region": context.region, "createdDate": _date(found.get("CreatedDate")), "versionId": found["VersionId"],
        "versionStages": found.get("VersionStages", []), "secretString": found.get("SecretString", ""),
        "secretBinary": base64.b64encode(found.get("SecretBinary", b"")).decode(),
    }  # fmt: skip


def get_random_password(context: Context, arguments: Properties) -> Properties:
    """Characters that Secrets Manager draws."""
    wanted = {f"{key[0].upper()}{key[1:]}": value for key, value in arguments.items() if key != "region"}
    password = context.client("secretsmanager").get_random_password(**wanted)["RandomPassword"]
    return {**arguments, "randomPassword": password, "id": context.region, "region": context.region}


def _date(moment: Any) -> str:
    return moment.isoformat() if moment is not None else ""


RESOURCES = (Secret(), SecretVersion(), SecretPolicy(), SecretRotation())
INVOKES: Mapping[str, Invoke] = {
    "aws:secretsmanager/getSecret:getSecret": get_secret,
    "aws:secretsmanager/getSecretVersion:getSecretVersion": get_secret_version,
    "aws:secretsmanager/getRandomPassword:getRandomPassword": get_random_password,
}
