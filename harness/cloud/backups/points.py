"""What AWS Backup keeps: recovery points, backup jobs and restore jobs, as its API shows them. Pure.

Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Operations_AWS_Backup.html
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Shown = dict[str, Any]  # the API's JSON
Scope = tuple[str, str]
"""Account and region."""


class BackupError(Exception):
    """The API's own error: `code` and a message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def missing(what: str, name: str) -> BackupError:
    """There is no such thing; AWS Backup says so with status 400."""
    return BackupError("ResourceNotFoundException", f"{what} {name} does not exist")


@dataclass(slots=True, kw_only=True)
class RecoveryPoint:
    """A copy of one resource at one instant. Instants are Unix seconds."""

    arn: str
    scope: Scope
    vault: str
    resource: str
    kind: str
    """`DynamoDB`, `S3`, `RDS` or `Aurora`."""
    created_s: float
    role: str = ""
    completed_s: float = 0.0
    size_bytes: int = 0
    artifact: str = ""
    """What holds the data: a backup's ARN, a snapshot's name, a folder."""
    metadata: dict[str, str] = field(default_factory=dict)
    """What a restore may be asked with, as GetRecoveryPointRestoreMetadata gives it."""
    by_plan: Shown = field(default_factory=dict)
    delete_after_days: float = 0.0

    def shown(self) -> Shown:
        """As DescribeRecoveryPoint and the lists give it."""
        account, region = self.scope
        found: Shown = {
            "RecoveryPointArn": self.arn,
            "BackupVaultName": self.vault,
            "BackupVaultArn": f"arn:aws:backup:{region}:{account}:backup-vault:{self.vault}",
            "ResourceArn": self.resource,
            "ResourceType": self.kind,
            "IamRoleArn": self.role,
            "Status": "COMPLETED",
            "CreationDate": self.created_s,
            "CompletionDate": self.completed_s,
            "BackupSizeInBytes": self.size_bytes,
            "BackupSizeBytes": self.size_bytes,
            "IsEncrypted": False,
            "StorageClass": "WARM",
        }
        if self.by_plan:
            found["CreatedBy"] = self.by_plan
        if self.delete_after_days:
            found["Lifecycle"] = {"DeleteAfterDays": int(self.delete_after_days)}
        return found


@dataclass(slots=True)
class Points:
    """The recovery points and restore jobs of one cloud. Safe from any thread."""

    now_s: Callable[[], float]
    _points: dict[str, RecoveryPoint] = field(default_factory=dict)
    _restores: dict[str, tuple[Scope, Shown]] = field(default_factory=dict)
    _copies: dict[str, tuple[Scope, Shown]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, point: RecoveryPoint) -> None:
        """A copy is complete."""
        with self._lock:
            self._points[point.arn] = point

    def find(self, scope: Scope, arn: str, vault: str = "") -> RecoveryPoint:
        """The point with this ARN.

        Raises:
            BackupError: there is none in this account and region, or not in this vault.
        """
        point = self._points.get(arn)
        if point is None or point.scope != scope or (vault and point.vault != vault):
            raise missing("Recovery point", arn)
        return point

    def remove(self, point: RecoveryPoint) -> None:
        """It is deleted."""
        with self._lock:
            self._points.pop(point.arn, None)

    def of(self, scope: Scope, *, vault: str = "", resource: str = "") -> list[RecoveryPoint]:
        """Those of a vault, of a resource, or all; newest first."""
        with self._lock:
            found = [
                one
                for one in self._points.values()
                if one.scope == scope and vault in {"", one.vault} and resource in {"", one.resource}
            ]
        return sorted(found, key=lambda one: -one.created_s)

    def expired(self) -> list[RecoveryPoint]:
        """Those whose lifecycle is over."""
        with self._lock:
            points = list(self._points.values())
        now_s = self.now_s()
        return [one for one in points if 0 < one.delete_after_days * 86400 <= now_s - one.created_s]

    def protected(self, scope: Scope) -> list[Shown]:
        """The resources that have a copy, with the instant of the latest."""
        latest: dict[str, RecoveryPoint] = {}
        for point in reversed(self.of(scope)):
            latest[point.resource] = point
        return [
            {"ResourceArn": arn, "ResourceType": one.kind, "LastBackupTime": one.created_s}
            for arn, one in latest.items()
        ]

    def begin_restore(self, job_id: str, point: RecoveryPoint, role: str) -> Shown:
        """A restore job, running; change what it returns as it goes on."""
        job: Shown = {
            "AccountId": point.scope[0],
            "RestoreJobId": job_id,
            "RecoveryPointArn": point.arn,
            "CreationDate": self.now_s(),
            "Status": "RUNNING",
            "PercentDone": "0.00%",
            "BackupSizeInBytes": point.size_bytes,
            "IamRoleArn": role,
            "ResourceType": point.kind,
        }
        with self._lock:
            self._restores[job_id] = (point.scope, job)
        return job

    def restore(self, scope: Scope, job_id: str) -> Shown:
        """A restore job.

        Raises:
            BackupError: there is none.
        """
        found = self._restores.get(job_id)
        if found is None or found[0] != scope:
            raise missing("Restore job", job_id)
        return dict(found[1])

    def restores(self, scope: Scope, status: str = "") -> list[Shown]:
        """Every restore job, newest first."""
        with self._lock:
            found = [dict(job) for where, job in self._restores.values() if where == scope]
        return [job for job in reversed(found) if status in {"", job["Status"]}]

    def begin_copy(self, scope: Scope, point: RecoveryPoint, vault: str, role: str) -> Shown:
        """A copy job to a vault, by ARN, running; change what it returns as it goes on."""
        account, region = scope
        job: Shown = {
            "AccountId": account,
            "CopyJobId": str(uuid.uuid4()),
            "SourceBackupVaultArn": f"arn:aws:backup:{region}:{account}:backup-vault:{point.vault}",
            "SourceRecoveryPointArn": point.arn,
            "DestinationBackupVaultArn": vault,
            "CreationDate": self.now_s(),
            "State": "RUNNING",
            "BackupSizeInBytes": point.size_bytes,
            "IamRoleArn": role,
            "ResourceArn": point.resource,
            "ResourceType": point.kind,
            "IsParent": False,
        }
        with self._lock:
            self._copies[job["CopyJobId"]] = (scope, job)
        return job

    def copies(self, scope: Scope, job_id: str = "") -> list[Shown]:
        """Copy jobs, newest first: all, or the one.

        Raises:
            BackupError: there is no such one.
        """
        with self._lock:
            found = [dict(job) for where, job in self._copies.values() if where == scope]
        chosen = [job for job in reversed(found) if job_id in {"", job["CopyJobId"]}]
        if job_id and not chosen:
            raise missing("Copy job", job_id)
        return chosen

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._points.clear()
            self._restores.clear()
            self._copies.clear()
