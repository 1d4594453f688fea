"""The embedded engine's operations: what `harness.deploy.api` describes."""

from __future__ import annotations

import hashlib
import time

from harness.deploy.absent import refuse_absent
from harness.deploy.engine.autonaming import read_autonaming
from harness.deploy.engine.callbacks import Callbacks
from harness.deploy.engine.clients import Clients
from harness.deploy.engine.deployment import Deployment
from harness.deploy.engine.dynamic import DynamicPlugin, with_dynamic
from harness.deploy.engine.events import Listener, StepEvent
from harness.deploy.engine.hooks import Hooks
from harness.deploy.engine.host import Host
from harness.deploy.engine.instances import Instances
from harness.deploy.engine.ledger import Ledger
from harness.deploy.engine.recovery import read_checkpoint
from harness.deploy.engine.refresh import is_looked_at, refresh_all
from harness.deploy.engine.run import run_program
from harness.deploy.engine.stacks import Stacks
from harness.deploy.engine.state import ResourceState
from harness.deploy.engine.steps import Steps
from harness.deploy.engine.targeting import Targeting
from harness.deploy.engine.transforms import Transforms
from harness.deploy.engine.urn import STACK_TYPE
from harness.deploy.engine.values import has_secret, masked
from harness.deploy.providers import registry
from harness.deploy.request import DeployRequest, DeployResult
from harness.errors import BlackstartError
from harness.files import write_atomically


def up(request: DeployRequest, on_event: Listener, host: Host) -> DeployResult:
    """Make the stack what the program says, after a look ahead at a program that is new or changed."""
    digest = _digest(request)
    mark = request.state.with_suffix(".program")
    planned, clients = 0, Clients(request.target)
    if request.only or request.replace or not (mark.is_file() and mark.read_text() == digest):
        planned = _preflight(request, host, clients)
    result = deploy(request, on_event, host, dry_run=False, planned=planned, clients=clients)
    if not request.only:
        write_atomically(mark, digest)
    return result


def destroy(request: DeployRequest, on_event: Listener, host: Host) -> DeployResult:
    """Delete every resource of the stack; the program itself does not run."""
    started_s = time.monotonic()
    deployment = _deployment(request, on_event, host, dry_run=False)
    deployment.targeting.require(deployment.ledger.olds)
    deployment.steps.planned = len(deployment.targeting.condemned(deployment.ledger, everything=True))
    with deployment.kept():
        deployment.delete_condemned(everything=True)
    request.state.with_suffix(".program").unlink(missing_ok=True)
    return _result(deployment, started_s)


def refresh(request: DeployRequest, on_event: Listener, host: Host, *, dry_run: bool) -> DeployResult:
    """Bring the state to what is on AWS; the program itself does not run."""
    started_s = time.monotonic()
    deployment = _deployment(request, on_event, host, dry_run=dry_run)
    deployment.targeting.require(deployment.ledger.olds)
    with deployment.kept():
        _refresh(deployment)
    return _result(deployment, started_s)


def _refresh(deployment: Deployment) -> None:
    steps, olds = deployment.steps, list(deployment.ledger.olds.values())
    selected = deployment.targeting.of_olds(olds)
    steps.planned = sum(is_looked_at(steps, old) for old in selected)
    refresh_all(steps, selected)


def _preflight(request: DeployRequest, host: Host, clients: Clients) -> int:
    """A dry run that only looks for what cannot work. Returns how many steps it took.

    A program may fail in a preview and work in a deployment (it asks AWS about what it has just created), so
    its own exceptions do not count here.
    """
    told: list[StepEvent] = []
    deployment = _deployment(request, told.append, host, dry_run=True, clients=clients)
    problem: BlackstartError | None = None
    try:
        with deployment.kept():
            run_program(deployment, host)
    except BlackstartError as error:
        problem = error
    refusal = deployment.unsupported_error()
    if refusal is not None:
        raise refusal
    if problem is not None and _is_final(problem, told):
        raise problem
    if request.target.kind == "endpoint":
        refuse_absent(request.target, deployment.ledger, deployment.steps.registry)
    _require_known(deployment, request)
    return sum(event.status == "done" and not event.copy for event in told)


def _is_final(problem: BlackstartError, told: list[StepEvent]) -> bool:
    """True when a preview's error would be a deployment's too: about the inputs, or before there was any resource."""
    if problem.code not in {"program", "usage", "config"}:
        return False
    return "the Pulumi program failed" not in problem.what or all(event.type == STACK_TYPE for event in told)


def _say_what_is_left(error: BlackstartError, deployment: Deployment) -> None:
    """To the hint of a failed deployment: what it did before, and what nobody knows."""
    done = [f"{count} {op}" for op, count in deployment.steps.counts.items() if op in _CHANGES]
    begun = [p.resource.name for p in deployment.ledger.checkpoint.pending]
    left = [f"done before and in the state: {', '.join(done)}"] if done else []
    left += [f"begun, and looked for by the next run: {', '.join(begun)}"] if begun else []
    if left:
        error.hint = "; ".join([*left, error.hint or "mend the cause and run again"])


_CHANGES = ("create", "update", "replace", "delete")


def _require_known(deployment: Deployment, request: DeployRequest) -> None:
    """Refuse patterns that name nothing, once the program has told what it consists of."""
    known = deployment.known_urns()
    deployment.targeting.require(known)
    request.replace.require(known, where="--replace")


def deploy(
    request: DeployRequest,
    on_event: Listener,
    host: Host,
    *,
    dry_run: bool,
    planned: int = 0,
    clients: Clients | None = None,
) -> DeployResult:
    """Run the program once: for real, or as a preview. `planned` steps are expected; 0 where nobody looked ahead."""
    started_s = time.monotonic()
    deployment = _deployment(request, on_event, host, dry_run=dry_run, clients=clients)
    with deployment.kept():
        if request.refresh:
            _refresh(deployment)
        deployment.steps.planned = planned or sum(_is_told(old) for old in deployment.ledger.olds.values())
        try:
            run_program(deployment, host)
        except BlackstartError as error:
            if not dry_run:
                _say_what_is_left(error, deployment)
            raise
        refusal = deployment.unsupported_error()
        if refusal is not None:
            raise refusal
        _require_known(deployment, request)
    return _result(deployment, started_s)


def _deployment(
    request: DeployRequest, on_event: Listener, host: Host, *, dry_run: bool, clients: Clients | None = None
) -> Deployment:
    project = host.project
    checkpoint = read_checkpoint(request.state, request.secret)
    ledger = Ledger(checkpoint, dry_run=dry_run, durable=request.target.kind == "aws")
    instances = Instances(request.target, project.folder, clients or Clients(request.target))
    callbacks = Callbacks()
    dynamic = DynamicPlugin(
        interpreter=host.program.interpreter,
        folder=project.folder,
        project=project.name,
        config=project.config,
        environment=host.environment,
        registry=host.registry,
    )
    steps = Steps(
        ledger=ledger,
        registry=with_dynamic(registry(), dynamic),
        naming=read_autonaming(
            project.config, organization=project.organization, project=project.name, stack=project.stack
        ),
        instances=instances,
        hooks=Hooks(callbacks),
        listen=on_event,
        replace=request.replace,
    )
    return Deployment(
        project=project,
        ledger=ledger,
        steps=steps,
        stacks=Stacks(folder=request.state_dir, passphrase=request.secret, project=project.name),
        transforms=Transforms(callbacks),
        dynamic=dynamic,
        targeting=Targeting(only=request.only, dependents=request.dependents),
    )


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


def _is_told(old: ResourceState) -> bool:
    """True for what a deployment tells a step of: default providers have none."""
    return not (old.is_provider and old.name.startswith("default"))


def _digest(request: DeployRequest) -> str:
    """A hash of the program's own files and its configuration."""
    digest = hashlib.sha256(repr(sorted(request.config.items())).encode())
    for path in sorted(request.program.rglob("*")):
        parts = path.relative_to(request.program).parts
        if path.suffix in {".py", ".yaml", ".json"} and not any(p.startswith((".", "__pycache__")) for p in parts):
            digest.update(str(path.relative_to(request.program)).encode() + path.read_bytes())
    return digest.hexdigest()
