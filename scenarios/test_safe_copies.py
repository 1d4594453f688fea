"""What an order leaves behind is in the other region too, and a backup there brings the table back."""

import uuid
from typing import Any

import pytest


def test_payment_and_receipt_are_copied_to_the_other_region(shop: Any, eventually: Any) -> None:
    order_id = shop.place(("tea", 1)).body["order_id"]
    there = shop.outputs["replica_region"]
    tables, buckets = shop.aws("dynamodb", region=there), shop.aws("s3", region=there)
    key = {"order_id": {"S": order_id}}
    eventually(
        lambda: "Item" in tables.get_item(TableName=shop.outputs["payments_table"], Key=key),
        what="the payment in the other region",
    )
    receipt = {"Bucket": shop.outputs["receipts_replica"], "Prefix": f"receipts/{order_id}.json"}
    eventually(
        lambda: len(buckets.list_object_versions(**receipt).get("Versions", ())) == 1, what="the receipt's copy"
    )


@pytest.mark.blackstart_requires("pitr-latest")
def test_a_copy_of_a_backup_brings_the_table_back_in_the_other_region(shop: Any, eventually: Any) -> None:
    """What the hourly plan does, now; a drill times it: region-loss-backup-restore."""
    outputs, there = shop.outputs, shop.outputs["replica_region"]
    order_id = shop.place(("tea", 1)).body["order_id"]
    table = shop.aws("dynamodb").describe_table(TableName=outputs["orders_table"])["Table"]["TableArn"]
    near, far = shop.aws("backup"), shop.aws("backup", region=there)
    rules = [
        rule
        for plan in near.list_backup_plans()["BackupPlansList"]
        for rule in near.get_backup_plan(BackupPlanId=plan["BackupPlanId"])["BackupPlan"]["Rules"]
    ]
    assert outputs["backup_far_vault_arn"] in [rule["CopyActions"][0]["DestinationBackupVaultArn"] for rule in rules]

    role, vault = outputs["backup_role_arn"], outputs["backup_vault"]
    job = near.start_backup_job(BackupVaultName=vault, ResourceArn=table, IamRoleArn=role)["BackupJobId"]
    eventually(lambda: near.describe_backup_job(BackupJobId=job)["State"] == "COMPLETED", what="the backup")
    point = near.describe_backup_job(BackupJobId=job)["RecoveryPointArn"]
    copy = near.start_copy_job(
        RecoveryPointArn=point,
        SourceBackupVaultName=vault,
        DestinationBackupVaultArn=outputs["backup_far_vault_arn"],
        IamRoleArn=role,
    )["CopyJobId"]
    eventually(lambda: near.describe_copy_job(CopyJobId=copy)["CopyJob"]["State"] == "COMPLETED", what="the copy")
    copied = near.describe_copy_job(CopyJobId=copy)["CopyJob"]["DestinationRecoveryPointArn"]

    name = f"orders-again-{uuid.uuid4().hex[:8]}"
    restore = far.start_restore_job(RecoveryPointArn=copied, IamRoleArn=role, Metadata={"targetTableName": name})[
        "RestoreJobId"
    ]
    eventually(
        lambda: far.describe_restore_job(RestoreJobId=restore)["Status"] == "COMPLETED", what="the restored table"
    )
    tables = shop.aws("dynamodb", region=there)
    assert "Item" in tables.get_item(TableName=name, Key={"order_id": {"S": order_id}}, ConsistentRead=True)
    tables.delete_table(TableName=name)
