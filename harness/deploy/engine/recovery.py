"""A stack's state as it is on disk: the checkpoint, and what a killed deployment did after it was written."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from harness.deploy.engine import wire
from harness.deploy.engine.journal import Line, lines_after
from harness.deploy.engine.secrets import PassphraseSecrets
from harness.deploy.engine.snapshot import in_order, with_new_names
from harness.deploy.engine.state import SCHEMA, Checkpoint, PendingOperation, ResourceState
from harness.errors import StateError


def read_checkpoint(path: Path, passphrase: str) -> Checkpoint:
    """The checkpoint at `path` with what a killed deployment did after it; an empty one when there is neither.

    Raises:
        StateError: damaged, written by a newer Pulumi, or another passphrase; the files are left as they are.
    """
    deployment = _deployment(path) if path.exists() else {}
    lines = lines_after(path)
    try:
        manager = (deployment.get("secrets_providers") or {}).get("state")
        manager = next((line["secrets"] for line in lines if "secrets" in line), manager)
        secrets = PassphraseSecrets.from_state(passphrase, manager) if manager else PassphraseSecrets.new(passphrase)
        resources = [ResourceState.from_json(entry, secrets.decrypt) for entry in deployment.get("resources") or []]
        pending = [PendingOperation.from_json(p, secrets.decrypt) for p in deployment.get("pending_operations") or []]
        found = Checkpoint(path, secrets, resources, pending)
        if lines:
            found.resources, found.pending = replay(resources, pending, lines, secrets.decrypt)
            found.recovered = True
        return found
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise StateError(f"the state file is damaged: {error!r}", where=str(path), hint=_aside(path)) from error


def _deployment(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text())
        version, deployment = document["version"], document["deployment"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StateError(f"the state file cannot be read: {error}", where=str(path), hint=_aside(path)) from error
    if version != SCHEMA or not isinstance(deployment, dict):
        raise StateError(
            f"the state file has deployment version {version}, this engine knows {SCHEMA}",
            where=str(path),
            hint="use the pulumi that wrote it, or move it away",
        )
    return deployment


def replay(
    resources: list[ResourceState], pending: list[PendingOperation], lines: list[Line], decrypt: wire.Decrypt
) -> tuple[list[ResourceState], list[PendingOperation]]:
    """The resources and pending operations after the lines of a journal (see journal.py)."""
    kept: list[ResourceState | None] = list(resources)
    news: dict[str, ResourceState] = {}
    renamed: dict[str, str] = {}
    under_way = {p.resource.urn: p for p in pending}
    for line in lines:
        if "begin" in line:
            begun = PendingOperation.from_json(line["begin"], decrypt)
            under_way[begun.resource.urn] = begun
        elif "end" in line:
            under_way.pop(line["end"], None)
        elif "gone" in line:
            old, kept[line["gone"]] = kept[line["gone"]], None
            under_way.pop(old.urn if old is not None else "", None)
        elif "put" in line:
            resource = ResourceState.from_json(line["put"], decrypt)
            under_way.pop(resource.urn, None)
            news[resource.urn] = resource
            over = line.get("over")
            if over is not None and (old := kept[over]) is not None:
                renamed[old.urn] = resource.urn
                old.delete = bool(line.get("keep"))
                kept[over] = old if old.delete else None
    rest = [with_new_names(old, renamed) for old in kept if old is not None]
    return in_order([*news.values(), *rest]), list(under_way.values())


def _aside(path: Path) -> str:
    return f"nothing was changed; move it away, for example to {path.name}.{time.strftime('%Y%m%d')}, to start anew"
