"""AWS Backup over boto3: jobs that really copy, restores that really bring back, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from harness.cloud.client import CloudSettings, RunningCloud, start_cloud
from tests.waiting import PATIENCE_S, until

ROLE = "arn:aws:iam::000000000000:role/backup"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    running = start_cloud(CloudSettings(state_dir=tmp_path_factory.mktemp("cloud"), enforce_iam=False))
    running.target.client("backup").create_backup_vault(BackupVaultName="vault")
    yield running
    running.stop()


@pytest.fixture
def backup(cloud: RunningCloud) -> Any:
    return cloud.target.client("backup")


def saved(backup: Any, arn: str) -> dict[str, Any]:
    """The job that backs a resource up, once it is over."""
    job = backup.start_backup_job(BackupVaultName="vault", ResourceArn=arn, IamRoleArn=ROLE)["BackupJobId"]
    return dict(until(lambda: over(backup.describe_backup_job(BackupJobId=job), "State")))


def brought_back(backup: Any, point: str, **metadata: str) -> dict[str, Any]:
    """The job that restores a recovery point, once it is over."""
    job = backup.start_restore_job(RecoveryPointArn=point, Metadata=metadata, IamRoleArn=ROLE)["RestoreJobId"]
    return dict(until(lambda: over(backup.describe_restore_job(RestoreJobId=job), "Status"), 2 * PATIENCE_S))


def over(job: dict[str, Any], key: str) -> dict[str, Any]:
    return job if job[key] in {"COMPLETED", "FAILED"} else {}


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def test_a_table_is_as_it_was_when_it_was_backed_up(cloud: RunningCloud, backup: Any) -> None:
    dynamodb = cloud.target.client("dynamodb")
    arn = dynamodb.create_table(
        TableName="orders", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )["TableDescription"]["TableArn"]  # fmt: skip
    dynamodb.put_item(TableName="orders", Item={"id": {"S": "a"}, "v": {"S": "before"}})
    job = saved(backup, arn)
    assert job["State"] == "COMPLETED", job.get("StatusMessage")
    dynamodb.put_item(TableName="orders", Item={"id": {"S": "a"}, "v": {"S": "after"}})
    restored = brought_back(backup, job["RecoveryPointArn"], targetTableName="orders-again")
    assert restored["Status"] == "COMPLETED", restored.get("StatusMessage")
    assert restored["CreatedResourceArn"].endswith(":table/orders-again")
    assert dynamodb.scan(TableName="orders-again")["Items"] == [{"id": {"S": "a"}, "v": {"S": "before"}}]
    again = brought_back(backup, job["RecoveryPointArn"], targetTableName="orders-again")
    assert (again["Status"], "already exists" in again["StatusMessage"]) == ("FAILED", True)

    # It is listed wherever AWS lists it, and its vault is not deleted while it is there.
    point = job["RecoveryPointArn"]
    shown = backup.describe_recovery_point(BackupVaultName="vault", RecoveryPointArn=point)
    assert (shown["ResourceArn"], shown["Status"], shown["ResourceType"]) == (arn, "COMPLETED", "DynamoDB")
    listed = backup.list_recovery_points_by_resource(ResourceArn=arn)["RecoveryPoints"]
    assert [one["RecoveryPointArn"] for one in listed] == [point]
    assert arn in [one["ResourceArn"] for one in backup.list_protected_resources()["Results"]]
    assert backup.describe_backup_vault(BackupVaultName="vault")["NumberOfRecoveryPoints"] >= 1
    metadata = backup.get_recovery_point_restore_metadata(BackupVaultName="vault", RecoveryPointArn=point)
    assert metadata["RestoreMetadata"]["originalTableName"] == "orders"
    assert refused(backup.delete_backup_vault, BackupVaultName="vault") == "InvalidRequestException"
    backup.delete_recovery_point(BackupVaultName="vault", RecoveryPointArn=point)
    asked = {"Metadata": {"targetTableName": "x"}, "IamRoleArn": ROLE}
    code = refused(backup.start_restore_job, RecoveryPointArn=point, **asked)
    assert code == "ResourceNotFoundException"


def test_a_bucket_comes_back_with_its_objects_metadata_and_tags(cloud: RunningCloud, backup: Any) -> None:
    s3 = cloud.target.client("s3")
    s3.create_bucket(Bucket="papers")
    assert "versioning" in saved(backup, "arn:aws:s3:::papers")["StatusMessage"]
    s3.put_bucket_versioning(Bucket="papers", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="papers", Key="in/a", Body=b"one", Metadata={"by": "me"}, Tagging="k=v")
    s3.put_object(Bucket="papers", Key="b", Body=b"two")
    job = saved(backup, "arn:aws:s3:::papers")
    assert (job["State"], job["BackupSizeInBytes"]) == ("COMPLETED", 6)
    s3.delete_object(Bucket="papers", Key="in/a")
    restored = brought_back(backup, job["RecoveryPointArn"], DestinationBucketName="papers-again", NewBucket="true")
    assert restored["Status"] == "COMPLETED", restored.get("StatusMessage")
    found = s3.get_object(Bucket="papers-again", Key="in/a")
    assert (found["Body"].read(), found["Metadata"]) == (b"one", {"by": "me"})
    tags = s3.get_object_tagging(Bucket="papers-again", Key="in/a")["TagSet"]
    assert tags == [{"Key": "k", "Value": "v"}]
    assert brought_back(
        backup, job["RecoveryPointArn"], DestinationBucketName="papers", ItemsToRestore='["in/a"]'
    )["Status"] == "COMPLETED"  # fmt: skip
    assert s3.get_object(Bucket="papers", Key="in/a")["Body"].read() == b"one"


def test_a_database_comes_back_with_its_rows(cloud: RunningCloud, backup: Any) -> None:
    rds = cloud.target.client("rds")
    made = rds.create_db_instance(
        DBInstanceIdentifier="shop", Engine="postgres", DBInstanceClass="db.t4g.micro", AllocatedStorage=20,
        MasterUsername="app", MasterUserPassword="a-password", DBName="shop",
    )["DBInstance"]  # fmt: skip
    with connect(made) as connection:
        connection.execute("CREATE TABLE t AS SELECT 42 AS i")
    job = saved(backup, made["DBInstanceArn"])
    assert job["State"] == "COMPLETED", job.get("StatusMessage")
    restored = brought_back(backup, job["RecoveryPointArn"], DBInstanceIdentifier="shop-again")
    assert restored["Status"] == "COMPLETED", restored.get("StatusMessage")
    (again,) = rds.describe_db_instances(DBInstanceIdentifier="shop-again")["DBInstances"]
    with connect(again) as connection:
        assert connection.execute("SELECT i FROM t").fetchone() == (42,)


def connect(shown: dict[str, Any]) -> psycopg.Connection[Any]:
    endpoint = shown["Endpoint"]
    return psycopg.connect(
        host=endpoint["Address"], port=endpoint["Port"], user="app", password="a-password", dbname="shop",
        autocommit=True, connect_timeout=30,
    )  # fmt: skip


def test_what_cannot_be_is_refused(backup: Any) -> None:
    table = "arn:aws:dynamodb:us-east-1:000000000000:table/never"
    start = {"ResourceArn": table, "IamRoleArn": ROLE}
    assert refused(backup.start_backup_job, BackupVaultName="none", **start) == "ResourceNotFoundException"
    assert saved(backup, table)["State"] == "FAILED"
    queue = {"ResourceArn": "arn:aws:sqs:us-east-1:000000000000:q", "IamRoleArn": ROLE}
    code = refused(backup.start_backup_job, BackupVaultName="vault", **queue)
    assert code == "InvalidParameterValueException"
    never = "arn:aws:backup:us-east-1:000000000000:recovery-point:never"
    code = refused(backup.start_restore_job, RecoveryPointArn=never, Metadata={}, IamRoleArn=ROLE)
    assert code == "ResourceNotFoundException"


def copied(backup: Any, point: str, vault: str, **more: Any) -> dict[str, Any]:
    """The job that copies a recovery point to a vault by ARN, once it is over."""
    job = backup.start_copy_job(
        RecoveryPointArn=point,
        SourceBackupVaultName="vault",
        DestinationBackupVaultArn=vault,
        IamRoleArn=ROLE,
        **more,
    )["CopyJobId"]
    return dict(until(lambda: over(backup.describe_copy_job(CopyJobId=job)["CopyJob"], "State")))


def test_a_copy_in_a_locked_vault_of_another_region_is_restored_there_and_not_deleted(
    cloud: RunningCloud, backup: Any
) -> None:
    west = {name: cloud.target.client(name, region="us-west-2") for name in ("backup", "dynamodb")}
    vault = west["backup"].create_backup_vault(BackupVaultName="afar")["BackupVaultArn"]
    dynamodb = cloud.target.client("dynamodb")
    arn = dynamodb.create_table(
        TableName="kept", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )["TableDescription"]["TableArn"]  # fmt: skip
    items = [{"id": {"S": f"{number:03d}"}} for number in range(60)]
    for item in items:
        dynamodb.put_item(TableName="kept", Item=item)
    point = saved(backup, arn)["RecoveryPointArn"]
    west["backup"].put_backup_vault_lock_configuration(
        BackupVaultName="afar", MinRetentionDays=7, MaxRetentionDays=30
    )
    with pytest.raises(ClientError, match="Retention for 1 days: vault afar keeps between 7 and 30 days"):
        copied(backup, point, vault, Lifecycle={"DeleteAfterDays": 1})
    job = copied(backup, point, vault, Lifecycle={"DeleteAfterDays": 7})
    assert job["State"] == "COMPLETED", job.get("StatusMessage")
    there = job["DestinationRecoveryPointArn"]
    assert [name for name in dynamodb.list_tables()["TableNames"] if name.startswith("awsbackup-copy")] == []
    assert brought_back(west["backup"], there, targetTableName="kept")["Status"] == "COMPLETED"
    found = west["dynamodb"].scan(TableName="kept")["Items"]
    assert sorted(one["id"]["S"] for one in found) == [one["id"]["S"] for one in items]

    gone = {"BackupVaultName": "afar", "RecoveryPointArn": there}
    with pytest.raises(ClientError, match="afar is locked: its recovery points stay"):
        west["backup"].delete_recovery_point(**gone)
    described = west["backup"].describe_backup_vault(BackupVaultName="afar")
    assert (described["Locked"], described["MinRetentionDays"], described["MaxRetentionDays"]) == (True, 7, 30)
    west["backup"].delete_backup_vault_lock_configuration(BackupVaultName="afar")  # governance: who may, unlocks
    west["backup"].delete_recovery_point(**gone)
    assert west["backup"].list_recovery_points_by_backup_vault(BackupVaultName="afar")["RecoveryPoints"] == []
