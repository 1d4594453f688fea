"""AWS Backup: vaults, plans, selections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Properties

_TAGGING = Tagging(key="", keys="TagKeyList")


class Vault(Declared, noun="BackupVault", verbs="Create Describe - Delete"):
    """aws:backup/vault:Vault; the id is the name."""

    token: ClassVar = "aws:backup/vault:Vault"
    key: ClassVar = {"BackupVaultName": "id"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 50}
    defaults: ClassVar = {"forceDestroy": False}
    tagging: ClassVar = _TAGGING
    renames: ClassVar = {
        "name": "BackupVaultName", "arn": "BackupVaultArn", "kmsKeyArn": "EncryptionKeyArn",
        "recoveryPoints": "NumberOfRecoveryPoints",
    }  # fmt: skip
    replace_on: ClassVar = frozenset({"name", "kmsKeyArn"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it; its tags are a member of their own."""
        self.send(context, self.creates, inputs, BackupVaultTags=self.tags(context, inputs))
        return str(inputs["name"])


class Plan(Declared, noun="BackupPlan"):
    """aws:backup/plan:Plan."""

    token: ClassVar = "aws:backup/plan:Plan"
    key: ClassVar = {"BackupPlanId": "id"}
    id_from: ClassVar = "BackupPlanId"
    named: ClassVar = "name"
    wraps: ClassVar = "BackupPlan"
    tagging: ClassVar = _TAGGING
    renames: ClassVar = {
        "name": "BackupPlanName", "arn": "BackupPlanArn", "version": "VersionId",
        "targetVaultName": "TargetBackupVaultName", "schedule": "ScheduleExpression",
        "startWindow": "StartWindowMinutes", "completionWindow": "CompletionWindowMinutes",
        "deleteAfter": "DeleteAfterDays", "coldStorageAfter": "MoveToColdStorageAfterDays",
        "destinationVaultArn": "DestinationBackupVaultArn",
    }  # fmt: skip

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it; its tags are a member of their own."""
        answer = self.send(context, self.creates, inputs, BackupPlanTags=self.tags(context, inputs))
        return str(answer["BackupPlanId"])

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """The plan and what is beside it."""
        answer = super().ask(context, resource_id, inputs)
        gone = answer is None or answer.get("DeletionDate")
        return None if gone or answer is None else {**answer, **answer.get("BackupPlan", {})}


class Selection(AwsType):
    """aws:backup/selection:Selection."""

    token: ClassVar = "aws:backup/selection:Selection"
    creates: ClassVar = "CreateBackupSelection"
    listed: ClassVar = "SelectionId"
    asks: ClassVar = {"BackupPlanId": "planId"}
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 50}
    replace_on: ClassVar = frozenset(
        {"conditions", "iamRoleArn", "name", "notResources", "planId", "resources", "selectionTags"}
    )

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it; tags and conditions are told as Backup words them."""
        selection: dict[str, Any] = {"SelectionName": inputs["name"], "IamRoleArn": inputs["iamRoleArn"]}
        for key, member in (("resources", "Resources"), ("notResources", "NotResources")):
            if inputs.get(key):
                selection[member] = inputs[key]
        if inputs.get("selectionTags"):
            selection["ListOfTags"] = [
                {"ConditionType": tag["type"], "ConditionKey": tag["key"], "ConditionValue": tag["value"]}
                for tag in inputs["selectionTags"]
            ]
        for block in inputs.get("conditions") or ():
            selection["Conditions"] = _conditions(block)
        answer = self.client(context).create_backup_selection(
            BackupPlanId=inputs["planId"], BackupSelection=selection
        )
        return str(answer["SelectionId"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """There, or an error."""
        answer = self.client(context).get_backup_selection(BackupPlanId=inputs["planId"], SelectionId=resource_id)
        found = answer["BackupSelection"]
        return {"name": found["SelectionName"], "iamRoleArn": found["IamRoleArn"]}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        self.client(context).delete_backup_selection(BackupPlanId=state["planId"], SelectionId=resource_id)


def _conditions(block: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "stringEquals": "StringEquals", "stringLikes": "StringLike", "stringNotEquals": "StringNotEquals",
        "stringNotLikes": "StringNotLike",
    }  # fmt: skip
    return {
        member: [{"ConditionKey": one["key"], "ConditionValue": one["value"]} for one in block[key]]
        for key, member in names.items()
        if block.get(key)
    }


class _OfVault(Declared):
    """A setting of a vault; the id is the vault's name."""

    service: ClassVar[str] = "backup"
    key: ClassVar = {"BackupVaultName": "id"}
    parts: ClassVar = ("backupVaultName",)
    replace_on: ClassVar = frozenset({"backupVaultName"})


class VaultPolicy(_OfVault, noun="BackupVaultAccessPolicy", verbs="Put Get Put Delete"):
    """aws:backup/vaultPolicy:VaultPolicy."""

    token: ClassVar = "aws:backup/vaultPolicy:VaultPolicy"
    json_keys: ClassVar = frozenset({"policy"})


class VaultNotifications(_OfVault, noun="BackupVaultNotifications", verbs="Put Get - Delete"):
    """aws:backup/vaultNotifications:VaultNotifications."""

    token: ClassVar = "aws:backup/vaultNotifications:VaultNotifications"
    replace_on: ClassVar = frozenset({"backupVaultName", "backupVaultEvents", "snsTopicArn"})


class VaultLockConfiguration(_OfVault, noun="BackupVaultLockConfiguration", verbs="Put - Put Delete"):
    """aws:backup/vaultLockConfiguration:VaultLockConfiguration."""

    token: ClassVar = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
    reads: ClassVar = "DescribeBackupVault"


RESOURCES = (Vault(), Plan(), Selection(), VaultPolicy(), VaultNotifications(), VaultLockConfiguration())
