"""What a procedure is given. `def fail_over(runbook: Runbook) -> None` is all that it has to be.

Each step is told as it begins, so that the drill can time it; one that raises ends the procedure, which has failed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chaos.failover.standby import as_json, from_json
from harness.deploy.api import DeployRequest, up
from harness.errors import NotReadyError
from harness.stack import RunningStack, load, save

STEP = "step: "
"""What begins a line that tells of a step, on the standard output of any procedure."""

_LOOK_S = 0.2
_CALL_S = 5.0
"""Nothing of a lost region answers: a call gives up after this, and is not made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """`outputs` are those of the stack, and of the standby with `standby_` before their names.

    `region` is the surviving one, `home` the one that is lost.
    """

    stack: RunningStack
    home: str
    standby: DeployRequest | None = None

    @property
    def outputs(self) -> dict[str, Any]:
        """Pulumi outputs are any JSON."""
        return self.stack.outputs

    @property
    def region(self) -> str:
        """Where the procedure works."""
        return self.stack.target.region

    def client(self, service: str, *, region: str = "") -> Any:
        """A boto3 client, of the surviving region unless another one is named; it fails soon and does not retry."""
        patience: dict[str, Any] = {"connect_timeout": _CALL_S, "read_timeout": _CALL_S}
        patience["retries"] = {"total_max_attempts": 1}
        return self.stack.target.client(service, region=region or self.region, **patience)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One step, timed."""
        print(f"{STEP}{name}", flush=True)  # noqa: T201 - this is how the drill hears of it
        yield

    def deploy(self, **config: str) -> dict[str, Any]:
        """Deploy the standby's program again, with `config` of its project on top; returns its outputs.

        Raises:
            BlackstartError: it cannot be deployed.
        """
        if self.standby is None:
            raise NotReadyError("this drill has no standby", where="[standby]")
        own = {f"orders:{key}" if ":" not in key else key: value for key, value in config.items()}
        return up(replace(self.standby, config={**self.standby.config, **own})).outputs

    def wait(self, what: str, condition: Callable[[], object], *, timeout_s: float = 60.0) -> None:
        """Wait until something is so.

        Raises:
            NotReadyError: it was not, in time.
        """
        until_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > until_s:
                raise NotReadyError(f"not within {timeout_s:g} s: {what}", where="procedure")
            time.sleep(_LOOK_S)


def write_runbook(path: Path, runbook: Runbook) -> None:
    """For the procedure's process. It acts as any customer of AWS: the gate's control token stays here."""
    stack = replace(runbook.stack, target=replace(runbook.stack.target, control_token=""))
    save(stack, path.with_suffix(".stack.json"))
    part = runbook.standby
    body = {"home": runbook.home, "standby": None if part is None else as_json(part)}
    path.write_text(json.dumps(body))


def read_runbook(path: Path) -> Runbook:
    """What `write_runbook` wrote."""
    stack = load(path.with_suffix(".stack.json"))
    body = json.loads(path.read_text())
    part = body["standby"]
    standby = None if part is None else from_json(part, stack.target)
    return Runbook(stack=stack, home=body["home"], standby=standby)
