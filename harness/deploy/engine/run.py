"""One run of the program against one deployment, to the end of both."""

from __future__ import annotations

import re
import sys

from harness.deploy.engine.deployment import Deployment
from harness.deploy.engine.host import Host
from harness.deploy.engine.monitor import Monitor
from harness.deploy.engine.program import Program, Project
from harness.deploy.engine.steps import PARALLEL
from harness.errors import BlackstartError, ProgramError

_PATIENCE_S = 10.0  # after a failure a program may still wait for something; it gets a moment to end by itself


def run_program(deployment: Deployment, host: Host) -> None:
    """Run the program against the deployment until both are done, deletions included.

    Raises:
        ProgramError: the program raised or exited with an error.
        BlackstartError: what made the deployment fail.
    """
    monitor = Monitor(deployment)
    address = monitor.start()
    try:
        project = deployment.project
        host.begin(
            monitor=address,
            engine=address,
            project=project.name,
            stack=project.stack,
            parallel=PARALLEL,
            dry_run=deployment.ledger.dry_run,
            organization=project.organization,
        )
        _follow(deployment, monitor, host)
        code = host.ended(within_s=None if deployment.failure is None else _PATIENCE_S)
    except BaseException:
        host.stop()
        raise
    finally:
        monitor.stop()
    if code is None:
        host.stop()
    if deployment.failure is None and code:
        deployment.fail(_failed(deployment, host, code))
    if deployment.failure is not None:
        raise deployment.failure


def _follow(deployment: Deployment, monitor: Monitor, host: Host) -> None:
    """Wait until the program has registered everything, then delete what it no longer has."""
    while not monitor.program_done.wait(0.01) and host.ended(within_s=0) is None:
        if deployment.failure is not None:
            host.ended(within_s=_PATIENCE_S)
            return
    # SDKs before SignalAndWaitForShutdown just exit with 0.
    finished = monitor.program_done.is_set() or host.ended(within_s=0) == 0
    if not finished or deployment.failure is not None:
        monitor.may_exit.set()
        return
    try:
        deployment.delete_condemned()
    except BlackstartError as error:
        deployment.fail(error)
    finally:
        monitor.may_exit.set()


def _failed(deployment: Deployment, host: Host, code: int) -> ProgramError:
    said = "\n".join(deployment.messages) or host.printed() or "it printed nothing"
    said = deployment.steps.hidden.clean(said)
    return ProgramError(
        f"the Pulumi program failed (exit code {code}):\n{said}",
        where=str(host.program.entry),
        hint=_what_to_do(said, host.program, deployment.project),
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
