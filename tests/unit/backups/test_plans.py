"""Backup plans: what is due, what is selected, what the jobs then do and say."""

from __future__ import annotations

import datetime as dt
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.cloud.backups import emulated
from harness.cloud.backups.plans import Timetable, selected
from harness.cloud.backups.points import Points, RecoveryPoint
from harness.cloud.backups.service import BackupService
from tests.waiting import until

SCOPE = ("000000000000", "us-east-1")
NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/orders"


def hourly(_expression: str, after: dt.datetime) -> dt.datetime:
    return after.replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=1)


def plan(identity: str = "p", **rule: Any) -> dict[str, Any]:
    rule = {"RuleName": "hourly", "RuleId": "r", "ScheduleExpression": "cron(0 * ? * * *)", **rule}
    return {
        "BackupPlanId": identity, "BackupPlanArn": f"arn:{identity}", "BackupPlanName": identity, "VersionId": "v",
        "CreationDate": NOON.timestamp(), "BackupPlan": {"Rules": [{"TargetBackupVaultName": "vault", **rule}]},
    }  # fmt: skip


def test_a_rule_is_due_once_for_each_of_its_instants_after_the_plan_was_made() -> None:
    table = Timetable(hourly)

    def due(minutes: int) -> int:
        return len(list(table.due([plan()], NOON + dt.timedelta(minutes=minutes))))

    assert [due(minutes) for minutes in (0, 59, 60, 61, 119, 121)] == [0, 0, 1, 0, 0, 1]


def test_resources_are_selected_by_name_pattern_and_tag_and_left_out_by_pattern() -> None:
    resources = {"arn:a:table/one": {}, "arn:a:table/two": {"backup": "yes"}, "arn:s3:::three": {"backup": "yes"}}
    assert selected({"Resources": ["arn:a:table/*"], "NotResources": ["*two"]}, resources) == ["arn:a:table/one"]
    tag = {"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "yes"}
    assert selected({"ListOfTags": [tag]}, resources) == ["arn:a:table/two", "arn:s3:::three"]
    assert selected({}, resources) == []


class FakeAws:
    """As much of DynamoDB, RDS and S3 as a job of a table needs."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    def list_tables(self) -> dict[str, Any]:
        return {"TableNames": ["orders"]}

    def describe_table(self, TableName: str) -> dict[str, Any]:  # noqa: N803
        return {"Table": {"TableArn": TABLE}}

    def list_tags_of_resource(self, ResourceArn: str) -> dict[str, Any]:  # noqa: N803
        return {"Tags": [{"Key": "backup", "Value": "yes"}]}

    def describe_db_clusters(self) -> dict[str, Any]:
        return {"DBClusters": []}

    def describe_db_instances(self) -> dict[str, Any]:
        return {"DBInstances": []}

    def list_buckets(self) -> dict[str, Any]:
        return {"Buckets": []}

    def create_backup(self, **_asked: str) -> dict[str, Any]:
        return {"BackupDetails": {"BackupArn": "arn:backup", "BackupSizeBytes": 7}}

    def delete_backup(self, BackupArn: str) -> None:  # noqa: N803
        self.deleted.append(BackupArn)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    vault, jobs = {"NumberOfRecoveryPoints": 0}, dict[str, Any]()
    tag = {"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "yes"}
    records = {
        "vaults": {"vault": vault},
        "selections": {"s": {"BackupPlanId": "p", "IamRoleArn": "role", "ListOfTags": [tag]}},
    }
    rule = {"Lifecycle": {"DeleteAfterDays": 1}}
    monkeypatch.setattr(emulated, "backup_records", records.__getitem__)
    monkeypatch.setattr(emulated, "plans_by_scope", lambda: {SCOPE: [plan(**rule)]})
    monkeypatch.setattr(emulated, "keep_backup_job", jobs.__setitem__)
    monkeypatch.setattr(emulated, "in_scope", lambda *_scope: nullcontext())
    aws, events, now_s = FakeAws(), list[dict[str, Any]](), [0.0]
    doors = SimpleNamespace(
        zones=SimpleNamespace(lost=lambda _region: False),
        target=SimpleNamespace(client=lambda _name, **_options: aws),
        publish=lambda **event: events.append(event),
    )
    made = BackupService(
        doors=doors,
        folder=tmp_path,
        points=Points(lambda: now_s[0]),
        timetable=Timetable(hourly),  # type: ignore[arg-type]
    )
    yield SimpleNamespace(made=made, jobs=jobs, aws=aws, events=events, vault=vault, now_s=now_s)
    made.close()


def test_what_is_due_is_copied_by_its_own_api_told_and_deleted_when_its_lifecycle_is_over(service: Any) -> None:
    service.made.look(NOON + dt.timedelta(minutes=30))
    assert not service.jobs
    service.made.look(NOON + dt.timedelta(minutes=61))
    assert until(lambda: service.events)
    (job,) = service.jobs.values()
    assert (job["State"], job["ResourceArn"], job["CreatedBy"]["BackupPlanId"]) == ("COMPLETED", TABLE, "p")
    (point,) = service.made.points.of(SCOPE, vault="vault")
    assert (point.arn, point.size_bytes) == (job["RecoveryPointArn"], 7)
    assert service.vault["NumberOfRecoveryPoints"] == 1
    assert service.events[0]["detail"]["state"] == "COMPLETED"
    service.now_s[0] = point.created_s + 2 * 86400
    service.made.look(NOON + dt.timedelta(minutes=62))
    assert service.aws.deleted == ["arn:backup"]
    assert service.made.points.of(SCOPE) == []
    assert service.vault["NumberOfRecoveryPoints"] == 0


def test_points_are_of_one_account_and_region() -> None:
    points = Points(lambda: 0.0)
    points.add(RecoveryPoint(arn="a", scope=SCOPE, vault="v", resource="r", kind="S3", created_s=0.0))
    assert points.of(("000000000000", "us-west-2")) == []
    assert [one["ResourceArn"] for one in points.protected(SCOPE)] == ["r"]
