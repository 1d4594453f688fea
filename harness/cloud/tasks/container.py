"""One container of a task: a process group, its log, its health check."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

from harness import processes
from harness.cloud.tasks import timing
from harness.cloud.tasks.images import Launch, search_path

Health = Literal["UNKNOWN", "HEALTHY", "UNHEALTHY"]
Definition = Mapping[str, Any]  # a container definition in ECS's own form
_CHUNK = 65536
_GONE_WITHIN_S = 30.0
"""No process outlives SIGKILL longer than that, unless the kernel itself hangs."""
_OUR_NETWORK = re.compile(r"\b(localhost|127\.0\.0\.1|0\.0\.0\.0):(\d+)")


@dataclass(slots=True, kw_only=True, eq=False)
class Container:
    """One container. `stop` and `kill` may be called from any thread, and again.

    Args:
        definition: its container definition, overrides applied.
        launch: what to run.
        environment: its variables.
        ports: its container port → the port on 127.0.0.1 that the process listens on.
        write_log: takes the lines it prints; None drops them.
        changed: called when it ended or its health changed.
    """

    definition: Definition
    launch: Launch
    environment: Mapping[str, str]
    ports: Mapping[int, int]
    registry: Path
    write_log: Callable[[Sequence[str]], None] | None
    changed: Callable[[], None]
    exit_code: int | None = None
    health: Health = "UNKNOWN"
    started_s: float = 0.0
    _process: subprocess.Popen[bytes] | None = None
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        """Its name in the task definition."""
        return str(self.definition["name"])

    @property
    def essential(self) -> bool:
        """Whether its end is the task's."""
        return bool(self.definition.get("essential", True))

    @property
    def pid(self) -> int:
        """The process id; 0 when it does not run."""
        return self._process.pid if self._process is not None and not self._ended.is_set() else 0

    @property
    def ended(self) -> bool:
        """True once its process is gone."""
        return self._ended.is_set()

    def start(self) -> None:
        """Start the process.

        Raises:
            OSError: it cannot be started.
        """
        self._process = processes.spawn(
            self._argv(),
            role=f"task {self.definition['name']}",
            registry=self.registry,
            env={"PATH": search_path(), "LANG": "C.UTF-8", "HOME": str(Path.home()), **self.environment},
            cwd=self.launch.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.started_s = time.monotonic()
        threading.Thread(target=self._read, args=(self._process,), name=f"container {self.name}", daemon=True).start()
        if self.definition.get("healthCheck"):
            threading.Thread(target=self._check_health, name=f"health {self.name}", daemon=True).start()

    def _argv(self) -> tuple[str, ...]:
        if not self.launch.docker:
            return self.launch.argv
        named = [part for name, value in self.environment.items() for part in ("--env", f"{name}={value}")]
        return (*self.launch.argv[:3], *named, *self.launch.argv[3:])

    def stop(self, *, within_s: float) -> None:
        """SIGTERM, and SIGKILL after `within_s`; returns when it is gone and its exit code known."""
        self._signal(signal.SIGTERM)
        self._ended.wait(within_s)
        if self.kill():
            self._ended.wait(_GONE_WITHIN_S)

    def kill(self) -> bool:
        """End the whole process group at once; True when it ran."""
        ran = self.pid != 0
        self._signal(signal.SIGKILL)
        return ran

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def family(self) -> list[psutil.Process]:
        """Its process and all its descendants."""
        with contextlib.suppress(psutil.Error):
            return processes.family(self.pid) if self.pid else []
        return []

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        """Pass on what it prints; then note its end."""
        rest = b""
        with process.stdout or contextlib.nullcontext() as output:
            while output is not None and (data := os.read(output.fileno(), _CHUNK)):
                *lines, rest = (rest + data).split(b"\n")
                self._log(lines)
        if rest:
            self._log([rest])
        code = process.wait()
        self.exit_code = code if code >= 0 else 128 - code  # as a container engine reports a signal
        self._signal(signal.SIGKILL)  # children that it left behind
        processes.forget(self.registry, process.pid)
        self._ended.set()
        self.changed()

    def _log(self, lines: Sequence[bytes]) -> None:
        if self.write_log is not None and lines:
            self.write_log([line.decode(errors="replace") for line in lines])

    # -- health ------------------------------------------------------------------------------------------------

    def _check_health(self) -> None:
        """HEALTHY with the first success, UNHEALTHY after so many failures in a row.

        Those of the start period do not count: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html.
        """
        check, failures = self.definition["healthCheck"], 0
        interval_s = float(check.get("interval") or timing.HEALTH_INTERVAL_S)
        first = True
        while not self._ended.wait(0.1 if first else interval_s):
            in_start_period = time.monotonic() - self.started_s < float(check.get("startPeriod") or 0)
            if self._ask(check):
                first, failures = False, 0
                self._set_health("HEALTHY")
                continue
            failures += 0 if in_start_period and self.health == "UNKNOWN" else 1
            first = in_start_period and self.health == "UNKNOWN"
            if failures >= int(check.get("retries") or timing.HEALTH_RETRIES):
                self._set_health("UNHEALTHY")

    def _ask(self, check: Mapping[str, Any]) -> bool:
        kind, *words = check["command"]
        argv = (
            ["/bin/sh", "-c", " ".join(words)] if kind == "CMD-SHELL" else words if kind == "CMD" else [kind, *words]
        )
        try:
            asked = subprocess.run(
                [self._in_here(word) for word in argv],
                env={"PATH": search_path(), **self.environment},
                cwd=self.launch.folder,
                timeout=float(check.get("timeout") or timing.HEALTH_TIMEOUT_S),
                capture_output=True,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return asked.returncode == 0

    def _in_here(self, text: str) -> str:
        """The text with the container's own ports as they are on this machine."""
        return _OUR_NETWORK.sub(lambda found: f"{found[1]}:{self.ports.get(int(found[2]), found[2])}", text)

    def _set_health(self, health: Health) -> None:
        if health != self.health and not self._ended.is_set():
            self.health = health
            self.changed()
