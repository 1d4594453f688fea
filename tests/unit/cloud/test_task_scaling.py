"""Service auto scaling decided on example data, with limits, cooldowns and several policies."""

from typing import Any

from harness.cloud.signals.series import MetricId, MetricStore, one
from harness.cloud.tasks.scaling import ScaledService, ServiceScaler, wanted

NOW_S = 1_000_000.0


def test_three_periods_above_the_target_scale_out_in_proportion() -> None:
    assert wanted([60.0, 60.0, 60.0], 4, 50.0) == 5
    assert wanted([60.0, 40.0, 60.0], 4, 50.0) == 4
    assert wanted([50.0, 50.0, 50.0], 4, 50.0) == 4


def test_fifteen_periods_well_below_scale_in_as_far_as_the_highest_allows() -> None:
    assert wanted([10.0] * 14 + [30.0], 10, 50.0) == 6
    assert wanted([10.0] * 14 + [46.0], 10, 50.0) == 10
    assert wanted([10.0] * 14, 10, 50.0) == 10
    assert wanted([10.0] * 15, 10, 50.0, may_shrink=False) == 10


class Scaled:
    """A service whose metric `m` was `value` in each of the last sixteen periods of a second."""

    def __init__(self, count: int, value: float, **policy: Any) -> None:
        self.count = count
        self.store = MetricStore()
        metric = MetricId("1", "us-east-1", "n", "m", ())
        for back in range(16):
            self.store.publish(metric, one(value, NOW_S - back), resolution_s=1)
        self.scaler = ServiceScaler(
            store=self.store, period_s=1.0, count=lambda _: self.count, scale=lambda _, count: self.set(count)
        )
        self.service = ScaledService(account="1", region="us-east-1", cluster="c", service="s", least=1, most=8)
        tracked = {"Namespace": "n", "MetricName": "m", "Statistic": "Average"}
        self.service.policies["p"] = {"TargetValue": 50.0, "CustomizedMetricSpecification": tracked, **policy}

    def set(self, count: int) -> None:
        self.count = count

    def look(self, at_s: float = NOW_S) -> int:
        self.scaler.look(self.service, at_s)
        return self.count


def test_a_service_is_scaled_within_its_limits_and_rests_then() -> None:
    assert Scaled(2, 75.0).look() == 3
    assert Scaled(7, 500.0).look() == 8
    tired = Scaled(2, 75.0, ScaleOutCooldown=30)
    assert (tired.look(), tired.look()) == (3, 3)
    eager = Scaled(2, 75.0, ScaleOutCooldown=0)
    assert (eager.look(), eager.look()) == (3, 5)
    assert Scaled(4, 10.0).look() == 1
    assert Scaled(0, 0.0).look() == 1


def test_of_several_policies_the_one_that_asks_for_most_decides() -> None:
    busy = Scaled(4, 75.0)
    busy.service.policies["q"] = {**busy.service.policies["p"], "TargetValue": 500.0}
    assert busy.look() == 6
