"""What a killed drill left in a cloud that runs on, beside the drilled stack: its standby, its stores.

Whatever a drill puts there lies noted in the folder of its run until it is taken away again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from chaos.failover import standby
from chaos.stores import beside
from harness.target import Target


def take_away(folder: Path, target: Target, tell: Callable[[str], None]) -> tuple[list[str], list[str]]:
    """What was taken away from `target`, and what could not be: the drills of the run in `folder` had left it."""
    gone, stuck = [], []
    for request in standby.left_in(folder, target):
        tell(f"taking down the standby that a killed drill left in {request.target.region}")
        failures = standby.take_down(request)
        stuck += failures
        gone += [] if failures else [f"standby {request.stack}"]
    for note in beside.left_in(folder):
        gone += beside.take_away(note, target)
    return gone, stuck
