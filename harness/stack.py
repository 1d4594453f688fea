"""A deployed stack as the parts of a run pass it on: its name, where it runs, and its outputs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.errors import NotReadyError
from harness.files import write_atomically
from harness.target import Target

STACK_FILE_VARIABLE = "BLACKSTART_STACK_FILE"
"""Environment variable by which a run tells its pytest, Locust and prober processes where the stack file is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningStack:
    """A stack that is up. `outputs` are the Pulumi stack outputs, plain JSON values."""

    name: str
    target: Target
    outputs: dict[str, Any] = field(default_factory=dict)  # Pulumi outputs are any JSON


def save(stack: RunningStack, path: Path) -> None:
    """Write the stack for child processes of this run, readable by the owner only (it holds the control token).

    Raises:
        NotReadyError: the file cannot be written, or the target is real AWS, which is never stored.
    """
    if stack.target.kind == "aws":
        raise NotReadyError("a real AWS target is never stored", where=str(path), hint="pass --target aws each time")
    body = asdict(stack)
    body["target"]["capabilities"] = sorted(stack.target.capabilities)
    write_atomically(path, json.dumps(body, indent=1), mode=0o600)


def load(path: Path) -> RunningStack:
    """The stack written by `save`.

    Raises:
        NotReadyError: there is no such file, or it cannot be read as a stack.
    """
    try:
        body = json.loads(path.read_text())
        target = body["target"]
        target["regions"] = tuple(target["regions"])
        target["capabilities"] = frozenset(target["capabilities"])
        return RunningStack(name=body["name"], target=Target(**target), outputs=body["outputs"])
    except FileNotFoundError as error:
        raise NotReadyError(
            "no stack is running here", where=str(path), hint="start one with: blackstart up"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise NotReadyError(f"not a stack file: {error}", where=str(path), hint="blackstart down, then up") from error


def with_control_token(stack: RunningStack, token: str) -> RunningStack:
    """The same stack with the gate's control token added."""
    return replace(stack, target=replace(stack.target, control_token=token))
