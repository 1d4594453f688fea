"""Restores the table that a drill verifies, as a person would after it was spoilt, and lets the copy be read instead.

What cannot be restored is gone: a refusal is not an error of the check, it is the answer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from chaos.verification import Store
from harness.clock import Clock
from harness.errors import NotReadyError
from harness.measure import journal as names
from harness.measure.journal import JournalWriter

_REFUSED = frozenset({"PointInTimeRecoveryUnavailableException", "ContinuousBackupsUnavailableException"})
_LONGEST_S = 900.0
"""DynamoDB's latest restorable instant is "typically five minutes before the current time".

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
"""


@contextmanager
def restored(store: Store, name: str, journal: JournalWriter, clock: Clock) -> Iterator[Store]:
    """The store, to be read from a copy called `name` that holds everything until now, and is deleted at the end.

    Raises:
        ClientError: AWS refused for another reason than that the table has no point-in-time recovery.
        NotReadyError: it took too long.
    """
    client = store.stack.target.client("dynamodb", region=store.filled(store.part.region) or None)
    table = store.filled(store.part.table)
    try:
        _wait_until_restorable(client, table, clock)
        client.restore_table_to_point_in_time(
            SourceTableName=table, TargetTableName=name, UseLatestRestorableTime=True
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in _REFUSED:
            raise
        journal.event(names.RESTORE, clock.now_s(), table=table, refused=str(error))
        yield replace(store, gone=True)
        return
    try:
        client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 900})
        journal.event(names.RESTORE, clock.now_s(), table=table, refused="")
        yield replace(store, part=store.part.model_copy(update={"table": name}))
    finally:
        with suppress(ClientError):
            client.delete_table(TableName=name)


def _wait_until_restorable(client: Any, table: str, clock: Clock) -> None:
    """Until the newest write of the drill can be restored; at once where there is no point-in-time recovery."""
    wanted, until_s = datetime.now(UTC), clock.now_s() + _LONGEST_S
    while True:
        told = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        latest = told.get("PointInTimeRecoveryDescription", {}).get("LatestRestorableDateTime")
        if latest is None or latest >= wanted:
            return
        if clock.now_s() > until_s:
            raise NotReadyError(f"{table} can be restored to {latest} only", where="dynamodb")
        time.sleep(1.0)
