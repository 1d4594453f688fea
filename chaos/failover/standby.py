"""The standby of a drill: the same program as a second stack in another region.

While it is up a note of it lies beside its state, so that the next command can take it down when the drill is killed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chaos.failover.parts import StandbyPart
from harness.deploy.api import DeployRequest, destroy, up
from harness.errors import BlackstartError
from harness.files import write_atomically
from harness.load.workload import fill, output_names
from harness.stack import RunningStack
from harness.target import Target

PREFIX = "standby_"
"""What begins the names of its outputs among those of the drilled stack."""

_NOTE = "standby.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standby:
    """A standby that is up. `stack` is the drilled stack with the standby's outputs beside its own."""

    stack: RunningStack
    request: DeployRequest

    def take_down(self) -> list[str]:
        """Delete it, with what a procedure made of it; returns what could not be."""
        return take_down(self.request)


def take_down(request: DeployRequest) -> list[str]:
    """Delete the standby of `request` and the note of it; returns what could not be, and keeps the note then."""
    try:
        destroy(request)
    except BlackstartError as error:
        return [f"standby {request.stack}: {error}"]
    (request.state_dir / _NOTE).unlink(missing_ok=True)
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
    write_atomically(folder / _NOTE, json.dumps({**as_json(request), "region": request.target.region}))
    made = Standby(stack=stack, request=request)
    try:
        outputs = up(request).outputs
    except BaseException:
        made.take_down()
        raise
    own = {f"{PREFIX}{name}": value for name, value in outputs.items()}
    return replace(made, stack=replace(stack, outputs={**stack.outputs, **own}))


def left_in(folder: Path, target: Target) -> Iterator[DeployRequest]:
    """The standbys that drills of the run in `folder` put up on `target` and did not take down."""
    for note in sorted(folder.glob(f"*/{_NOTE}")):
        body = json.loads(note.read_text())
        yield from_json(body, replace(target, region=body.pop("region")))


def as_json(request: DeployRequest) -> dict[str, Any]:  # JSON
    """What another process needs to deploy or destroy the same standby; the target goes by other ways."""
    return {
        "program": str(request.program),
        "stack": request.stack,
        "state_dir": str(request.state_dir),
        "config": dict(request.config),
        "engine": request.engine,
    }


def from_json(body: Mapping[str, Any], target: Target) -> DeployRequest:
    """What `as_json` made, on `target`."""
    paths = {key: Path(body[key]) for key in ("program", "state_dir")}
    return DeployRequest(target=target, **{**body, **paths})
