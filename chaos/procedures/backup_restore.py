"""Backup and restore: the tables are copied to a vault of the other region, and are made anew from there.

`back_up` is what an AWS Backup plan does each hour; `fail_over` restores, then deploys what answers. What was written
after the last backup is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaos.failover.runbook import Runbook

_TABLES = {"orders": "orders_table", "payments": "payments_table"}
"""What is kept → the output that names its table, at home and with `standby_` in the other region."""


def back_up(runbook: Runbook) -> None:
    """Back up each table, and copy it to the other region."""
    backup = runbook.client("backup", region=runbook.home)
    role, vault = runbook.outputs["backup_role_arn"], runbook.outputs["backup_vault"]
    with runbook.step("back up"):
        jobs = [
            backup.start_backup_job(BackupVaultName=vault, ResourceArn=arn, IamRoleArn=role)["BackupJobId"]
            for arn in _home_arns(runbook).values()
        ]
        points = [_done(runbook, lambda job=job: backup.describe_backup_job(BackupJobId=job)) for job in jobs]
    with runbook.step("copy to the other region"):
        copies = [
            backup.start_copy_job(
                RecoveryPointArn=point["RecoveryPointArn"],
                SourceBackupVaultName=vault,
                DestinationBackupVaultArn=runbook.outputs["backup_far_vault_arn"],
                IamRoleArn=role,
            )["CopyJobId"]
            for point in points
        ]
        for job in copies:
            _done(runbook, lambda job=job: backup.describe_copy_job(CopyJobId=job)["CopyJob"])


def fail_over(runbook: Runbook) -> None:
    """Restore the newest copies, then deploy what answers."""
    backup, tables = runbook.client("backup"), runbook.client("dynamodb")
    with runbook.step("find the newest recovery points"):
        points = {name: _newest(backup, runbook, arn) for name, arn in _home_arns(runbook).items()}
    with runbook.step("restore the tables"):
        jobs = [
            backup.start_restore_job(
                RecoveryPointArn=points[name],
                IamRoleArn=runbook.outputs["backup_role_arn"],
                Metadata={"targetTableName": runbook.outputs[f"standby_{output}"]},
            )["RestoreJobId"]
            for name, output in _TABLES.items()
        ]
        for job in jobs:
            _done(runbook, lambda job=job: backup.describe_restore_job(RestoreJobId=job))
    with runbook.step("turn on the stream of the orders"):
        orders = runbook.outputs["standby_orders_table"]
        tables.update_table(
            TableName=orders,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
    with runbook.step("deploy the functions"):
        runbook.deploy(serving="true")


def _home_arns(runbook: Runbook) -> dict[str, str]:
    account = runbook.stack.target.account_id
    return {
        name: f"arn:aws:dynamodb:{runbook.home}:{account}:table/{runbook.outputs[output]}"
        for name, output in _TABLES.items()
    }


def _newest(backup: Any, runbook: Runbook, table_arn: str) -> str:
    found = backup.list_recovery_points_by_backup_vault(
        BackupVaultName=runbook.outputs["backup_far_vault"], ByResourceArn=table_arn
    )["RecoveryPoints"]
    if not found:
        raise LookupError(f"no recovery point of {table_arn} in {runbook.region}")
    return str(max(found, key=lambda point: point["CreationDate"])["RecoveryPointArn"])


def _done(runbook: Runbook, look: Any) -> Mapping[str, Any]:
    """A job's description once it is completed."""
    seen: dict[str, Any] = {}

    def ended() -> bool:
        seen.update(look())
        state = seen.get("State") or seen.get("Status")
        if state in {"FAILED", "ABORTED", "EXPIRED", "PARTIAL"}:
            raise RuntimeError(f"{seen.get('ResourceArn') or seen.get('ResourceType')}: {seen.get('StatusMessage')}")
        return state == "COMPLETED"

    runbook.wait("the job is completed", ended)
    return seen
