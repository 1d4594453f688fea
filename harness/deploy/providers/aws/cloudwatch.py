"""CloudWatch: alarms and log groups."""

from __future__ import annotations

from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.tags import LOGS, Tagging
from harness.deploy.providers.resource import CheckError, Context, Properties


class MetricAlarm(AwsType):
    """aws:cloudwatch/metricAlarm:MetricAlarm; the id is the name."""

    token: ClassVar = "aws:cloudwatch/metricAlarm:MetricAlarm"
    service: ClassVar = "cloudwatch"
    named: ClassVar = "name"
    defaults: ClassVar = {"actionsEnabled": True, "treatMissingData": "missing"}
    tagging: ClassVar = Tagging(resource="ResourceARN")
    replace_on: ClassVar = frozenset({"name"})
    renames: ClassVar = {
        "name": "AlarmName",
        "okActions": "OKActions",
        "metricQueries": "Metrics",
        "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
    }

    def make(self, context: Context, inputs: Properties) -> str:
        """Put it."""
        self._put(context, inputs, Tags=self.wire_tags(context, inputs))
        return str(inputs["name"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """ARN."""
        del inputs
        found = self.client(context).describe_alarms(AlarmNames=[resource_id])["MetricAlarms"]
        return {"name": resource_id, "arn": found[0]["AlarmArn"]} if found else None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it again."""
        del resource_id
        if roots(olds, news) - {"tags"}:
            self._put(context, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        del state
        self.client(context).delete_alarms(AlarmNames=[resource_id])

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name."""
        return str(inputs["name"]) if self.read(context, str(inputs["name"]), inputs) else None

    def _put(self, context: Context, inputs: Properties, **fixed: Any) -> None:
        known = {key: value for key, value in inputs.items() if key not in {"tags", "dimensions"}}
        dimensions = [{"Name": key, "Value": value} for key, value in (inputs.get("dimensions") or {}).items()]
        if inputs.get("metricQueries"):
            raise CheckError([("metricQueries", "metric math is not supported by the embedded engine yet")])
        self.call(context, "PutMetricAlarm", known, Dimensions=dimensions, **fixed)


class LogGroup(AwsType):
    """aws:cloudwatch/logGroup:LogGroup; the id is the name."""

    token: ClassVar = "aws:cloudwatch/logGroup:LogGroup"
    service: ClassVar = "logs"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 512}
    defaults: ClassVar = {"retentionInDays": 0, "skipDestroy": False}
    tagging: ClassVar = LOGS
    replace_on: ClassVar = frozenset({"name", "namePrefix", "logGroupClass"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it; one that Lambda was faster to make is taken over."""
        client, name = self.client(context), str(inputs["name"])
        optional = {"kmsKeyId": inputs["kmsKeyId"]} if inputs.get("kmsKeyId") else {}
        try:
            client.create_log_group(logGroupName=name, tags=self.tags(context, inputs), **optional)
        except client.exceptions.ResourceAlreadyExistsException:
            if not name.startswith("/aws/lambda/"):
                raise
        self._retain(context, name, inputs)
        return name

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """ARN."""
        del inputs
        pages = self.client(context).get_paginator("describe_log_groups").paginate(logGroupNamePrefix=resource_id)
        for page in pages:
            for group in page["logGroups"]:
                if group["logGroupName"] == resource_id:
                    return {"name": resource_id, "arn": group["arn"].removesuffix(":*")}
        return None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """How long logs are kept."""
        if olds.get("retentionInDays") != news.get("retentionInDays"):
            self._retain(context, resource_id, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it with its logs, unless they are to be kept."""
        if not state.get("skipDestroy"):
            self.client(context).delete_log_group(logGroupName=resource_id)

    def _retain(self, context: Context, name: str, inputs: Properties) -> None:
        days = int(inputs["retentionInDays"])
        if days:
            self.client(context).put_retention_policy(logGroupName=name, retentionInDays=days)
        else:
            self.client(context).delete_retention_policy(logGroupName=name)


RESOURCES = (MetricAlarm(), LogGroup())
