"""A recovery point carried to another vault, mostly of another region: its data are read here and written there."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.cloud.backups.points import BackupError, RecoveryPoint
from harness.cloud.backups.stores import Copy

_SCHEMA = ("KeySchema", "AttributeDefinitions")
_BATCH = 25  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html


def carry(point: RecoveryPoint, here: Any, there: Any, folder: Path) -> Copy:  # boto3's clients
    """The copy of a point; `folder` holds what has no service of its own.

    Raises:
        BackupError: points of this kind are not copied here.
    """
    if point.kind == "S3":
        place = folder / uuid.uuid4().hex
        shutil.copytree(folder / point.artifact, place)
        return Copy(artifact=place.name, size_bytes=point.size_bytes, metadata=point.metadata)
    if point.kind == "DynamoDB":
        return _carry_table(point, here, there)
    said = f"copies of {point.kind} recovery points do not run here: use a global database"
    raise BackupError("InvalidRequestException", said)


def _carry_table(point: RecoveryPoint, here: Any, there: Any) -> Copy:
    """By a table of the moment on either side: a backup alone is nowhere readable."""
    name = f"awsbackup-copy-{uuid.uuid4().hex[:12]}"
    here.restore_table_from_backup(TargetTableName=name, BackupArn=point.artifact)
    made = False
    try:
        schema = here.describe_table(TableName=name)["Table"]
        there.create_table(
            TableName=f"{name}-c", BillingMode="PAY_PER_REQUEST", **{key: schema[key] for key in _SCHEMA},
            **_indexes(schema),
        )  # fmt: skip
        made = True
        for page in here.get_paginator("scan").paginate(TableName=name):
            for start in range(0, len(page["Items"]), _BATCH):
                puts = [{"PutRequest": {"Item": item}} for item in page["Items"][start : start + _BATCH]]
                left: dict[str, Any] = {f"{name}-c": puts}
                while left:
                    left = there.batch_write_item(RequestItems=left)["UnprocessedItems"]
        details = there.create_backup(TableName=f"{name}-c", BackupName=name)["BackupDetails"]
    finally:
        here.delete_table(TableName=name)
        if made:
            there.delete_table(TableName=f"{name}-c")
    return Copy(artifact=details["BackupArn"], size_bytes=point.size_bytes, metadata=point.metadata)


def _indexes(schema: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        indexes = [
            {key: one[key] for key in ("IndexName", "KeySchema", "Projection")} for one in schema.get(kind) or ()
        ]
        if indexes:
            found[kind] = json.loads(json.dumps(indexes))
    return found
