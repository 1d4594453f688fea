"""Service auto scaling by target tracking: which count a service should have, from what its metric said.

AWS does it by two alarms a policy: three minutes above the target scale out, fifteen below 90 % of it scale in. Here
the same data is looked at without the alarms. Source:
https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
"""

from __future__ import annotations

import logging
import math
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.signals.series import MetricId, MetricStore

_LOG = logging.getLogger(__name__)
OUT_PERIODS, IN_PERIODS, IN_SHARE = 3, 15, 0.9
COOLDOWN_S = 300.0
"""Of ECS services by default, either way.
https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TargetTrackingScalingPolicyConfiguration.html"""
_MINUTE_S = 60.0
_ACTIVITIES_KEPT = 100

Policy = Mapping[str, Any]  # TargetTrackingScalingPolicyConfiguration


@dataclass(slots=True, kw_only=True)
class ScaledService:
    """A scalable target: an ECS service with its limits and policies by name."""

    account: str
    region: str
    cluster: str
    service: str
    least: int
    most: int
    policies: dict[str, Policy] = field(default_factory=dict)
    out_at_s: float = -math.inf
    in_at_s: float = -math.inf
    activities: list[dict[str, Any]] = field(default_factory=list)

    @property
    def resource(self) -> str:
        """`service/cluster/name`."""
        return f"service/{self.cluster}/{self.service}"


def wanted(values: Sequence[float | None], current: int, target: float, *, may_shrink: bool = True) -> int:
    """The count that brings the metric to its target.

    `values` are its last periods, oldest first, None where nothing was published. Scaling out follows the last
    period, scaling in the highest of all: out is fast, in is careful.

    >>> wanted([90.0, 90.0, 90.0], 2, 50.0)
    4
    >>> wanted([None, 90.0, 90.0], 2, 50.0)
    2
    >>> wanted([20.0] * 15, 4, 50.0)
    2
    """
    recent, long = values[-OUT_PERIODS:], values[-IN_PERIODS:]
    above = [value for value in recent if value is not None and value > target]
    if len(above) == OUT_PERIODS and current:
        return max(current + 1, math.ceil(current * above[-1] / target))
    below = [value for value in long if value is not None and value < IN_SHARE * target]
    if len(below) == IN_PERIODS and may_shrink:
        return min(current, max(0, math.ceil(current * max(below) / target)))
    return current


@dataclass(slots=True, kw_only=True)
class ServiceScaler:
    """Looks at every policy once a period. Safe from any thread.

    Args:
        period_s: 60 on AWS.
        count: a service's desired count; None when there is no such service.
        scale: set it.
    """

    store: MetricStore
    period_s: float
    count: Callable[[ScaledService], int | None]
    scale: Callable[[ScaledService, int], None]
    services: dict[tuple[str, str, str], ScaledService] = field(default_factory=dict)
    """By account, region and resource id."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def register(self, account: str, region: str, resource: str, *, least: int | None, most: int | None) -> None:
        """A scalable target is made or changed; what is None stays."""
        with self._lock:
            known = self.services.get((account, region, resource))
            if known is None:
                _, cluster, service = resource.split("/")
                known = self.services[account, region, resource] = ScaledService(
                    account=account, region=region, cluster=cluster, service=service, least=0, most=0
                )
            known.least = known.least if least is None else least
            known.most = known.most if most is None else most
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="service auto scaling", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self.period_s):
            for service in list(self.services.values()):
                try:
                    self.look(service, time.time())
                except Exception:  # noqa: BLE001 - one service must not keep the others from being looked at
                    _LOG.exception("scaling of %s", service.resource)

    def look(self, service: ScaledService, now_s: float) -> None:
        """Scale one service, if that is due: out as far as any policy asks, in only as far as all agree."""
        current = self.count(service)
        if current is None:
            return
        asked = {
            name: wanted(
                self._values(service, policy, now_s),
                current,
                float(policy["TargetValue"]),
                may_shrink=not policy.get("DisableScaleIn"),
            )
            for name, policy in list(service.policies.items())
        }
        name, count = max(asked.items(), key=lambda one: one[1], default=("", current))
        bounded = min(max(count, service.least), service.most)
        policy = service.policies.get(name, {})
        if bounded > current:
            rests = now_s - service.out_at_s < _cooldown_s(policy, "ScaleOutCooldown") and current >= service.least
        else:
            last_s = max(service.out_at_s, service.in_at_s)
            rests = now_s - last_s < _cooldown_s(policy, "ScaleInCooldown") and current <= service.most
        if bounded != current and not rests:
            self._scale(service, bounded, name, now_s)
            if bounded > current:
                service.out_at_s = now_s
            else:
                service.in_at_s = now_s

    def _scale(self, service: ScaledService, count: int, policy: str, now_s: float) -> None:
        self.scale(service, count)
        said = {
            "ActivityId": str(uuid.uuid4()),
            "ServiceNamespace": "ecs",
            "ResourceId": service.resource,
            "ScalableDimension": "ecs:service:DesiredCount",
            "Description": f"Setting desired count to {count}.",
            "Cause": f"policy {policy}" if policy else "minimum or maximum capacity was changed",
            "StartTime": now_s,
            "EndTime": now_s,
            "StatusCode": "Successful",
            "StatusMessage": f"Successfully set desired count to {count}.",
        }
        service.activities.insert(0, said)
        del service.activities[_ACTIVITIES_KEPT:]

    def _values(self, service: ScaledService, policy: Policy, now_s: float) -> list[float | None]:
        """The metric in the last periods."""
        metric, statistic = metric_of(service, policy)
        end_s = math.floor(now_s)
        found: list[float | None] = []
        for back in range(IN_PERIODS, 0, -1):
            start_s = end_s - back * self.period_s
            buckets = self.store.buckets(metric, start_s, start_s + self.period_s)
            count, total = sum(one.count for one in buckets), sum(one.total for one in buckets)
            if not count:
                found.append(None)
            elif statistic == "Sum":
                found.append(total * _MINUTE_S / self.period_s)  # targets of sums are by the minute
            elif statistic in {"Maximum", "Minimum"}:
                highest = statistic == "Maximum"
                found.append(max(one.high for one in buckets) if highest else min(one.low for one in buckets))
            else:
                found.append(count if statistic == "SampleCount" else total / count)
        return found


def metric_of(service: ScaledService, policy: Policy) -> tuple[MetricId, str]:
    """The metric that a policy tracks, and its statistic.

    Raises:
        ValueError: a metric that is not published here.
    """
    given = policy.get("PredefinedMetricSpecification")
    if given:
        kind = given["PredefinedMetricType"]
        if kind == "ALBRequestCountPerTarget":
            group = "targetgroup/" + str(given.get("ResourceLabel")).partition("targetgroup/")[2]
            return _metric(service, "AWS/ApplicationELB", "RequestCountPerTarget", TargetGroup=group), "Sum"
        names = {"ECSServiceAverageCPUUtilization": "CPUUtilization",
                 "ECSServiceAverageMemoryUtilization": "MemoryUtilization"}  # fmt: skip
        if kind not in names:
            raise ValueError(f"metric type {kind} is not published here")
        of = {"ClusterName": service.cluster, "ServiceName": service.service}
        return _metric(service, "AWS/ECS", names[kind], **of), "Average"
    given = policy.get("CustomizedMetricSpecification") or {}
    if "MetricName" not in given:
        raise ValueError("a policy on metric math is not carried out here")
    of = {one["Name"]: one["Value"] for one in given.get("Dimensions") or ()}
    return _metric(service, given["Namespace"], given["MetricName"], **of), str(given["Statistic"])


def _metric(service: ScaledService, namespace: str, name: str, **dimensions: str) -> MetricId:
    return MetricId(service.account, service.region, namespace, name, tuple(sorted(dimensions.items())))


def _cooldown_s(policy: Policy, name: str) -> float:
    found = policy.get(name)
    return COOLDOWN_S if found is None else float(found)
