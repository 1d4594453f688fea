"""What is seen of a fault where no gate of ours stands before the cloud, as on real AWS: what FIS itself tells.

FIS tells that an action started and which resources it chose, and nothing of what any client felt. So an action's
start counts as its first effect, at the last instant at which it had not been seen started: an RTO comes out too long
by one look at most, never too short. Whether anything was felt only the probes and the alarms can tell.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from chaos.alarm_watch import AlarmWatch
from chaos.fis.watching import ENDED
from chaos.replica_watch import ReplicaWatch
from harness.clock import Clock
from harness.measure import journal as names
from harness.measure.journal import JournalWriter

STOP_WAIT_S = 300.0
"""How long a stopped experiment may need for its post actions, as to start stopped instances again."""

_NO_FAULT = frozenset({"aws:fis:wait", "aws:cloudwatch:assert-alarm-state"})
_STOP_POLL_S = 1.0


@dataclass(slots=True, kw_only=True)
class FisWitness:
    """Appends only; every instant is when something was seen here: AWS's own times are another clock's."""

    fis: Any  # a boto3 client
    journal: JournalWriter
    clock: Clock
    alarms: AlarmWatch
    replica: ReplicaWatch | None = None
    _looked_s: float = 0.0
    _started: dict[str, float] = field(default_factory=dict)
    _ended: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Look at what has to be asked again and again."""
        self.alarms.look()
        if self.replica is not None:
            self.replica.look()

    def note_workload(self, since_s: float) -> None:
        """Nobody here can tell which functions ran."""

    def take(self, experiment: str) -> None:
        """Note every action that has started or ended since the last time."""
        looked_s = self._looked_s or self.clock.now_s()
        actions = self.fis.get_experiment(id=experiment)["experiment"]["actions"]
        self._looked_s = self.clock.now_s()
        for name, action in actions.items():
            if action["actionId"] in _NO_FAULT or "startTime" not in action:
                continue
            detail = {"action": name, "action_id": action["actionId"], "source": "fis"}
            if name not in self._started:
                self._started[name] = looked_s
                self.journal.event(names.FAULT_FIRED, looked_s, **detail)
            if "endTime" in action and name not in self._ended:
                self._ended.add(name)
                self._note(names.FAULT_HEALED, **detail)

    def sum_up(self, experiment: str, _since_s: float) -> None:
        """The proof of injection: the resources that the started actions had chosen."""
        body = self.fis.get_experiment(id=experiment)["experiment"]
        started = [body["actions"][name] for name in self._started]
        chosen = {target for action in started for target in action.get("targets", {}).values()}
        pages = self.fis.get_paginator("list_experiment_resolved_targets").paginate(experimentId=experiment)
        resolved = sum(row["targetName"] in chosen for page in pages for row in page["resolvedTargets"])
        without_target = sum(not action.get("targets") for action in started)
        self._note(
            names.EVIDENCE,
            matched=resolved + without_target,
            fired=resolved + without_target,
            first_fired_s=min(self._started.values(), default=None),
            source="fis",
        )

    def left_in_force(self, experiment: str) -> list[str]:
        """What of a stopped experiment is not undone; waits for its post actions."""
        until_s = self.clock.now_s() + STOP_WAIT_S
        while (state := self.fis.get_experiment(id=experiment)["experiment"]["state"])["status"] not in ENDED:
            if self.clock.now_s() > until_s:
                return [f"experiment {experiment} is still {state['status']}: {state.get('reason', '')}"]
            time.sleep(_STOP_POLL_S)
        return []

    def _note(self, name: str, /, **detail: Any) -> None:
        self.journal.event(name, self.clock.now_s(), **detail)
