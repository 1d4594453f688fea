"""Point-in-time recovery over boto3: the second between two writes, and the refusals that AWS gives."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest


def turn_on(table: Any) -> None:
    table.update_continuous_backups(
        TableName="orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


def put(table: Any, key: str, value: str) -> None:
    table.put_item(TableName="orders", Item={"id": {"S": key}, "v": {"S": value}})


def held(table: Any, name: str) -> dict[str, str]:
    return {item["id"]["S"]: item["v"]["S"] for item in table.scan(TableName=name, ConsistentRead=True)["Items"]}


def restore(table: Any, at: datetime | None, target: str = "restored") -> None:
    when = {"UseLatestRestorableTime": True} if at is None else {"RestoreDateTime": at}
    table.restore_table_to_point_in_time(SourceTableName="orders", TargetTableName=target, **when)


def test_a_table_is_restored_as_it_was_between_two_writes(table: Any) -> None:
    put(table, "old", "before it was on")
    turn_on(table)
    put(table, "a", "1")
    put(table, "gone", "1")
    time.sleep(0.05)
    between = datetime.now(UTC)
    time.sleep(0.05)
    put(table, "a", "2")
    table.delete_item(TableName="orders", Key={"id": {"S": "gone"}})
    table.update_item(
        TableName="orders",
        Key={"id": {"S": "old"}},
        UpdateExpression="SET v = :v",
        ExpressionAttributeValues={":v": {"S": "changed"}},
    )
    restore(table, between)
    assert held(table, "restored") == {"old": "before it was on", "a": "1", "gone": "1"}
    restore(table, None, "newest")
    assert held(table, "newest") == held(table, "orders") == {"old": "changed", "a": "2"}


def test_a_transaction_and_a_batch_are_remembered_too(table: Any) -> None:
    turn_on(table)
    write = {"Put": {"TableName": "orders", "Item": {"id": {"S": "t"}, "v": {"S": "1"}}}}
    table.transact_write_items(TransactItems=[write])
    table.batch_write_item(RequestItems={"orders": [{"PutRequest": {"Item": {"id": {"S": "b"}, "v": {"S": "1"}}}}]})
    restore(table, None)
    assert held(table, "restored") == {"t": "1", "b": "1"}


def test_it_is_refused_when_it_is_off_or_the_time_is_outside(table: Any) -> None:
    with pytest.raises(
        table.exceptions.PointInTimeRecoveryUnavailableException, match="not enabled for table 'orders'"
    ):
        restore(table, None)
    turn_on(table)
    window = table.describe_continuous_backups(TableName="orders")["ContinuousBackupsDescription"]
    shown = window["PointInTimeRecoveryDescription"]
    assert shown["PointInTimeRecoveryStatus"] == "ENABLED"
    for at in (shown["EarliestRestorableDateTime"] - timedelta(seconds=5), datetime.now(UTC) + timedelta(hours=1)):
        with pytest.raises(table.exceptions.InvalidRestoreTimeException, match="between"):
            restore(table, at)
