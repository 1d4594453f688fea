"""Start a cloud server in a process of its own, and hold on to it."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from harness import processes
from harness.cloud.control_client import ControlClient
from harness.cloud.settings import (
    Announcement,
    CloudSettings,
    ServerOrder,
    announcement_path,
    order_path,
    read_announcement,
    write_struct,
)
from harness.errors import NotReadyError
from harness.target import Target

__all__ = ["CloudSettings", "ControlClient", "RunningCloud", "start_cloud"]

_POLL_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCloud:
    """A cloud server that answers."""

    settings: CloudSettings
    target: Target
    pid: int
    control: ControlClient
    _process: subprocess.Popen[bytes] = field(repr=False)

    def stop(self, *, grace_s: float = 8.0) -> None:
        """End the server and everything it started. May be called twice."""
        if self._process.returncode is None:
            processes.stop(self._process, registry=self.settings.registry, grace_s=grace_s)
        for pattern in ("processes", "environments", "*/processes"):  # what it could not end itself, if it was killed
            for registry in self.settings.state_dir.glob(pattern):
                processes.reap(registry)


def start_cloud(settings: CloudSettings) -> RunningCloud:
    """Start a server and wait until it has answered an AWS call.

    Raises:
        NotReadyError: the port is taken, the server ended or did not answer in `ready_s` seconds; says why
            with the end of its log.
    """
    token = secrets.token_urlsafe(24)
    announcement = announcement_path(settings.state_dir)
    announcement.unlink(missing_ok=True)
    us = os.getpid()
    order = ServerOrder(settings=settings, token=token, owner_pid=us, owner_started=processes.started_at(us))
    write_struct(order_path(settings.state_dir), order)
    process = _spawn(settings)
    try:
        said = _wait(settings, process, announcement)
        target = _target(settings, said, token)
        control = ControlClient(target)
        return RunningCloud(settings=settings, target=target, pid=said.pid, control=control, _process=process)
    except BaseException:
        processes.stop(process, registry=settings.registry, grace_s=1.0)
        raise


def _spawn(settings: CloudSettings) -> subprocess.Popen[bytes]:
    settings.log.parent.mkdir(parents=True, exist_ok=True)
    here = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(part for part in (here, os.environ.get("PYTHONPATH", "")) if part)
    with settings.log.open("ab") as log:
        return processes.spawn(
            [sys.executable, "-m", "harness.serve", str(order_path(settings.state_dir))],
            role="cloud",
            registry=settings.registry,
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
            detached=settings.detached,
        )


def _wait(settings: CloudSettings, process: subprocess.Popen[bytes], announcement: Path) -> Announcement:
    deadline = time.monotonic() + settings.ready_s
    while time.monotonic() < deadline:
        said = read_announcement(announcement)
        if said is not None and said.error:
            raise NotReadyError(said.error, where=said.where, hint=said.hint)
        if said is not None:
            return said
        if process.poll() is not None:
            raise NotReadyError(
                f"the cloud server ended with code {process.returncode}: {_tail(settings.log)}",
                where=str(settings.log),
                hint="the log says more",
            )
        time.sleep(_POLL_S)
    raise NotReadyError(
        f"the cloud server did not answer an AWS call in {settings.ready_s:g} s: {_tail(settings.log)}",
        where=str(settings.log),
        hint="the machine may be overloaded; try again",
    )


def _target(settings: CloudSettings, said: Announcement, token: str) -> Target:
    return Target(
        kind="endpoint" if settings.upstream else "embedded",
        endpoint=f"http://127.0.0.1:{said.port}",
        region=settings.regions[0],
        regions=settings.regions,
        account_id=settings.account_id,
        access_key="test",
        # The emulator's own root key: it may do everything and its signature is not checked.
        secret_key="test",  # noqa: S106
        control_token=token,
        capabilities=settings.capabilities,
    )


def _tail(log: Path, lines: int = 3) -> str:
    with contextlib.suppress(OSError):
        return " | ".join(log.read_text(errors="replace").strip().splitlines()[-lines:])
    return "no log"
