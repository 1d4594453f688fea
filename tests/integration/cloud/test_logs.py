"""CloudWatch Logs over boto3: patterns, metrics from log lines, subscriptions, Insights, live tail."""

import base64
import gzip
import io
import json
import threading
import time
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.waiting import until

ACCOUNT = "000000000000"


@pytest.fixture
def logs(cloud: Any) -> Any:
    client = cloud.target.client("logs")
    client.create_log_group(logGroupName="shop")
    client.create_log_stream(logGroupName="shop", logStreamName="a")
    return client


def write(logs: Any, *messages: Any, ago_s: float = 1.0) -> int:
    at_ms = int((time.time() - ago_s) * 1000)
    events = [
        {"timestamp": at_ms + n, "message": m if isinstance(m, str) else json.dumps(m)}
        for n, m in enumerate(messages)
    ]
    logs.put_log_events(logGroupName="shop", logStreamName="a", logEvents=events)
    return at_ms


def total(cloud: Any, name: str, statistic: str = "Sum", **dimensions: str) -> float:
    listed = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    now = datetime.now(UTC)
    points = cloud.target.client("cloudwatch").get_metric_statistics(
        Namespace="Shop",
        MetricName=name,
        Dimensions=listed,
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=2),
        Period=3600,
        Statistics=[statistic],
    )["Datapoints"]
    return float(sum(point[statistic] for point in points))


def ask(logs: Any, query: str) -> dict[str, Any]:
    now_s = int(time.time())
    query_id = logs.start_query(logGroupName="shop", startTime=now_s - 900, endTime=now_s + 60, queryString=query)[
        "queryId"
    ]
    found: dict[str, Any] = {}

    def ended() -> bool:
        found.update(logs.get_query_results(queryId=query_id))
        return found["status"] not in {"Scheduled", "Running"}

    assert until(ended)
    return found


def test_metric_filters_and_the_embedded_format_become_metrics(cloud: Any, logs: Any) -> None:
    logs.put_metric_filter(
        logGroupName="shop",
        filterName="slow",
        filterPattern='{ $.ms > 100 && $.level = "ERROR" }',
        metricTransformations=[
            {
                "metricName": "slow",
                "metricNamespace": "Shop",
                "metricValue": "$.ms",
                "unit": "Milliseconds",
                "dimensions": {"Service": "$.service"},
            }
        ],
    )
    embedded = {
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [
                {"Namespace": "Shop", "Dimensions": [["Zone"]], "Metrics": [{"Name": "placed", "Unit": "Count"}]}
            ],
        },
        "Zone": "use1-az1",
        "placed": [2, 3],
    }
    write(
        logs,
        {"ms": 200, "level": "ERROR", "service": "cart"},
        {"ms": 300, "level": "INFO", "service": "cart"},
        {"ms": 50, "level": "ERROR", "service": "cart"},
        embedded,
    )
    assert total(cloud, "slow", Service="cart") == 200
    assert total(cloud, "placed", Zone="use1-az1") == 5
    assert total(cloud, "placed", "Maximum", Zone="use1-az1") == 3


def test_a_metric_filter_that_cannot_be_is_refused(logs: Any) -> None:
    transformation = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    for pattern in ("{ $.a = }", "a:b"):
        with pytest.raises(logs.exceptions.InvalidParameterException):
            logs.put_metric_filter(
                logGroupName="shop", filterName="f", filterPattern=pattern, metricTransformations=[transformation]
            )
    assert logs.describe_metric_filters(logGroupName="shop")["metricFilters"] == []


def test_events_are_filtered_by_pattern_a_page_at_a_time(logs: Any) -> None:
    write(logs, *({"n": n, "level": "ERROR" if n % 2 else "INFO"} for n in range(10)))
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName="shop", filterPattern='{ $.level = "ERROR" && $.n != 5 }', PaginationConfig={"PageSize": 2}
    )
    found = [[json.loads(event["message"])["n"] for event in page["events"]] for page in pages]
    assert [n for page in found for n in page] == [1, 3, 7, 9]
    assert len(found) > 1
    with pytest.raises(logs.exceptions.InvalidParameterException, match="double quotes"):
        logs.filter_log_events(logGroupName="shop", filterPattern="a:b")


def test_a_batch_has_rules(logs: Any) -> None:
    now_ms = int(time.time() * 1000)
    day_ms = 86_400_000
    events = [{"timestamp": at, "message": "m"} for at in (now_ms - 15 * day_ms, now_ms, now_ms + day_ms)]
    rejected = logs.put_log_events(logGroupName="shop", logStreamName="a", logEvents=events)["rejectedLogEventsInfo"]
    assert rejected == {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}
    with pytest.raises(logs.exceptions.InvalidParameterException, match="chronological"):
        logs.put_log_events(logGroupName="shop", logStreamName="a", logEvents=events[::-1])
    assert len(logs.filter_log_events(logGroupName="shop")["events"]) == 1


def test_subscriptions_reach_a_function_and_a_stream(cloud: Any, logs: Any) -> None:
    kinesis = cloud.target.client("kinesis")
    kinesis.create_stream(StreamName="lines", ShardCount=1)
    until(lambda: kinesis.describe_stream(StreamName="lines")["StreamDescription"]["StreamStatus"] == "ACTIVE")
    queue = _listening_function(cloud)
    stream = f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/lines"
    function = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:listen"
    put = {"logGroupName": "shop", "filterPattern": "?ERROR ?FATAL"}
    with pytest.raises(logs.exceptions.InvalidParameterException, match="Could not execute the lambda function"):
        logs.put_subscription_filter(filterName="f", destinationArn=function, **put)
    cloud.target.client("lambda").add_permission(
        FunctionName="listen", StatementId="logs", Action="lambda:InvokeFunction", Principal="logs.amazonaws.com"
    )
    logs.put_subscription_filter(filterName="f", destinationArn=function, **put)
    logs.put_subscription_filter(
        filterName="k", destinationArn=stream, roleArn=f"arn:aws:iam::{ACCOUNT}:role/r", **put
    )
    with pytest.raises(logs.exceptions.InvalidParameterException, match="do not cross regions"):
        logs.put_subscription_filter(filterName="x", destinationArn=stream.replace("us-east-1", "us-west-2"), **put)
    with pytest.raises(logs.exceptions.LimitExceededException):
        logs.put_subscription_filter(filterName="third", destinationArn=stream, **put)
    write(logs, "INFO fine", "ERROR one", "FATAL two")

    shard = kinesis.list_shards(StreamName="lines")["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamName="lines", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    (record,) = kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    message = json.loads(gzip.decompress(record["Data"]))
    assert [event["message"] for event in message["logEvents"]] == ["ERROR one", "FATAL two"]
    assert (message["logGroup"], message["logStream"], message["subscriptionFilters"]) == ("shop", "a", ["k"])

    sqs = cloud.target.client("sqs")
    got = until(lambda: sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"))
    data = json.loads(got[0]["Body"])["awslogs"]["data"]
    told = json.loads(gzip.decompress(base64.b64decode(data)))
    assert [event["message"] for event in told["logEvents"]] == ["ERROR one", "FATAL two"]


def _listening_function(cloud: Any) -> str:
    """A function that sends its event to a queue; returns the queue's URL."""
    code = (
        "import boto3, json, os\n"
        "def handle(event, context):\n"
        "    boto3.client('sqs').send_message(QueueUrl=os.environ['QUEUE'], MessageBody=json.dumps(event))\n"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", code)
    queue = str(cloud.target.client("sqs").create_queue(QueueName="heard")["QueueUrl"])
    iam = cloud.target.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    role = iam.create_role(
        RoleName="listen", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName="listen", PolicyName="p", PolicyDocument=document)
    cloud.target.client("lambda").create_function(
        FunctionName="listen",
        Runtime="python3.12",
        Handler="app.handle",
        Role=role,
        Code={"ZipFile": buffer.getvalue()},
        Timeout=30,
        Environment={"Variables": {"QUEUE": queue}},
    )
    return queue


def test_insights_answers_with_aggregates_and_statistics(logs: Any) -> None:
    write(logs, *({"n": n, "level": "ERROR" if n % 4 == 0 else "INFO", "ms": n * 10} for n in range(20)), "no JSON")
    found = ask(
        logs, 'filter level in ["ERROR", "INFO"] | stats count(*) as n, avg(ms), pct(ms, 50) by level | sort n'
    )
    rows = [{cell["field"]: cell["value"] for cell in row} for row in found["results"]]
    assert rows == [
        {"level": "ERROR", "n": "5", "avg(ms)": "80", "pct(ms, 50)": "80"},
        {"level": "INFO", "n": "15", "avg(ms)": "100", "pct(ms, 50)": "100"},
    ]
    assert found["status"] == "Complete"
    assert found["statistics"]["recordsMatched"] == 20
    assert found["statistics"]["recordsScanned"] == 21
    assert found["statistics"]["bytesScanned"] > 100


def test_insights_shows_events_and_their_record(logs: Any) -> None:
    at_ms = write(logs, {"n": 1}, {"n": 2})
    (row,) = ask(logs, "fields @timestamp, n | filter n = 2")["results"]
    cells = {cell["field"]: cell["value"] for cell in row}
    assert cells["n"] == "2"
    assert cells["@timestamp"].endswith(f".{(at_ms + 1) % 1000:03d}")
    assert logs.get_log_record(logRecordPointer=cells["@ptr"])["logRecord"]["n"] == "2"


def test_a_malformed_query_is_refused_with_its_place(logs: Any) -> None:
    with pytest.raises(logs.exceptions.MalformedQueryException) as caught:
        ask(logs, "fields @message | filter level = ")
    place = caught.value.response["queryCompileError"]["location"]
    assert place["startCharOffset"] == 33
    with pytest.raises(logs.exceptions.MalformedQueryException, match="pattern is not supported here"):
        ask(logs, "pattern @message")
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.get_query_results(queryId="none")


def test_a_live_tail_sees_matching_events(logs: Any) -> None:
    group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:shop"
    session = logs.start_live_tail(logGroupIdentifiers=[group], logEventFilterPattern='{ $.level = "ERROR" }')
    stream = session["responseStream"]
    seen: list[dict[str, Any]] = []
    for number, event in enumerate(stream):
        assert number < 60, "nothing came for a minute"  # one update a second
        if "sessionStart" in event:
            threading.Thread(target=write, args=(logs, {"level": "INFO"}, {"level": "ERROR"})).start()
        seen += event.get("sessionUpdate", {}).get("sessionResults", [])
        if seen:
            break
    stream.close()
    assert [json.loads(event["message"]) for event in seen] == [{"level": "ERROR"}]
