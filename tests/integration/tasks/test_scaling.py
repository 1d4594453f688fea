"""Service auto scaling over the wire: the count follows a metric, and the limits."""

from typing import Any

from tests.integration.tasks.conftest import Cluster, fetch, url_of
from tests.waiting import awaited

WHERE = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}


def test_a_service_follows_its_limits_and_its_metric(cluster: Cluster) -> None:
    scaling, cloudwatch = (cluster.cloud.target.client(name) for name in ("application-autoscaling", "cloudwatch"))
    cluster.serve(cluster.define("sleeper"), 1)
    resource: dict[str, Any] = {**WHERE, "ResourceId": f"service/{cluster.name}/web"}
    scaling.register_scalable_target(**resource, MinCapacity=2, MaxCapacity=3)
    awaited(lambda: cluster.service()["desiredCount"] == 2)
    tracked = {"Namespace": cluster.name, "MetricName": "waiting", "Statistic": "Average"}
    scaling.put_scaling_policy(
        **resource, PolicyName="by-waiting", PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 10.0, "CustomizedMetricSpecification": tracked, "ScaleOutCooldown": 0},
    )  # fmt: skip

    def scaled() -> bool:
        cloudwatch.put_metric_data(
            Namespace=cluster.name, MetricData=[{"MetricName": "waiting", "Value": 100.0, "StorageResolution": 1}]
        )
        return bool(cluster.service()["desiredCount"] == 3)

    awaited(scaled)
    awaited(lambda: len(cluster.running()) == 3)
    asked = {"ServiceNamespace": "ecs", "ResourceId": resource["ResourceId"]}
    told = ("Setting desired count to 3.", "policy by-waiting")

    def newest() -> tuple[str, str]:  # noted once the count is set
        one = scaling.describe_scaling_activities(**asked)["ScalingActivities"][0]
        return one["Description"], one["Cause"]

    awaited(lambda: newest() == told)
    scaling.deregister_scalable_target(**resource)


def test_what_tasks_use_is_published(cluster: Cluster) -> None:
    import datetime as dt

    cloudwatch, now = cluster.cloud.target.client("cloudwatch"), dt.datetime.now(dt.UTC)
    cluster.serve(cluster.define(), 1)
    (task,) = cluster.steady(1)
    dimensions = [{"Name": "ClusterName", "Value": cluster.name}, {"Name": "ServiceName", "Value": "web"}]

    def published(name: str) -> float:
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/ECS", MetricName=name, Dimensions=dimensions, Period=3600, Statistics=["Maximum"],
            StartTime=now - dt.timedelta(hours=1), EndTime=now + dt.timedelta(hours=1),
        )["Datapoints"]  # fmt: skip
        return max((float(point["Maximum"]) for point in found), default=0.0)

    awaited(lambda: 0.1 < published("MemoryUtilization") < 100.0)
    # A task that nobody asks anything uses no time at all once it has started.
    awaited(lambda: fetch(url_of(task)) and published("CPUUtilization"))
