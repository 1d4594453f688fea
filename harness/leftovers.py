"""What a killed command left behind, and how the next command clears it away.

A command that is about to put a fault in force first leaves a claim: a file with its process id, start
time and the stack file of the cloud it will hurt. A claim whose process is gone means the command was
killed; the next command heals that cloud. Processes are reaped by `harness.processes`.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import processes
from harness.cloud.client import ControlClient
from harness.errors import BlackstartError
from harness.files import write_atomically
from harness.stack import RunningStack, load
from harness.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """What was cleared away; `failed` are claims whose cloud could not be healed, with the reason."""

    processes: tuple[str, ...] = ()
    healed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """True when there was anything to clear."""
        return bool(self.processes or self.healed or self.failed)


@contextlib.contextmanager
def claim(workspace: Workspace, stack: RunningStack, stack_file: Path) -> Iterator[None]:
    """While open, a kill of this process makes the next command heal the cloud of `stack`, kept in `stack_file`."""
    path = workspace.claims / f"{os.getpid()}.json"
    body = {
        "pid": os.getpid(),
        "started": processes.started_at(os.getpid()),
        "stack_file": str(stack_file),
        "aws_account": stack.target.account_id if stack.target.kind == "aws" else "",
    }
    write_atomically(path, json.dumps(body))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def clear(workspace: Workspace) -> Cleared:
    """Heal clouds whose fault owner was killed and end processes whose owner is gone; safe to repeat."""
    healed, failed = [], []
    for path in sorted(workspace.claims.glob("*.json")):
        body = _read_claim(path)
        if body is not None and processes.is_running(body["pid"], body["started"]):
            continue
        if body and body.get("aws_account"):
            failed.append(_on_aws(body["aws_account"]))
            continue
        outcome = _heal_claim(Path(body["stack_file"])) if body else ""
        if outcome:
            failed.append(outcome)
        else:
            healed.append(path.stem)
        path.unlink(missing_ok=True)
    ended = [record.role for registry in workspace.registries() for record in processes.reap(registry)]
    return Cleared(processes=tuple(ended), healed=tuple(healed), failed=tuple(failed))


def forget_aws(workspace: Workspace, account: str) -> None:
    """Forget the claims of killed commands on an AWS account: its experiments have been stopped."""
    for path in workspace.claims.glob("*.json"):
        body = _read_claim(path)
        if body and body.get("aws_account") == account and not processes.is_running(body["pid"], body["started"]):
            path.unlink(missing_ok=True)


def _on_aws(account: str) -> str:
    return f"a killed drill may have left an experiment in {account}: blackstart heal --target aws --yes stops it"


def _read_claim(path: Path) -> dict[str, Any] | None:  # JSON
    try:
        body = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return body if isinstance(body, dict) and {"pid", "started", "stack_file"} <= body.keys() else None


def _heal_claim(stack_file: Path) -> str:
    """Why the cloud of `stack_file` could not be healed; '' when it was, or is gone with all its faults."""
    if not stack_file.exists():
        return ""
    try:
        target = load(stack_file).target
        control = ControlClient(target)
        if control.alive():
            control.heal()
    except BlackstartError as error:
        return str(error)
    return ""
