"""Is this machine, and this project, ready? One finding a line, with the remedy where something is wrong."""

from __future__ import annotations

import importlib.metadata
import shutil
import socket
import sys
from pathlib import Path
from typing import Literal, TypedDict

from harness.cloud.homes import MINISTACK, MOTO, OURS
from harness.errors import BlackstartError
from harness.workspace import Workspace, open_workspace

MINIMUM_FREE_BYTES = 1 << 30


class Finding(TypedDict):
    """`well`; `absent` for what only some work needs; `bad` for what stops the main job."""

    state: Literal["well", "absent", "bad"]
    what: str
    remedy: str


def examine(config: Path | None) -> list[Finding]:
    """Every check, in the order a person would fix them."""
    findings = [_python(), _ministack(), _services(), _disk()]
    try:
        workspace = open_workspace(config)
    except BlackstartError as error:
        return [*findings, _bad(f"{error.where}: {error.what}", error.hint or "mend the file")]
    return [*findings, *_project(workspace), _port(workspace), _tool("pulumi", "--engine pulumi"), _docker()]


def _well(what: str) -> Finding:
    return Finding(state="well", what=what, remedy="")


def _bad(what: str, remedy: str) -> Finding:
    return Finding(state="bad", what=what, remedy=remedy)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return _well(f"Python {version}")


def _ministack() -> Finding:
    """The emulator is pinned exactly: we hook a few of its internals."""
    wanted = next(
        (r.split("==")[1] for r in importlib.metadata.requires("blackstart") or [] if r.startswith("ministack==")), ""
    )
    found = importlib.metadata.version("ministack")
    if found != wanted:
        return _bad(f"ministack {found}, but {wanted} is pinned", f"pip install ministack=={wanted}")
    return _well(f"ministack {found}")


def _services() -> Finding:
    """Where AWS's services live on the embedded cloud."""
    moto = f"{len(MOTO)} on moto {importlib.metadata.version('moto')} (API state only, no IAM enforcement)"
    return _well(f"{len(MINISTACK)} AWS services on ministack, {moto}, {', '.join(sorted(OURS))} here")


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    if free < MINIMUM_FREE_BYTES:
        return _bad(f"{free >> 20} MiB free on this disk", "free at least 1 GiB")
    return _well(f"{free >> 30} GiB free on this disk")


def _project(workspace: Workspace) -> list[Finding]:
    found = []
    for key, path in (
        ("program", workspace.program / "Pulumi.yaml"),
        ("scenarios", workspace.scenarios),
        ("drills", workspace.drills),
        ("load", workspace.locustfile),
    ):
        if path.exists():
            found.append(_well(f"[project] {key}: {path}"))
        else:
            found.append(
                _bad(f"[project] {key}: {path} is missing", "blackstart init, or set the key in blackstart.toml")
            )
    return found


def _port(workspace: Workspace) -> Finding:
    port = workspace.config.embedded.port
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            remedy = "blackstart down, or another [embedded] port; only `up` needs it"
            return Finding(state="absent", what=f"port {port} is taken ({error.strerror})", remedy=remedy)
    return _well(f"port {port} is free for `blackstart up`")


def _tool(name: str, purpose: str) -> Finding:
    path = shutil.which(name)
    if path is None:
        return Finding(state="absent", what=f"no {name} on PATH", remedy=f"needed only for {purpose}")
    return _well(f"{name}: {path}")


def _docker() -> Finding:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect("/var/run/docker.sock")
        except OSError:
            return Finding(state="absent", what="no Docker engine", remedy="needed only for containers")
    return _well("a Docker engine answers")
