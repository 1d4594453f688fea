"""A server process of ours that tells when it ends without having been asked to."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness import processes


@dataclass(slots=True, kw_only=True)
class Watched:
    """One process, which may be started again after its end. `kill` may be called from any thread.

    Args:
        name: for the process registry.
        on_exit: called, from a thread of its own, when the process ended without being asked to.
    """

    name: str
    registry: Path
    log: Path
    on_exit: Callable[[], None]
    _process: subprocess.Popen[bytes] | None = None
    _expected: bool = True

    @property
    def pid(self) -> int:
        """The process id; 0 when it does not run."""
        return self._process.pid if self._process is not None and self._process.returncode is None else 0

    def start(self, argv: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        """Start it, its output appended to the log.

        Raises:
            OSError: it cannot be started.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            process = processes.spawn(
                argv, role=self.name, registry=self.registry, env=env, cwd=cwd, stdout=log, stderr=log
            )
        self._process, self._expected = process, False
        threading.Thread(target=self._watch, args=(process,), name=self.name, daemon=True).start()

    def tail(self) -> str:
        """The end of the log."""
        return self.log.read_text(errors="replace")[-600:].strip() if self.log.exists() else ""

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process itself, when it runs."""
        if pid := self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self, number: signal.Signals, within_s: float) -> None:
        """Ask it to end, and kill it when it does not."""
        self._expected = True
        if self._process is not None and self.pid:
            self.send(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(within_s)
        self.kill()

    def kill(self, *, expected: bool = True) -> bool:
        """End it and all its children at once; True when it ran. `on_exit` is called unless it was `expected`."""
        process, ran = self._process, self.pid != 0
        if expected:
            self._expected = True
        if process is None:
            return False
        # A child may lead a session of its own, as PostgreSQL's do, so the group's signal would not reach it.
        children = _children(process.pid) if ran else []
        self.send(signal.SIGKILL)
        for child in children:
            with contextlib.suppress(psutil.Error):
                child.kill()
        process.wait()
        return ran

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        processes.forget(self.registry, process.pid)
        if not self._expected and self._process is process:
            self.on_exit()


def _children(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return list(psutil.Process(pid).children(recursive=True))
    return []
