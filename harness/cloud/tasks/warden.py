"""A process that waits for the end of the cloud and then ends every task: `kill -9` of the cloud leaves none.

It holds the reading end of a pipe that only the cloud writes to; when the cloud ends, however it ends, the pipe does.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from harness import processes


@dataclass(slots=True)
class Warden:
    """Watches the registry of one cloud's tasks; the process is started with the first task."""

    registry: Path
    _process: subprocess.Popen[bytes] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self) -> None:
        """Make sure that it watches."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                argv = [sys.executable, "-m", "harness.cloud.tasks.warden", str(self.registry)]
                self._process = processes.spawn(
                    argv, role="task warden", registry=self.registry.parent / "warden", stdin=subprocess.PIPE
                )

    def close(self) -> None:
        """End it; what it watches is ended as well."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            process.wait()
            processes.forget(self.registry.parent / "warden", process.pid)


def main(registry: str) -> None:
    """Wait for the end of the pipe, then end what is recorded."""
    sys.stdin.buffer.read()
    processes.reap(Path(registry), everything=True, grace_s=0.0)


if __name__ == "__main__":
    main(sys.argv[1])
