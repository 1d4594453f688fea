"""What a team sees: alarms, metrics, logs, traces. A check says what it saw instead; '' when all is well."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.bare.subject import Subject
from tests.waiting import until

Check = Callable[[Subject], str]


def alarm(at: Subject) -> str:
    watch = at.client("cloudwatch")
    mine, other = ([{"Name": "Function", "Value": value}] for value in ("mine", "other"))
    basic: dict[str, Any] = {
        "Namespace": "Shop", "MetricName": "Errors", "Statistic": "Sum", "Period": 10, "EvaluationPeriods": 1,
        "Threshold": 0.0, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
    }  # fmt: skip
    watch.put_metric_alarm(AlarmName="mine", Dimensions=mine, **basic)
    watch.put_metric_alarm(AlarmName="other", Dimensions=other, **basic)

    def state(name: str) -> str:
        return str(watch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])

    datum = {"MetricName": "Errors", "Dimensions": mine, "Value": 1.0, "StorageResolution": 1}
    watch.put_metric_data(Namespace="Shop", MetricData=[datum])
    if not until(lambda: state("mine") == "ALARM", 40):
        return f"the alarm is {state('mine')}"
    if state("other") == "ALARM":
        return "an alarm on another dimension is ALARM too"
    return "" if until(lambda: state("mine") == "OK", 40) else "the alarm stays in ALARM"


def composite(at: Subject) -> str:
    watch = at.client("cloudwatch")
    stat = {"Metric": {"Namespace": "Math", "MetricName": "Errors"}, "Period": 10, "Stat": "Sum"}
    watch.put_metric_alarm(
        AlarmName="rate",
        Metrics=[
            {"Id": "e", "MetricStat": stat, "ReturnData": False},
            {"Id": "rate", "Expression": "100 * e", "ReturnData": True},
        ],
        EvaluationPeriods=1, Threshold=50.0, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    watch.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(rate)")
    watch.put_metric_data(
        Namespace="Math", MetricData=[{"MetricName": "Errors", "Value": 1.0, "StorageResolution": 1}]
    )

    def state() -> str:
        found = watch.describe_alarms(AlarmNames=["both"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
        return str(found[0]["StateValue"])

    return "" if until(lambda: state() == "ALARM", 40) else f"an alarm on metric math below a composite: {state()}"


def service_metrics(at: Subject) -> str:
    queue = at.queue("measured")
    url = at.client("sqs").get_queue_url(QueueName="measured")["QueueUrl"]
    at.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    topic = at.client("sns").create_topic(Name="measured")["TopicArn"]
    at.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    at.client("sns").publish(TopicArn=topic, Message="x")
    at.rule("measured", Arn=queue)
    at.put_event("measured")
    wanted = {"AWS/SQS": "NumberOfMessagesSent", "AWS/SNS": "NumberOfMessagesPublished", "AWS/Events": "Invocations"}
    lacking = [f"{space} {name}" for space, name in wanted.items() if not published(at, space, name)]
    return f"no metrics: {', '.join(lacking)}" if lacking else ""


def published(at: Subject, namespace: str, name: str) -> bool:
    return bool(until(lambda: at.statistics(namespace, name), 5))


def math_and_percentiles(at: Subject) -> str:
    watch, now = at.client("cloudwatch"), datetime.now(UTC)
    watch.put_metric_data(
        Namespace="P",
        MetricData=[{"MetricName": "ms", "Value": float(n), "Unit": "Milliseconds"} for n in range(100)],
    )
    stat = {"Metric": {"Namespace": "P", "MetricName": "ms"}, "Period": 300, "Stat": "p90"}
    found = watch.get_metric_data(
        MetricDataQueries=[{"Id": "p", "MetricStat": stat}, {"Id": "double", "Expression": "2 * p"}],
        StartTime=now - timedelta(minutes=10), EndTime=now + timedelta(minutes=5),
    )["MetricDataResults"]  # fmt: skip
    values = {one["Id"]: one["Values"] for one in found}
    right = values.get("p") and 85 < values["p"][0] < 95 and values.get("double") == [2 * values["p"][0]]
    return "" if right else f"p90 and 2 * p90 of 0..99: {values}"


def log_metrics(at: Subject) -> str:
    logs = at.client("logs")
    logs.create_log_group(logGroupName="/app")
    logs.create_log_stream(logGroupName="/app", logStreamName="s")
    one = {"metricName": "Failures", "metricNamespace": "FromLogs", "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName="/app", filterName="f", filterPattern='{ $.level = "ERROR" }', metricTransformations=[one]
    )
    about = {
        "Timestamp": int(1000 * time.time()),
        "CloudWatchMetrics": [{"Namespace": "Emf", "Dimensions": [[]], "Metrics": [{"Name": "Orders"}]}],
    }
    lines = [json.dumps({"level": "ERROR"}), json.dumps({"_aws": about, "Orders": 3})]
    events = [{"timestamp": int(1000 * time.time()), "message": line} for line in lines]
    logs.put_log_events(logGroupName="/app", logStreamName="s", logEvents=events)
    wanted = {"FromLogs": "Failures", "Emf": "Orders"}
    lacking = [name for space, name in wanted.items() if not published(at, space, name)]
    return f"no metric came of a log line: {', '.join(lacking)}" if lacking else ""


def insights(at: Subject) -> str:
    logs, now_s = at.client("logs"), time.time()
    logs.create_log_group(logGroupName="/insights")
    logs.create_log_stream(logGroupName="/insights", logStreamName="s")
    lines = [
        {"timestamp": int(1000 * now_s), "message": json.dumps({"ms": n, "level": "E" if n % 2 else "I"})}
        for n in range(10)
    ]
    logs.put_log_events(logGroupName="/insights", logStreamName="s", logEvents=lines)
    query = logs.start_query(
        logGroupName="/insights", startTime=int(now_s) - 60, endTime=int(now_s) + 60,
        queryString="stats count(*) as n, avg(ms) as mean by level | sort level",
    )["queryId"]  # fmt: skip
    found: dict[str, Any] = until(lambda: _complete(logs.get_query_results(queryId=query)), 10) or {}
    rows = [{cell["field"]: cell["value"] for cell in row} for row in found.get("results", ())]
    right = [{"level": "E", "n": "5", "mean": "5"}, {"level": "I", "n": "5", "mean": "4"}]
    return "" if rows == right else f"stats count avg by: {str(rows)[:80]}"


def _complete(found: dict[str, Any]) -> dict[str, Any]:
    return found if found["status"] == "Complete" else {}


def subscription(at: Subject) -> str:
    logs, kinesis = at.client("logs"), at.client("kinesis")
    arn = at.stream("lines")
    logs.create_log_group(logGroupName="/told")
    logs.create_log_stream(logGroupName="/told", logStreamName="s")
    logs.put_subscription_filter(
        logGroupName="/told", filterName="f", filterPattern="", destinationArn=arn, roleArn=at.role
    )
    event = {"timestamp": int(1000 * time.time()), "message": "hello"}
    logs.put_log_events(logGroupName="/told", logStreamName="s", logEvents=[event])
    iterator = kinesis.get_shard_iterator(
        StreamName="lines", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = until(lambda: kinesis.get_records(ShardIterator=iterator)["Records"], 10)
    return "" if records else "a subscription filter delivers nothing"


def traces(at: Subject) -> str:
    at.function("traced", TracingConfig={"Mode": "Active"})
    at.client("lambda").invoke(FunctionName="traced", Payload=b'"poison"')
    xray, now = at.client("xray"), datetime.now(UTC)

    def found() -> list[Any]:
        window = {"StartTime": now - timedelta(minutes=5), "EndTime": now + timedelta(minutes=5)}
        return list(
            xray.get_trace_summaries(**window, FilterExpression='service("traced") AND fault')["TraceSummaries"]
        )

    return "" if until(found, 10) else "a failed invocation under active tracing left no trace"


CHECKS: dict[str, dict[str, Check]] = {
    "1 alarms": {"dimensions, ALARM and back to OK by themselves": alarm, "metric math, composite": composite},
    "2 metrics": {
        "SQS, SNS, EventBridge publish theirs": service_metrics,
        "percentiles and math": math_and_percentiles,
        "metric filters, embedded metric format": log_metrics,
    },
    "3 logs": {"Insights: stats by": insights, "subscription filter to Kinesis": subscription},
    "4 traces": {"a faulty invocation is found by a filter expression": traces},
}
