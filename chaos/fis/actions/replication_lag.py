"""blackstart:replication:change-lag: copies take longer, or shorter. Ours; embedded cloud only.

FIS can pause the replication of tables and buckets; it cannot slow it down, and it reaches neither Aurora global
databases nor ElastiCache. What is lost with a region is what its lag has under way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, Action, Parameter, Work
from chaos.fis.actions.values import check_one_of
from chaos.fis.errors import ValidationException
from harness.cloud.copies.lags import STORES
from harness.lag import parse_lag


class ChangeLag(Action):
    """Another lag for one kind of copy and pair of Regions, until the action ends."""

    id: ClassVar = "blackstart:replication:change-lag"
    description: ClassVar = "Changes how long copies are under way (embedded cloud only)."
    parameters: ClassVar = {
        "duration": DURATION,
        "store": Parameter(f"Whose copies: {', '.join(STORES)}."),
        "lag": Parameter("A lag such as 2s, 1s..3s or p50=1s p99=5s."),
        "source": Parameter("The Region that is copied from; any by default.", required=False),
        "destination": Parameter("The Region that is copied to; any by default.", required=False),
    }
    capability: ClassVar[str] = "zones"
    difference: ClassVar = "does not exist on AWS"

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration, store and lag."""
        super().check(parameters)
        check_one_of(parameters["store"], "store", dict.fromkeys(STORES, ""))
        try:
            parse_lag(parameters["lag"])
        except ValueError as error:
            raise ValidationException(str(error)) from error

    def inject(self, work: Work) -> None:
        """Set the lag; what is under way keeps its own."""
        lags, (store, source, destination) = work.doors.replication.lags, _pair(work)
        work.undo.setdefault("lag", lags.explicit(store, source, destination))
        lags.set(store, parse_lag(work.parameters["lag"]), source=source, destination=destination)
        if not work.undo.get("told"):
            work.undo["told"] = work.doors.evidence.add(
                "fault_injected", owner=work.owner, rule=f"{work.owner}/{work.name}", effect="Lag"
            )

    def heal(self, work: Work) -> None:
        """The lag is what it was."""
        if "lag" not in work.undo:
            return
        store, source, destination = _pair(work)
        before = work.undo.pop("lag")
        work.doors.replication.lags.set(store, before, source=source, destination=destination)


def _pair(work: Work) -> tuple[str, str, str]:
    given = work.parameters
    return given["store"], given.get("source", ""), given.get("destination", "")
