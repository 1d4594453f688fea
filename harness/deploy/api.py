"""Deploy a Pulumi program to a target: up, preview, destroy, refresh. What the rest of the harness calls.

Light to import: the embedded engine is loaded while the program's process loads the SDKs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.deploy.engine.events import Listener, StepEvent, nobody
from harness.deploy.engine.host import Host, hosted
from harness.deploy.engine.lock import locked
from harness.deploy.engine.project import read_project
from harness.deploy.request import DeployRequest, DeployResult, engine_of

__all__ = ["DeployRequest", "DeployResult", "StepEvent", "destroy", "preview", "refresh", "up"]


def up(request: DeployRequest, on_event: Listener = nobody) -> DeployResult:
    """Make the stack what the program says.

    A program that changed since it was last deployed is previewed first, silently: every unsupported type and
    every bad input is known before anything is created.

    Raises:
        ProgramError: the program failed, or asks for what the engine does not support.
        ProviderError: AWS refused; what was created before is in the state.
        StateError: the state is locked, damaged or newer.
    """
    if engine_of(request) == "pulumi":
        from harness.deploy.pulumi_cli import operations as cli

        return cli.up(request, on_event)
    with _program(request) as host:
        from harness.deploy import embedded

        return embedded.up(request, on_event, host)


def preview(request: DeployRequest, on_event: Listener = nobody) -> DeployResult:
    """What `up` would do, changing nothing.

    Raises:
        ProgramError: see `up`.
    """
    if engine_of(request) == "pulumi":
        from harness.deploy.pulumi_cli import operations as cli

        return cli.preview(request, on_event)
    with _program(request) as host:
        from harness.deploy import embedded

        return embedded.deploy(request, on_event, host, dry_run=True)


def destroy(request: DeployRequest, on_event: Listener = nobody) -> DeployResult:
    """Delete every resource of the stack, dependents first. The program itself does not run.

    Raises:
        ProgramError: a resource is protected.
        ProviderError: AWS refused; the rest stays in the state.
    """
    if engine_of(request) == "pulumi":
        from harness.deploy.pulumi_cli import operations as cli

        return cli.destroy(request, on_event)
    with locked(request.state):
        from harness.deploy import embedded

        return embedded.destroy(request, on_event, _host(request))


def refresh(request: DeployRequest, on_event: Listener = nobody, *, dry_run: bool = False) -> DeployResult:
    """Look at every resource on AWS and bring the state to what is there. The program itself does not run.

    With `dry_run` the differences are only told.

    Raises:
        UsageError: a pattern names nothing.
        ProviderError: AWS refused to tell about a resource; the others are done.
    """
    if engine_of(request) == "pulumi":
        from harness.deploy.pulumi_cli import operations as cli

        return cli.refresh(request, on_event, dry_run=dry_run)
    with locked(request.state):
        from harness.deploy import embedded

        return embedded.refresh(request, on_event, _host(request), dry_run=dry_run)


@contextmanager
def _program(request: DeployRequest) -> Iterator[Host]:
    """The stack locked, and its program's process started."""
    with locked(request.state), hosted(_host(request)) as host:
        yield host


def _host(request: DeployRequest) -> Host:
    project, program = read_project(
        request.program,
        request.stack,
        region=request.target.region,
        overrides=request.config,
        passphrase=request.secret,
    )
    return Host(
        project=project,
        program=program,
        registry=request.state_dir / "processes",
        environment=request.target.environment,
    )
