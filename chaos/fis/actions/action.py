"""What a FIS action is: a fault that can be injected and healed, each of which may be called twice.

An action acts through the cloud's doors and nothing else: fault rules in the gate, the zone keeper, the replication
keeper, and the cloud's own API as any client sees it. See docs/adding-an-action.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import msgspec

from chaos.fis.actions.values import check_duration
from chaos.fis.clients import Clients
from chaos.fis.finding import Resource
from harness.clock import parse_duration_s
from harness.cloud.doors import Doors
from harness.cloud.faults import Dose, Effect, FaultRule, Selector
from harness.cloud.links import LinkFault

LEASE_S = 10.0
"""What an experiment has in force lives this long without being renewed by it."""

Parity = Literal["works", "state only", "refused"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an action, as GetAction tells it."""

    description: str
    required: bool = True


DURATION = Parameter("How long the action lasts, in ISO 8601, for example PT5M.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One action of one experiment: what it acts on, and through which doors.

    `owner` is the experiment's id. `undo` is what `inject` notes for `heal`: how things were before.
    """

    name: str
    owner: str
    parameters: Mapping[str, str]
    resources: Mapping[str, Sequence[Resource]]
    doors: Doors
    clients: Clients
    seed: int = 0
    undo: dict[str, Any] = field(default_factory=dict)

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

    def disturb(self, fault: LinkFault) -> None:
        """Put one fault of a link in force, or renew it; it becomes this action's."""
        identity = f"{self.owner}/{self.name}/{fault.id}"
        mine = msgspec.structs.replace(fault, id=identity, owner=self.owner, seed=self.seed, lease_s=LEASE_S)
        self.doors.zones.links.put(mine)

    def remove_rules(self) -> None:
        """End every rule and link fault of this action."""
        prefix = f"{self.owner}/{self.name}/"
        self.doors.faults.remove(prefix=prefix)
        self.doors.zones.links.remove(prefix=prefix)


class Action:
    """One action. Subclasses set the class attributes and implement `inject` and `heal`.

    Attributes:
        id: `aws:lambda:invocation-error`.
        description: one sentence.
        parameters: name → what it is.
        targets: slot → resource type.
        optional_targets: slots that AWS asks for and this cloud does not.
        poll_s: how often `over` is asked; 0 for an action that lasts as long as `hold_s` says.
        capability: what the gate must be able to do; '' for nothing special.
        parity: `works`: a client feels it. `state only`: the API shows it, nothing runs that could feel it.
            `refused`: not carried out here.
        difference: how the embedded cloud differs from AWS, for docs/fis.md.
    """

    id: ClassVar[str]
    description: ClassVar[str]
    parameters: ClassVar[Mapping[str, Parameter]] = {}
    targets: ClassVar[Mapping[str, str]] = {}
    optional_targets: ClassVar[frozenset[str]] = frozenset()
    poll_s: ClassVar[float] = 0.0
    capability: ClassVar[str] = ""
    parity: ClassVar[Parity] = "works"
    difference: ClassVar[str] = "as on AWS"

    def check(self, parameters: Mapping[str, str]) -> None:
        """Look at the parameters' values; names were checked before.

        Raises:
            ValidationException: a value cannot be meant.
        """
        if "duration" in parameters:
            check_duration(parameters["duration"])

    def hold_s(self, work: Work) -> float:
        """How long the fault stays in force between `inject` and `heal`; 0 for an action that is over at once."""
        return work.duration_s

    def over(self, work: Work) -> bool:
        """Whether the action has ended before its time; asked every `poll_s` seconds."""
        raise NotImplementedError

    def inject(self, work: Work) -> None:
        """Put the fault in force; may be called twice.

        Raises:
            ActionError: it cannot be put in force.
        """
        raise NotImplementedError

    def look(self, work: Work) -> None:
        """What is done or looked at when the time is over, before healing; most actions have nothing to do.

        Raises:
            ActionError: what the action acted on is not what it was.
        """

    def heal(self, work: Work) -> None:
        """Take the fault back; may be called twice, and without `inject`."""
        raise NotImplementedError


class RuleAction(Action):
    """An action that is nothing but fault rules in the gate."""

    def heal(self, work: Work) -> None:
        """End the rules; what they hold is let go."""
        work.remove_rules()
