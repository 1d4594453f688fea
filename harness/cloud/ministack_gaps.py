"""What ministack leaves undone: volumes that end with their instance, changes of EKS clusters and node groups."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from harness.cloud.ministack_hooks import before_first_call

Record = dict[str, Any]
"""ministack's record of a thing: JSON, in AWS's names."""

_EKS_CHANGE = re.compile(r"/clusters/([^/]+)(?:/node-groups/([^/]+))?/(update-config|update-version|updates)")


def close_gaps() -> None:
    """Let an instance take its volumes along, and let EKS be changed. Call it before either is used."""
    before_first_call("ec2", _end_volumes)
    before_first_call("eks", _change_kubernetes)


def _end_volumes() -> None:
    """A terminated instance deletes what it says it deletes, and lets go of the rest.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/preserving-volumes-on-termination.html
    """
    from ministack.services import ec2

    terminate = ec2._ACTION_MAP["TerminateInstances"]  # noqa: SLF001

    def and_volumes(request: Any) -> Any:
        answer = terminate(request)
        ended = {one["InstanceId"] for one in ec2._instances.values() if one["State"]["Name"] == "terminated"}  # noqa: SLF001
        for name, volume in list(ec2._volumes.items()):  # noqa: SLF001
            held = [one for one in volume["Attachments"] if one["InstanceId"] in ended]
            if any(one.get("DeleteOnTermination") for one in held):
                del ec2._volumes[name]  # noqa: SLF001
            elif held:
                volume["Attachments"] = [one for one in volume["Attachments"] if one not in held]
                volume["State"] = "in-use" if volume["Attachments"] else "available"
        return answer

    ec2._ACTION_MAP["TerminateInstances"] = and_volumes  # noqa: SLF001


def _change_kubernetes() -> None:
    """UpdateClusterConfig, UpdateClusterVersion, UpdateNodegroupConfig and UpdateNodegroupVersion: done at once."""
    from ministack.services import eks

    builtin = eks._handle_request_sync  # noqa: SLF001

    def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        found = _EKS_CHANGE.fullmatch(path)
        if found is None or method != "POST":
            return builtin(method, path, headers, body, query)
        cluster, group, _ = found.groups()
        store, name = (eks._nodegroups, f"{cluster}/{group}") if group else (eks._clusters, cluster)  # noqa: SLF001
        record = store.get(name)
        if record is None:
            return eks._error(404, "ResourceNotFoundException", f"No {path} found.")  # noqa: SLF001
        given = json.loads(body or b"{}")
        change(record, given)
        update = {"id": str(uuid.uuid4()), "status": "Successful", "type": "ConfigUpdate", "createdAt": time.time()}
        return eks._json_resp(200, {"update": {**update, "params": [], "errors": []}})  # noqa: SLF001

    eks._handle_request_sync = handle  # noqa: SLF001


def change(record: Record, given: Mapping[str, Any]) -> None:
    """Bring a cluster or node group to what an update asks for: blocks are merged, labels and taints come and go."""
    for name, value in given.items():
        if name == "labels":
            kept = {
                key: text for key, text in record.get(name, {}).items() if key not in value.get("removeLabels", ())
            }
            record[name] = {**kept, **value.get("addOrUpdateLabels", {})}
        elif name == "taints":
            news = value.get("addOrUpdateTaints", [])
            gone = {_taint(one) for one in (*news, *value.get("removeTaints", ()))}
            record[name] = [one for one in record.get(name, ()) if _taint(one) not in gone] + news
        elif name in {"clientRequestToken", "force"}:
            continue
        else:
            record[name] = {**(record.get(name) or {}), **value} if isinstance(value, dict) else value


def _taint(one: Mapping[str, Any]) -> tuple[Any, Any]:
    return one.get("key"), one.get("effect")
