"""DynamoDB's provisioned tables and indexes as scalable targets: throughput follows the measured use.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from harness.cloud.limits.table_metrics import metric_of
from harness.cloud.limits.throughput import Kind, TableId
from harness.cloud.scaling.tracking import Pace, Scalable, ScaledTarget, Tracked

DIMENSIONS: Final[dict[str, Kind]] = {
    "dynamodb:table:ReadCapacityUnits": "Read",
    "dynamodb:table:WriteCapacityUnits": "Write",
    "dynamodb:index:ReadCapacityUnits": "Read",
    "dynamodb:index:WriteCapacityUnits": "Write",
}


Provisioned = Callable[[TableId, str, Kind], int | None]
"""Units a second of a table or an index; None on demand, or where there is none."""

Provision = Callable[[TableId, str, Kind, int], None]
"""Gives it so many."""


@dataclass(frozen=True, slots=True)
class ScaledTables:
    """Reads or writes."""

    kind: Kind
    provisioned: Provisioned
    provision: Provision

    pace: ClassVar[Pace] = Pace(out_periods=2, in_share=0.8, cooldown_s=0.0)
    """Two minutes above the target, fifteen 20 % below it; DynamoDB rests 0 s by default."""

    @property
    def noun(self) -> str:
        """`read capacity units` or `write capacity units`."""
        return f"{self.kind.lower()} capacity units"

    def capacity(self, target: ScaledTarget) -> int | None:
        """What is provisioned."""
        return self.provisioned(*place(target), self.kind)

    def scale(self, target: ScaledTarget, capacity: int) -> None:
        """Provision so much."""
        self.provision(*place(target), self.kind, capacity)

    def predefined(self, target: ScaledTarget, given: Mapping[str, Any]) -> Tracked:
        """Consumed units in percent of what is provisioned.

        Raises:
            ValueError: a metric that is not published here.
        """
        if given["PredefinedMetricType"] != f"DynamoDB{self.kind}CapacityUtilization":
            raise ValueError(f"metric type {given['PredefinedMetricType']} is not that of {target.dimension}")
        of_a_minute = 60.0 * max(1, self.capacity(target) or 1)
        return Tracked(metric_of(*place(target), f"Consumed{self.kind}CapacityUnits"), "Sum", 100.0 / of_a_minute)


def scaled_tables(provisioned: Provisioned, provision: Provision) -> dict[str, Scalable]:
    """Both kinds of tables and of indexes, by their scalable dimension."""
    return {name: ScaledTables(kind, provisioned, provision) for name, kind in DIMENSIONS.items()}


def place(target: ScaledTarget) -> tuple[TableId, str]:
    """Table and index of `table/NAME` or `table/NAME/index/INDEX`."""
    _, table, *index = target.resource.split("/")
    return (target.account, target.region, table), index[1] if index else ""
