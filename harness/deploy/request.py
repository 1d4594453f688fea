"""What to deploy where, and what came of it: the same for the embedded engine and the real CLI."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.deploy.engine.project import project_name
from harness.deploy.engine.selection import Selection
from harness.deploy.engine.stacks import state_file
from harness.deploy.pulumi_cli.command import is_installed
from harness.deploy.pulumi_cli.workspace import Place
from harness.errors import StateError
from harness.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """What to deploy where. The checkpoint is `<state_dir>/<stack>.json`; `config` keys are `namespace:name`.

    `only` limits the operation to a part of the stack, with `dependents` of that part too; `replace` names what
    is made anew whatever changed; `refresh` looks at AWS first. `engine` is `embedded`, `pulumi` (the real CLI) or
    `auto`; see `engine_of`.
    """

    program: Path
    stack: str
    target: Target
    state_dir: Path
    config: Mapping[str, str] = field(default_factory=dict)
    passphrase: str = ""
    engine: str = "embedded"
    only: Selection = field(default_factory=Selection)
    dependents: bool = False
    replace: Selection = field(default_factory=Selection)
    refresh: bool = False

    @property
    def state(self) -> Path:
        """The checkpoint."""
        return state_file(self.state_dir, self.stack, project_name(self.program))

    @property
    def secret(self) -> str:
        """The passphrase: the given one, else the one that Pulumi takes from the environment."""
        return self.passphrase or os.environ.get("PULUMI_CONFIG_PASSPHRASE", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployResult:
    """What was done. `resources` counts AWS resources; `changes` counts steps by kind; secrets are masked."""

    outputs: dict[str, Any]
    resources: int
    changes: dict[str, int]
    duration_s: float
    left_out: tuple[str, ...] = ()  # URNs that were not selected and do not exist
    engine: str = "embedded"


def engine_of(request: DeployRequest) -> Literal["embedded", "pulumi"]:
    """Who deploys. With `auto`: who has the stack already; for a new one the real CLI where it is installed.

    Raises:
        StateError: the other engine has the stack; it must be handed over first.
    """
    embedded, real = holds(request.state), holds(_of_cli(request))
    if request.engine == "auto":
        return "embedded" if embedded or not (real or is_installed()) else "pulumi"
    if request.engine == "pulumi":
        if embedded and not real:
            raise _in_other_hands(request, "embedded", "pulumi")
        return "pulumi"
    if real and not embedded:
        raise _in_other_hands(request, "pulumi", "embedded")
    return "embedded"


def holds(path: Path) -> bool:
    """True when the state file, or a journal beside it, tells of resources; a damaged one may."""
    if path.with_suffix(".journal").exists():
        return True
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        found = document.get("deployment") or (document.get("checkpoint") or {}).get("latest") or {}
        return bool(found.get("resources"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError, AttributeError):
        return True


def _of_cli(request: DeployRequest) -> Path:
    return Place(folder=request.state_dir).checkpoint(project_name(request.program), request.stack)


def _in_other_hands(request: DeployRequest, holder: str, asked: str) -> StateError:
    return StateError(
        f"the stack {request.stack} is in the hands of the engine {holder!r}",
        where=f"--engine {asked}",
        hint=f"hand it over: blackstart state export --engine {holder} --file FILE, "
        f"then blackstart state import FILE --engine {asked}",
    )
