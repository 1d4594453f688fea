"""The health of a group's targets, as DescribeTargetHealth tells it.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.cloud.load_balancing.emulated import Record
from harness.cloud.load_balancing.targets import Target, TargetGroup


def described(group: TargetGroup, wanted: Sequence[Record] | None) -> list[Record]:
    """A description of each target, or of those that are `wanted` by id and perhaps port."""
    shown = [target for target in list(group.targets.values()) if not wanted or _named(target, wanted)]
    found = [_health(group, target) for target in shown]
    for one in wanted or ():
        if not any(_named(target, [one]) for target in shown):
            missing = {"State": "unused", "Reason": "Target.NotRegistered",
                       "Description": "Target is not registered to the target group"}  # fmt: skip
            found.append({"Target": one, "TargetHealth": missing})
    return found


def _named(target: Target, wanted: Sequence[Record]) -> bool:
    return any(target.id == one["Id"] and str(one.get("Port") or target.port) == str(target.port) for one in wanted)


def _health(group: TargetGroup, target: Target) -> Record:
    shown: Record = {"Id": target.id, "Port": target.port}
    if group.kind == "ip":
        shown["AvailabilityZone"] = target.zone
    known = target.health
    if not group.used and known.state != "draining":
        unused = "Target group is not configured to receive traffic from the load balancer"
        health = {"State": "unused", "Reason": "Target.NotInUse", "Description": unused}
    else:
        said = {"State": known.state, "Reason": known.reason, "Description": known.description}
        health = {name: value for name, value in said.items() if value}
    return {"Target": shown, "HealthCheckPort": str(target.port), "TargetHealth": health}
