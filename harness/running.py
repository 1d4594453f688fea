"""What runs here now: the stack that `up` left, its faults, its processes and its logs."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.fis.watching import ENDED
from harness import leftovers, processes
from harness.cloud.control_client import ControlClient
from harness.errors import NotReadyError, UsageError
from harness.stack import RunningStack, load
from harness.target import EMBEDDED_CHOICE, Target, TargetChoice
from harness.workspace import Workspace


def current(workspace: Workspace, asked: TargetChoice = EMBEDDED_CHOICE) -> RunningStack | None:
    """The stack that `up` left running, or None when there is none or its cloud has gone.

    Raises:
        UsageError: another target was asked for than the one that runs here.
    """
    if not workspace.stack_file.exists():
        return None
    stack = load(workspace.stack_file)
    if not ControlClient(stack.target).alive():
        return None
    if asked.kind not in {"embedded", stack.target.kind}:  # without --target it is what runs here
        raise UsageError(
            f"what runs here at {stack.target.endpoint} is the target {stack.target.kind}, not {asked.kind}",
            where="--target",
            hint="blackstart down ends it; without --target it is what is used",
        )
    return stack


def require_running(workspace: Workspace, asked: TargetChoice = EMBEDDED_CHOICE) -> RunningStack:
    """The running stack.

    Raises:
        NotReadyError: there is none.
        UsageError: another target was asked for than the one that runs here.
    """
    stack = current(workspace, asked)
    if stack is None:
        raise NotReadyError("no stack is running here", where=str(workspace.root), hint="blackstart up --detach")
    return stack


def status(workspace: Workspace) -> dict[str, Any]:  # JSON for --json
    """What runs, and which faults are in force."""
    running = [
        {"role": r.role, "pid": r.pid, "detached": r.detached}
        for path in workspace.registries()
        for r in processes.records(path)
        if r.alive
    ]
    stack = current(workspace)
    if stack is None:
        return {"stack": None, "faults": [], "dark_zones": [], "experiments": [], "processes": running}
    control = ControlClient(stack.target)
    experiments = stack.target.client("fis").list_experiments()["experiments"]
    return {
        "stack": {"name": stack.name, "endpoint": stack.target.endpoint, "outputs": stack.outputs},
        "faults": [
            {"id": r.rule.id, "owner": r.rule.owner, "matched": r.matched, "fired": r.fired} for r in control.rules()
        ],
        "dark_zones": [zone["id"] for zone in control.zones() if not zone["powered"]],
        "experiments": [
            {"id": e["id"], "status": e["state"]["status"]}
            for e in experiments
            if e["state"]["status"] in {"pending", "initiating", "running", "stopping"}
        ],
        "processes": running,
    }


def heal(workspace: Workspace) -> dict[str, Any]:  # JSON for --json
    """End every fault now and clear what killed commands left behind; safe to repeat."""
    cleared = leftovers.clear(workspace)
    stack = current(workspace)
    ended = ControlClient(stack.target).heal() if stack else {}
    return {
        "ended": ended,
        "processes_ended": list(cleared.processes),
        "claims_healed": list(cleared.healed),
        "removed": list(cleared.removed),
        "failed": list(cleared.failed),
    }


def heal_aws(workspace: Workspace, target: Target) -> dict[str, Any]:  # JSON for --json
    """Stop every experiment that a drill of ours left running on an AWS account; safe to repeat.

    Returns their ids in `stopped`, and in `failed` what could not be stopped.
    """
    stopped, failed = [], []
    for region in target.regions:
        fis = target.client("fis", region=region)
        for page in fis.get_paginator("list_experiments").paginate():
            for experiment in page["experiments"]:
                if "blackstart:seed" not in experiment.get("tags", {}) or experiment["state"]["status"] in ENDED:
                    continue
                try:
                    fis.stop_experiment(id=experiment["id"])
                    stopped.append(experiment["id"])
                except (ClientError, BotoCoreError) as error:
                    failed.append(f"{experiment['id']}: {error}")
    if not failed:
        failed += leftovers.settle_aws(workspace, target)
    return {"stopped": stopped, "failed": failed}


def tail_logs(workspace: Workspace, count: int) -> list[dict[str, str]]:
    """The last `count` lines of each log of the cloud that `up` started, or else of the newest run."""
    folders = [workspace.cloud, *sorted(workspace.runs.glob("*"), reverse=True)]
    for folder in folders:
        files = sorted(folder.glob("**/logs/*.log"))
        if files:
            return [
                {"file": path.name, "line": line}
                for path in files
                for line in path.read_text(errors="replace").splitlines()[-count:]
            ]
    return []


def wait_until_ended(stack: RunningStack, poll_s: float = 0.5) -> None:
    """Return when the stack's cloud no longer answers; Ctrl-C and SIGTERM raise KeyboardInterrupt."""
    control = ControlClient(stack.target)
    while control.alive():
        time.sleep(poll_s)
