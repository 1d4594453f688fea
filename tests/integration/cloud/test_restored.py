"""What a drill reads back after a restore: everything with point-in-time recovery, and nothing without it."""

from pathlib import Path
from typing import Any

import pytest

from chaos.drill_parts import VerificationPart
from chaos.restoring import restored
from chaos.verification import Store
from harness.clock import SystemClock
from harness.measure.journal import RESTORE, JournalWriter, read_journal
from harness.stack import RunningStack


@pytest.mark.parametrize("on", [True, False])
def test_a_table_is_restored_for_the_look_and_taken_away(table: Any, cloud: Any, tmp_path: Path, on: bool) -> None:
    if on:
        table.update_continuous_backups(
            TableName="orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    table.put_item(TableName="orders", Item={"id": {"S": "a"}})
    stack = RunningStack(name="s", target=cloud.target, outputs={"t": "orders"})
    store = Store(stack, VerificationPart(table="{outputs.t}", key="id", restore=True))
    with JournalWriter(tmp_path / "j.jsonl") as journal, restored(store, "copy", journal, SystemClock()) as copy:
        assert set(copy.items()) == ({"a"} if on else set())
        assert set(store.items()) == {"a"}
    assert "copy" not in table.list_tables()["TableNames"]
    refused = [event.detail["refused"] for event in read_journal(tmp_path / "j.jsonl").named(RESTORE)]
    assert len(refused) == 1
    assert ("Point in time recovery is not enabled" in refused[0]) is not on
