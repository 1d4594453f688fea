"""Deploy a Pulumi program to a target: up, preview, destroy. What the rest of the harness calls."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.deploy.engine.callbacks import Callbacks
from harness.deploy.engine.deployment import Deployment
from harness.deploy.engine.events import Listener, StepEvent, nobody
from harness.deploy.engine.hooks import Hooks
from harness.deploy.engine.host import Program, run_program
from harness.deploy.engine.instances import Instances
from harness.deploy.engine.ledger import Ledger
from harness.deploy.engine.lock import locked
from harness.deploy.engine.project import project_name, read_project
from harness.deploy.engine.recovery import read_checkpoint
from harness.deploy.engine.refresh import is_looked_at, refresh_all
from harness.deploy.engine.selection import Selection
from harness.deploy.engine.stacks import Stacks, state_file
from harness.deploy.engine.state import ResourceState
from harness.deploy.engine.steps import Steps
from harness.deploy.engine.targeting import Targeting
from harness.deploy.engine.transforms import Transforms
from harness.deploy.engine.values import has_secret, masked
from harness.deploy.providers import registry
from harness.errors import BlackstartError, NotReadyError
from harness.files import write_atomically
from harness.target import Target

__all__ = ["DeployRequest", "DeployResult", "StepEvent", "destroy", "preview", "refresh", "up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """What to deploy where. The checkpoint is `<state_dir>/<stack>.json`; `config` keys are `namespace:name`.

    `only` limits the operation to a part of the stack, with `dependents` of that part too; `replace` names what
    is made anew whatever changed; `refresh` looks at AWS first.
    """

    program: Path
    stack: str
    target: Target
    state_dir: Path
    config: Mapping[str, str] = field(default_factory=dict)
    passphrase: str = ""
    engine: str = "auto"
    only: Selection = field(default_factory=Selection)
    dependents: bool = False
    replace: Selection = field(default_factory=Selection)
    refresh: bool = False

    @property
    def state(self) -> Path:
        """The checkpoint."""
        return state_file(self.state_dir, self.stack, project_name(self.program))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployResult:
    """What was done. `resources` counts AWS resources; `changes` counts steps by kind; secrets are masked."""

    outputs: dict[str, Any]
    resources: int
    changes: dict[str, int]
    duration_s: float
    left_out: tuple[str, ...] = ()  # URNs that were not selected and do not exist


def up(request: DeployRequest, on_event: Listener = nobody) -> DeployResult:
    """Make the stack what the program says.

    A program that changed since it was last deployed is previewed first, silently: every unsupported type and
    every bad input is known before anything is created.

    Raises:
        ProgramError: the program failed, or asks for what the engine does not support.
        ProviderError: AWS refused; what was created before is in the state.
        StateError: the state is locked, damaged or newer.
    """
    _require_embedded(request)
    with locked(request.state):
        digest = _digest(request)
        mark = request.state.with_suffix(".program")
        planned = 0
        if request.only or request.replace or not (mark.is_file() and mark.read_text() == digest):
            planned = _preflight(request)
        result = _deploy(request, on_event, dry_run=False, planned=planned)
        if not request.only:
            write_atomically(mark, digest)
        return result


def preview(request: DeployRequest, on_event: Listener = nobody) -> DeployResult:
    """What `up` would do, changing nothing.

    Raises:
        ProgramError: see `up`.
    """
    _require_embedded(request)
    with locked(request.state):
        return _deploy(request, on_event, dry_run=True)


def destroy(request: DeployRequest, on_event: Listener = nobody) -> DeployResult:
    """Delete every resource of the stack, dependents first. The program itself does not run.

    Raises:
        ProgramError: a resource is protected.
        ProviderError: AWS refused; the rest stays in the state.
    """
    _require_embedded(request)
    started_s = time.monotonic()
    with locked(request.state):
        deployment, _ = _deployment(request, on_event, dry_run=False)
        deployment.targeting.require(deployment.ledger.olds)
        deployment.steps.planned = len(deployment.targeting.condemned(deployment.ledger, everything=True))
        with deployment.ledger.kept():
            deployment.delete_condemned(everything=True)
        request.state.with_suffix(".program").unlink(missing_ok=True)
        return _result(deployment, started_s)


def refresh(request: DeployRequest, on_event: Listener = nobody, *, dry_run: bool = False) -> DeployResult:
    """Look at every resource on AWS and bring the state to what is there. The program itself does not run.

    With `dry_run` the differences are only told.

    Raises:
        UsageError: a pattern names nothing.
        ProviderError: AWS refused to tell about a resource; the others are done.
    """
    _require_embedded(request)
    started_s = time.monotonic()
    with locked(request.state):
        deployment, _ = _deployment(request, on_event, dry_run=dry_run)
        deployment.targeting.require(deployment.ledger.olds)
        with deployment.ledger.kept():
            _refresh(deployment)
        return _result(deployment, started_s)


def _refresh(deployment: Deployment) -> None:
    steps, olds = deployment.steps, list(deployment.ledger.olds.values())
    selected = deployment.targeting.of_olds(olds)
    steps.planned = sum(is_looked_at(steps, old) for old in selected)
    refresh_all(steps, selected)


def _preflight(request: DeployRequest) -> int:
    """A dry run that only looks for what cannot work. Returns how many steps it took.

    A program may fail in a preview and work in a deployment (it asks AWS about what it has just created), so
    its own exceptions do not count here.
    """
    told: list[StepEvent] = []
    deployment, program = _deployment(request, told.append, dry_run=True)
    problem: BlackstartError | None = None
    try:
        run_program(deployment, program, registry=_registry(request), environment=_environment(request))
    except BlackstartError as error:
        problem = error
    refusal = deployment.unsupported_error()
    if refusal is not None:
        raise refusal
    if (
        problem is not None
        and problem.code in {"program", "usage"}
        and "the Pulumi program failed" not in problem.what
    ):
        raise problem
    _require_known(deployment, request)
    return sum(event.status == "done" and not event.copy for event in told)


def _require_known(deployment: Deployment, request: DeployRequest) -> None:
    """Refuse patterns that name nothing, once the program has told what it consists of."""
    known = deployment.known_urns()
    deployment.targeting.require(known)
    request.replace.require(known, where="--replace")


def _deploy(request: DeployRequest, on_event: Listener, *, dry_run: bool, planned: int = 0) -> DeployResult:
    started_s = time.monotonic()
    deployment, program = _deployment(request, on_event, dry_run=dry_run)
    with deployment.ledger.kept():
        if request.refresh:
            _refresh(deployment)
        deployment.steps.planned = planned or sum(_is_told(old) for old in deployment.ledger.olds.values())
        run_program(deployment, program, registry=_registry(request), environment=_environment(request))
        refusal = deployment.unsupported_error()
        if refusal is not None:
            raise refusal
        _require_known(deployment, request)
    return _result(deployment, started_s)


def _deployment(request: DeployRequest, on_event: Listener, *, dry_run: bool) -> tuple[Deployment, Program]:
    project, program = read_project(
        request.program, request.stack, region=request.target.region, overrides=request.config
    )
    passphrase = request.passphrase or os.environ.get("PULUMI_CONFIG_PASSPHRASE", "")
    ledger = Ledger(read_checkpoint(request.state, passphrase), dry_run=dry_run)
    instances = Instances(request.target, project.folder)
    callbacks = Callbacks()
    steps = Steps(
        ledger=ledger,
        registry=registry(),
        instances=instances,
        hooks=Hooks(callbacks),
        listen=on_event,
        replace=request.replace,
    )
    deployment = Deployment(
        project=project,
        ledger=ledger,
        steps=steps,
        stacks=Stacks(folder=request.state_dir, passphrase=passphrase, project=project.name),
        transforms=Transforms(callbacks),
        targeting=Targeting(only=request.only, dependents=request.dependents),
    )
    return deployment, program


def _result(deployment: Deployment, started_s: float) -> DeployResult:
    there = deployment.ledger.living()
    living = [r for r in there if r.custom and not r.is_provider and not r.external]
    outputs = {key: "[secret]" if has_secret(value) else masked(value) for key, value in deployment.outputs.items()}
    return DeployResult(
        outputs=outputs,
        resources=len(living),
        changes={str(op): count for op, count in deployment.steps.counts.items()},
        duration_s=time.monotonic() - started_s,
        left_out=tuple(sorted(deployment.targeting.left_out)),
    )


def _environment(request: DeployRequest) -> dict[str, str]:
    """The program sees the target too: some ask AWS themselves with boto3."""
    return request.target.environment


def _is_told(old: ResourceState) -> bool:
    """True for what a deployment tells a step of: default providers have none."""
    return not (old.is_provider and old.name.startswith("default"))


def _registry(request: DeployRequest) -> Path:
    return request.state_dir / "processes"


def _digest(request: DeployRequest) -> str:
    """A hash of the program's own files and its configuration."""
    digest = hashlib.sha256(repr(sorted(request.config.items())).encode())
    for path in sorted(request.program.rglob("*")):
        parts = path.relative_to(request.program).parts
        if path.suffix in {".py", ".yaml", ".json"} and not any(p.startswith((".", "__pycache__")) for p in parts):
            digest.update(str(path.relative_to(request.program)).encode() + path.read_bytes())
    return digest.hexdigest()


def _require_embedded(request: DeployRequest) -> None:
    """The engine to use: the embedded one, unless the real CLI was asked for.

    Raises:
        NotReadyError: `--engine pulumi`; the real CLI is driven by a later version.
    """
    if request.engine == "pulumi":
        raise NotReadyError(
            "the real Pulumi CLI is not driven yet", where="--engine pulumi", hint="use --engine embedded"
        )
