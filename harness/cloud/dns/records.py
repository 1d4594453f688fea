"""Which record of several answers a question: Route 53's routing policies. Pure.

Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy.html and
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-simple-configs.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_VALUES = 8
"""A multivalue answer has up to eight healthy records.
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy-multivalue.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record set. Names are lower case and end with a dot."""

    name: str
    kind: str
    ttl_s: float | None = None
    values: tuple[str, ...] = ()
    alias: str = ""
    evaluates_target: bool = False
    health_check: str = ""
    weight: int | None = None
    failover: str = ""
    region: str = ""
    multivalue: bool = False
    identifier: str = ""


Healthy = Callable[[Record], bool]


def read_record(given: Mapping[str, Any]) -> Record:
    """A record set as the API has it."""
    alias = given.get("AliasTarget") or {}
    return Record(
        name=normal(str(given["Name"])),
        kind=str(given["Type"]),
        ttl_s=float(given["TTL"]) if given.get("TTL") else None,
        values=tuple(str(value) for value in given.get("ResourceRecords") or ()),
        alias=normal(str(alias.get("DNSName") or "")),
        evaluates_target=bool(alias.get("EvaluateTargetHealth")),
        health_check=str(given.get("HealthCheckId") or ""),
        weight=given.get("Weight"),
        failover=str(given.get("Failover") or ""),
        region=str(given.get("Region") or ""),
        multivalue=bool(given.get("MultiValueAnswer")),
        identifier=str(given.get("SetIdentifier") or ""),
    )


def normal(name: str) -> str:
    """Lower case with one dot at the end; '' stays ''."""
    return f"{name.lower().replace(chr(92) + '052', '*').rstrip('.')}." if name else ""


def matching(records: Sequence[Record], name: str, kind: str) -> list[Record]:
    """The records for a name and type: its own, else those of the nearest wildcard; a CNAME stands for any type."""
    labels = normal(name).split(".")
    for candidate in [normal(name), *("*." + ".".join(labels[at:]) for at in range(1, len(labels) - 1))]:
        named = [record for record in records if record.name == candidate]
        found = [record for record in named if record.kind == kind]
        if found or named:
            return found or [record for record in named if record.kind == "CNAME"]
    return []


def choose(records: Sequence[Record], healthy: Healthy, *, region: str, draw: float) -> list[Record]:
    """What of `records`, all of one name and type, is answered; `draw` in [0, 1) decides among weights.

    `region` is where the client is. When none is healthy, all count as healthy.
    """
    if not records:
        return []
    well = [record for record in records if healthy(record)] or list(records)
    first = records[0]
    if first.failover:
        return [min(well, key=lambda record: record.failover != "PRIMARY")]
    if first.weight is not None:
        return [_weighed(well, draw)]
    if first.region:
        return [min(well, key=lambda record: (_distance(record.region, region), record.region))]
    if first.multivalue:
        at = int(draw * len(well))
        return (well[at:] + well[:at])[:MOST_VALUES]
    return well[:1]


def _weighed(records: Sequence[Record], draw: float) -> Record:
    """By weight; where every weight is 0, each alike."""
    weights = [record.weight or 0 for record in records]
    if not sum(weights):
        weights = [1] * len(records)
    left = draw * sum(weights)
    for record, weight in zip(records, weights, strict=True):
        if left < weight:
            return record
        left -= weight
    return records[-1]


def _distance(one: str, other: str) -> int:
    """How far apart two regions are, as far as their names tell: 0 the same, 1 the same continent."""
    return 0 if one == other else 1 if one.partition("-")[0] == other.partition("-")[0] else 2
