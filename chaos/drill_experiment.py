"""The experiment of a drill: its template for the account here, its start, how it stands, and taking it back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chaos.drill_file import Drill
from chaos.fis.role import stand_in
from chaos.fis.watching import ENDED
from chaos.fis_witness import STOP_WAIT_S
from chaos.marked import TAG
from harness.clock import parse_duration_s
from harness.target import EMULATOR_ACCOUNT, Target

_UNDOING_S = 30.0
"""How much longer than its actions an experiment of ours may take: FIS undoes what it did before it ends."""


@dataclass(slots=True, kw_only=True)
class DrillExperiment:
    """One experiment. `fis` is a boto3 client of the region that breaks, `id` is '' until it has started.

    `mark` is the run's, which its template carries.
    """

    fis: Any
    target: Target
    drill: Drill
    filled: Callable[[str], str]
    mark: str
    id: str = ""
    _template: str = ""  # its id
    _asked: Mapping[str, Any] = field(default_factory=dict)

    def start(self, *, seed: int) -> None:
        """Make the template and start it.

        Raises:
            ClientError: FIS refuses.
        """
        self._asked = self._template_here()
        stand_in(self.target, self._asked["roleArn"])
        tags = {"blackstart:drill": self.drill.name, TAG: self.mark}
        created = self.fis.create_experiment_template(**self._asked, tags=tags)
        self._template = created["experimentTemplate"]["id"]
        started = self.fis.start_experiment(experimentTemplateId=self._template, tags={"blackstart:seed": str(seed)})
        self.id = started["experiment"]["id"]

    @property
    def lasts_s(self) -> float:
        """How long its longest effect is in force; 0 when none lasts."""
        return max(_lengths_s(self._asked, "duration"), default=0.0)

    @property
    def longest_s(self) -> float:
        """How long it takes at the most until it has ended: one action after the other, then what is undone."""
        undoing_s = _UNDOING_S if self.target.control_url else STOP_WAIT_S
        return sum(_lengths_s(self._asked, "duration", "maxDuration")) + undoing_s

    def state(self) -> tuple[str, str]:
        """FIS's status, and its reason."""
        state = self.fis.get_experiment(id=self.id)["experiment"]["state"]
        return str(state["status"]), str(state.get("reason", state["status"]))

    def stop(self) -> None:
        """Stop it unless it has ended by itself: FIS may refuse to stop that."""
        if self.state()[0] not in ENDED:
            self.fis.stop_experiment(id=self.id)

    def forget(self) -> None:
        """Delete the template, where there is one."""
        if self._template:
            self.fis.delete_experiment_template(id=self._template)

    def _template_here(self) -> dict[str, Any]:
        """The template for this account; on the embedded cloud with the drill's own duration."""
        target, drill = self.target, self.drill
        text = json.dumps(drill.template).replace(f":{EMULATOR_ACCOUNT}:", f":{target.account_id}:")
        template: dict[str, Any] = json.loads(text)
        if drill.role and target.kind == "aws":
            template["roleArn"] = self.filled(drill.role)
        if drill.duration is not None and target.kind != "aws":
            seconds = parse_duration_s(drill.duration)
            for action in template["actions"].values():
                if "duration" in action.get("parameters", {}):
                    action["parameters"]["duration"] = f"PT{seconds:g}S"
        return template


def _lengths_s(template: Mapping[str, Any], *names: str) -> list[float]:
    """How long each action that lasts is in force, by these parameters."""
    given = [action.get("parameters", {}) for action in template["actions"].values()]
    return [parse_duration_s(one[name]) for one in given for name in names if one.get(name)]
