"""AWS Backup in front of ministack's: its vaults, plans and selections are kept, but its jobs copy nothing.

Jobs of ours copy by the API of the resource, through the gate; a plan's rules start them when their cron is due.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.backups import emulated, locks
from harness.cloud.backups.carrying import carry
from harness.cloud.backups.plans import Due, Timetable, selected
from harness.cloud.backups.points import BackupError, Points, RecoveryPoint, Scope, Shown, missing
from harness.cloud.backups.stores import Buckets, Clusters, Instances, Store, Tables, all_resources, kind_of
from harness.cloud.databases.emulated import Proceed, ServiceAnswer, ServiceCall, caller_scope, wrap_service
from harness.cloud.doors import Doors
from harness.cloud.ticker import Ticker

_LOG = logging.getLogger(__name__)
_LOOK_EVERY_S = 5.0
_CUT_LOOK_S = 0.2
_HEADERS = {"Content-Type": "application/json"}


@dataclass(slots=True, kw_only=True)
class BackupService:
    """The jobs of one cloud. `close` ends the looking for what is due."""

    doors: Doors
    folder: Path
    points: Points = field(default_factory=lambda: Points(time.time))
    timetable: Timetable = field(default_factory=lambda: Timetable(emulated.next_fire))
    _workers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "backup"))
    _closed: threading.Event = field(default_factory=threading.Event)
    _ticker: Ticker = field(init=False)

    def __post_init__(self) -> None:
        self._ticker = Ticker("backup plans", _LOOK_EVERY_S, lambda: self.look(dt.datetime.now(dt.UTC)))

    @classmethod
    def install(cls, doors: Doors, folder: Path) -> BackupService:
        """Put it in front of the emulator's."""
        made = cls(doors=doors, folder=folder)
        wrap_service("backup", made.answer)
        made._ticker.start()
        return made

    # -- calls -------------------------------------------------------------------------------------------------

    async def answer(self, call: ServiceCall, proceed: Proceed) -> ServiceAnswer:
        """Answer one call."""
        parts = [unquote(part) for part in call.path.strip("/").split("/") if part]
        query = {key: value[0] if isinstance(value, list) else value for key, value in call.query.items()}
        try:
            body = json.loads(call.body or b"{}")
            found = self._answer(caller_scope(), (call.method, parts), body, query)
        except BackupError as error:
            said = json.dumps({"__type": error.code, "Code": error.code, "Message": str(error)})
            return 400, {**_HEADERS, "x-amzn-errortype": error.code}, said.encode()
        if found is None:
            return await proceed(call)
        return 200, dict(_HEADERS), json.dumps(found).encode()

    def _answer(
        self, scope: Scope, route: tuple[str, list[str]], body: Shown, query: Mapping[str, str]
    ) -> Shown | None:
        """What is ours of the API; None for the rest."""
        match route:
            case _, ["backup-jobs" | "restore-jobs" | "copy-jobs", *_]:
                return self._job(scope, route, body, query)
            case "PUT", ["backup-vaults", vault, "vault-lock"]:
                locks.lock(self._vault(vault), body, time.time())
                return {}
            case "DELETE", ["backup-vaults", vault, "vault-lock"]:
                locks.unlock(self._vault(vault), time.time())
                return {}
            case "GET", ["backup-vaults", vault, "recovery-points"]:
                self._vault(vault)
                points = self.points.of(scope, vault=vault, resource=query.get("resourceArn", ""))
                return {"RecoveryPoints": [point.shown() for point in points]}
            case method, ["backup-vaults", vault, "recovery-points", *arn]:
                self._vault(vault)
                return self._point(scope, method, vault, arn)
            case "DELETE", ["backup-vaults", vault] if self.points.of(scope, vault=vault):
                raise BackupError("InvalidRequestException", f"Backup vault {vault} is not empty")
            case "GET", ["resources"]:
                return {"Results": self.points.protected(scope)}
            case "GET", ["resources", *arn, "recovery-points"]:
                points = self.points.of(scope, resource="/".join(arn))
                return {"RecoveryPoints": [point.shown() for point in points]}
        return None

    def _job(self, scope: Scope, route: tuple[str, list[str]], body: Shown, query: Mapping[str, str]) -> Shown | None:
        match route:
            case "PUT", ["backup-jobs"]:
                return self._start(scope, body)
            case "PUT", ["restore-jobs"]:
                return self._restore(scope, body)
            case "GET", ["restore-jobs"]:
                return {"RestoreJobs": self.points.restores(scope, query.get("status", ""))}
            case "GET", ["restore-jobs", job_id]:
                return self.points.restore(scope, job_id)
            case "PUT", ["copy-jobs"]:
                return self._copy(scope, body)
            case "GET", ["copy-jobs", *job_id]:
                found = self.points.copies(scope, "".join(job_id))
                return {"CopyJob": found[0]} if job_id else {"CopyJobs": found}
        return None

    def _point(self, scope: Scope, method: str, vault: str, parts: list[str]) -> Shown | None:
        wants_metadata = parts[-1] == "restore-metadata"
        point = self.points.find(scope, "/".join(parts[:-1] if wants_metadata else parts), vault)
        if method == "DELETE":
            locks.refuse_deletion(self._vault(vault))
            self.points.remove(point)
            self._count(scope, vault)
            self._workers.submit(self._delete, point)
            return {}
        shown = point.shown()
        if not wants_metadata:
            return shown
        return {key: shown[key] for key in ("BackupVaultArn", "RecoveryPointArn", "ResourceType")} | {
            "RestoreMetadata": point.metadata
        }

    @staticmethod
    def _vault(name: str) -> Shown:
        """Its live record."""
        found = emulated.backup_records("vaults").get(name)
        if found is None:
            raise missing("Backup vault", name)
        return found

    def _store(self, scope: Scope, kind: str) -> Store:
        name = {"DynamoDB": "dynamodb", "S3": "s3"}.get(kind, "rds")
        client = self.doors.target.client(name, region=scope[1])
        if kind == "S3":
            return Buckets(client, self.folder)
        stores: dict[str, Callable[[Any], Store]] = {"DynamoDB": Tables, "RDS": Instances, "Aurora": Clusters}
        return stores[kind](client)

    # -- backup jobs -------------------------------------------------------------------------------------------

    def _start(self, scope: Scope, body: Shown, by_plan: Shown | None = None) -> Shown:
        vault, resource = str(body.get("BackupVaultName", "")), str(body.get("ResourceArn", ""))
        kept = float((body.get("Lifecycle") or {}).get("DeleteAfterDays") or 0)
        locks.refuse_retention(self._vault(vault), kept)
        kind, (account, region) = kind_of(resource), scope
        job_id, now_s = str(uuid.uuid4()), time.time()
        own = f"arn:aws:backup:{region}:{account}:recovery-point:{uuid.uuid4()}"
        job: Shown = {
            "AccountId": account,
            "BackupJobId": job_id,
            "BackupVaultName": vault,
            "BackupVaultArn": f"arn:aws:backup:{region}:{account}:backup-vault:{vault}",
            "ResourceArn": resource,
            "ResourceType": kind,
            "IamRoleArn": body.get("IamRoleArn", ""),
            "CreationDate": now_s,
            "State": "CREATED",
            "PercentDone": "0.0",
            "IsParent": False,
            **({"CreatedBy": by_plan} if by_plan else {}),
        }
        emulated.keep_backup_job(job_id, job)
        point = RecoveryPoint(
            arn=own, scope=scope, vault=vault, resource=resource, kind=kind, created_s=now_s,
            role=str(body.get("IamRoleArn", "")), by_plan=dict(by_plan or {}),
            delete_after_days=kept,
        )  # fmt: skip
        self._workers.submit(self._save, job, point)
        return {"BackupJobId": job_id, "CreationDate": now_s, "IsParent": False}

    def _save(self, job: Shown, point: RecoveryPoint) -> None:
        if job["State"] != "CREATED":
            return  # stopped before it began
        job["State"] = "RUNNING"
        try:
            made = self._store(point.scope, point.kind).save(point.resource)
        except (BackupError, ClientError, BotoCoreError, OSError) as error:
            job.update(State="FAILED", StatusMessage=str(error), CompletionDate=time.time())
        else:
            point.arn, point.artifact, point.size_bytes = made.arn or point.arn, made.artifact, made.size_bytes
            point.metadata, point.completed_s = dict(made.metadata), time.time()
            self.points.add(point)
            self._count(point.scope, point.vault)
            job.update(
                State="COMPLETED", PercentDone="100.0", CompletionDate=point.completed_s, RecoveryPointArn=point.arn,
                BackupSizeInBytes=point.size_bytes,
            )  # fmt: skip
        self._tell(point, "Backup Job State Change", {"backupJobId": job["BackupJobId"], "state": job["State"]})

    def _count(self, scope: Scope, vault: str) -> None:
        with emulated.in_scope(*scope):
            record = emulated.backup_records("vaults").get(vault)
        if record is not None:
            record["NumberOfRecoveryPoints"] = len(self.points.of(scope, vault=vault))

    def _delete(self, point: RecoveryPoint) -> None:
        with suppress(ClientError, BotoCoreError):  # the resource's own API may have deleted it
            self._store(point.scope, point.kind).delete(point)

    def _tell(self, point: RecoveryPoint, what: str, detail: Shown) -> None:
        """The event that AWS Backup puts on the default bus.

        Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html
        """
        detail = {**detail, "resourceType": point.kind, "resourceArn": point.resource, "backupVaultName": point.vault}
        self.doors.publish(
            region=point.scope[1], source="aws.backup", detail_type=what, resources=[point.arn], detail=detail
        )

    # -- restore jobs ------------------------------------------------------------------------------------------

    def _restore(self, scope: Scope, body: Shown) -> Shown:
        point = self.points.find(scope, str(body.get("RecoveryPointArn", "")))
        job = self.points.begin_restore(str(uuid.uuid4()), point, str(body.get("IamRoleArn", "")))
        self._workers.submit(self._bring_back, job, point, dict(body.get("Metadata") or {}))
        return {"RestoreJobId": job["RestoreJobId"]}

    def _bring_back(self, job: Shown, point: RecoveryPoint, asked: Mapping[str, str]) -> None:
        try:
            arn = self._store(point.scope, point.kind).restore(point, asked)
        except (BackupError, ClientError, BotoCoreError, OSError) as error:
            job.update(Status="FAILED", StatusMessage=str(error), CompletionDate=time.time())
        else:
            job.update(Status="COMPLETED", PercentDone="100.00%", CompletionDate=time.time(), CreatedResourceArn=arn)
        self._tell(point, "Restore Job State Change", {"restoreJobId": job["RestoreJobId"], "status": job["Status"]})

    # -- copy jobs ---------------------------------------------------------------------------------------------

    def _copy(self, scope: Scope, body: Shown) -> Shown:
        """A recovery point goes to another vault, in this region or another, under this account."""
        point = self.points.find(
            scope, str(body.get("RecoveryPointArn", "")), str(body.get("SourceBackupVaultName", ""))
        )
        arn, kept = str(body.get("DestinationBackupVaultArn", "")), body.get("Lifecycle") or {}
        region, name = [*arn.split(":"), "", "", "", ""][3], arn.rpartition(":")[2]
        there = (scope[0], region)
        with emulated.in_scope(*there):
            locks.refuse_retention(self._vault(name), float(kept.get("DeleteAfterDays") or 0))
        job = self.points.begin_copy(scope, point, arn, str(body.get("IamRoleArn", "")))
        made = replace(
            point, arn=f"arn:aws:backup:{region}:{scope[0]}:recovery-point:{uuid.uuid4()}", scope=there, vault=name,
            created_s=job["CreationDate"], delete_after_days=float(kept.get("DeleteAfterDays") or 0),
        )  # fmt: skip
        self._workers.submit(self._carry, job, point, made)
        return {"CopyJobId": job["CopyJobId"], "CreationDate": job["CreationDate"], "IsParent": False}

    def _carry(self, job: Shown, point: RecoveryPoint, made: RecoveryPoint) -> None:
        links = self.doors.zones.links
        while links.cut_between(point.scope[1], made.scope[1]) and not self._closed.wait(_CUT_LOOK_S):
            pass  # the job goes on when the regions see each other again
        try:
            kind = "s3" if point.kind == "S3" else "dynamodb"
            here, there = (self.doors.target.client(kind, region=one.scope[1]) for one in (point, made))
            copy = carry(point, here, there, self.folder)
        except (BackupError, ClientError, BotoCoreError, OSError) as error:
            job.update(StatusMessage=str(error), CompletionDate=time.time())
            job["State"] = "FAILED"
        else:
            made.artifact, made.completed_s = copy.artifact, time.time()
            self.points.add(made)
            self._count(made.scope, made.vault)
            job.update(DestinationRecoveryPointArn=made.arn, CompletionDate=made.completed_s)
            job["State"] = "COMPLETED"
        self._tell(point, "Copy Job State Change", {"copyJobId": job["CopyJobId"], "state": job["State"]})

    # -- plans -------------------------------------------------------------------------------------------------

    def look(self, now: dt.datetime) -> None:
        """Start what is due at `now`, and delete what is past its lifecycle."""
        for scope, plans in emulated.plans_by_scope().items():
            if self.doors.zones.lost(scope[1]):
                continue  # nobody there is at work
            for due in self.timetable.due(plans, now):
                self._run(scope, due)
        for point in self.points.expired():
            self.points.remove(point)
            self._count(point.scope, point.vault)
            self._delete(point)

    def _run(self, scope: Scope, due: Due) -> None:
        plan, rule = due.plan, due.rule
        by_plan = {
            "BackupPlanId": plan["BackupPlanId"],
            "BackupPlanArn": plan["BackupPlanArn"],
            "BackupPlanVersion": plan["VersionId"],
            "BackupRuleId": rule.get("RuleId", rule.get("RuleName", "")),
        }
        vault, lifecycle = rule.get("TargetBackupVaultName", ""), rule.get("Lifecycle")
        for arn, role in self._selected(scope, plan["BackupPlanId"]):
            body = {"BackupVaultName": vault, "ResourceArn": arn, "IamRoleArn": role, "Lifecycle": lifecycle}
            with emulated.in_scope(*scope):
                try:
                    self._start(scope, body, by_plan)
                except BackupError as error:
                    _LOG.warning("backup plan %s: %s", plan["BackupPlanName"], error)

    def _selected(self, scope: Scope, plan_id: str) -> Iterator[tuple[str, str]]:
        """The ARNs of what the plan's selections are about, with the role of the selection."""
        with emulated.in_scope(*scope):
            selections = [
                one for one in emulated.backup_records("selections").values() if one["BackupPlanId"] == plan_id
            ]
        if not selections:
            return
        resources = all_resources(partial(self.doors.target.client, region=scope[1]))
        for selection in selections:
            for arn in selected(selection, resources):
                yield arn, selection["IamRoleArn"]

    # -- the server --------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget everything."""
        self.points.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """End."""
        self._ticker.stop()
        self._closed.set()
        self._workers.shutdown(wait=False, cancel_futures=True)
        shutil.rmtree(self.folder, ignore_errors=True)
