"""What is seen of the cloud while a drill runs, copied into the journal: evidence of faults, alarms, the replica."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chaos.alarm_watch import AlarmWatch
from chaos.replica_watch import ReplicaWatch
from harness.clock import Clock
from harness.cloud.control_client import ControlClient
from harness.measure import journal as names
from harness.measure.journal import JournalWriter

_FIRINGS = frozenset({"fault_fired", "environment_killed"})
_HEALINGS = frozenset({"fault_healed", "power_restored"})


@dataclass(slots=True, kw_only=True)
class Witness:
    """Appends only; instants are those of the cloud's own clock, which is ours."""

    control: ControlClient
    journal: JournalWriter
    clock: Clock
    alarms: AlarmWatch
    replica: ReplicaWatch | None = None
    _seen: int = 0

    def look(self) -> None:
        """Look at what has to be asked again and again."""
        self.alarms.look()
        if self.replica is not None:
            self.replica.look()

    def note_workload(self, since_s: float) -> None:
        """Which functions ran since then; on a target whose environments are not ours nobody can tell."""
        ran = {e["function"] for e in self.control.environments() if e.get("used_s", 0.0) >= since_s}
        if ran:
            self._note(names.WORKLOAD, functions=sorted(ran))

    def take(self, experiment: str) -> None:
        """Copy what the cloud has noted since the last time, of one experiment, and every alarm."""
        for event in self.control.evidence(since=self._seen):
            self._seen = max(self._seen, event.sequence)
            if event.kind == "alarm":
                self.journal.event(names.ALARM, event.at_s, **{**event.detail, "alarm": event.detail.get("name", "")})
            if event.owner != experiment:
                continue
            if event.kind in _FIRINGS:
                self.journal.event(names.FAULT_FIRED, event.at_s, **event.detail)
            if event.kind in _HEALINGS:
                self.journal.event(names.FAULT_HEALED, event.at_s, **event.detail)
            self.journal.event(names.CLOUD_EVENT, event.at_s, **{**event.detail, "kind": event.kind})

    def sum_up(self, experiment: str, since_s: float) -> None:
        """The proof of injection: what matched, what fired, and when first; and control-plane calls since then."""
        events = self.control.evidence(owner=experiment)
        healed = [e.detail for e in events if e.kind == "fault_healed"]
        killed = sum(e.kind == "environment_killed" for e in events)
        asked = sum(e.kind == "fault_fired" and "rule" not in e.detail for e in events)  # done by a service's own API
        self._note(
            names.EVIDENCE,
            matched=sum(d.get("matched", 0) for d in healed) + killed + asked,
            fired=sum(d.get("fired", 0) for d in healed) + killed + asked,
            calls=sum(d.get("matched", 0) for d in healed),
            first_fired_s=min((e.at_s for e in events if e.kind in _FIRINGS), default=None),
        )
        for call in self.control.control_plane_calls(since_s, self.clock.now_s()):
            detail = {key: value for key, value in call.items() if key != "at_s"}
            self.journal.event(names.CONTROL_PLANE_CALL, float(call["at_s"]), **detail)

    def left_in_force(self, experiment: str) -> list[str]:
        """What of a stopped experiment is still in force."""
        rules = [f"rule {r.rule.id}" for r in self.control.rules() if r.rule.owner == experiment]
        dark = [f"zone {z['id']} has no power" for z in self.control.zones() if experiment in z.get("owners", ())]
        return rules + dark

    def _note(self, name: str, /, **detail: Any) -> None:
        self.journal.event(name, self.clock.now_s(), **detail)
