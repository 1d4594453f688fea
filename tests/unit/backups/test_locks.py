"""Vault locks over time."""

from typing import Any

import pytest

from harness.cloud.backups import locks
from harness.cloud.backups.points import BackupError

DAY_S = 86400.0


def test_a_compliance_lock_may_be_undone_until_its_date_and_never_after() -> None:
    vault: dict[str, Any] = {"BackupVaultName": "v"}
    with pytest.raises(BackupError, match="ChangeableForDays must be 3 or more"):
        locks.lock(vault, {"ChangeableForDays": 2}, 0.0)
    locks.lock(vault, {"MinRetentionDays": 7, "ChangeableForDays": 3}, 0.0)
    locks.unlock(vault, 2 * DAY_S)
    assert vault == {"BackupVaultName": "v", "Locked": False}
    locks.lock(vault, {"ChangeableForDays": 3}, 0.0)
    for change in (locks.unlock, lambda one, now_s: locks.lock(one, {}, now_s)):
        with pytest.raises(BackupError, match="locked for good"):
            change(vault, 3 * DAY_S)
    with pytest.raises(BackupError, match="its recovery points stay"):
        locks.refuse_deletion(vault)


@pytest.mark.parametrize(("days", "fits"), [(6, False), (7, True), (30, True), (31, False), (0, False)])
def test_what_comes_in_is_kept_as_long_as_the_lock_says(days: int, *, fits: bool) -> None:
    vault: dict[str, Any] = {"BackupVaultName": "v"}
    locks.lock(vault, {"MinRetentionDays": 7, "MaxRetentionDays": 30}, 0.0)
    if fits:
        locks.refuse_retention(vault, days)
        return
    with pytest.raises(BackupError, match="keeps between 7 and 30 days"):
        locks.refuse_retention(vault, days)
