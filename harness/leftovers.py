"""What a killed command left behind, and how the next command clears it away.

A command that is about to put a fault in force first leaves a claim: a record of its process that notes the stack
file of the cloud it will hurt, and the folder of its run. A claim whose process is gone means that the command was
killed; the next command heals that cloud, ends the processes (`harness.processes`), and takes away what the run had
put there beside the stack (`chaos.remains`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness import processes
from harness.cloud.client import ControlClient
from harness.counting import counted
from harness.errors import BlackstartError
from harness.processes import ProcessRecord
from harness.stack import RunningStack, load
from harness.target import Target
from harness.workspace import Workspace

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """What was cleared away; `failed` says what could not be, and why. `removed` are things in a cloud."""

    processes: tuple[str, ...] = ()
    healed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """True when there was anything to clear."""
        return bool(self.processes or self.healed or self.removed or self.failed)

    def __str__(self) -> str:
        """For people: `2 processes ended, 1 cloud healed`."""
        ended, healed = len(self.processes), len(self.healed)
        parts = [f"{counted(ended, 'process', 'processes')} ended"] if ended else []
        parts += [f"{counted(healed, 'cloud', 'clouds')} healed"] if healed else []
        return ", ".join([*parts, *(f"{one} taken away" for one in self.removed)])


_ROLE = "fault"
_STACK_FILE, _FOLDER, _AWS_ACCOUNT = "stack_file", "folder", "aws_account"
"""What a claim notes. The folder is '' where nothing is put beside the stack, the account where nothing is on AWS."""


@contextlib.contextmanager
def claim(workspace: Workspace, stack: RunningStack, stack_file: Path, folder: Path | None = None) -> Iterator[None]:
    """While open, a kill of this process makes the next command heal the cloud of `stack`, kept in `stack_file`.

    `folder` is the run's: what its drills put into the cloud beside the stack is taken away too.
    """
    notes = {
        _STACK_FILE: str(stack_file),
        _FOLDER: str(folder or ""),
        _AWS_ACCOUNT: stack.target.account_id if stack.target.kind == "aws" else "",
    }
    processes.record(os.getpid(), role=_ROLE, registry=workspace.claims, notes=notes, durable=True)
    try:
        yield
    finally:
        processes.forget(workspace.claims, os.getpid())


def clear(workspace: Workspace, tell: Tell = lambda _text: None) -> Cleared:
    """Heal clouds whose fault owner was killed and end processes whose owner is gone; safe to repeat.

    What cannot be taken away from a cloud that runs is tried again by the next command. `tell` hears what takes time.
    """
    healed, removed, failed = [], [], []
    dead = []
    for claimed in _dead_claims(workspace):
        if account := claimed.notes[_AWS_ACCOUNT]:
            failed.append(
                f"a killed drill may have left an experiment in {account}: "
                "blackstart heal --target aws --yes stops it"
            )
            continue
        target = None
        try:
            target = _cloud_of(claimed)
            if target is not None:
                ControlClient(target).heal()
                healed.append(str(claimed.pid))
        except BlackstartError as error:
            target = None
            failed.append(str(error))
        dead.append((claimed, target))
    ended = [record.role for registry in workspace.registries() for record in processes.reap(registry)]
    for claimed, target in dead:  # only now: what was killed with it may have been at work there, or be that cloud
        standing = target if target is not None and ControlClient(target).alive() else None
        gone, stuck = _settle(workspace, claimed, standing, tell)
        removed += gone
        failed += stuck
    return Cleared(processes=tuple(ended), healed=tuple(healed), removed=tuple(removed), failed=tuple(failed))


def settle_aws(workspace: Workspace, target: Target) -> list[str]:
    """Forget the claims of killed commands on an AWS account, whose experiments have been stopped.

    What their drills had put there is taken away first; returns what could not be, and keeps that claim.
    """
    claims = [one for one in _dead_claims(workspace) if one.notes[_AWS_ACCOUNT] == target.account_id]
    return [failure for one in claims for failure in _settle(workspace, one, target, lambda _text: None)[1]]


def _dead_claims(workspace: Workspace) -> list[ProcessRecord]:
    """The claims of commands that are gone."""
    return [one for one in processes.records(workspace.claims) if not one.alive]


def _cloud_of(claimed: ProcessRecord) -> Target | None:
    """The cloud, or None when it is gone with all that was in it.

    Raises:
        BlackstartError: its stack file cannot be read.
    """
    path = Path(claimed.notes[_STACK_FILE])
    found = load(path).target if path.exists() else None
    return found if found is not None and ControlClient(found).alive() else None


def _settle(
    workspace: Workspace, claimed: ProcessRecord, target: Target | None, tell: Tell
) -> tuple[list[str], list[str]]:
    """What was taken away from `target`, and what could not be; the claim is forgotten when nothing is left."""
    gone: list[str] = []
    stuck: list[str] = []
    if target is not None and claimed.notes[_FOLDER]:
        from chaos.remains import take_away  # seldom needed: loads the deployment

        gone, stuck = take_away(Path(claimed.notes[_FOLDER]), target, tell)
    if not stuck:
        processes.forget(workspace.claims, claimed.pid)
    return gone, stuck
