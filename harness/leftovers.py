"""What a killed command left behind, and how the next command clears it away.

A command that is about to put a fault in force first leaves a claim: a file with its process id, start
time, the stack file of the cloud it will hurt, and the folder of its run. A claim whose process is gone means
the command was killed; the next command heals that cloud, ends the processes (`harness.processes`), and takes
away what the run had put there beside the stack (`chaos.remains`).
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from harness import processes
from harness.cloud.client import ControlClient
from harness.counting import counted
from harness.errors import BlackstartError
from harness.files import write_atomically
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """As written; `aws_account` is '' where the cloud is none of AWS's, `folder` where nothing is put beside."""

    pid: int
    started: float
    stack_file: str
    folder: str = ""
    aws_account: str = ""

    def target(self) -> Target | None:
        """The cloud, or None when it is gone with all that was in it.

        Raises:
            BlackstartError: its stack file cannot be read.
        """
        path = Path(self.stack_file)
        found = load(path).target if path.exists() else None
        return found if found is not None and ControlClient(found).alive() else None


@contextlib.contextmanager
def claim(workspace: Workspace, stack: RunningStack, stack_file: Path, folder: Path | None = None) -> Iterator[None]:
    """While open, a kill of this process makes the next command heal the cloud of `stack`, kept in `stack_file`.

    `folder` is the run's: what its drills put into the cloud beside the stack is taken away too.
    """
    path = workspace.claims / f"{os.getpid()}.json"
    body = _Claim(
        pid=os.getpid(),
        started=processes.started_at(os.getpid()),
        stack_file=str(stack_file),
        folder=str(folder or ""),
        aws_account=stack.target.account_id if stack.target.kind == "aws" else "",
    )
    write_atomically(path, json.dumps(asdict(body)))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def clear(workspace: Workspace, tell: Tell = lambda _text: None) -> Cleared:
    """Heal clouds whose fault owner was killed and end processes whose owner is gone; safe to repeat.

    What cannot be taken away from a cloud that runs is tried again by the next command. `tell` hears what takes time.
    """
    healed, removed, failed = [], [], []
    dead = []
    for path, body in _dead_claims(workspace):
        if body.aws_account:
            failed.append(_on_aws(body.aws_account))
            continue
        try:
            target = body.target()
            if target is not None:
                ControlClient(target).heal()
                healed.append(path.stem)
        except BlackstartError as error:
            target = None
            failed.append(str(error))
        dead.append((path, body, target))
    ended = [record.role for registry in workspace.registries() for record in processes.reap(registry)]
    for path, body, target in dead:  # only now: what was killed with it may have been at work there, or be that cloud
        standing = target if target is not None and ControlClient(target).alive() else None
        gone, stuck = _settle(path, body, standing, tell)
        removed += gone
        failed += stuck
    return Cleared(processes=tuple(ended), healed=tuple(healed), removed=tuple(removed), failed=tuple(failed))


def settle_aws(workspace: Workspace, target: Target) -> list[str]:
    """Forget the claims of killed commands on an AWS account, whose experiments have been stopped.

    What their drills had put there is taken away first; returns what could not be, and keeps that claim.
    """
    claims = [(path, body) for path, body in _dead_claims(workspace) if body.aws_account == target.account_id]
    return [failure for path, body in claims for failure in _settle(path, body, target, lambda _text: None)[1]]


def _dead_claims(workspace: Workspace) -> Iterator[tuple[Path, _Claim]]:
    """The claims of commands that are gone; a file that is no claim is deleted."""
    for path in sorted(workspace.claims.glob("*.json")):
        try:
            body = _Claim(**json.loads(path.read_text()))
        except FileNotFoundError:  # its command ended this moment
            continue
        except (OSError, ValueError, TypeError):
            path.unlink(missing_ok=True)
            continue
        if not processes.is_running(body.pid, body.started):
            yield path, body


def _on_aws(account: str) -> str:
    return f"a killed drill may have left an experiment in {account}: blackstart heal --target aws --yes stops it"


def _settle(path: Path, body: _Claim, target: Target | None, tell: Tell) -> tuple[list[str], list[str]]:
    """What was taken away from `target`, and what could not be; the claim is forgotten when nothing is left."""
    gone: list[str] = []
    stuck: list[str] = []
    if target is not None and body.folder:
        from chaos.remains import take_away  # seldom needed: loads the deployment

        gone, stuck = take_away(Path(body.folder), target, tell)
    if not stuck:
        path.unlink(missing_ok=True)
    return gone, stuck
