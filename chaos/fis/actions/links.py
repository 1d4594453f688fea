"""blackstart:network:disrupt-link: latency, loss or a cut between two places. Ours; embedded cloud only.

FIS disturbs networks of EC2, ECS and EKS from inside the machine; nothing of it reaches Lambda, a database's clients
or the links between regions. Here the link itself is disturbed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, Parameter, RuleAction, Work
from chaos.fis.errors import ValidationException
from harness.cloud.links import LinkFault

_NUMBERS = {"latencyMilliseconds": 1000.0, "jitterMilliseconds": 1000.0, "lossPercent": 100.0, "flowsPercent": 100.0}


class DisruptLink(RuleAction):
    """The link between two zones, subnets or regions is slow, loses segments, or lets nothing through."""

    id: ClassVar = "blackstart:network:disrupt-link"
    description: ClassVar = "Disturbs the link between two zones, subnets or Regions (embedded cloud only)."
    parameters: ClassVar = {
        "duration": DURATION,
        "near": Parameter("One end: a zone's id or name, a subnet's id, or a Region."),
        "far": Parameter("The other end; everywhere else by default.", required=False),
        "latencyMilliseconds": Parameter("How much longer a segment takes, one way.", required=False),
        "jitterMilliseconds": Parameter("How much that varies, up and down.", required=False),
        "lossPercent": Parameter("The share of segments that get lost; 100 cuts the link.", required=False),
        "flowsPercent": Parameter("The share of flows that is hit, 100 by default.", required=False),
    }
    capability: ClassVar[str] = "zones"
    difference: ClassVar = "does not exist on AWS"

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration, numbers in their ranges, and at least one of them."""
        super().check(parameters)
        given = [name for name in _NUMBERS if name in parameters]
        if not set(given) - {"jitterMilliseconds", "flowsPercent"}:
            raise ValidationException("latencyMilliseconds or lossPercent is needed")
        for name in given:
            most = 100.0 if name.endswith("Percent") else 3_600_000.0
            try:
                fits = 0.0 <= float(parameters[name]) <= most
            except ValueError:
                fits = False
            if not fits:
                raise ValidationException(f"{name} must be a number from 0 to {most:g}, not {parameters[name]!r}")

    def inject(self, work: Work) -> None:
        """Disturb the link."""
        given = {name: float(work.parameters.get(name, 0)) / unit for name, unit in _NUMBERS.items()}
        loss = given["lossPercent"]
        fault = LinkFault(
            id="link",
            owner="",
            near=work.parameters["near"],
            far=work.parameters.get("far", ""),
            cut=loss >= 1.0,
            latency_s=given["latencyMilliseconds"],
            jitter_s=given["jitterMilliseconds"],
            loss=loss if loss < 1.0 else 0.0,
            share=given["flowsPercent"] if "flowsPercent" in work.parameters else 1.0,
        )
        work.disturb(fault)
