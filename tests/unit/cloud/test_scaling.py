"""Service auto scaling decided on example data, with limits, cooldowns and several policies."""

from pathlib import Path
from typing import Any

from harness.cloud.limits.table_metrics import metric_of
from harness.cloud.scaling.services import DIMENSION, ScaledServices
from harness.cloud.scaling.tables import ScaledTables
from harness.cloud.scaling.tracking import Pace, ScaledTarget, Scaler, wanted
from harness.cloud.settings import CloudSettings
from harness.cloud.signals.series import MetricId, MetricStore, one

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


def test_what_a_service_waits_until_it_scales_in_is_a_setting() -> None:
    soon = CloudSettings(state_dir=Path(), scaling_period_s=1.0, scale_in_after_s=4.0)
    pace = Pace(in_periods=soon.scale_in_periods)
    assert wanted([60.0] + [10.0] * 4, 10, 50.0, pace=pace) == 2
    assert wanted([60.0] + [10.0] * 3, 10, 50.0, pace=pace) == 10
    assert wanted([60.0, 60.0, 60.0], 10, 50.0, pace=pace) == 12
    assert Pace(in_periods=CloudSettings(state_dir=Path()).scale_in_periods) == Pace()


class Scaled:
    """A service whose metric `m` was `value` in each of the last sixteen periods of a second."""

    def __init__(self, count: int, value: float, **policy: Any) -> None:
        self.count = count
        self.store = MetricStore()
        metric = MetricId("1", "us-east-1", "n", "m", ())
        for back in range(16):
            self.store.publish(metric, one(value, NOW_S - back), resolution_s=1)
        services = ScaledServices(lambda _: self.count, lambda _, count: self.set(count))
        self.scaler = Scaler(store=self.store, period_s=1.0, kinds={DIMENSION: services})
        self.service = ScaledTarget(
            account="1", region="us-east-1", dimension=DIMENSION, resource="service/c/s", least=1, most=8
        )
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


class Table:
    """A provisioned table that used `used` units in each of the last sixteen seconds, tracked for 70 %."""

    def __init__(self, units: int, used: float, *, seconds: int = 16) -> None:
        self.units = units
        self.store = MetricStore()
        self.kind = ScaledTables("Write", lambda *_: self.units, lambda *asked: self.set(asked[-1]))
        dimension = "dynamodb:index:WriteCapacityUnits"
        self.target = ScaledTarget(
            account="1", region="us-east-1", dimension=dimension, resource="table/t/index/i", least=5, most=100
        )
        self.target.policies["p"] = {
            "TargetValue": 70.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBWriteCapacityUtilization"},
        }
        metric = metric_of(("1", "us-east-1", "t"), "i", "ConsumedWriteCapacityUnits")
        for back in range(seconds):
            self.store.publish(metric, one(used, NOW_S - back), resolution_s=1)
        self.scaler = Scaler(store=self.store, period_s=1.0, kinds={dimension: self.kind})

    def set(self, units: int) -> None:
        self.units = units

    def look(self) -> int:
        self.scaler.look(self.target, NOW_S)
        return self.units


def test_a_tables_throughput_follows_its_measured_use_within_its_limits() -> None:
    assert Table(10, 14.0).look() == 20  # 140 % of ten is 70 % of twenty
    assert Table(10, 14.0, seconds=3).look() == 20  # two periods above are enough
    assert Table(10, 7.0).look() == 10
    assert Table(50, 7.0).look() == 10  # fifteen periods at 14 %
    assert Table(10, 0.1).look() == 5
    assert Table(90, 500.0).look() == 100
    assert Table(10, 14.0, seconds=0).look() == 10  # what is not used at all is not scaled, as on AWS
