"""Clusters and node groups of EKS can be changed."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from harness.cloud.ministack_hooks import before_first_call

Record = dict[str, Any]  # ministack's record of a cluster or a node group: JSON, in AWS's names

_CHANGE = re.compile(r"/clusters/([^/]+)(?:/node-groups/([^/]+))?/(update-config|update-version|updates)")


def close() -> None:
    """Call it before any service is used."""
    before_first_call("eks", _change_kubernetes)


def _change_kubernetes() -> None:
    """UpdateClusterConfig, UpdateClusterVersion, UpdateNodegroupConfig and UpdateNodegroupVersion: done at once."""
    from ministack.services import eks

    builtin = eks._handle_request_sync  # noqa: SLF001

    def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        found = _CHANGE.fullmatch(path)
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
