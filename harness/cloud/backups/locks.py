"""Vault locks: what is in a locked vault stays for its time. Pure; a vault is ministack's live record.

Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html
"""

from __future__ import annotations

from typing import Any

from harness.cloud.backups.points import BackupError

_LEAST_COOLING_DAYS = 3
_DAY_S = 86400.0
_SETTINGS = ("MinRetentionDays", "MaxRetentionDays", "LockDate")


def lock(vault: dict[str, Any], asked: dict[str, Any], now_s: float) -> None:
    """Lock it. With ChangeableForDays (compliance) nobody can undo it from then on; without (governance) one may.

    Raises:
        BackupError: its cooling-off time is over, or the days do not fit.
    """
    refuse_change(vault, now_s)
    least, most = asked.get("MinRetentionDays"), asked.get("MaxRetentionDays")
    if least is not None and most is not None and least > most:
        raise BackupError(
            "InvalidParameterValueException", f"MinRetentionDays {least} is above MaxRetentionDays {most}"
        )
    cooling = asked.get("ChangeableForDays")
    if cooling is not None and cooling < _LEAST_COOLING_DAYS:
        raise BackupError(
            "InvalidParameterValueException", f"ChangeableForDays must be {_LEAST_COOLING_DAYS} or more"
        )
    date = None if cooling is None else now_s + cooling * _DAY_S
    given = {"MinRetentionDays": least, "MaxRetentionDays": most, "LockDate": date}
    for name in _SETTINGS:
        vault.pop(name, None)
    vault.update({name: value for name, value in given.items() if value is not None}, Locked=True)


def unlock(vault: dict[str, Any], now_s: float) -> None:
    """Take the lock off.

    Raises:
        BackupError: its cooling-off time is over.
    """
    refuse_change(vault, now_s)
    for name in _SETTINGS:
        vault.pop(name, None)
    vault["Locked"] = False


def refuse_change(vault: dict[str, Any], now_s: float) -> None:
    """A compliance lock is for good once its date has come.

    Raises:
        BackupError: it has.
    """
    if vault.get("Locked") and "LockDate" in vault and now_s >= float(vault["LockDate"]):
        name = vault["BackupVaultName"]
        raise BackupError("InvalidRequestException", f"Backup vault {name} is locked for good since its LockDate")


def refuse_deletion(vault: dict[str, Any]) -> None:
    """Recovery points of a locked vault are not deleted by anybody; they end with their lifecycle.

    Raises:
        BackupError: it is locked.
    """
    if vault.get("Locked"):
        name = vault["BackupVaultName"]
        raise BackupError("InvalidRequestException", f"Backup vault {name} is locked: its recovery points stay")


def refuse_retention(vault: dict[str, Any], days: float) -> None:
    """What comes in must be kept as long as the lock says; `days` of 0 are for ever.

    Raises:
        BackupError: it would be kept shorter or longer.
    """
    least, most = vault.get("MinRetentionDays") or 0, vault.get("MaxRetentionDays") or 0
    if vault.get("Locked") and ((0 < days < least) or (most and not 0 < days <= most)):
        kept = f"{days:g} days" if days else "ever"
        said = f"between {least} and {most or 'any number of'} days"
        raise BackupError(
            "InvalidRequestException", f"Retention for {kept}: vault {vault['BackupVaultName']} keeps {said}"
        )
