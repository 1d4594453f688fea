"""Leave a stack running, change it, and take it down again: `up`, `preview`, `deploy`, `destroy` and `down`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness import processes
from harness.cloud.client import start_cloud
from harness.deploy.api import DeployRequest, DeployResult, StepEvent, destroy, preview, up
from harness.deploy.engine.project import read_project
from harness.environment import TargetChoice, cloud_settings
from harness.errors import ProviderError, UsageError
from harness.running import current, require_running
from harness.stack import RunningStack, save
from harness.target import real_aws
from harness.terminal import Progress
from harness.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class StackChoice:
    """Which program is deployed under which stack name, with configuration on top of Pulumi.<stack>.yaml."""

    program: Path | None = None
    name: str = "dev"
    settings: tuple[str, ...] = ()
    engine: str = "auto"

    def values(self) -> dict[str, str]:
        """`settings` as a mapping.

        Raises:
            UsageError: an entry is not KEY=VALUE with a namespaced key.
        """
        found = {}
        for setting in self.settings:
            key, equals, value = setting.partition("=")
            if not equals or ":" not in key:
                raise UsageError(f"{setting!r} is no setting", where="--set", hint="for example --set orders:zones=b")
            found[key] = value
        return found


def program_of(workspace: Workspace, choice: StackChoice) -> Path:
    """The program's folder, looked at before anything is started for it.

    Raises:
        UsageError: there is no such folder, or no Python project of Pulumi in it.
        ProgramError: its Pulumi.yaml cannot be read.
    """
    program = choice.program.resolve() if choice.program else workspace.program
    if not program.is_dir():
        raise UsageError("no such folder", where=str(program), hint="set [project] program or pass --program DIR")
    read_project(program, choice.name, region=workspace.config.embedded.regions[0], overrides=choice.values())
    return program


def request(workspace: Workspace, stack: RunningStack, choice: StackChoice, *, state: Path) -> DeployRequest:
    """What the deploy part needs to know."""
    return DeployRequest(
        program=program_of(workspace, choice),
        stack=choice.name,
        target=stack.target,
        state_dir=state,
        config=choice.values(),
        engine=choice.engine,
    )


def step_lines(progress: Progress) -> Callable[[StepEvent], None]:
    """Tell each step of a deployment as it happens; `same` steps are not worth a line."""

    def show(event: StepEvent) -> None:
        if event.op != "same":
            progress.detail(f"{event.op} {event.type} {event.name} {event.message}".rstrip())

    return show


def bring_up(
    workspace: Workspace, target: TargetChoice, choice: StackChoice, *, detached: bool, progress: Progress
) -> tuple[RunningStack, DeployResult]:
    """Start the cloud unless it already runs, deploy the stack, and remember it in the stack file.

    Raises:
        BlackstartError: the cloud does not start, or the program cannot be deployed; a cloud started here
            stays up after a failed deployment, so that the next `up` goes on from what is there.
    """
    program_of(workspace, choice)
    running = current(workspace)
    if running is None:
        running = _start(workspace, target, choice.name, detached=detached, progress=progress)
    progress.phase("Deploying the stack")
    result = up(request(workspace, running, choice, state=workspace.state), on_event=step_lines(progress))
    deployed = RunningStack(name=choice.name, target=running.target, outputs=result.outputs)
    if running.target.kind != "aws":
        save(deployed, workspace.stack_file)
    progress.close()
    return deployed, result


def _start(
    workspace: Workspace, target: TargetChoice, name: str, *, detached: bool, progress: Progress
) -> RunningStack:
    if target.kind == "aws":
        aws = workspace.config.aws
        allowed = real_aws(allowed_accounts=aws.allowed_accounts, regions=aws.regions, consent=target.consent)
        return RunningStack(name=name, target=allowed)
    progress.phase("Starting the cloud")
    _set_stale_states_aside(workspace)
    port = workspace.config.embedded.port
    cloud = start_cloud(cloud_settings(workspace, target, folder=workspace.cloud, port=port, detached=detached))
    stack = RunningStack(name=name, target=cloud.target)
    save(stack, workspace.stack_file)
    progress.close()
    return stack


def _set_stale_states_aside(workspace: Workspace) -> None:
    """A new cloud is empty: checkpoints of the one before describe nothing. Kept as *.previous, never deleted."""
    for path in workspace.state.glob("*.json"):
        path.replace(path.with_suffix(".json.previous"))


def preview_running(workspace: Workspace, choice: StackChoice) -> tuple[DeployResult, list[str]]:
    """What `deploy` would change in the running cloud: counts, and a line for each change."""
    stack = require_running(workspace)
    lines: list[str] = []

    def show(event: StepEvent) -> None:
        if event.op != "same" and event.status == "done":
            lines.append(f"{_SIGNS.get(event.op, '?')} {event.type} {event.name} {event.message}".rstrip())

    result = preview(request(workspace, stack, choice, state=workspace.state), on_event=show)
    return result, lines


_SIGNS = {"create": "+", "update": "~", "replace": "+-", "delete": "-", "read": ">"}


def destroy_running(workspace: Workspace, choice: StackChoice, progress: Progress) -> DeployResult:
    """Delete the stack's resources; the cloud stays up."""
    stack = require_running(workspace)
    progress.phase("Destroying the stack")
    result = destroy(request(workspace, stack, choice, state=workspace.state), on_event=step_lines(progress))
    save(RunningStack(name=choice.name, target=stack.target), workspace.stack_file)
    progress.close()
    return result


def take_down(workspace: Workspace, choice: StackChoice, progress: Progress) -> list[str]:
    """Destroy the stack if its cloud still runs, end every process of ours, forget the stack. Safe to repeat.

    Returns the roles of the processes that were ended.
    """
    stack = current(workspace)
    if stack is not None and (workspace.state / f"{stack.name}.json").exists():
        named = StackChoice(program=choice.program, name=stack.name, settings=choice.settings)
        try:
            destroy_running(workspace, named, progress)
        except (ProviderError, UsageError) as error:
            progress.note(f"the stack could not be destroyed one by one: {error}; the cloud goes with it")
    progress.phase("Stopping the cloud")
    ended = [record.role for path in workspace.registries() for record in processes.reap(path, everything=True)]
    workspace.stack_file.unlink(missing_ok=True)
    _set_stale_states_aside(workspace)
    progress.close()
    return ended
