"""The standby of a drill: the same program as a second stack in another region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from chaos.failover.parts import StandbyPart
from harness.deploy.api import DeployRequest, destroy, up
from harness.errors import BlackstartError
from harness.load.workload import fill, output_names
from harness.stack import RunningStack

PREFIX = "standby_"
"""What begins the names of its outputs among those of the drilled stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standby:
    """A standby that is up. `stack` is the drilled stack with the standby's outputs beside its own."""

    stack: RunningStack
    request: DeployRequest

    def take_down(self) -> list[str]:
        """Delete it, with what a procedure made of it; returns what could not be."""
        try:
            destroy(self.request)
        except BlackstartError as error:
            return [f"standby {self.request.stack}: {error}"]
        return []


def put_up(
    stack: RunningStack, part: StandbyPart, *, beside: Path, folder: Path, tell: Callable[[str], None]
) -> Standby:
    """Deploy it. `beside` is the folder of the drill file, `folder` where its state goes.

    Raises:
        BlackstartError: the program cannot be deployed; what was made is deleted again.
    """
    known = output_names(stack.outputs)
    request = DeployRequest(
        program=(beside / part.program).resolve(),
        stack=f"{stack.name}-standby",
        target=replace(stack.target, region=fill(part.region, known)),
        state_dir=folder,
        config={key: fill(value, known) for key, value in part.config.items()},
        engine="auto",
    )
    tell(f"deploying the standby in {request.target.region}")
    made = Standby(stack=stack, request=request)
    try:
        outputs = up(request).outputs
    except BaseException:
        made.take_down()
        raise
    own = {f"{PREFIX}{name}": value for name, value in outputs.items()}
    return replace(made, stack=replace(stack, outputs={**stack.outputs, **own}))
