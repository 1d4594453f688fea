"""A stack's state from one engine to the other: export where it is, import where it goes; one of them has it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.deploy.engine.lock import locked
from harness.deploy.engine.project import project_name
from harness.deploy.pulumi_cli import operations as cli
from harness.deploy.pulumi_cli.workspace import Place
from harness.deploy.request import DeployRequest, holds
from harness.deploy.states import StackState, aside, export_text
from harness.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What an import did: resources in the state now, and the files that were put aside."""

    resources: int
    kept: tuple[Path, ...]


def state_of(request: DeployRequest) -> StackState:
    """The stack as the embedded engine has it."""
    return StackState(
        folder=request.state_dir,
        stack=request.stack,
        project=project_name(request.program),
        passphrase=request.passphrase,
    )


def export_state(request: DeployRequest) -> dict[str, Any]:
    """Deployment version 3 from the engine that `request` names; secrets stay encrypted.

    Raises:
        UsageError: that engine has no such stack.
    """
    if request.engine != "pulumi":
        return state_of(request).export()
    if not _of_cli(request).exists():
        raise UsageError(f"the Pulumi CLI has no stack {request.stack!r} here", where="--engine pulumi")
    return cli.export_state(request)


def import_state(request: DeployRequest, text: str, *, where: str, force: bool = False) -> Import:
    """Make an export the state that the engine of `request` has; whatever either had is put aside.

    Raises:
        StateError: the export is damaged, newer, another stack's, or not sound; nothing was changed.
    """
    ours = state_of(request)
    if request.engine != "pulumi":
        kept = [ours.take(text, where=where, force=force), _put_aside(_of_cli(request))]
        count = len(ours.resources())
    else:
        found = ours.looked_at(text, where=where, force=force)
        document = found.document() if force else json.loads(text)
        with locked(ours.path):
            before = _of_cli(request)
            backup = aside(before)
            if before.exists():
                backup.write_bytes(before.read_bytes())
            cli.import_state(request, document)
            mark = ours.path.with_suffix(".program")
            mark.unlink(missing_ok=True)
            kept = [backup if backup.exists() else None, _put_aside(ours.path), _put_aside(_journal(ours.path))]
        count = len(found.resources)
    return Import(resources=count, kept=tuple(path for path in kept if path is not None))


def _of_cli(request: DeployRequest) -> Path:
    return Place(folder=request.state_dir).checkpoint(project_name(request.program), request.stack)


def _journal(path: Path) -> Path:
    return path.with_suffix(".journal")


def _put_aside(path: Path) -> Path | None:
    if not path.exists() or not holds(path):
        return None
    return path.replace(aside(path))


__all__ = ["Import", "export_state", "export_text", "import_state", "state_of"]
