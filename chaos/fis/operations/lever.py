"""The safety lever: engaged, it stops every experiment and lets no other begin.

Source: https://docs.aws.amazon.com/fis/latest/userguide/safety-lever.html
"""

from __future__ import annotations

import asyncio

from chaos.fis.errors import ConflictException, ResourceNotFoundException
from chaos.fis.region import Members, Region

_ID = "default"


def get(region: Region, members: Members) -> Members:
    """The lever."""
    _check(members)
    return {"safetyLever": _shown(region)}


async def update(region: Region, members: Members) -> Members:
    """Engage or disengage; engaging returns when every experiment is healed."""
    _check(members)
    lever, wanted = region.lever, members["state"]
    if lever.status == "engaging":
        raise ConflictException("The safety lever is engaging; it cannot be changed now.")
    lever.reason = wanted["reason"]
    if wanted["status"] == "engaged":
        lever.status = "engaging"
        running = [experiment for experiment in region.experiments.values() if experiment.active]
        await asyncio.gather(*(one.stop("Experiment stopped: the safety lever was engaged.") for one in running))
    lever.status = wanted["status"]
    return {"safetyLever": _shown(region)}


def _check(members: Members) -> None:
    if members["id"] != _ID:
        raise ResourceNotFoundException(f"Safety lever {members['id']} not found.")


def _shown(region: Region) -> Members:
    state = {"status": region.lever.status, "reason": region.lever.reason}
    return {"id": _ID, "arn": region.arn("safety-lever", _ID), "state": state}
