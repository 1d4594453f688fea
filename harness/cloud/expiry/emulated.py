"""ministack keeps life cycles and obeys none, and deletes expired items without telling the table's stream.

Here items go in the table's own way, as DynamoDB's own principal, and objects by what is due.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-configure-notification.html
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TypeVar

from harness.cloud.copies.emulated import BY_LIFECYCLE
from harness.cloud.expiry.rules import Calendar, Deed, Rule, Version, abandoned, due
from harness.cloud.signals.emulated import in_scope, scope

Value = TypeVar("Value")
Record = dict[str, Any]  # ministack's record of a table, an object or a version
OLDEST_S = 5 * 365 * 86_400.0
"""What expired longer ago than five years is left, lest a wrong unit empty a table."""
PRINCIPAL = "dynamodb.amazonaws.com"
_EXPIRES_IN: ContextVar[str] = ContextVar("expires_in", default="")
"""The region whose time to live deletes; replicas show the delete without its author."""


def install() -> None:
    """Call it once, before the emulator serves."""
    _sign_deletes()
    _name_events()


@contextlib.contextmanager
def _during(variable: ContextVar[Value], value: Value) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


# -- items -----------------------------------------------------------------------------------------------------


def expire_items(now_s: float, delay_s: float) -> Iterator[tuple[str, str, str]]:
    """Delete what expired `delay_s` ago; account, region and table of each item.

    Call it on the loop that serves: nothing else touches the tables meanwhile.
    """
    from ministack.services import dynamodb

    for (account, region, name), setting in list(dynamodb._ttl_settings.all_items()):  # noqa: SLF001 - this file is the seam
        table = dynamodb._tables.get_scoped(account, region, name)  # noqa: SLF001
        if table is None or setting.get("TimeToLiveStatus") != "ENABLED":
            continue
        attribute = setting["AttributeName"]
        gone = [
            (partition, sort, item)
            for partition, items in table["items"].items()
            for sort, item in items.items()
            if attribute in item and _is_past(item[attribute], now_s - delay_s)
        ]
        with in_scope(account, region):
            for partition, sort, item in gone:
                with _during(_EXPIRES_IN, region):
                    dynamodb._remove_item(table, partition, sort)  # noqa: SLF001
                    dynamodb._emit_stream_event(name, "REMOVE", item, None)  # noqa: SLF001
                yield account, region, name


def _is_past(value: Record, now_s: float) -> bool:
    """Whether a number of seconds since the epoch is over, though not for five years."""
    return "N" in value and now_s - OLDEST_S < float(value["N"]) <= now_s


def _sign_deletes() -> None:
    from ministack.services import dynamodb, dynamodb_streams

    build, remove, get_records = (
        dynamodb._build_change_record,  # noqa: SLF001
        dynamodb._remove_item,  # noqa: SLF001
        dynamodb_streams._get_records,  # noqa: SLF001
    )

    def signed(*arguments: Any) -> Record:
        record: Record = build(*arguments)
        if _EXPIRES_IN.get() == scope()[1]:
            record["userIdentity"] = {"type": "Service", "principalId": PRINCIPAL}
        return record

    def removed(table: Record, partition: str, sort: str) -> Any:
        if threading.current_thread().name == "dynamodb-ttl-reaper":  # ministack's own, which tells no stream
            return None
        return remove(table, partition, sort)

    def got(data: Record) -> Any:
        """Functions and pipes get the author in lower case, GetRecords in the names of the API."""
        status, headers, body = get_records(data)
        if status == 200 and b"userIdentity" in body:
            answer = json.loads(body)
            for one in answer["Records"]:
                if "userIdentity" in one:
                    one["userIdentity"] = {"Type": "Service", "PrincipalId": PRINCIPAL}
            body = json.dumps(answer).encode()
        return status, headers, body

    dynamodb._build_change_record, dynamodb._remove_item = signed, removed  # noqa: SLF001
    dynamodb_streams._get_records = got  # noqa: SLF001


# -- objects ---------------------------------------------------------------------------------------------------


def carry_out(calendar: Calendar) -> None:
    """Obey the life cycle of every bucket. Call it on the loop that serves."""
    from ministack.services import s3

    for (account, bucket), rules in list(s3._bucket_lifecycle._data.items()):  # noqa: SLF001
        if isinstance(rules, list):  # it keeps what it could not read as text
            with s3._in_account(account), _during(BY_LIFECYCLE, True):  # noqa: SLF001
                for key, versions in _objects(bucket):
                    for deed in due(rules, key, versions, calendar):
                        _do(bucket, key, deed)
                _abort(bucket, rules, calendar)


def _objects(bucket: str) -> Iterator[tuple[str, list[Version]]]:
    """Keys with their versions, oldest first."""
    from ministack.services import s3

    objects = s3._buckets[bucket]["objects"]  # noqa: SLF001
    known = {key: versions for (name, key), versions in list(s3._object_versions.items()) if name == bucket}  # noqa: SLF001
    versioned = bool(s3._bucket_versioning.get(bucket))  # noqa: SLF001
    for key, current in list(objects.items()):
        if key not in known:
            yield key, [_version(bucket, key, current, "null" if versioned else None)]
    for key, versions in known.items():
        yield key, [_version(bucket, key, one, one["version_id"]) for one in versions]


def _version(bucket: str, key: str, record: Record, version: str | None) -> Version:
    from ministack.services import s3

    return Version(
        id=version,
        modified_s=_instant_s(record["last_modified"]),
        size=int(record.get("size") or 0),
        tags=s3._object_tags.get((bucket, key, version)) or {},  # noqa: SLF001
        storage_class=record.get("storage_class") or "STANDARD",
        is_marker=bool(record.get("is_delete_marker")),
    )


def _do(bucket: str, key: str, deed: Deed) -> None:
    from ministack.services import s3

    version = deed.version.id
    if deed.kind == "move":
        _move(bucket, key, deed)
    elif deed.kind == "delete":  # for good, unless it is locked
        s3._delete_object(bucket, key, {}, {} if version is None else {"versionId": [version]})  # noqa: SLF001
    else:
        s3._delete_object(bucket, key)  # noqa: SLF001


def _move(bucket: str, key: str, deed: Deed) -> None:
    from ministack.services import s3

    current = s3._buckets[bucket]["objects"].get(key)  # noqa: SLF001
    versions = s3._object_versions.get((bucket, key), ())  # noqa: SLF001
    held = [one for one in versions if one["version_id"] == deed.version.id]
    if current is not None and (not versions or current.get("version_id") == deed.version.id):
        held.append(current)
    for one in held:
        one["storage_class"] = deed.to
    s3._fire_s3_event_async(bucket, key, "s3:LifecycleTransition", version_id=deed.version.id)  # noqa: SLF001


def _abort(bucket: str, rules: list[Rule], calendar: Calendar) -> None:
    from ministack.services import s3

    for upload, one in list(s3._multipart_uploads.items()):  # noqa: SLF001
        if one["bucket"] == bucket and abandoned(rules, one["key"], _instant_s(one["created"]), calendar):
            s3._abort_multipart_upload(bucket, one["key"], {"uploadId": [upload]})  # noqa: SLF001


def _instant_s(text: str) -> float:
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _name_events() -> None:
    """What a life cycle does has events of its own."""
    from ministack.services import s3

    fire, name = s3._fire_s3_event_async, s3._s3_event_to_eventbridge  # noqa: SLF001

    def fired(bucket: str, key: str, event: str, *given: Any, **named: Any) -> None:
        known = event.replace(":ObjectRemoved:", ":LifecycleExpiration:") if BY_LIFECYCLE.get() else event
        fire(bucket, key, known, *given, **named)

    def named(event: str) -> tuple[str, str | None]:
        if event.startswith("s3:LifecycleExpiration"):
            return "Object Deleted", "Lifecycle Expiration"
        if event.startswith("s3:LifecycleTransition"):
            return "Object Storage Class Changed", None
        found: tuple[str, str | None] = name(event)
        return found

    s3._fire_s3_event_async, s3._s3_event_to_eventbridge = fired, named  # noqa: SLF001
