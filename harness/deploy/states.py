"""A stack's state from outside a deployment: look at it, edit it, take it elsewhere and back."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.deploy.engine import state_edit
from harness.deploy.engine.lock import locked
from harness.deploy.engine.recovery import read_checkpoint
from harness.deploy.engine.stacks import state_file
from harness.deploy.engine.state import Checkpoint, ResourceState
from harness.deploy.engine.urn import STACK_TYPE
from harness.deploy.engine.values import masked, plain
from harness.errors import StateError, UsageError, nearest
from harness.files import write_atomically


@dataclass(frozen=True, slots=True, kw_only=True)
class StackState:
    """The state of one stack of the embedded engine; `passphrase` falls back to PULUMI_CONFIG_PASSPHRASE."""

    folder: Path
    stack: str
    project: str = ""
    passphrase: str = ""

    @property
    def path(self) -> Path:
        """The checkpoint."""
        return state_file(self.folder, self.stack, self.project)

    def resources(self) -> list[ResourceState]:
        """What the stack consists of, in the order of dependencies.

        Raises:
            UsageError: there is no such stack.
            StateError: the state is damaged, newer, or locked.
        """
        with self._opened() as checkpoint:
            return checkpoint.resources

    def one(self, pattern: str) -> ResourceState:
        """The resource that `pattern` stands for.

        Raises:
            UsageError: none or several; see `state_edit.find_one`.
        """
        return state_edit.find_one(self.resources(), pattern)

    def export(self) -> dict[str, Any]:
        """Deployment version 3, as `pulumi stack export` writes it; secrets stay encrypted.

        Raises:
            UsageError: there is no such stack.
        """
        with self._opened() as checkpoint:
            return checkpoint.document()

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs; secrets masked unless they are to be seen."""
        stack = next((r for r in self.resources() if r.type == STACK_TYPE), None)
        found = stack.outputs if stack is not None else {}
        return {key: plain(value) if show_secrets else masked(value) for key, value in found.items()}

    def output(self, name: str, *, show_secrets: bool = False) -> Any:  # any JSON
        """One output.

        Raises:
            UsageError: the stack has none of this name.
        """
        outputs = self.outputs(show_secrets=show_secrets)
        if name not in outputs:
            raise UsageError(f"the stack {self.stack} has no output {name!r}", hint=nearest(name, outputs))
        return outputs[name]

    def edit(self, change: Callable[[list[ResourceState]], list[ResourceState]]) -> Path | None:
        """Replace the resources by `change` of them; returns where the state of before was put aside.

        Raises:
            StateError: the result is not sound; nothing was changed.
        """
        with self._opened() as checkpoint:
            changed = change(checkpoint.resources)
            state_edit.require_sound(changed, where=str(self.path))
            present = {r.urn for r in changed}
            checkpoint.resources = changed
            checkpoint.pending = [p for p in checkpoint.pending if p.type == "creating" or p.resource.urn in present]
            return self._write(checkpoint)

    def take(self, text: str, *, where: str, force: bool = False) -> Path | None:
        """Make `text`, an export, the stack's state; returns where the one before was put aside, None without one.

        Raises:
            StateError: damaged, newer, encrypted with another passphrase, of another stack without `force`,
                or not sound; nothing was changed.
        """
        with locked(self.path):
            found = self.looked_at(text, where=where, force=force)
            found.path = self.path
            return self._write(found)

    def looked_at(self, text: str, *, where: str, force: bool = False) -> Checkpoint:
        """`text`, an export, as a checkpoint of this stack.

        Raises:
            StateError: see `take`.
        """
        with tempfile.TemporaryDirectory() as folder:
            incoming = Path(folder, "incoming.json")
            incoming.write_text(text, encoding="utf-8")
            try:
                found = read_checkpoint(incoming, self._secret())
            except StateError as error:
                hint = error.hint if "passphrase" in error.what or "decrypted" in error.what else ""
                raise StateError(error.what, where=where, hint=hint or "nothing was changed") from error
        stacks = {r.urn.split("::")[0].removeprefix("urn:pulumi:") for r in found.resources}
        if stacks - {self.stack} and not force:
            raise StateError(
                f"this is a state of the stack {', '.join(sorted(stacks))}, not of {self.stack}",
                where=where,
                hint="nothing was changed; --force takes it over as this stack's",
            )
        found.resources = state_edit.moved_to(found.resources, self.stack) if force else found.resources
        state_edit.require_sound(found.resources, where=where)
        return found

    @contextmanager
    def _opened(self) -> Iterator[Checkpoint]:
        if not self.path.exists() and not self.path.with_suffix(".journal").exists():
            others = sorted(p.stem for p in self.folder.glob("*.json")) if self.folder.is_dir() else []
            raise UsageError(f"there is no stack {self.stack!r} here", where=str(self.folder), hint=_known(others))
        with locked(self.path):
            yield read_checkpoint(self.path, self._secret())

    def _write(self, checkpoint: Checkpoint) -> Path | None:
        """Write the new state; the one before is kept beside it, with the journal that continued it."""
        kept = None
        for path in (self.path.with_suffix(".journal"), self.path):
            if path.exists():
                kept = aside(path)
                write_atomically(kept, path.read_text(), mode=0o600)
        checkpoint.write()
        self.path.with_suffix(".program").unlink(missing_ok=True)
        return kept

    def _secret(self) -> str:
        return self.passphrase or os.environ.get("PULUMI_CONFIG_PASSPHRASE", "")


def aside(path: Path) -> Path:
    """Where a state file is kept when another takes its place: a name that no one has yet."""
    return path.with_name(f"{path.name}.before-{datetime.now(UTC).strftime('%Y%m%d-%H%M%S-%f')}")


def resource_json(resource: ResourceState, *, show_secrets: bool = False) -> dict[str, Any]:
    """One resource as the checkpoint has it, secrets masked unless they are to be seen."""
    entry = resource.to_json(lambda _text: "")
    shown = plain if show_secrets else masked
    return entry | {key: shown(getattr(resource, key)) for key in ("inputs", "outputs") if getattr(resource, key)}


def export_text(document: dict[str, Any]) -> str:
    """An export as it is written to a file."""
    return json.dumps(document, indent=4) + "\n"


def _known(stacks: list[str]) -> str:
    return f"stacks: {', '.join(stacks)}" if stacks else "deploy one with: blackstart up"
