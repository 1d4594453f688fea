"""CloudWatch: alarms, dashboards, logs."""

import json
from typing import Any

CW = "aws:cloudwatch/"
TOPIC = "arn:aws:sns:us-east-1:000000000000:pager"
QUERIES = [
    {"id": "rate", "expression": "errors / calls", "label": "error rate", "returnData": True},
    {"id": "errors", "metric": {
        "metricName": "Errors", "namespace": "AWS/Lambda", "period": 60, "stat": "Sum",
        "dimensions": {"FunctionName": "f"}}},
    {"id": "calls", "metric": {"metricName": "Invocations", "namespace": "AWS/Lambda", "period": 60, "stat": "Sum"}},
]  # fmt: skip
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "es.amazonaws.com"}, "Action": "logs:*", "Resource": "*"}
    ],
}
ALARM = {"comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 2, "threshold": 1}
METRIC = {"metricName": "Errors", "namespace": "AWS/Lambda", "period": 60, "statistic": "Sum"}

ROWS = {
    "alarm": (CW + "metricAlarm:MetricAlarm", {
        **ALARM, **METRIC, "dimensions": {"FunctionName": "f"}, "alarmDescription": "errors", "okActions": [TOPIC],
        "alarmActions": [TOPIC], "datapointsToAlarm": 1, "tags": {"a": "b"}}),
    "math": (CW + "metricAlarm:MetricAlarm", {**ALARM, "metricQueries": QUERIES, "threshold": 0.5}),
    "composite": (CW + "compositeAlarm:CompositeAlarm", {
        "alarmName": "both", "alarmRule": "ALARM(${alarm})", "alarmActions": [TOPIC], "tags": {"a": "b"}}),
    "dashboard": (CW + "dashboard:Dashboard", {
        "dashboardName": "orders", "dashboardBody": json.dumps({"widgets": []})}),
    "group": (CW + "logGroup:LogGroup", {"retentionInDays": 7, "tags": {"a": "b"}}),
    "stream": (CW + "logStream:LogStream", {"logGroupName": "${group}"}),
    "filter": (CW + "logMetricFilter:LogMetricFilter", {
        "logGroupName": "${group}", "pattern": "", "metricTransformation": {
            "name": "Errors", "namespace": "Shop", "value": "1", "defaultValue": "0"}}),
    "shards": ("aws:kinesis/stream:Stream", {"name": "lines", "shardCount": 1}),
    "subscription": (CW + "logSubscriptionFilter:LogSubscriptionFilter", {
        "logGroup": "${group}", "filterPattern": "ERROR", "destinationArn": "${shards.arn}"}),
    "policy": (CW + "logResourcePolicy:LogResourcePolicy", {
        "policyName": "es", "policyDocument": json.dumps(POLICY)}),
    "destination": (CW + "logDestination:LogDestination", {
        "roleArn": "arn:aws:iam::000000000000:role/x",
        "targetArn": "arn:aws:kinesis:us-east-1:000000000000:stream/s"}),
    "access": (CW + "logDestinationPolicy:LogDestinationPolicy", {
        "destinationName": "${destination}", "accessPolicy": json.dumps(POLICY)}),
    "source": (CW + "logDeliverySource:LogDeliverySource", {
        "logType": "ACCESS_LOGS", "resourceArn": "arn:aws:cloudfront::000000000000:distribution/E1"}),
    "target": (CW + "logDeliveryDestination:LogDeliveryDestination", {
        "deliveryDestinationConfiguration": {"destinationResourceArn": "${group.arn}"}, "outputFormat": "json"}),
    "delivery": (CW + "logDelivery:LogDelivery", {
        "deliverySourceName": "${source}", "deliveryDestinationArn": "${target.arn}"}),
    "streamOut": (CW + "metricStream:MetricStream", {
        "firehoseArn": "arn:aws:firehose:us-east-1:000000000000:deliverystream/d", "outputFormat": "json",
        "roleArn": "arn:aws:iam::000000000000:role/x"}),
    "query": (CW + "queryDefinition:QueryDefinition", {"queryString": "fields @message"}),
    "protection": (CW + "logDataProtectionPolicy:LogDataProtectionPolicy", {
        "logGroupName": "g", "policyDocument": "{}"}),
    "account": (CW + "logAccountPolicy:LogAccountPolicy", {
        "policyName": "p", "policyType": "DATA_PROTECTION_POLICY", "policyDocument": "{}"}),
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "alarm": {"threshold": 5, "dimensions": {"FunctionName": "g"}, "alarmActions": [], "tags": {"c": "d"}},
    "math": {"threshold": 0.7},
    "composite": {"alarmRule": "OK(${alarm})", "alarmDescription": "fine"},
    "dashboard": {"dashboardBody": json.dumps({"widgets": [{"type": "text", "properties": {"markdown": "x"}}]})},
    "group": {"retentionInDays": 14, "tags": {"a": "c"}},
    "filter": {"pattern": "ERROR", "metricTransformation": {"name": "Errors", "namespace": "Shop", "value": "2"}},
    "subscription": {"filterPattern": "WARN"},
    "policy": {"policyDocument": json.dumps({**POLICY, "Id": "second"})},
    "destination": {"roleArn": "arn:aws:iam::000000000000:role/y"},
    "access": {"accessPolicy": json.dumps({**POLICY, "Id": "second"})},
}


def test_cloudwatch(lives: Any) -> None:
    lives.run(ROWS, CHANGES, lacking=("streamOut", "query", "protection", "account"))
