"""ministack's copies between regions and buckets, carried by our keeper: they take time, and may wait or be lost.

ministack applies them at once, in the writer's call; it forgets those of uploads in parts and of batch deletes, and
gives copies of objects version ids of their own. `tests/contract/test_ministack_hooks.py` pins what is replaced.
"""

from __future__ import annotations

import asyncio
import contextvars
import copy
import logging
from collections.abc import Callable, Mapping
from typing import Any

from harness.cloud.copies.flow import Flow
from harness.cloud.copies.keeper import ReplicationKeeper
from harness.cloud.copies.measuring import CopyMetrics
from harness.cloud.doors import Doors
from harness.cloud.permissions.roles import Asked, refusal
from harness.cloud.signals.series import MetricStore

Record = dict[str, Any]  # ministack's record of an object, a version or a table
BY_LIFECYCLE: contextvars.ContextVar[bool] = contextvars.ContextVar("by_lifecycle", default=False)
"""Set while a bucket's life cycle acts: its delete markers are not copied.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html"""


def install(doors: Doors, store: MetricStore) -> None:
    """Let the keeper carry every write to a replica of a table or a bucket, in the order of the running loop.

    Call it before the emulator serves.
    """
    loop, zones, keeper = asyncio.get_running_loop(), doors.zones, doors.replication

    def schedule(delay_s: float, call: Callable[[], None]) -> None:
        loop.call_soon_threadsafe(loop.call_later, delay_s, call)

    keeper.schedule, keeper.lost = schedule, zones.lost
    keeper.watches = CopyMetrics(store, schedule)
    keeper.cut_between = zones.links.cut_between
    zones.links.on_healed.append(keeper.look_again)
    zones.add_resident(keeper)
    _carry_items(keeper)
    _carry_objects(keeper)


def _carry_items(keeper: ReplicationKeeper) -> None:
    from ministack.core.responses import get_account_id
    from ministack.services import dynamodb

    replicate = dynamodb._replicate_write  # noqa: SLF001 - this file is the seam into ministack's copies

    def carry(table: Record, event_name: str, old_item: Any, new_item: Any) -> None:
        regions = dynamodb._replica_group(table)  # noqa: SLF001
        if not regions:
            return
        item, home, name = new_item or old_item, table["TableArn"].split(":")[3], table["TableName"]
        key = repr([item.get(table[part]) for part in ("pk_name", "sk_name") if table[part]])
        new, may_wait = copy.deepcopy(new_item), table.get("MultiRegionConsistency") != "STRONG"
        for region in regions:
            if region == home:
                continue
            # `_replicate_write` reads the group and the name of the table, and nothing else.
            pair = {"TableName": name, "_global_regions": [home, region]}
            flow = Flow(
                store="dynamodb", name=name, key=key, source=home, destination=region, source_region=home,
                destination_region=region, account=get_account_id(),
            )  # fmt: skip
            keeper.carry(flow, _later(replicate, pair, event_name, old_item, new), may_wait=may_wait)

    dynamodb._replicate_write = carry  # noqa: SLF001


def _carry_objects(keeper: ReplicationKeeper) -> None:
    from ministack.services import s3

    record_version, record_marker = s3._record_object_version, s3._record_delete_marker  # noqa: SLF001
    replicate = s3._maybe_replicate  # noqa: SLF001

    def recorded(bucket: str, key: str, prior: Any, stored: Record, data: Any) -> str | None:
        version: str | None = record_version(bucket, key, prior, stored, data)
        if s3._bucket_replication.get(bucket) and stored.get("replication_status") != "REPLICA":  # noqa: SLF001
            # Once the call that writes is over: it stores the object's tags last.
            keeper.schedule(0.0, _later(_carry_object, keeper, replicate, (bucket, key), stored, data))
        return version

    def marked(bucket: str, key: str, prior: Any) -> str:
        marker = str(record_marker(bucket, key, prior))
        rule = None if BY_LIFECYCLE.get() else _marker_rule(bucket, key)
        flow = _object_flow(bucket, key, rule, {}) if rule is not None else None
        if flow is not None:
            keeper.carry(flow, _later(_land_marker, record_marker, flow, key, marker))
        return marker

    s3._record_object_version, s3._record_delete_marker = recorded, marked  # noqa: SLF001
    s3._maybe_replicate = s3._maybe_replicate_delete_marker = _not_here  # noqa: SLF001


def _not_here(*_arguments: Any) -> None:
    """What ministack copies in the writer's call is carried from where versions are recorded."""


def _carry_object(
    keeper: ReplicationKeeper, replicate: Callable[..., None], place: tuple[str, str], stored: Record, data: Any
) -> None:
    """Send a version of the object at `place` (bucket and key) on its way, when a rule asks for it."""
    from ministack.services import s3

    bucket, key = place
    tags = s3._object_tags.get((bucket, key, stored.get("version_id")))  # noqa: SLF001
    rule, _role = s3._replication_rule_for(bucket, key, tags)  # noqa: SLF001
    if rule is None:
        return
    flow = _object_flow(bucket, key, rule, stored)
    _stamp(bucket, key, stored, "PENDING" if flow is not None else "FAILED")
    if flow is not None:
        keeper.carry(flow, _later(_land_object, replicate, place, stored, data))


def _land_object(replicate: Callable[..., None], place: tuple[str, str], stored: Record, data: Any) -> None:
    """Write the copy, with the version's id and tags, unless the version is gone by now."""
    from ministack.services import s3

    bucket, key = place
    version = stored.get("version_id")
    tags = s3._object_tags.get((bucket, key, version))  # noqa: SLF001
    if not any(one["version_id"] == version for one in s3._object_versions.get(place, ())):  # noqa: SLF001
        return
    replicate(bucket, key, stored, data, tags)
    _stamp(bucket, key, stored, stored.get("replication_status", "FAILED"))
    if stored.get("replication_status") != "COMPLETED":
        return
    name, made, account = stored["_replica"]
    stored["_replica"] = (name, version, account)
    with s3._in_account(account):  # noqa: SLF001
        _rename_version(name, key, made, version)
        s3._buckets[name]["objects"][key]["version_id"] = version  # noqa: SLF001
        if tags is not None:
            s3._object_tags[name, key, version] = dict(tags)  # noqa: SLF001


def _land_marker(record_marker: Callable[..., str], flow: Flow, key: str, marker: str) -> None:
    from ministack.services import s3

    account = s3._bucket_owner_account(flow.destination)  # noqa: SLF001
    if account is None:
        return
    with s3._in_account(account):  # noqa: SLF001
        objects = s3._buckets[flow.destination]["objects"]  # noqa: SLF001
        _rename_version(flow.destination, key, record_marker(flow.destination, key, objects.get(key)), marker)
        objects.pop(key, None)


def _stamp(bucket: str, key: str, stored: Record, status: str) -> None:
    """The state of a version's copy, on the object and in its history."""
    from ministack.services import s3

    stored["replication_status"] = status
    for one in s3._object_versions.get((bucket, key), ()):  # noqa: SLF001
        if one["version_id"] == stored.get("version_id"):
            one["replication_status"] = status


def _rename_version(bucket: str, key: str, made: Any, wanted: Any) -> None:
    """A copy has the id of the version it was made of, as on S3."""
    from ministack.services import s3

    for one in s3._object_versions.get((bucket, key), ()):  # noqa: SLF001
        if one["version_id"] == made:
            one["version_id"] = wanted


def _marker_rule(bucket: str, key: str) -> Mapping[str, Any] | None:
    """The rule that sends delete markers of a key: any of the first version, later ones where they say so."""
    from ministack.services import s3

    rule, _role = s3._replication_rule_for(bucket, key, None)  # noqa: SLF001
    if rule is None or "Filter" not in rule:
        return rule
    asked = (rule.get("DeleteMarkerReplication") or {}).get("Status") == "Enabled"
    return rule if asked and not s3._replication_rule_tags(rule) else None  # noqa: SLF001


def _asked_to_copy(source: str, destination: str, key: str) -> list[Asked]:
    """What S3 does under the role of the replication.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
    """
    buckets, objects = ("GetReplicationConfiguration", "ListBucket"), ("ForReplication", "Acl", "Tagging")
    return [
        *(Asked(f"s3:{action}", f"arn:aws:s3:::{source}") for action in buckets),
        *(Asked(f"s3:GetObjectVersion{what}", f"arn:aws:s3:::{source}/{key}") for what in objects),
        Asked("s3:ReplicateObject", f"arn:aws:s3:::{destination}/{key}"),
    ]


def _object_flow(bucket: str, key: str, rule: Mapping[str, Any], stored: Mapping[str, Any]) -> Flow | None:
    """Where a rule sends an object; None where no copy can be made."""
    from ministack.services import s3

    role = (s3._bucket_replication.get(bucket) or {}).get("Role", "")  # noqa: SLF001
    found = s3._replication_destination(bucket, key, rule, role)  # noqa: SLF001
    if found is None:
        return None
    name, _account, destination = found
    metrics = (rule.get("Destination") or {}).get("Metrics") or {}
    if said := refusal(str(role), _asked_to_copy(bucket, name, key), session="s3-replication"):
        logging.getLogger(__name__).warning("%s", said)
        return None
    return Flow(
        store="s3",
        name=bucket,
        key=key,
        source=bucket,
        destination=name,
        source_region=str(s3._buckets[bucket].get("region") or "us-east-1"),  # noqa: SLF001
        destination_region=str(destination.get("region") or "us-east-1"),
        account=s3.get_account_id(),
        rule=str(rule.get("ID", "")) if metrics.get("Status") == "Enabled" else "",
        size_bytes=int(stored.get("size") or 0),
    )


def _later(step: Callable[..., Any], *arguments: Any) -> Callable[[], None]:
    """A call under this request's account and region, whenever it is made."""
    context = contextvars.copy_context()
    return lambda: context.copy().run(step, *arguments)
