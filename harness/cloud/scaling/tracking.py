"""Target tracking: which capacity a resource should have, from what its metric said.

AWS does it by two alarms a policy: some minutes above the target scale out, fifteen well below it scale in. Here
the same data is looked at without the alarms, and both may be shorter (`scaling_period`, `scale_in_after`). Source:
https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
"""

from __future__ import annotations

import logging
import math
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.cloud.signals.series import Bucket, MetricId, MetricStore
from harness.cloud.ticker import Ticker

_LOG = logging.getLogger(__name__)
_MINUTE_S = 60.0
_EARLY_S = 0.05
"""A look that comes so much before its time is in time."""
_ACTIVITIES_KEPT = 100

Policy = Mapping[str, Any]  # TargetTrackingScalingPolicyConfiguration


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How soon a kind of resource is scaled: periods above the target, periods below a share of it, rest after."""

    out_periods: int = 3
    in_periods: int = 15
    in_share: float = 0.9
    cooldown_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Tracked:
    """The metric that a policy tracks; its values times `factor` compare with the target. Sums are by the minute."""

    metric: MetricId
    statistic: str
    factor: float = 1.0


@dataclass(slots=True, kw_only=True)
class ScaledTarget:
    """A scalable target with its limits and policies by name."""

    account: str
    region: str
    dimension: str
    resource: str
    least: int = 0
    most: int = 0
    policies: dict[str, Policy] = field(default_factory=dict)
    out_at_s: float = -math.inf
    in_at_s: float = -math.inf
    looked_at_s: float = -math.inf
    activities: list[dict[str, Any]] = field(default_factory=list)


class Scalable(Protocol):
    """A kind of resource that can be scaled."""

    @property
    def pace(self) -> Pace:
        """How soon it is scaled."""
        ...

    @property
    def noun(self) -> str:
        """What is set, such as `desired count`."""
        ...

    def capacity(self, target: ScaledTarget) -> int | None:
        """What it has; None when there is no such resource."""
        ...

    def scale(self, target: ScaledTarget, capacity: int) -> None:
        """Give it so much."""
        ...

    def predefined(self, target: ScaledTarget, given: Mapping[str, Any]) -> Tracked:
        """The metric of a PredefinedMetricSpecification.

        Raises:
            ValueError: a metric that is not published here.
        """
        ...


def wanted(
    values: Sequence[float | None], current: int, target: float, *, may_shrink: bool = True, pace: Pace = Pace()
) -> int:
    """The capacity that brings the metric to its target.

    `values` are its last periods, oldest first, None where nothing was published. Scaling out follows the last
    period, scaling in the highest of all: out is fast, in is careful.

    >>> wanted([90.0, 90.0, 90.0], 2, 50.0)
    4
    >>> wanted([None, 90.0, 90.0], 2, 50.0)
    2
    >>> wanted([20.0] * 15, 4, 50.0)
    2
    """
    recent, long = values[-pace.out_periods :], values[-pace.in_periods :]
    above = [value for value in recent if value is not None and value > target]
    if len(above) == pace.out_periods and current:
        return max(current + 1, math.ceil(current * above[-1] / target))
    below = [value for value in long if value is not None and value < pace.in_share * target]
    if len(below) == pace.in_periods and may_shrink:
        return min(current, max(0, math.ceil(current * max(below) / target)))
    return current


@dataclass(slots=True, kw_only=True)
class Scaler:
    """Looks at every policy once a period (60 s on AWS). Safe from any thread.

    `kinds` by scalable dimension, and `periods_s` of those whose period is another.
    """

    store: MetricStore
    period_s: float
    kinds: Mapping[str, Scalable]
    periods_s: Mapping[str, float] = field(default_factory=dict)
    targets: dict[tuple[str, str, str, str], ScaledTarget] = field(default_factory=dict)
    """By account, region, dimension and resource id."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ticker: Ticker = field(init=False)

    def __post_init__(self) -> None:
        self._ticker = Ticker("auto scaling", min(self.period_s, *self.periods_s.values(), math.inf), self._look)

    def register(self, key: tuple[str, str, str, str], *, least: int | None, most: int | None) -> None:
        """A scalable target is made or changed; what is None stays."""
        with self._lock:
            known = self.targets.get(key)
            if known is None:
                account, region, dimension, resource = key
                known = self.targets[key] = ScaledTarget(
                    account=account, region=region, dimension=dimension, resource=resource
                )
            known.least = known.least if least is None else least
            known.most = known.most if most is None else most
            self._ticker.start()

    def stop(self) -> None:
        """End."""
        self._ticker.stop()

    def _look(self) -> None:
        for target in list(self.targets.values()):
            now_s = time.time()
            if now_s - target.looked_at_s < self._period_s(target) - _EARLY_S:
                continue
            target.looked_at_s = now_s
            try:
                self.look(target, now_s)
            except Exception:  # noqa: BLE001 - one resource must not keep the others from being looked at
                _LOG.exception("scaling of %s", target.resource)

    def look(self, target: ScaledTarget, now_s: float) -> None:
        """Scale one resource, if that is due: out as far as any policy asks, in only as far as all agree."""
        kind = self.kinds[target.dimension]
        current = kind.capacity(target)
        if current is None:
            return
        asked = {
            name: wanted(
                self._values(tracked(kind, target, policy), kind.pace, self._period_s(target), now_s),
                current,
                float(policy["TargetValue"]),
                may_shrink=not policy.get("DisableScaleIn"),
                pace=kind.pace,
            )
            for name, policy in list(target.policies.items())
        }
        name, capacity = max(asked.items(), key=lambda one: one[1], default=("", current))
        bounded = min(max(capacity, target.least), target.most)
        policy = target.policies.get(name, {})
        if bounded > current:
            rests = now_s - target.out_at_s < _cooldown_s(policy, "ScaleOutCooldown", kind.pace)
            rests = rests and current >= target.least
        else:
            last_s = max(target.out_at_s, target.in_at_s)
            rests = now_s - last_s < _cooldown_s(policy, "ScaleInCooldown", kind.pace) and current <= target.most
        if bounded != current and not rests:
            kind.scale(target, bounded)
            target.activities.insert(0, _activity(target, kind.noun, bounded, name, now_s))
            del target.activities[_ACTIVITIES_KEPT:]
            if bounded > current:
                target.out_at_s = now_s
            else:
                target.in_at_s = now_s

    def _period_s(self, target: ScaledTarget) -> float:
        return self.periods_s.get(target.dimension, self.period_s)

    def _values(self, tracked: Tracked, pace: Pace, period_s: float, now_s: float) -> list[float | None]:
        """What the metric was in the last periods."""
        end_s, count = math.floor(now_s), max(pace.out_periods, pace.in_periods)
        start_s = end_s - count * period_s
        periods: list[list[Bucket]] = [[] for _ in range(count)]
        for bucket in self.store.buckets(tracked.metric, start_s, end_s):
            periods[int((bucket.start_s - start_s) / period_s)].append(bucket)
        values = [_value(tracked.statistic, buckets, period_s) for buckets in periods]
        return [None if value is None else value * tracked.factor for value in values]


def _value(statistic: str, buckets: Sequence[Bucket], period_s: float) -> float | None:
    """Of one period."""
    count, total = sum(one.count for one in buckets), sum(one.total for one in buckets)
    if not count:
        return None
    match statistic:
        case "Sum":
            return total * _MINUTE_S / period_s
        case "Maximum":
            return max(one.high for one in buckets)
        case "Minimum":
            return min(one.low for one in buckets)
        case "SampleCount":
            return count
    return total / count


def tracked(kind: Scalable, target: ScaledTarget, policy: Policy) -> Tracked:
    """The metric of a policy.

    Raises:
        ValueError: it is metric math, or one that is not published here.
    """
    given = policy.get("PredefinedMetricSpecification")
    return kind.predefined(target, given) if given else _customized(target, policy)


def _customized(target: ScaledTarget, policy: Policy) -> Tracked:
    """The metric of a CustomizedMetricSpecification.

    Raises:
        ValueError: it is metric math.
    """
    given = policy.get("CustomizedMetricSpecification") or {}
    if "MetricName" not in given:
        raise ValueError("a policy on metric math is not carried out here")
    of = {one["Name"]: one["Value"] for one in given.get("Dimensions") or ()}
    return Tracked(metric(target, given["Namespace"], given["MetricName"], **of), str(given["Statistic"]))


def metric(target: ScaledTarget, namespace: str, name: str, **dimensions: str) -> MetricId:
    """A metric where the target is."""
    return MetricId(target.account, target.region, namespace, name, tuple(sorted(dimensions.items())))


def _activity(target: ScaledTarget, noun: str, capacity: int, policy: str, now_s: float) -> dict[str, Any]:
    return {
        "ActivityId": str(uuid.uuid4()),
        "ServiceNamespace": target.dimension.partition(":")[0],
        "ResourceId": target.resource,
        "ScalableDimension": target.dimension,
        "Description": f"Setting {noun} to {capacity}.",
        "Cause": f"policy {policy}" if policy else "minimum or maximum capacity was changed",
        "StartTime": now_s,
        "EndTime": now_s,
        "StatusCode": "Successful",
        "StatusMessage": f"Successfully set {noun} to {capacity}.",
    }


def _cooldown_s(policy: Policy, name: str, pace: Pace) -> float:
    found = policy.get(name)
    return pace.cooldown_s if found is None else float(found)
