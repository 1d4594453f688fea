"""An ECS task as the target of a rule, a schedule or a pipe: AWS writes three blocks otherwise than Pulumi does."""

from __future__ import annotations

from typing import Any

from harness.deploy.providers.resource import Properties

RENAMES = {
    "capacityProviderStrategies": "CapacityProviderStrategy",
    "orderedPlacementStrategies": "PlacementStrategy",
    "placementStrategies": "PlacementStrategy",
}


def with_network(target: Properties) -> Properties:
    """The task's network one level deeper, and its switch as a word."""
    network = target.get("networkConfiguration")
    if not network or "awsVpcConfiguration" in network:
        return target
    known: dict[str, Any] = dict(network[0] if isinstance(network, list) else network)
    if "assignPublicIp" in known:
        known["assignPublicIp"] = "ENABLED" if known["assignPublicIp"] else "DISABLED"
    return {**target, "networkConfiguration": {"awsvpcConfiguration": known}}
