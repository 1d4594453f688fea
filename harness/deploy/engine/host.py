"""The process of the user's program: in its own folder, with its own interpreter.

It loads the SDKs once, while we load the engine; each run of the program is a fork of it, so that the look-ahead and
the deployment share what loading costs, and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from harness import processes
from harness.deploy.engine.program import Program, Project

SHIM = Path(__file__).with_name("program_shim.py")
_OUTPUT_TAIL_BYTES = 8_000


@dataclass(slots=True, kw_only=True)
class Host:
    """The process. One run at a time."""

    project: Project
    program: Program
    registry: Path
    environment: Mapping[str, str]  # the program sees the target too: some ask AWS themselves with boto3
    _output: IO[bytes] | None = None
    _process: subprocess.Popen[bytes] | None = None
    _began_bytes: int = 0  # how much had been printed when the run began
    _code: int | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """The process; started if it does not run. It loads the SDKs and waits."""
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
            self._process = processes.spawn(
                [self.program.interpreter, "-u", str(SHIM), str(self.program.folder)],
                role="pulumi program",
                registry=self.registry,
                env=self._environment(),
                cwd=self.program.folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._output,
            )
        return self._process

    def begin(self, **settings: Any) -> None:
        """Run the program once; `settings` are those of the SDK's `Settings`, JSON values."""
        stdin = self.start().stdin
        self._began_bytes, self._code = self._printed_bytes(), None
        wanted = {"root_directory": str(self.program.folder), "program": str(self.program.entry), **settings}
        if stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it ended by itself, which `ended` tells
                stdin.write(json.dumps(wanted).encode() + b"\n")
                stdin.flush()

    def ended(self, *, within_s: float | None = None) -> int | None:
        """The exit code of the run; None when it goes on after `within_s` seconds (None: waits for its end)."""
        process = self._process
        if self._code is not None or process is None or process.stdout is None:
            return self._code
        if select.select([process.stdout], [], [], within_s)[0]:
            line = process.stdout.readline()
            self._code = int(json.loads(line)["code"]) if line else process.wait() or 1
        return self._code

    def printed(self) -> str:
        """The last that the run has printed."""
        if self._output is None:
            return ""
        size = self._printed_bytes()
        start = max(self._began_bytes, size - _OUTPUT_TAIL_BYTES)
        return os.pread(self._output.fileno(), size - start, start).decode(errors="replace").strip()

    def stop(self) -> None:
        """End the process, and a run that goes on."""
        process, self._process = self._process, None
        if process is None:
            return
        for file in (process.stdin, process.stdout, self._output):
            if file is not None:
                with contextlib.suppress(BrokenPipeError):  # a run that was asked for and never read
                    file.close()
        self._output = None
        processes.stop(process, registry=self.registry, grace_s=1.0)

    def _printed_bytes(self) -> int:
        return 0 if self._output is None else os.fstat(self._output.fileno()).st_size

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **self.environment,
            "PULUMI_CONFIG": json.dumps(dict(self.project.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(sorted(self.project.secret_keys)),
        }


@contextmanager
def hosted(host: Host) -> Iterator[Host]:
    """The host started, and ended afterwards."""
    try:
        host.start()
        yield host
    finally:
        host.stop()
