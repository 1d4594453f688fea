"""Hosts the user's program: a process of its own, in its own folder, with its own interpreter."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness import processes
from harness.deploy.engine.deployment import Deployment, Project
from harness.deploy.engine.monitor import Monitor
from harness.deploy.engine.steps import PARALLEL
from harness.errors import BlackstartError, ProgramError

SHIM = Path(__file__).with_name("program_shim.py")
_OUTPUT_TAIL_BYTES = 8_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Where the program is and how it is run. `entry` is what runpy gets: the folder, or Pulumi.yaml's `main`.

    `absent_venv` is the virtual environment that Pulumi.yaml names, where it does not exist.
    """

    folder: Path
    entry: Path
    interpreter: str = sys.executable
    absent_venv: Path | None = None


def run_program(deployment: Deployment, program: Program, *, registry: Path, environment: Mapping[str, str]) -> None:
    """Run the program against the deployment until both are done, deletions included.

    Raises:
        ProgramError: the program raised or exited with an error.
        BlackstartError: what made the deployment fail.
    """
    monitor = Monitor(deployment)
    address = monitor.start()
    with tempfile.TemporaryFile() as output:
        process = processes.spawn(
            _command(deployment, program, address),
            role="pulumi program",
            registry=registry,
            env=_environment(deployment, environment),
            cwd=program.folder,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _follow(deployment, monitor, process)
            code = process.wait()
        finally:
            monitor.stop()
            processes.stop(process, registry=registry, grace_s=1.0)
        if deployment.failure is None and code:
            deployment.fail(_failed(deployment, program, code, _tail(output.fileno())))
    if deployment.failure is not None:
        raise deployment.failure


def _command(deployment: Deployment, program: Program, address: str) -> list[str]:
    project = deployment.project
    options = {
        "monitor": address,
        "engine": address,
        "project": project.name,
        "stack": project.stack,
        "root_directory": str(program.folder),
        "pwd": str(program.folder),
        "parallel": str(PARALLEL),
        "dry_run": "true" if deployment.ledger.dry_run else "false",
        "organization": project.organization,
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [program.interpreter, "-u", str(SHIM), *flags, str(program.entry)]


def _environment(deployment: Deployment, extra: Mapping[str, str]) -> dict[str, str]:
    project = deployment.project
    return {
        **os.environ,
        **extra,
        "PULUMI_CONFIG": json.dumps(dict(project.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(sorted(project.secret_keys)),
    }


def _follow(deployment: Deployment, monitor: Monitor, process: subprocess.Popen[bytes]) -> None:
    """Wait until the program has registered everything, then delete what it no longer has."""
    while not monitor.program_done.wait(0.01) and process.poll() is None:
        if deployment.failure is not None and _gives_up(process):
            return
    # SDKs before SignalAndWaitForShutdown just exit with 0.
    finished = monitor.program_done.is_set() or process.poll() == 0
    if not finished or deployment.failure is not None:
        monitor.may_exit.set()
        return
    try:
        deployment.delete_condemned()
    except BlackstartError as error:
        deployment.fail(error)
    finally:
        monitor.may_exit.set()


def _gives_up(process: subprocess.Popen[bytes], patience_s: float = 10.0) -> bool:
    """After a failure a program may still wait for something; it gets a moment to end by itself."""
    deadline = time.monotonic() + patience_s
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return True


def _failed(deployment: Deployment, program: Program, code: int, output: str) -> ProgramError:
    said = deployment.steps.hidden.clean("\n".join(deployment.messages) or output or "it printed nothing")
    return ProgramError(
        f"the Pulumi program failed (exit code {code}):\n{said}",
        where=str(program.entry),
        hint=_what_to_do(said, program, deployment.project),
    )


def _what_to_do(said: str, program: Program, project: Project) -> str:
    missing = re.search(r"ModuleNotFoundError: No module named '([^']+)'", said)
    if missing:
        return _how_to_install(missing[1].partition(".")[0], program)
    setting = re.search(r"Missing required configuration variable '([^']+)'", said)
    if setting:
        return f"set it in Pulumi.{project.stack}.yaml under config:, or with --set {setting[1]}=VALUE"
    return "mend the program and run again"


def _how_to_install(module: str, program: Program) -> str:
    """The command that installs it where the program looks."""
    listed = program.folder / "requirements.txt"
    what = f"-r {listed}" if listed.is_file() else module.replace("_", "-") if module.startswith("pulumi_") else "…"
    venv = program.absent_venv
    if venv is not None:
        make = f"{sys.executable} -m venv {venv} && {venv / 'bin' / 'python'} -m pip install {what}"
        return f"the virtual environment that Pulumi.yaml names does not exist: {make}"
    return f"install {module} for the program's Python: {program.interpreter} -m pip install {what}"


def _tail(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    start = max(0, size - _OUTPUT_TAIL_BYTES)
    return os.pread(descriptor, size - start, start).decode(errors="replace").strip()
