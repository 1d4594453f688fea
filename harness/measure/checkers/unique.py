"""A unique key: of all who claim it at most one is told yes, and the store agrees about who.

Holds for DynamoDB's `attribute_not_exists` and for a unique index of a database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.measure.checkers.calls import Call, Value, by_key
from harness.measure.finding import Finding


def check_unique(claims: Iterable[Call], owners: Mapping[str, Value]) -> list[Finding]:
    """Findings `two owners`, `lost`, `wrong owner` and `phantom`.

    Args:
        claims: writes whose value is the claimant; every claimant claims a key once.
        owners: who has each key at the end; a key that nobody has is absent or None.
    """
    found = []
    histories = by_key(claims)
    for key, history in histories.items():
        acked = [claim for claim in history if claim.outcome == "ok"]
        owner = owners.get(key)
        if len(acked) > 1:
            names = " and ".join(repr(claim.value) for claim in acked)
            found.append(Finding(kind="two owners", key=key, at_s=acked[1].ended_s, detail=f"{names} were told yes"))
        if acked and owner is None:
            found.append(Finding(kind="lost", key=key, at_s=acked[0].ended_s, detail=f"{acked[0].value!r} had it"))
        elif acked and owner not in {claim.value for claim in acked}:
            detail = f"{acked[0].value!r} was told yes, {owner!r} has it"
            found.append(Finding(kind="wrong owner", key=key, at_s=acked[0].ended_s, detail=detail))
        elif owner is not None and owner not in {claim.value for claim in history if claim.possible}:
            found.append(Finding(kind="phantom", key=key, detail=f"{owner!r} has it and was told no, or never asked"))
    return found
