"""ECS services as scalable targets.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from harness.cloud.scaling.tracking import Pace, ScaledTarget, Tracked, metric

DIMENSION = "ecs:service:DesiredCount"
_UTILIZATION = {
    "ECSServiceAverageCPUUtilization": "CPUUtilization",
    "ECSServiceAverageMemoryUtilization": "MemoryUtilization",
}


@dataclass(frozen=True, slots=True)
class ScaledServices:
    """`count` gives a service's desired count, None when there is no such service; `set_count` sets it."""

    count: Callable[[ScaledTarget], int | None]
    set_count: Callable[[ScaledTarget, int], None]
    pace: Pace = field(default_factory=Pace)
    """The cooldown is that of ECS by default, either way.
    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TargetTrackingScalingPolicyConfiguration.html"""

    noun: ClassVar[str] = "desired count"

    def capacity(self, target: ScaledTarget) -> int | None:
        """The desired count."""
        return self.count(target)

    def scale(self, target: ScaledTarget, capacity: int) -> None:
        """Set it."""
        self.set_count(target, capacity)

    def predefined(self, target: ScaledTarget, given: Mapping[str, Any]) -> Tracked:
        """Utilization of the service, or requests per target of its load balancer.

        Raises:
            ValueError: a metric that is not published here.
        """
        kind = given["PredefinedMetricType"]
        if kind == "ALBRequestCountPerTarget":
            group = "targetgroup/" + str(given.get("ResourceLabel")).partition("targetgroup/")[2]
            return Tracked(metric(target, "AWS/ApplicationELB", "RequestCountPerTarget", TargetGroup=group), "Sum")
        if kind not in _UTILIZATION:
            raise ValueError(f"metric type {kind} is not published here")
        _, cluster, service = target.resource.split("/")
        of = {"ClusterName": cluster, "ServiceName": service}
        return Tracked(metric(target, "AWS/ECS", _UTILIZATION[kind], **of), "Average")
