"""A new signing key for partners, in Secrets Manager's four steps; the old one is good until the next rotation.

Each step may be called again, so each first looks whether it has been done.
"""

from typing import Any

import time_budget
from aws import client
from botocore.exceptions import ClientError
from structured_log import log


@time_budget.begun
def handler(event: dict[str, Any], _context: Any) -> None:
    """Do the step that Secrets Manager asks for."""
    secret, token = event["SecretId"], event["ClientRequestToken"]
    {"createSecret": _create, "setSecret": _set, "testSecret": _test, "finishSecret": _finish}[event["Step"]](
        secret, token
    )
    log("rotation step done", step=event["Step"])


def _create(secret: str, token: str) -> None:
    secrets = client("secretsmanager")
    try:
        secrets.get_secret_value(SecretId=secret, VersionId=token, VersionStage="AWSPENDING")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        fresh = secrets.get_random_password(PasswordLength=40, ExcludePunctuation=True)["RandomPassword"]
        secrets.put_secret_value(
            SecretId=secret, ClientRequestToken=token, SecretString=fresh, VersionStages=["AWSPENDING"]
        )


def _set(_secret: str, _token: str) -> None:
    """Nobody else needs to be told: who checks a signature reads the secret's current and previous version."""


def _test(secret: str, token: str) -> None:
    found = client("secretsmanager").get_secret_value(SecretId=secret, VersionId=token, VersionStage="AWSPENDING")
    if len(found["SecretString"]) < 40:
        raise ValueError("the new key is too short")


def _finish(secret: str, token: str) -> None:
    secrets = client("secretsmanager")
    versions = secrets.describe_secret(SecretId=secret)["VersionIdsToStages"]
    current = next(version for version, stages in versions.items() if "AWSCURRENT" in stages)
    if current != token:
        secrets.update_secret_version_stage(
            SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
        )
