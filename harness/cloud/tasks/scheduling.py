"""Which tasks of a service to start and which to stop now: pure.

Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html and
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-scheduler-unhealthy-tasks.html (unhealthy tasks
are replaced first and stopped then, where maximumPercent leaves room).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Condition = Literal["starting", "healthy", "unhealthy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A task that is not stopping. `order`: the older, the smaller."""

    arn: str
    primary: bool
    condition: Condition
    zone: str
    order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How many there should be, in percent of `desired` at the least and at the most."""

    desired: int
    minimum_percent: int = 100
    maximum_percent: int = 200

    @property
    def least(self) -> int:
        """Healthy tasks that must stay, rounded up."""
        return math.ceil(self.desired * self.minimum_percent / 100)

    @property
    def most(self) -> int:
        """Tasks that may run at once, rounded down; one more where both limits would keep anything from changing."""
        most = math.floor(self.desired * self.maximum_percent / 100)
        return most + 1 if most <= self.desired and self.least >= self.desired else most


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now."""

    start: int
    stop: tuple[str, ...]


def plan(tasks: Sequence[Seen], wanted: Wanted) -> Plan:
    """What brings the service nearer to what is wanted without leaving its limits."""
    fit = [task for task in tasks if task.primary and task.condition != "unhealthy"]
    start = max(0, min(wanted.desired - len(fit), wanted.most - len(tasks))) if wanted.desired else 0
    stop = [task.arn for task in _surplus(fit, len(fit) - wanted.desired)]
    healthy = sum(task.condition == "healthy" for task in tasks if task.arn not in stop)
    full = len(tasks) - len(stop) >= wanted.most
    if healthy >= wanted.desired or full:
        stop += [task.arn for task in tasks if task.condition == "unhealthy"]
    replaced = sum(task.condition == "healthy" for task in fit)
    for task in sorted((t for t in tasks if not t.primary and t.condition != "unhealthy"), key=lambda t: t.order):
        if task.condition == "starting" or wanted.desired == 0:
            stop.append(task.arn)
        elif healthy - 1 >= wanted.least and (replaced or full):
            healthy, replaced = healthy - 1, replaced - 1
            stop.append(task.arn)
    return Plan(start, tuple(dict.fromkeys(stop)))


def _surplus(tasks: Iterable[Seen], count: int) -> list[Seen]:
    """The `count` tasks to give up: those that only start, then from the zone with the most, the newest first."""
    left, given = list(tasks), []
    for _ in range(max(0, count)):
        zones = Counter(task.zone for task in left)
        worst = max(left, key=lambda task: (task.condition == "starting", zones[task.zone], task.order))
        left.remove(worst)
        given.append(worst)
    return given
