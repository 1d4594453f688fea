"""CloudWatch over boto3: metrics with percentiles and math, alarms that go off on time and come back."""

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.waiting import until

SOON_S = 13.0  # a period of ten seconds has ended, and a second has passed


@pytest.fixture
def watch(cloud: Any) -> Any:
    return cloud.target.client("cloudwatch")


def put(watch: Any, name: str, value: float, **dimensions: str) -> None:
    listed = [{"Name": key, "Value": text} for key, text in dimensions.items()]
    datum = {"MetricName": name, "Dimensions": listed, "Value": value, "StorageResolution": 1}
    watch.put_metric_data(Namespace="Shop", MetricData=[datum])


def window() -> dict[str, datetime]:
    now = datetime.now(UTC)
    return {"StartTime": now - timedelta(minutes=5), "EndTime": now + timedelta(minutes=1)}


def test_alarms_of_every_kind_are_decided_when_their_period_ends(watch: Any, cloud: Any) -> None:
    """One wait for all of them: dimensions, M of N, math, missing data, a composite and an action."""
    queue = cloud.target.client("sqs").create_queue(QueueName="told")["QueueUrl"]
    topic = cloud.target.client("sns").create_topic(Name="told")["TopicArn"]
    arn = "arn:aws:sqs:us-east-1:000000000000:told"
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    cloud.target.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    cloud.target.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    basic = {
        "Namespace": "Shop",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Period": 10,
        "EvaluationPeriods": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    mine, other = ([{"Name": "Function", "Value": value}] for value in ("mine", "other"))
    watch.put_metric_alarm(AlarmName="mine", Dimensions=mine, AlarmActions=[topic], **basic)
    watch.put_metric_alarm(AlarmName="other", Dimensions=other, **basic)
    watch.put_metric_alarm(
        AlarmName="two-of-three", Dimensions=mine, **{**basic, "EvaluationPeriods": 3, "DatapointsToAlarm": 2}
    )
    watch.put_metric_alarm(AlarmName="silent", Dimensions=other, **{**basic, "TreatMissingData": "breaching"})
    watch.put_metric_alarm(AlarmName="unknown", Dimensions=other, **{**basic, "TreatMissingData": "missing"})
    stat = {"Metric": {"Namespace": "Shop", "MetricName": "Errors", "Dimensions": mine}, "Period": 10, "Stat": "Sum"}
    watch.put_metric_alarm(
        AlarmName="rate",
        Metrics=[
            {"Id": "errors", "MetricStat": stat, "ReturnData": False},
            {"Id": "rate", "Expression": "100 * errors / 10", "ReturnData": True},
        ],
        EvaluationPeriods=1,
        Threshold=5.0,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )
    watch.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(mine) AND ALARM(rate)")

    def entered() -> set[tuple[str, str]]:
        seen = [one.detail for one in cloud.control.evidence() if one.kind == "alarm"]
        return {(str(one["name"]), str(one["state"])) for one in seen}

    def both() -> bool:
        (found,) = watch.describe_alarms(AlarmNames=["both"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
        return bool(found["StateValue"] == "ALARM")

    def decided() -> bool:
        put(watch, "Errors", 1.0, Function="mine")
        return until(both, within_s=45.0) and until(lambda: expected <= entered(), within_s=45.0)

    expected = {(name, "ALARM") for name in ("mine", "silent", "rate")}
    expected |= {("other", "OK"), ("two-of-three", "OK")}
    # Again, as a period with a datum in it may pass while the machine stands still.
    assert until(decided, within_s=200.0), entered()
    assert entered().isdisjoint(
        {("other", "ALARM"), ("two-of-three", "ALARM"), ("unknown", "ALARM"), ("unknown", "OK")}
    )
    (unknown,) = watch.describe_alarms(AlarmNames=["unknown"])["MetricAlarms"]
    assert unknown["StateValue"] == "INSUFFICIENT_DATA"
    told = until(
        lambda: cloud.target.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages")
    )
    assert json.loads(json.loads(told[0]["Body"])["Message"])["NewStateValue"] == "ALARM"
    seen, *_ = [
        e
        for e in cloud.control.evidence()
        if e.kind == "alarm" and e.detail["name"] == "mine" and e.detail["state"] == "ALARM"
    ]
    assert seen.detail["before"] in {"OK", "INSUFFICIENT_DATA"}


def test_data_come_back_with_percentiles_and_math(watch: Any) -> None:
    for value in range(1, 101):
        put(watch, "Latency", float(value), Api="a")
    put(watch, "Latency", 1000.0, Api="b")
    metric = {"Namespace": "Shop", "MetricName": "Latency", "Dimensions": [{"Name": "Api", "Value": "a"}]}

    def query(name: str, stat: str) -> dict[str, Any]:
        return {"Id": name, "MetricStat": {"Metric": metric, "Period": 3600, "Stat": stat}}

    found = watch.get_metric_data(
        MetricDataQueries=[query("p99", "p99"), query("n", "SampleCount"), {"Id": "double", "Expression": "n * 2"}],
        **window(),
    )["MetricDataResults"]
    values = {result["Id"]: result["Values"] for result in found}
    assert sum(values["n"]) == 100
    assert sum(values["double"]) == 200
    assert 99 <= max(values["p99"]) <= 100
    statistics = watch.get_metric_statistics(
        **metric, Period=3600, Statistics=["Maximum", "SampleCount"], ExtendedStatistics=["p50"], **window()
    )["Datapoints"]
    assert sum(point["SampleCount"] for point in statistics) == 100
    assert max(point["Maximum"] for point in statistics) == 100
    listed = watch.list_metrics(Namespace="Shop", MetricName="Latency")["Metrics"]
    assert sorted(m["Dimensions"][0]["Value"] for m in listed) == ["a", "b"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "anomaly detection band"),
        ({"Metrics": [{"Id": "e", "Expression": "m1 +"}]}, "not an expression"),
        ({"Metrics": [{"Id": "e", "Expression": "SEARCH('x', 'Sum', 300)"}]}, "SEARCH is not supported"),
        ({"Metrics": [{"Id": "e", "Expression": "m1 * 2"}]}, "m1"),
    ],
)
def test_an_alarm_that_could_never_be_decided_is_refused(watch: Any, changed: dict[str, Any], said: str) -> None:
    asked = {
        "AlarmName": "a",
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **({} if "Metrics" in changed else {"Namespace": "N", "MetricName": "m", "Period": 60, "Statistic": "Sum"}),
        **changed,
    }
    with pytest.raises(watch.exceptions.ClientError, match=said):
        watch.put_metric_alarm(**asked)
    assert watch.describe_alarms()["MetricAlarms"] == []


def test_lambda_publishes_its_metrics_whatever_triggered_it(cloud: Any, watch: Any) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr(
            "app.py", "def handler(event, _):\n    if event.get('fail'): raise ValueError('no')\n    return 1\n"
        )
    trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    role = cloud.target.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    functions = cloud.target.client("lambda")
    functions.create_function(
        FunctionName="f", Runtime="python3.12", Role=role, Handler="app.handler", Timeout=60,
        Code={"ZipFile": archive.getvalue()},
    )  # fmt: skip
    functions.invoke(FunctionName="f", Payload=b"{}")
    functions.invoke(FunctionName="f", Payload=b'{"fail": true}')
    functions.invoke(FunctionName="f", Payload=b"{}", InvocationType="Event")

    def total(name: str, stat: str = "Sum") -> float:
        dimensions = [{"Name": "FunctionName", "Value": "f"}]
        points = watch.get_metric_statistics(
            Namespace="AWS/Lambda", MetricName=name, Dimensions=dimensions, Period=60, Statistics=[stat], **window()
        )["Datapoints"]
        return sum(point[stat] for point in points)

    assert until(lambda: total("Invocations") == 3), total("Invocations")
    assert until(lambda: total("Errors") == 1)
    assert until(lambda: total("ConcurrentExecutions", "Maximum") >= 1)
    assert until(lambda: total("Duration", "Maximum") > 0)


def test_a_queues_depth_and_age_are_published(cloud: Any, watch: Any) -> None:
    sqs = cloud.target.client("sqs")
    url = sqs.create_queue(QueueName="deep")["QueueUrl"]
    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody="x")

    def deepest(name: str) -> float:
        points = watch.get_metric_statistics(
            Namespace="AWS/SQS",
            MetricName=name,
            Dimensions=[{"Name": "QueueName", "Value": "deep"}],
            Period=60,
            Statistics=["Maximum"],
            **window(),
        )["Datapoints"]
        return max((point["Maximum"] for point in points), default=0.0)

    assert until(lambda: deepest("ApproximateNumberOfMessagesVisible") == 3)
    assert until(lambda: deepest("ApproximateAgeOfOldestMessage") > 0)
