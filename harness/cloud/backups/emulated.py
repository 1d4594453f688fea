"""Point-in-time recovery for ministack's DynamoDB, which restores current data, and does so even when it is off."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from harness.cloud.backups.item_history import DEFAULT_WINDOW_DAYS, ItemHistories, OutsideWindowError

Answer = tuple[int, dict[str, str], Any]
Handler = Callable[[dict[str, Any]], Answer]  # a request's JSON


def install() -> ItemHistories:
    """Remember every write, and restore from what is remembered. Call it once, before the emulator serves."""
    from ministack.services import dynamodb

    histories = ItemHistories(time.time)
    _remember_writes(histories)
    dynamodb._update_continuous_backups = _update(histories, dynamodb._update_continuous_backups)  # noqa: SLF001 - the seam
    dynamodb._describe_continuous_backups = _describe(histories, dynamodb._describe_continuous_backups)  # noqa: SLF001
    dynamodb._restore_table_to_point_in_time = _restore(  # noqa: SLF001
        histories,
        dynamodb._restore_table_to_point_in_time,  # noqa: SLF001
    )
    return histories


def _remember_writes(histories: ItemHistories) -> None:
    """Every write of an item ends in one of two functions, whoever asked for it (TTL and replicas too)."""
    from ministack.services import dynamodb

    set_item, remove_item = dynamodb._set_item, dynamodb._remove_item  # noqa: SLF001

    def set_and_note(table: dict[str, Any], partition: str, sort: str, item: dict[str, Any]) -> Any:
        old = set_item(table, partition, sort, item)
        histories.note(table["TableId"], partition, sort, item)
        return old

    def remove_and_note(table: dict[str, Any], partition: str, sort: str) -> Any:
        old = remove_item(table, partition, sort)
        if old is not None:
            histories.note(table["TableId"], partition, sort, None)
        return old

    dynamodb._set_item, dynamodb._remove_item = set_and_note, remove_and_note  # noqa: SLF001


def _update(histories: ItemHistories, builtin: Handler) -> Handler:
    def update(data: dict[str, Any]) -> Answer:
        answered = builtin(data)
        table = _table(data.get("TableName"))
        if answered[0] != 200 or table is None:
            return answered
        wanted = data.get("PointInTimeRecoverySpecification") or {}
        if not wanted.get("PointInTimeRecoveryEnabled"):
            histories.turn_off(table["TableId"])
            return answered
        days = int(wanted.get("RecoveryPeriodInDays") or DEFAULT_WINDOW_DAYS)
        if not 1 <= days <= DEFAULT_WINDOW_DAYS:
            return _refused("ValidationException", f"RecoveryPeriodInDays must be between 1 and 35, not {days}")
        histories.turn_on(table["TableId"], table["items"], window_days=days)
        return _with_window(histories, table, answered)

    return update


def _describe(histories: ItemHistories, builtin: Handler) -> Handler:
    def describe(data: dict[str, Any]) -> Answer:
        answered, table = builtin(data), _table(data.get("TableName"))
        return answered if answered[0] != 200 or table is None else _with_window(histories, table, answered)

    return describe


def _with_window(histories: ItemHistories, table: dict[str, Any], answered: Answer) -> Answer:
    status, headers, body = answered
    window = histories.window(table["TableId"])
    if window is None:
        return answered
    answer = json.loads(body)
    shown = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    shown["EarliestRestorableDateTime"], shown["LatestRestorableDateTime"] = window
    return status, headers, json.dumps(answer).encode()


def _restore(histories: ItemHistories, builtin: Handler) -> Handler:
    def restore(data: dict[str, Any]) -> Answer:
        from ministack.services import dynamodb

        source = _table(data.get("SourceTableName") or data.get("SourceTableArn"))
        if source is None:
            return builtin(data)
        window = histories.window(source["TableId"])
        if window is None:
            name = source["TableName"]
            return _refused(
                "PointInTimeRecoveryUnavailableException",
                f"Point in time recovery is not enabled for table '{name}'",
            )
        wanted = data.get("RestoreDateTime")
        if wanted is None and not data.get("UseLatestRestorableTime"):
            return _refused("ValidationException", "Either RestoreDateTime or UseLatestRestorableTime must be given")
        try:
            items = histories.as_of(source["TableId"], window[1] if wanted is None else float(wanted))
        except OutsideWindowError:
            return _refused(
                "InvalidRestoreTimeException",
                "Restore time must be between EarliestRestorableDateTime and LatestRestorableDateTime "
                f"({window[0]:.3f} to {window[1]:.3f})",
            )
        answered = builtin(data)
        if answered[0] == 200:
            target = dynamodb._tables[data["TargetTableName"]]  # noqa: SLF001
            target["items"] = defaultdict(dict, items)
            dynamodb._items_replaced(target)  # noqa: SLF001
        return answered

    return restore


def _table(name: Any) -> dict[str, Any] | None:
    from ministack.services import dynamodb

    found: dict[str, Any] | None = dynamodb._tables.get(dynamodb._normalize_table_name(name or ""))  # noqa: SLF001
    return found


def _refused(code: str, message: str) -> Answer:
    from ministack.core.responses import error_response_json

    answer: Answer = error_response_json(code, message, 400)
    return answer


# -- AWS Backup ------------------------------------------------------------------------------------------------


def backup_records(kind: str) -> dict[str, dict[str, Any]]:
    """Ministack's `vaults`, `plans`, `selections` or `jobs`, by name or id, in the caller's account and region."""
    from ministack.services import backup

    return dict(getattr(backup, f"_{kind}").items())


def keep_backup_job(job_id: str, job: dict[str, Any]) -> None:
    """Let Describe- and ListBackupJobs show a job of ours, as it is at each call."""
    from ministack.services import backup

    backup._jobs[job_id] = job  # noqa: SLF001


def plans_by_scope() -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Every backup plan, by account and region."""
    from ministack.services import backup

    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for (account, region, _plan), record in list(backup._plans.all_items()):  # noqa: SLF001
        found.setdefault((account, region), []).append(record)
    return found


def in_scope(account: str, region: str) -> Any:
    """A context in which calls are those of an account and region."""
    from ministack.core.responses import request_scope

    return request_scope(account, region)


def next_fire(expression: str, after: dt.datetime) -> dt.datetime | None:
    """The first instant after `after` that `cron(...)` names; None when it never does, or is no such expression."""
    from ministack.services import eventbridge

    fields = eventbridge._parse_cron_fields(expression)  # noqa: SLF001
    if fields is None:
        return None
    found: dt.datetime | None = eventbridge._cron_next_fire(fields, after)  # noqa: SLF001
    return found
