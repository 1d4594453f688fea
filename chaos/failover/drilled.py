"""The failover of a drill, put together from its file and its standby."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from chaos.drill_file import Drill
from chaos.failover.names import ask
from chaos.failover.runbook import Runbook
from chaos.failover.running import Failover, Procedure
from chaos.failover.standby import Standby
from harness.clock import Clock, parse_duration_s
from harness.cloud.control_client import ControlClient
from harness.load.workload import fill, output_names
from harness.measure.journal import JournalWriter
from harness.target import Target

__all__ = ["Failover", "failover_of", "front_door"]

_PROTECTED_WITHIN_S = 120.0


def front_door(target: Target) -> str:
    """The URL of the proxy that resolves names as a client of Route 53 does."""
    return f"http://127.0.0.1:{ControlClient(target).names_port()}"


def failover_of(drill: Drill, standby: Standby, journal: JournalWriter, clock: Clock) -> Failover:
    """What happens once the fault of `drill` is there."""
    assert drill.failover is not None and drill.standby is not None  # noqa: S101, PT018 - DrillFile sees to it
    part, known = drill.failover, output_names(standby.stack.outputs)
    here = standby.request.target
    runbook = Runbook(
        stack=replace(standby.stack, target=here), home=standby.stack.target.region, standby=standby.request
    )

    def procedure(text: str, what: str, timeout_s: float) -> Procedure | None:
        if not text:
            return None
        return Procedure(
            procedure=text, what=what, runbook=runbook, folder=drill.path.parent.resolve(),
            work=standby.request.state_dir, journal=journal, clock=clock, timeout_s=timeout_s,
        )  # fmt: skip

    return Failover(
        procedure=procedure(part.procedure, "failover", parse_duration_s(part.timeout)),
        protect=procedure(drill.standby.protect, "protect", _PROTECTED_WITHIN_S),
        after_s=None if part.after is None else parse_duration_s(part.after),
        alarm=fill(part.alarm, known),
        cloudwatch=here.client("cloudwatch"),
        answer=_answers(drill, standby, known),
        journal=journal,
        clock=clock,
    )


def _answers(drill: Drill, standby: Standby, known: dict[str, str]) -> Callable[[], str]:
    """Asks where the name leads that clients use first."""
    host = urlsplit(fill(drill.operations[0].url, {**known, "key": "", "sequence": ""})).hostname or ""
    port = urlsplit(front_door(standby.stack.target)).port if drill.front_door else 0
    return partial(ask, host, port) if port else lambda: ""
