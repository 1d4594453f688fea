"""blackstart:api:add-latency: answers of a service come later. Ours; AWS has none for APIs.

A dependency that is slow is worse than one that is down: who calls it waits, and holds what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, Parameter, RuleAction, Work
from chaos.fis.actions.api_errors import callers, check_operations
from chaos.fis.actions.values import check_percentage, check_whole, listed
from harness.cloud.faults import Dose, Latency, Selector

_MOST_MS = 900_000


class AddLatency(RuleAction):
    """A share of the calls of some operations starts later."""

    id: ClassVar = "blackstart:api:add-latency"
    description: ClassVar = "Delays API requests made by the target IAM roles (gate of ours only)."
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "duration": DURATION,
        "service": Parameter("The service's name in its endpoint, for example s3 or dynamodb."),
        "operations": Parameter("Operations, comma separated, for example PutItem,GetItem."),
        "percentage": Parameter("The share of calls that are late, 1 to 100."),
        "delayMilliseconds": Parameter(f"How much later they start, 1 to {_MOST_MS}."),
    }
    targets: ClassVar[Mapping[str, str]] = {"Roles": "aws:iam:role"}
    optional_targets: ClassVar[frozenset[str]] = frozenset({"Roles"})
    capability: ClassVar[str] = "faults"
    difference: ClassVar[str] = "does not exist on AWS"

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration, share, delay, and operations that the service has."""
        super().check(parameters)
        check_percentage(parameters["percentage"])
        check_whole(parameters["delayMilliseconds"], "delayMilliseconds", 1, _MOST_MS)
        check_operations(parameters)

    def inject(self, work: Work) -> None:
        """One rule for each operation and role."""
        parameters = work.parameters
        effect = Latency(delay_s=int(parameters["delayMilliseconds"]) / 1000)
        dose = Dose(probability=check_percentage(parameters["percentage"]))
        for role in callers(work):
            for operation in listed(parameters["operations"], "operations"):
                selector = Selector(service=parameters["service"], operation=operation, caller_role=role)
                work.put(f"{role}/{operation}", selector, effect, dose)
