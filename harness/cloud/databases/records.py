"""What Describe* says of a cluster, written into the emulator's records from what really runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from harness.cloud.databases.cluster import Cluster
from harness.cloud.databases.emulated import Record
from harness.cloud.databases.endpoint import Endpoint
from harness.cloud.databases.instance import Instance

ENGINES = frozenset({"postgres", "aurora-postgresql"})

_HOSTED_ZONE = "Z2R2ITUGPM61AM"
_AT_REST = frozenset({"stopped", "stopping", "deleting"})


def write_cluster(cluster: Cluster, record: Record, instances: Mapping[str, Record]) -> None:
    """Endpoints, roles and status of an Aurora cluster and its instances."""
    writer, reader = cluster.writer_endpoint, cluster.reader_endpoint
    record["Endpoint"], record["ReaderEndpoint"], record["Port"] = writer.host, reader.host, writer.port
    # What the emulator copies into the three above whenever a member comes or goes.
    record["_shared_endpoint"] = _address(writer)
    record["_shared_internal_address"] = reader.host
    record["LatestRestorableTime"] = _now()
    if record.get("Status") not in _AT_REST:
        record["Status"] = "failing-over" if cluster.failing_over else "available"
    for entry in record.get("DBClusterMembers") or ():
        entry["IsClusterWriter"] = cluster.writer is not None and entry["DBInstanceIdentifier"] == cluster.writer.name
    for name, shown in instances.items():
        member = cluster.members.get(name)
        if member is not None:
            _write_instance(member, shown, member.endpoint)
        elif cluster.has(name):
            shown["DBInstanceStatus"] = "creating"


def write_single(cluster: Cluster, record: Record) -> None:
    """A DB instance that is no cluster's; with Multi-AZ its standby shows only as the secondary zone."""
    shown = cluster.writer or next(iter(cluster.members.values()), None)
    if shown is None:
        record["Endpoint"], record["DBInstanceStatus"] = _address(cluster.writer_endpoint), "creating"
        return
    _write_instance(shown, record, cluster.writer_endpoint)
    record["LatestRestorableTime"] = _now()
    others = [member for member in list(cluster.members.values()) if member is not shown]
    record["SecondaryAvailabilityZone"] = others[0].zone.name if others else ""


def _write_instance(member: Instance, record: Record, endpoint: Endpoint) -> None:
    record["Endpoint"] = _address(endpoint)
    record["AvailabilityZone"] = member.zone.name
    if member.stopped:
        record["DBInstanceStatus"] = "stopped"
    else:
        record["DBInstanceStatus"] = "available" if member.alive else "failed" if member.failed else "rebooting"


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _address(endpoint: Endpoint) -> dict[str, object]:
    return {"Address": endpoint.host, "Port": endpoint.port, "HostedZoneId": _HOSTED_ZONE}
