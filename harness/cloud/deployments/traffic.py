"""How a deployment configuration shifts traffic: pure arithmetic, and the configurations that AWS ships.

Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MINUTE_S = 6.0
"""What a minute of CodeDeploy takes here: between two shifts, before the old version ends, and within which a hook
must report. A tenth of AWS's, so that `Canary10Percent5Minutes` takes 30 s; `[embedded] deployment_minute` sets it.
"""

HOOK_MINUTES = 60.0
"""A validation function must report within one hour.
https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html"""


@dataclass(frozen=True, slots=True)
class Shift:
    """So many percent of the traffic go to the new version, and then it is watched for so many minutes."""

    percent: int
    minutes: float


def shifts(routing: Mapping[str, Any]) -> list[Shift]:
    """The shifts of a `trafficRoutingConfig`, the last to 100 percent.

    >>> shifts({"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 5}})
    [Shift(percent=10, minutes=5.0), Shift(percent=100, minutes=0.0)]
    """
    canary, linear = routing.get("timeBasedCanary") or {}, routing.get("timeBasedLinear") or {}
    if routing.get("type") == "TimeBasedCanary":
        first = [Shift(int(canary["canaryPercentage"]), float(canary["canaryInterval"]))]
    elif routing.get("type") == "TimeBasedLinear":
        step, minutes = int(linear["linearPercentage"]), float(linear["linearInterval"])
        first = [Shift(percent, minutes) for percent in range(step, 100, step)]
    else:
        first = []
    return [*first, Shift(100, 0.0)]


def _canary(percent: int, minutes: int) -> dict[str, Any]:
    return {
        "type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": percent, "canaryInterval": minutes}
    }  # fmt: skip


def _linear(percent: int, minutes: int) -> dict[str, Any]:
    return {
        "type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": percent, "linearInterval": minutes}
    }  # fmt: skip


ALL_AT_ONCE: Mapping[str, Any] = {"type": "AllAtOnce"}
_ROUTED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "LambdaAllAtOnce": ("Lambda", ALL_AT_ONCE),
    **{f"LambdaCanary10Percent{n}Minutes": ("Lambda", _canary(10, n)) for n in (5, 10, 15, 30)},
    "LambdaLinear10PercentEvery1Minute": ("Lambda", _linear(10, 1)),
    **{f"LambdaLinear10PercentEvery{n}Minutes": ("Lambda", _linear(10, n)) for n in (2, 3, 10)},
    "ECSAllAtOnce": ("ECS", ALL_AT_ONCE),
    **{f"ECSCanary10Percent{n}Minutes": ("ECS", _canary(10, n)) for n in (5, 15)},
    **{f"ECSLinear10PercentEvery{n}Minutes": ("ECS", _linear(10, n)) for n in (1, 3)},
}
_HOSTS: Mapping[str, Mapping[str, Any]] = {
    "OneAtATime": {"type": "HOST_COUNT", "value": 1},
    "HalfAtATime": {"type": "FLEET_PERCENT", "value": 50},
    "AllAtOnce": {"type": "HOST_COUNT", "value": 0},
}


def shipped() -> dict[str, dict[str, Any]]:
    """AWS's own configurations by name, as GetDeploymentConfig tells them."""
    routed = {
        f"CodeDeployDefault.{name}": {"computePlatform": platform, "trafficRoutingConfig": dict(routing)}
        for name, (platform, routing) in _ROUTED.items()
    }
    hosts = {
        f"CodeDeployDefault.{name}": {"computePlatform": "Server", "minimumHealthyHosts": dict(healthy)}
        for name, healthy in _HOSTS.items()
    }
    return {name: {"deploymentConfigName": name, **one} for name, one in {**routed, **hosts}.items()}
