"""A deployed stack as the parts of a run pass it on: its name, where it runs, and its outputs."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.errors import NotReadyError
from harness.files import write_atomically
from harness.target import Target, real_aws

STACK_FILE_VARIABLE = "BLACKSTART_STACK_FILE"
"""Environment variable by which a run tells its pytest, Locust and prober processes where the stack file is."""


CONSENT_VARIABLE = "BLACKSTART_YES"
"""`--yes` as an environment variable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningStack:
    """A stack that is up. `outputs` are the Pulumi stack outputs, plain JSON values."""

    name: str
    target: Target
    outputs: dict[str, Any] = field(default_factory=dict)  # Pulumi outputs are any JSON


def save(stack: RunningStack, path: Path) -> None:
    """Write the stack for later commands and children; only its owner may read it: it holds the control token.

    Of real AWS only the account and the regions are kept, which `load` confirms anew: a target is never stored.

    Raises:
        NotReadyError: the file cannot be written.
    """
    body = asdict(stack)
    body["target"]["capabilities"] = sorted(stack.target.capabilities)
    if stack.target.kind == "aws":
        body["target"] = {key: body["target"][key] for key in ("kind", "account_id", "regions")}
    write_atomically(path, json.dumps(body, indent=1), mode=0o600)


def child_environment(path: Path) -> dict[str, str]:
    """What tells a child process where the stack file is; the command's consent to real AWS goes along."""
    body = json.loads(path.read_text()) if path.exists() else {}
    consent = {CONSENT_VARIABLE: "1"} if body.get("target", {}).get("kind") == "aws" else {}
    return {STACK_FILE_VARIABLE: str(path), **consent}


def load(path: Path) -> RunningStack:
    """The stack written by `save`.

    Raises:
        NotReadyError: there is no such file, or it cannot be read as a stack.
        RefusedError: it is on real AWS, and nobody consented or STS tells another account.
    """
    try:
        body = json.loads(path.read_text())
        target = body["target"]
        target["regions"] = tuple(target["regions"])
        if target["kind"] == "aws":
            confirmed = real_aws(
                allowed_accounts=[target["account_id"]],
                regions=target["regions"],
                consent=os.environ.get(CONSENT_VARIABLE, "").lower() in {"1", "true", "yes"},
            )
            return RunningStack(name=body["name"], target=confirmed, outputs=body["outputs"])
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
