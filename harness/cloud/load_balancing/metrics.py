"""AWS/ApplicationELB, under AWS's names, units and dimensions.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from harness.cloud.signals.series import MetricId, MetricStore, one


@dataclass(frozen=True, slots=True)
class BalancerMetrics:
    """Publishes into `store`. `group` is a target group's ARN, '' for none; `zone` a zone's name."""

    store: MetricStore

    def answered(self, balancer: str, group: str, zone: str, *, status: int, took_s: float, hosts: int = 1) -> None:
        """A target answered, one of so many `hosts` that are well."""
        if not group:
            self._put(balancer, "", zone, f"HTTPCode_ELB_{status // 100}XX_Count", 1.0)
            return
        self._put(balancer, group, zone, "RequestCount", 1.0)
        self._put(balancer, group, zone, f"HTTPCode_Target_{status // 100}XX_Count", 1.0)
        self._put(balancer, group, zone, "TargetResponseTime", took_s, unit="Seconds")
        account, region = group.split(":")[4], group.split(":")[3]
        only = MetricId(
            account, region, "AWS/ApplicationELB", "RequestCountPerTarget", (("TargetGroup", _name(group)),)
        )
        # Kept by the second: service auto scaling may look at shorter periods than a minute.
        self.store.publish(only, one(1.0 / max(1, hosts), time.time()), unit="Count", resolution_s=1)

    def failed(self, balancer: str, group: str, zone: str, *, status: int, connected: bool) -> None:
        """The load balancer answered in a target's place."""
        self._put(balancer, "", zone, f"HTTPCode_ELB_{status // 100}XX_Count", 1.0)
        self._put(balancer, "", zone, f"HTTPCode_ELB_{status}_Count", 1.0)
        if group:
            self._put(balancer, group, zone, "RequestCount", 1.0)
            if not connected:
                self._put(balancer, group, zone, "TargetConnectionErrorCount", 1.0)

    def hosts(self, balancer: str, group: str, healthy: int, unhealthy: int) -> None:
        """How many targets are well."""
        self._put(balancer, group, "", "HealthyHostCount", float(healthy), only_group=True)
        self._put(balancer, group, "", "UnHealthyHostCount", float(unhealthy), only_group=True)

    def _put(
        self,
        balancer: str,
        group: str,
        zone: str,
        name: str,
        value: float,
        *,
        unit: str = "Count",
        only_group: bool = False,
    ) -> None:  # fmt: skip
        account, region = balancer.split(":")[4], balancer.split(":")[3]
        sets = [{"LoadBalancer": _name(balancer)}] if not only_group else []
        sets += [{"LoadBalancer": _name(balancer), "AvailabilityZone": zone}] if zone else []
        sets += [{"LoadBalancer": _name(balancer), "TargetGroup": _name(group)}] if group else []
        for dimensions in sets:
            metric = MetricId(account, region, "AWS/ApplicationELB", name, tuple(sorted(dimensions.items())))
            self.store.value_soon(metric, value, time.time(), unit=unit)


def _name(arn: str) -> str:
    """`app/web/50dc6c495c0c9188` or `targetgroup/web/943f017f100becff`, as the dimensions have it."""
    return arn.rpartition(":")[2].removeprefix("loadbalancer/")
