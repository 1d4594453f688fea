"""blackstart:replication:change-lag: copies between regions or nodes take longer, or shorter; embedded cloud only.

FIS can pause the replication of tables and buckets; it cannot slow it down, and it reaches neither Aurora global
databases nor ElastiCache. What is lost with a region is what its lag has under way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
        if "lag" in work.undo:
            return
        lags, (store, source, destination) = work.doors.replication.lags, _pair(work)
        work.undo["lag"] = lags.explicit(store, source, destination)
        work.undo["proof"] = proof = _Proof(work, store)
        work.doors.evidence.add("fault_injected", owner=work.owner, rule=proof.rule, effect="Lag")
        lags.set(store, parse_lag(work.parameters["lag"]), source=source, destination=destination, drawn=proof.count)

    def heal(self, work: Work) -> None:
        """The lag is what it was."""
        if "proof" not in work.undo:
            return
        proof, before = work.undo.pop("proof"), work.undo["lag"]
        store, source, destination = _pair(work)
        work.doors.replication.lags.set(store, before, source=source, destination=destination)
        work.doors.evidence.add(
            "fault_healed", owner=work.owner, rule=proof.rule, matched=proof.fired, fired=proof.fired
        )


@dataclass(slots=True)
class _Proof:
    """How many copies took the lag: evidence of the first, and the number at the end."""

    work: Work
    store: str
    fired: int = 0

    @property
    def rule(self) -> str:
        """By what the evidence names the fault."""
        return f"{self.work.owner}/{self.work.name}"

    def count(self) -> None:
        """One more copy; called under the lock of the lags."""
        self.fired += 1
        if self.fired == 1:
            self.work.doors.evidence.add("fault_fired", owner=self.work.owner, rule=self.rule, service=self.store)


def _pair(work: Work) -> tuple[str, str, str]:
    given = work.parameters
    return given["store"], given.get("source", ""), given.get("destination", "")
