"""The stacks of one state folder: where each keeps its checkpoint, and what it gives to others by StackReference."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.deploy.engine.recovery import read_checkpoint
from harness.deploy.engine.urn import STACK_TYPE
from harness.deploy.engine.values import has_secret
from harness.errors import ProgramError, nearest

_PROJECT = re.compile(r'"urn": ?"urn:pulumi:[^:]+::([^:]+)::')


def state_file(folder: Path, stack: str, project: str) -> Path:
    """`<stack>.json`; `<stack>.<project>.json` where another project has a stack of the same name there already."""
    plain, own = folder / f"{stack}.json", folder / f"{stack}.{project}.json"
    if not project or (not own.exists() and _project(plain) in ("", project)):
        return plain
    return own


def _project(path: Path) -> str:
    """The project that a checkpoint, or a journal without one, belongs to; '' for one without resources."""
    for candidate in (path, path.with_suffix(".journal")):
        try:
            match = _PROJECT.search(candidate.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue
        if match:
            return match[1]
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stacks:
    """Looks into the checkpoints of other stacks. `project` is the one of the program that asks."""

    folder: Path
    passphrase: str
    project: str

    def reference(self, name: str, where: str) -> dict[str, Any]:
        """`name`, `outputs` and `secretOutputNames`, as a StackReference shows them.

        `name` is `stack`, `project/stack` or `organization/project/stack`.

        Raises:
            ProgramError: there is no such stack in the state folder; names those that there are.
        """
        parts = name.split("/")
        project, stack = (parts[-2] if len(parts) > 1 else self.project), parts[-1]
        path = state_file(self.folder, stack, project)
        found = read_checkpoint(path, self.passphrase).resources if _project(path) == project else []
        root = next((resource for resource in found if resource.type == STACK_TYPE), None)
        if root is None:
            known = self._known()
            raise ProgramError(
                f"the stack {name!r} is not deployed here",
                where=where,
                hint=f"deploy it first ({nearest(name, known)})" if known else "deploy it first",
            )
        return {
            "name": name,
            "outputs": root.outputs,
            "secretOutputNames": sorted(key for key, value in root.outputs.items() if has_secret(value)),
        }

    def _known(self) -> list[str]:
        projects = {path: _project(path) for path in self.folder.glob("*.json")}
        return [f"{project}/{path.name.split('.')[0]}" for path, project in projects.items() if project]
