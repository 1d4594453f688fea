"""A running experiment as a person watches it: actions, states, what fired, alarms. Over the FIS API and evidence."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.fis.clients import Clients
from chaos.fis.errors import ActionError
from chaos.fis.stop_conditions import alarm_states, alarms_of
from harness.cloud.control_client import ControlClient
from harness.target import Target

ENDED = frozenset({"completed", "stopped", "failed", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedAction:
    """One action. `fired` counts the calls, writes and processes it hit; None where the target does not tell."""

    name: str
    action_id: str
    status: str
    reason: str
    targets: int
    fired: int | None
    elapsed_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An experiment at one instant. `alarms` are the stop conditions: name and state."""

    id: str
    status: str
    reason: str
    elapsed_s: float
    actions: Sequence[WatchedAction]
    alarms: Sequence[tuple[str, str]]

    @property
    def ended(self) -> bool:
        """True when nothing of it will change any more."""
        return self.status in ENDED


@dataclass(slots=True)
class Watcher:
    """Looks at one experiment again and again."""

    target: Target
    experiment: str
    clients: Clients = field(init=False)
    _control: ControlClient | None = field(init=False)
    _healed: Counter[str] = field(default_factory=Counter)
    _seen: int = 0

    def __post_init__(self) -> None:
        self.clients = Clients(self.target)
        self._control = ControlClient(self.target) if self.target.control_url else None

    def look(self) -> Watched:
        """How it is now.

        Raises:
            botocore.exceptions.ClientError: FIS knows no such experiment.
        """
        fis = self.clients.get("fis")
        body = fis.get_experiment(id=self.experiment)["experiment"]
        targets = Counter(
            row["targetName"]
            for page in fis.get_paginator("list_experiment_resolved_targets").paginate(experimentId=self.experiment)
            for row in page["resolvedTargets"]
        )
        fired = self._fired(body)
        return Watched(
            id=self.experiment,
            status=body["state"]["status"],
            reason=body["state"].get("reason", ""),
            elapsed_s=_elapsed_s(body, "creationTime") or 0.0,
            actions=[
                WatchedAction(
                    name=name,
                    action_id=action["actionId"],
                    status=action["state"]["status"],
                    reason=action["state"].get("reason", ""),
                    targets=sum(targets[one] for one in action.get("targets", {}).values()),
                    fired=None if fired is None else fired[name],
                    elapsed_s=_elapsed_s(action, "startTime"),
                )
                for name, action in body["actions"].items()
            ],
            alarms=self._alarms(body["stopConditions"]),
        )

    def _fired(self, body: dict[str, Any]) -> Counter[str] | None:  # an experiment in FIS's JSON
        """What each action hit until now: rules in force, rules that ended, processes that died with a zone."""
        if self._control is None:
            return None
        in_force = Counter[str]()
        for report in self._control.rules():
            if report.rule.owner == self.experiment:
                in_force[_action_of(report.rule.id)] += report.fired
        power = [name for name, action in body["actions"].items() if action["actionId"].endswith("-power")]
        for event in self._control.evidence(since=self._seen, owner=self.experiment):
            self._seen = max(self._seen, event.sequence)
            if event.kind == "fault_healed":
                self._healed[_action_of(event.detail["rule"])] += event.detail["fired"]
            if event.kind == "environment_killed" and power:
                self._healed[power[0]] += 1
        return in_force + self._healed

    def _alarms(self, conditions: Sequence[dict[str, str]]) -> list[tuple[str, str]]:
        arns = alarms_of(conditions)
        try:
            states = alarm_states(self.clients, arns) if arns else {}
        except (ActionError, ClientError, BotoCoreError):
            states = dict.fromkeys(arns, "unknown")
        return [(arn.rpartition(":alarm:")[2], state) for arn, state in states.items()]


def _action_of(rule_id: str) -> str:
    """`EXP…/action/rest` → the action."""
    parts = rule_id.split("/", 2)
    return parts[1] if len(parts) > 1 else ""


def _elapsed_s(body: dict[str, Any], since: str) -> float | None:  # FIS's JSON
    started, ended = body.get(since), body.get("endTime")
    if started is None:
        return None
    return float(ended.timestamp() if ended else time.time()) - float(started.timestamp())
