"""What a killed drill left in a cloud that runs on: its standby, its stores, its template, the table it restored.

Whatever a drill puts there lies noted in the folder of its run until it is taken away again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from chaos import marked
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
    for note in marked.left_in(folder):
        left = marked.read(note)
        try:
            gone += left.take_away(target)
            note.unlink()
        except (ClientError, BotoCoreError) as error:
            stuck.append(f"{left.mark}: {error}")
    return gone, stuck
