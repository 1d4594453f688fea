"""Leave a stack running, change it, and take it down again: `up`, `preview`, `deploy`, `destroy` and `down`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from harness import processes
from harness.changes.board import Board
from harness.cloud.client import start_cloud
from harness.deploy.api import DeployRequest, DeployResult, StepEvent, destroy, preview, refresh, up
from harness.deploy.engine.events import Listener, nobody
from harness.deploy.engine.project import read_project
from harness.deploy.engine.selection import Selection
from harness.deploy.pulumi_cli.workspace import Place
from harness.deploy.request import holds
from harness.environment import cloud_settings
from harness.errors import NotReadyError, UsageError
from harness.image_folders import changed, renew
from harness.running import current, require_running
from harness.stack import RunningStack, save
from harness.target import Target, TargetChoice, endpoint_target, real_aws
from harness.terminal import Progress
from harness.workspace import Workspace

_FOLDERS = "image-folders.json"
"""What was in the folders of images when the cloud was last deployed to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackChoice:
    """Which program is deployed under which stack name, with configuration on top of Pulumi.<stack>.yaml.

    `only`, `dependents`, `replace` and `refresh` as in `DeployRequest`; patterns as in `Selection`.
    """

    program: Path | None = None
    name: str = "dev"
    settings: tuple[str, ...] = ()
    engine: str = "auto"
    only: tuple[str, ...] = ()
    dependents: bool = False
    replace: tuple[str, ...] = ()
    refresh: bool = False

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
        only=Selection(choice.only),
        dependents=choice.dependents,
        replace=Selection(choice.replace),
        refresh=choice.refresh,
    )


def step_lines(progress: Progress) -> Listener:
    """Tell what a deployment is doing in the one line of a longer job: how many steps of how many, and which."""
    board = Board()

    def show(event: StepEvent) -> None:
        board.note(event)
        if event.op != "same":
            progress.detail(f"{board.progress} {event.op} {event.type} {event.name} {event.message}".rstrip())

    return show


def bring_up(
    workspace: Workspace,
    target: TargetChoice,
    choice: StackChoice,
    *,
    detached: bool,
    progress: Progress,
    listen: Listener = nobody,
) -> tuple[RunningStack, DeployResult]:
    """Start the cloud unless it already runs, deploy the stack, and remember it in the stack file.

    Raises:
        BlackstartError: the cloud does not start, or the program cannot be deployed; a cloud started here
            stays up after a failed deployment, so that the next `up` goes on from what is there.
    """
    program_of(workspace, choice)
    running = None if target.kind == "aws" else current(workspace, target)
    if running is None:
        (workspace.cloud / _FOLDERS).unlink(missing_ok=True)
        running = _start(workspace, target, choice.name, detached=detached, progress=progress)
    progress.phase("Deploying the stack")
    wanted = request(workspace, running, choice, state=state_folder(workspace, running.target))
    result = up(wanted, on_event=both(progress.step, listen))
    deployed = RunningStack(name=choice.name, target=running.target, outputs=result.outputs)
    save(deployed, _stack_file(workspace, deployed.target, choice.name))
    if running.target.kind == "embedded":
        for line in renew(running.target, changed(workspace.image_folders, workspace.cloud / _FOLDERS)):
            progress.note(line)
    progress.close()
    return deployed, result


def _start(
    workspace: Workspace, target: TargetChoice, name: str, *, detached: bool, progress: Progress
) -> RunningStack:
    if target.kind == "aws":
        return _real_aws(workspace, target, name)
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
    ours = [*workspace.state.glob("*.json"), *workspace.state.glob("*.journal")]
    for path in [*ours, *Place(folder=workspace.state).checkpoints()]:
        path.replace(path.with_name(f"{path.name}.previous"))


def state_folder(workspace: Workspace, target: Target) -> Path:
    """Where the checkpoints of a target's stacks are; real AWS has a folder for each account."""
    return workspace.state / f"aws-{target.account_id}" if target.kind == "aws" else workspace.state


def reached(workspace: Workspace, target: TargetChoice, name: str) -> RunningStack:
    """What runs here, or real AWS behind its guard: where preview, destroy and refresh go.

    Raises:
        NotReadyError: nothing runs here.
        RefusedError: real AWS without consent, or outside the allow-list.
        UsageError: another target was asked for than the one that runs here.
    """
    return _real_aws(workspace, target, name) if target.kind == "aws" else require_running(workspace, target)


def idle_request(workspace: Workspace, target: TargetChoice, choice: StackChoice) -> DeployRequest:
    """The request of a command that only looks at the state: nothing needs to run."""
    if target.kind == "aws":
        stack = _real_aws(workspace, target, choice.name)
    else:
        embedded = workspace.config.embedded
        idle = endpoint_target(f"http://127.0.0.1:{embedded.port}", regions=embedded.regions)
        stack = current(workspace) or RunningStack(name=choice.name, target=idle)
    folder = choice.program.resolve() if choice.program else workspace.program
    return DeployRequest(
        program=folder,
        stack=choice.name,
        target=stack.target,
        state_dir=state_folder(workspace, stack.target),
        engine=choice.engine,
    )


def _stack_file(workspace: Workspace, target: Target, name: str) -> Path:
    """Where `up` keeps the outputs: what runs here, or one stack of an AWS account."""
    return state_folder(workspace, target) / f"{name}.stack.json" if target.kind == "aws" else workspace.stack_file


def _real_aws(workspace: Workspace, target: TargetChoice, name: str) -> RunningStack:
    aws = workspace.config.aws
    allowed = real_aws(allowed_accounts=aws.allowed_accounts, regions=aws.regions, consent=target.consent)
    kept = _stack_file(workspace, allowed, name)
    outputs = json.loads(kept.read_text())["outputs"] if kept.exists() else {}
    return RunningStack(name=name, target=allowed, outputs=outputs)


def both(first: Listener, second: Listener) -> Listener:
    """A listener that tells two others."""

    def tell(event: StepEvent) -> None:
        first(event)
        second(event)

    return tell


def preview_running(
    workspace: Workspace, stack: RunningStack, choice: StackChoice, progress: Progress, listen: Listener
) -> DeployResult:
    """What `deploy` would change in the running cloud; `listen` hears every step."""
    progress.phase("Looking at what would change")
    wanted = request(workspace, stack, choice, state=state_folder(workspace, stack.target))
    result = preview(wanted, on_event=listen)
    progress.close()
    return result


def refresh_running(
    workspace: Workspace,
    stack: RunningStack,
    choice: StackChoice,
    *,
    dry_run: bool,
    progress: Progress,
    listen: Listener,
) -> DeployResult:
    """Look at every resource on AWS and bring the state to what is there; with `dry_run` only look."""
    progress.phase("Looking at what is on AWS")
    wanted = request(workspace, stack, choice, state=state_folder(workspace, stack.target))
    result = refresh(wanted, on_event=both(progress.step, listen), dry_run=dry_run)
    progress.close()
    return result


def destroy_running(
    workspace: Workspace,
    stack: RunningStack,
    choice: StackChoice,
    progress: Progress,
    listen: Listener = nobody,
) -> DeployResult:
    """Delete the stack's resources; the cloud stays up."""
    progress.phase("Destroying the stack")
    wanted = request(workspace, stack, choice, state=state_folder(workspace, stack.target))
    result = destroy(wanted, on_event=both(progress.step, listen))
    outputs = stack.outputs if choice.only else {}
    left = RunningStack(name=choice.name, target=stack.target, outputs=outputs)
    save(left, _stack_file(workspace, stack.target, choice.name))
    progress.close()
    return result


def _is_deployed(workspace: Workspace, name: str) -> bool:
    """True when one of the engines has resources of a stack of this name."""
    ours = [workspace.state / f"{name}.json", *workspace.state.glob(f"{name}.*.json")]
    real = [path for path in Place(folder=workspace.state).checkpoints() if path.stem == name]
    return any(holds(path) for path in [*ours, *real])


def take_down(workspace: Workspace, choice: StackChoice, progress: Progress) -> list[str]:
    """Destroy the stack if its cloud still runs, end every process of ours, forget the stack. Safe to repeat.

    Returns the roles of the processes that were ended.
    """
    stack = current(workspace)
    if stack is not None and _is_deployed(workspace, stack.name):
        named = StackChoice(program=choice.program, name=stack.name, settings=choice.settings)
        try:
            destroy_running(workspace, stack, named, progress)
        except (NotReadyError, UsageError) as error:
            progress.note(f"the stack could not be destroyed one by one: {error}; the cloud goes with it")
    progress.phase("Stopping the cloud")
    ended = [record.role for path in workspace.registries() for record in processes.reap(path, everything=True)]
    workspace.stack_file.unlink(missing_ok=True)
    _set_stale_states_aside(workspace)
    progress.close()
    return ended
