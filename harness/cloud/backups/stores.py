"""How each kind of resource is copied and restored, by its own API: tables, buckets, DB instances and clusters."""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from harness.cloud.backups.points import BackupError, RecoveryPoint

Metadata = Mapping[str, str]
_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What a job made."""

    artifact: str
    arn: str = ""
    """Its own ARN, where AWS Backup shows that as the recovery point's."""
    size_bytes: int = 0
    metadata: Mapping[str, str]


class Store(Protocol):
    """One kind of resource."""

    def save(self, resource: str) -> Copy:
        """Copy the resource with this ARN.

        Raises:
            BackupError: it is not there, or cannot be copied.
        """
        ...

    def restore(self, point: RecoveryPoint, asked: Metadata) -> str:
        """Make a new resource from a copy; returns its ARN.

        Raises:
            BackupError: the metadata lacks something, or the data is gone.
        """
        ...

    def delete(self, point: RecoveryPoint) -> None:
        """Delete the data of a copy."""
        ...


def required(asked: Metadata, name: str) -> str:
    """A value that a restore needs; names are compared without case, as AWS Backup's differ by service.

    Raises:
        BackupError: it was not given.
    """
    found = {key.lower(): value for key, value in asked.items()}.get(name.lower(), "")
    if not found:
        raise BackupError("InvalidParameterValueException", f"Restore metadata needs {name}")
    return found


@dataclass(frozen=True, slots=True)
class Tables:
    """DynamoDB, by its on-demand backups."""

    client: Any  # boto3's

    def save(self, resource: str) -> Copy:
        """See `Store`."""
        name = resource.rpartition("/")[2]
        made = self.client.create_backup(TableName=name, BackupName=f"awsbackup-{uuid.uuid4().hex[:12]}")
        details = made["BackupDetails"]
        return Copy(
            artifact=details["BackupArn"],
            size_bytes=int(details.get("BackupSizeBytes") or 0),
            metadata={"originalTableName": name, "encryptionType": "Default"},
        )

    def restore(self, point: RecoveryPoint, asked: Metadata) -> str:
        """See `Store`."""
        name = required(asked, "targetTableName")
        made = self.client.restore_table_from_backup(TargetTableName=name, BackupArn=point.artifact)
        return str(made["TableDescription"]["TableArn"])

    def delete(self, point: RecoveryPoint) -> None:
        """See `Store`."""
        self.client.delete_backup(BackupArn=point.artifact)


@dataclass(frozen=True, slots=True)
class Buckets:
    """S3: the current version of every object, its metadata and tags, in files below `folder`."""

    client: Any  # boto3's
    folder: Path

    def save(self, resource: str) -> Copy:
        """See `Store`. The bucket must keep versions, as AWS Backup asks.

        Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/s3-backups.html
        """
        bucket = resource.rpartition(":::")[2]
        if self.client.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
            raise BackupError("InvalidRequestException", f"Bucket {bucket} must have versioning enabled")
        place, index, size = self.folder / uuid.uuid4().hex, [], 0
        place.mkdir(parents=True)
        for number, key in enumerate(self._keys(bucket)):
            found = self.client.get_object(Bucket=bucket, Key=key)
            size += (place / str(number)).write_bytes(found["Body"].read())
            tags = self.client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
            index.append({"Key": key, "Tags": tags, **{name: found[name] for name in ("ContentType", "Metadata")}})
        (place / "index.json").write_text(json.dumps(index))
        return Copy(artifact=place.name, size_bytes=size, metadata={"originalBucketName": bucket})

    def _keys(self, bucket: str) -> Iterator[str]:
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for one in page.get("Contents", ()):
                yield str(one["Key"])

    def restore(self, point: RecoveryPoint, asked: Metadata) -> str:
        """See `Store`. `NewBucket` makes the bucket; `ItemsToRestore` is a JSON list of keys."""
        bucket, place = required(asked, "DestinationBucketName"), self.folder / point.artifact
        given = {key.lower(): value for key, value in asked.items()}
        wanted = set(json.loads(given.get("itemstorestore") or "[]"))
        if given.get("newbucket", "").lower() == "true":
            region = point.scope[1]
            where = {} if region == "us-east-1" else {"LocationConstraint": region}
            self.client.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": where} if where else {}))
        for number, one in enumerate(json.loads((place / "index.json").read_text())):
            if wanted and one["Key"] not in wanted:
                continue
            self.client.put_object(
                Bucket=bucket, Key=one["Key"], Body=(place / str(number)).read_bytes(),
                ContentType=one["ContentType"], Metadata=one["Metadata"],
            )  # fmt: skip
            if one["Tags"]:
                self.client.put_object_tagging(Bucket=bucket, Key=one["Key"], Tagging={"TagSet": one["Tags"]})
        return f"arn:aws:s3:::{bucket}"

    def delete(self, point: RecoveryPoint) -> None:
        """See `Store`."""
        shutil.rmtree(self.folder / point.artifact, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Instances:
    """RDS DB instances, by their snapshots."""

    client: Any  # boto3's

    def save(self, resource: str) -> Copy:
        """See `Store`."""
        name = resource.rpartition(":")[2]
        snapshot = f"awsbackup-job-{uuid.uuid4()}"
        made = self.client.create_db_snapshot(DBInstanceIdentifier=name, DBSnapshotIdentifier=snapshot)["DBSnapshot"]
        _until(lambda: self._snapshot(snapshot)["Status"], snapshot)
        return Copy(artifact=snapshot, arn=made["DBSnapshotArn"], metadata={"DBInstanceIdentifier": name})

    def _snapshot(self, name: str) -> Any:
        return self.client.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]

    def restore(self, point: RecoveryPoint, asked: Metadata) -> str:
        """See `Store`."""
        name = required(asked, "DBInstanceIdentifier")
        self.client.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=name, DBSnapshotIdentifier=point.artifact
        )

        def shown() -> Any:
            return self.client.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]

        _until(lambda: shown()["DBInstanceStatus"], name)
        return str(shown()["DBInstanceArn"])

    def delete(self, point: RecoveryPoint) -> None:
        """See `Store`."""
        self.client.delete_db_snapshot(DBSnapshotIdentifier=point.artifact)


@dataclass(frozen=True, slots=True)
class Clusters:
    """Aurora clusters, by their snapshots. A restore makes the cluster without instances, as AWS Backup does."""

    client: Any  # boto3's

    def save(self, resource: str) -> Copy:
        """See `Store`."""
        name = resource.rpartition(":")[2]
        snapshot = f"awsbackup-job-{uuid.uuid4()}"
        made = self.client.create_db_cluster_snapshot(DBClusterIdentifier=name, DBClusterSnapshotIdentifier=snapshot)[
            "DBClusterSnapshot"
        ]
        _until(lambda: self._snapshot(snapshot)["Status"], snapshot)
        metadata = {"DBClusterIdentifier": name, "Engine": made["Engine"]}
        return Copy(artifact=snapshot, arn=made["DBClusterSnapshotArn"], metadata=metadata)

    def _snapshot(self, name: str) -> Any:
        return self.client.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)["DBClusterSnapshots"][0]

    def restore(self, point: RecoveryPoint, asked: Metadata) -> str:
        """See `Store`."""
        made = self.client.restore_db_cluster_from_snapshot(
            DBClusterIdentifier=required(asked, "DBClusterIdentifier"),
            SnapshotIdentifier=point.artifact,
            Engine=point.metadata["Engine"],
        )
        return str(made["DBCluster"]["DBClusterArn"])

    def delete(self, point: RecoveryPoint) -> None:
        """See `Store`."""
        self.client.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=point.artifact)


def _until(status: Callable[[], str], name: str) -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while (found := status()) != "available":
        if time.monotonic() > deadline_s:
            raise BackupError("ServiceUnavailableException", f"{name} is still {found} after {_PATIENCE_S:g} s")
        time.sleep(0.1)


_KINDS = {":dynamodb:": "DynamoDB", ":s3:": "S3", ":cluster:": "Aurora", ":db:": "RDS"}


def kind_of(resource: str) -> str:
    """The kind of a resource by its ARN.

    Raises:
        BackupError: nothing of that kind is backed up here.

    >>> kind_of("arn:aws:rds:us-east-1:000000000000:cluster:orders")
    'Aurora'
    """
    for mark, kind in _KINDS.items():
        if mark in resource:
            return kind
    raise BackupError(
        "InvalidParameterValueException",
        f"Unsupported resource type: {resource}. This cloud backs up DynamoDB tables, S3 buckets, RDS and Aurora",
    )


def all_resources(client: Callable[[str], Any]) -> dict[str, dict[str, str]]:
    """Everything in a region that can be backed up, with its tags; `client` makes boto3's of a service."""
    found: dict[str, dict[str, str]] = {}
    tables, rds, s3 = client("dynamodb"), client("rds"), client("s3")
    for name in tables.list_tables()["TableNames"]:
        arn = tables.describe_table(TableName=name)["Table"]["TableArn"]
        found[arn] = _tags(tables.list_tags_of_resource(ResourceArn=arn)["Tags"])
    for one in rds.describe_db_clusters()["DBClusters"]:
        found[one["DBClusterArn"]] = _tags(one.get("TagList") or [])
    for one in rds.describe_db_instances()["DBInstances"]:
        if not one.get("DBClusterIdentifier"):
            found[one["DBInstanceArn"]] = _tags(one.get("TagList") or [])
    for one in s3.list_buckets()["Buckets"]:
        tags: list[dict[str, str]] = []
        with suppress(ClientError):  # NoSuchTagSet
            tags = s3.get_bucket_tagging(Bucket=one["Name"])["TagSet"]
        found[f"arn:aws:s3:::{one['Name']}"] = _tags(tags)
    return found


def _tags(tags: list[dict[str, str]]) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in tags}
