"""The command as people use it: a project of its own folder, real processes, nothing faked."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.cloud.loop_thread import free_port
from harness.measure.journal import read_journal
from harness.measure.machine import crowd
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
LONGEST_S = 1200.0
"""A command that takes longer is taken to hang."""

CROWDED = 1.5
"""Processes for each core, over a whole drill, with which nothing can be measured that needs all cores."""

PARTS = ("pulumi_stack", "scenarios", "chaos", "blackstart.toml")


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("BLACKSTART_")}


@dataclass(frozen=True)
class Project:
    """A copy of this project, so that runs of the tests and of people do not meet."""

    folder: Path

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("blackstart")), *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**_environment(), "BLACKSTART_ENGINE": "embedded"},  # also where a Pulumi CLI is installed
            **options,
        )

    def run(self, *words: str) -> tuple[int, str]:
        """Exit code, and both outputs together."""
        with self.start(*words) as process:
            out, err = process.communicate(timeout=LONGEST_S)
        return process.returncode, out + err

    def json(self, *words: str) -> dict[str, Any]:
        with self.start(*words, "--json") as process:
            out, _ = process.communicate(timeout=LONGEST_S)
        found: dict[str, Any] = json.loads(out)
        return found

    def set_port(self) -> None:
        """A free port for `up`, which takes the one of the file."""
        port = free_port()
        path = self.folder / "blackstart.toml"
        path.write_text(path.read_text().replace("port = 4566", f"port = {port}"))

    def processes(self) -> list[str]:
        """Command lines of everything that works for this project."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            line = " ".join(process.info["cmdline"] or ())
            if str(self.folder) in line and process.pid != os.getpid():
                found.append(line)
        return found

    def newest_run(self) -> Path:
        return max((self.folder / ".blackstart" / "runs").iterdir())

    def skip_where_too_busy(self, code: int, said: str) -> None:
        """Skip when a run is inconclusive and its own journals say that the machine was crowded."""
        if code != 5:
            return
        journals = (self.newest_run() / "journals").glob("*.jsonl")
        if max((crowd(read_journal(path)) for path in journals), default=1.0) > CROWDED:
            pytest.skip(f"this machine is too busy to measure anything, and the run says so: {said[-2000:]}")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    folder = tmp_path / "project"
    folder.mkdir()
    for part in PARTS:
        source = ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / part)
    project = Project(folder)
    project.set_port()
    yield project
    project.run("down", "--yes")
    until_s = time.monotonic() + PATIENCE_S
    while project.processes() and time.monotonic() < until_s:
        time.sleep(0.1)
    assert project.processes() == []
