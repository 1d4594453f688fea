"""Snapshots and restores of RDS: real copies of a cluster's volume, replayed to the instant that was asked for.

ministack keeps the records of snapshots; the operations that restore clusters it lacks, so they are made of its
CreateDBCluster and CreateDBInstance here.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.cloud.databases import emulated, query
from harness.cloud.databases.cluster import Cluster
from harness.cloud.databases.emulated import Proceed, Record, ServiceAnswer, ServiceCall
from harness.cloud.databases.volume import Volume

if TYPE_CHECKING:
    from harness.cloud.databases.rds import Key, Rds

_FROM_SOURCE = ("Engine", "EngineVersion", "MasterUsername", "DatabaseName", "DBName", "DBInstanceClass")
_NOT_PASSED_ON = frozenset({
    "SnapshotIdentifier", "DBSnapshotIdentifier", "DBClusterSnapshotIdentifier", "SourceDBClusterIdentifier",
    "RestoreToTime", "SourceDBInstanceIdentifier", "TargetDBInstanceIdentifier", "RestoreTime",
    "UseLatestRestorableTime", "RestoreType",
})  # fmt: skip


class RestoreError(Exception):
    """An error of the API: its code, and what it says."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A copy of a volume, and the record of what it was taken of."""

    volume: Volume
    source: Record


@dataclass(slots=True)
class Backups:
    """The snapshots of one cloud's clusters and DB instances."""

    rds: Rds
    _snapshots: dict[Key, Snapshot] = field(default_factory=dict)

    operations = frozenset({
        "CreateDBClusterSnapshot", "CreateDBSnapshot", "DeleteDBCluster", "DeleteDBInstance",
        "RestoreDBClusterFromSnapshot", "RestoreDBClusterToPointInTime",
        "RestoreDBInstanceFromDBSnapshot", "RestoreDBInstanceToPointInTime",
    })  # fmt: skip

    async def answer(self, call: ServiceCall, proceed: Proceed, given: Mapping[str, str]) -> ServiceAnswer:
        """Answer one of `operations`."""
        action = given["Action"]
        if action.startswith("Delete"):
            return await self._delete(call, proceed, given)
        try:
            if action.startswith("Create"):
                return await self._create(call, proceed, given)
            return await self._restore(call, proceed, given)
        except RestoreError as error:
            return query.refusal("rds", error.code, str(error))

    # -- snapshots ---------------------------------------------------------------------------------------------

    async def _create(self, call: ServiceCall, proceed: Proceed, given: Mapping[str, str]) -> ServiceAnswer:
        answer = await proceed(call)
        if answer[0] < 300:
            await asyncio.to_thread(self._take, given)
        return answer

    def _take(self, given: Mapping[str, str]) -> None:
        account, region = emulated.caller_scope()
        kind = "cluster" if given["Action"] == "CreateDBClusterSnapshot" else "db"
        name = given.get("DBClusterSnapshotIdentifier") or given["DBSnapshotIdentifier"]
        source = _last(given.get("DBClusterIdentifier") or given["DBInstanceIdentifier"])
        found = self.rds.found((account, region, kind, source))
        if found is None:
            return  # an engine that does not run here
        cluster, record = found
        volume = Volume(self.rds.site.folder / "snapshots" / uuid.uuid4().hex)
        self._copy(cluster, volume)
        self._snapshots[account, region, kind, name] = Snapshot(volume=volume, source=dict(record))

    def _copy(self, cluster: Cluster, volume: Volume) -> None:
        def job() -> None:
            cluster.save()
            volume.copy_of(cluster.volume)

        cluster.worker.do(job).result(60)

    async def _delete(self, call: ServiceCall, proceed: Proceed, given: Mapping[str, str]) -> ServiceAnswer:
        """A final snapshot is taken before the last of it is gone. ministack takes none."""
        final = given.get("FinalDBSnapshotIdentifier")
        if final and not query.flag(given, "SkipFinalSnapshot"):
            cluster = given["Action"] == "DeleteDBCluster"
            kind, noun = ("DBCluster", "DBCluster") if cluster else ("DB", "DBInstance")
            asked = {
                "Action": f"Create{kind}Snapshot",
                f"{kind}SnapshotIdentifier": final,
                f"{noun}Identifier": given[f"{noun}Identifier"],
                "Version": "2014-10-31",
            }
            answer = await self._create(query.changed(call, asked), proceed, asked)
            if answer[0] >= 300:
                return answer
        return await self.rds.plainly(call, proceed, given)

    # -- restores ----------------------------------------------------------------------------------------------

    async def _restore(self, call: ServiceCall, proceed: Proceed, given: Mapping[str, str]) -> ServiceAnswer:
        from harness.cloud.databases.rds import Origin

        action = given["Action"]
        kind = "cluster" if "DBCluster" in action.partition("From")[0].partition("To")[0] else "db"
        create = "CreateDBCluster" if kind == "cluster" else "CreateDBInstance"
        name = (
            given.get("TargetDBInstanceIdentifier")
            or given.get("DBClusterIdentifier")
            or given["DBInstanceIdentifier"]
        )
        account, region = emulated.caller_scope()
        key = (account, region, kind, name)
        if action.endswith("ToPointInTime"):
            volume, source, until = await asyncio.to_thread(self._at, kind, given)
        else:
            snapshot = self._find(kind, given)
            volume, source, until = snapshot.volume, snapshot.source, ""
        asked = _creation(given, source, create, name)
        self.rds.origins[key] = Origin(volume, until)
        answer = await self.rds.plainly(query.changed(call, asked), proceed, asked)
        self.rds.origins.pop(key, None)
        renamed = answer[2].replace(f"{create}Re".encode(), f"{action}Re".encode())
        return answer[0], answer[1], renamed

    def _find(self, kind: str, given: Mapping[str, str]) -> Snapshot:
        account, region = emulated.caller_scope()
        name = _last(given.get("SnapshotIdentifier") or given.get("DBSnapshotIdentifier", ""))
        kept = emulated.database_records("db_cluster_snapshots" if kind == "cluster" else "snapshots")
        found = self._snapshots.get((account, region, kind, name))
        if found is None or name not in kept:
            code = "DBClusterSnapshotNotFoundFault" if kind == "cluster" else "DBSnapshotNotFound"
            raise RestoreError(code, f"Snapshot {name} not found.")
        return found

    def _at(self, kind: str, given: Mapping[str, str]) -> tuple[Volume, Record, str]:
        account, region = emulated.caller_scope()
        source = _last(given.get("SourceDBClusterIdentifier") or given.get("SourceDBInstanceIdentifier", ""))
        found = self.rds.found((account, region, kind, source))
        if found is None:
            code = "DBClusterNotFoundFault" if kind == "cluster" else "DBInstanceNotFound"
            raise RestoreError(code, f"{source} not found.")
        cluster, record = found
        until = given.get("RestoreToTime") or given.get("RestoreTime", "")
        if not int(record.get("BackupRetentionPeriod", 1)):
            raise RestoreError("PointInTimeRestoreNotEnabledFault", f"{source} keeps no automated backups.")
        if until:
            until = _covered(until, str(record.get("ClusterCreateTime") or record.get("InstanceCreateTime")))
        elif not query.flag(given, "UseLatestRestorableTime"):
            raise RestoreError("InvalidParameterCombination", "RestoreToTime or UseLatestRestorableTime is needed.")
        cluster.worker.do(cluster.save).result(60)
        return cluster.volume, record, until

    def reset(self) -> None:
        """Forget and delete every snapshot."""
        for snapshot in self._snapshots.values():
            snapshot.volume.delete()
        self._snapshots.clear()


def _creation(given: Mapping[str, str], source: Record, create: str, name: str) -> dict[str, str]:
    """The parameters of the call that makes the new cluster or instance: those given, else the source's."""
    asked = {key: value for key, value in given.items() if key.partition(".")[0] not in _NOT_PASSED_ON}
    asked.update(Action=create, Version="2014-10-31")
    asked["DBClusterIdentifier" if create == "CreateDBCluster" else "DBInstanceIdentifier"] = name
    for key in _FROM_SOURCE:
        if source.get(key):
            asked.setdefault(key, str(source[key]))
    asked["MasterUsername"] = str(source.get("MasterUsername", ""))
    asked["MasterUserPassword"] = str(source.get("_MasterUserPassword") or "")
    return asked


def _covered(until: str, earliest: str) -> str:
    """The instant as PostgreSQL reads it in its configuration, once it is sure that a backup covers it.

    Raises:
        RestoreError: says which instants there are.
    """
    try:
        asked = _instant(until)
    except ValueError as error:
        raise RestoreError("InvalidParameterValue", f"{until} is no instant") from error
    if not _instant(earliest) <= asked <= dt.datetime.now(dt.UTC):
        raise RestoreError(
            "InvalidRestoreFault", f"{until} is outside of what can be restored: from {earliest} until now."
        )

    return asked.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00")


def _instant(text: str) -> dt.datetime:
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _last(name: str) -> str:
    """The identifier in an ARN, or the identifier itself."""
    return name.rpartition(":")[2]
