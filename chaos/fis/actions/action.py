"""What a FIS action is: a fault that can be injected and healed, each of which may be called twice.

An action opens one of two doors and no other: fault rules in the gate, or the zone keeper. See
docs/adding-an-action.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from chaos.fis.errors import ValidationException
from harness.clock import parse_duration_s
from harness.cloud.doors import Doors
from harness.cloud.faults import Dose, Effect, FaultRule, Selector

LEASE_S = 10.0
"""Rules of an experiment live this long without being renewed by it."""

LONGEST_S = 12 * 3600.0
SHORTEST_ON_AWS_S = 60.0
SHORTEST_HERE_S = 1.0
"""AWS takes one minute at the least; here a second is enough, so that drills stay short (ADR 2)."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an action, as GetAction tells it."""

    description: str
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One action of one experiment: what it acts on, and through which doors.

    `resources` are the ARNs of each target slot. `owner` is the experiment's id.
    """

    name: str
    owner: str
    parameters: Mapping[str, str]
    resources: Mapping[str, Sequence[str]]
    doors: Doors
    seed: int = 0
    zones: Mapping[str, str] = field(default_factory=dict)  # resource ARN → zone id, where it is known

    @property
    def duration_s(self) -> float:
        """How long the action lasts; 0 for one that is over at once."""
        return parse_duration_s(self.parameters["duration"]) if "duration" in self.parameters else 0.0

    def put(self, suffix: str, selector: Selector, effect: Effect, dose: Dose | None = None) -> None:
        """Put one rule of this action in force, or renew it."""
        rule = FaultRule(
            id=f"{self.owner}/{self.name}/{suffix}",
            owner=self.owner,
            selector=selector,
            effect=effect,
            dose=dose or Dose(),
            seed=self.seed,
            lease_s=LEASE_S,
        )
        self.doors.faults.put(rule)

    def remove_rules(self) -> None:
        """End every rule of this action."""
        for report in self.doors.faults.reports(owner=self.owner):
            if report.rule.id.startswith(f"{self.owner}/{self.name}/"):
                self.doors.faults.remove(rule_id=report.rule.id)


class Action:
    """One action. Subclasses set the class attributes and implement `inject` and `heal`.

    Attributes:
        id: `aws:lambda:invocation-error`.
        description: one sentence.
        parameters: name → what it is.
        targets: slot → resource type.
        capability: what the gate must be able to do; '' for nothing special.
    """

    id: ClassVar[str]
    description: ClassVar[str]
    parameters: ClassVar[Mapping[str, Parameter]] = {}
    targets: ClassVar[Mapping[str, str]] = {}
    capability: ClassVar[str] = ""

    def check(self, parameters: Mapping[str, str]) -> None:
        """Look at the parameters' values; names were checked before.

        Raises:
            ValidationException: a value cannot be meant.
        """
        if "duration" in parameters:
            check_duration(parameters["duration"])

    def inject(self, work: Work) -> None:
        """Put the fault in force; may be called twice."""
        raise NotImplementedError

    def heal(self, work: Work) -> None:
        """Take the fault back; may be called twice, and without `inject`."""
        raise NotImplementedError


DURATION = Parameter("How long the action lasts, in ISO 8601, for example PT5M.")


def check_duration(text: str) -> None:
    """Refuse what is no ISO 8601 duration from one second to twelve hours.

    Raises:
        ValidationException: says what was expected.
    """
    try:
        seconds = parse_duration_s(text) if text.startswith("P") else -1.0
    except ValueError:
        seconds = -1.0
    if not SHORTEST_HERE_S <= seconds <= LONGEST_S:
        raise ValidationException(f"Invalid value '{text}' for duration: an ISO 8601 duration from PT1S to PT12H")


def check_percentage(text: str, name: str = "invocationPercentage") -> None:
    """Refuse what is no whole percentage from 1 to 100.

    Raises:
        ValidationException: says what was expected.
    """
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise ValidationException(f"Invalid value '{text}' for {name}: a whole number from 1 to 100")


def check_boolean(text: str, name: str) -> None:
    """Refuse what is neither true nor false.

    Raises:
        ValidationException: says what was expected.
    """
    if text not in {"true", "false"}:
        raise ValidationException(f"Invalid value '{text}' for {name}: true or false")
