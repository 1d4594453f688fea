"""CloudWatch: alarms, dashboards, metric streams. Log groups and what hangs on them: `logs.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import CheckError, Context, Properties
from harness.errors import ProviderError

_TAGGING = Tagging(resource="ResourceARN")


class _Alarm(Declared):
    """An alarm; the id is its name."""

    service: ClassVar[str] = "cloudwatch"
    reads: ClassVar[str] = "DescribeAlarms"
    deletes: ClassVar[str] = "DeleteAlarms"
    key: ClassVar = {"AlarmName": "id", "AlarmNames": "id"}
    tagging: ClassVar = _TAGGING


class MetricAlarm(_Alarm):
    """aws:cloudwatch/metricAlarm:MetricAlarm."""

    token: ClassVar = "aws:cloudwatch/metricAlarm:MetricAlarm"
    creates: ClassVar = "PutMetricAlarm"
    updates: ClassVar = "PutMetricAlarm"
    parts: ClassVar = ("name",)
    body: ClassVar = "MetricAlarms"
    named: ClassVar = "name"
    defaults: ClassVar = {"actionsEnabled": True, "treatMissingData": "missing"}
    replace_on: ClassVar = frozenset({"name"})
    renames: ClassVar = {
        "name": "AlarmName",
        "arn": "AlarmArn",
        "metricQueries": "Metrics",
        "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
    }

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """A metric or queries, as PutMetricAlarm wants it."""
        given = super().check(context, inputs, olds)
        if given.get("metricName") is None and not given.get("metricQueries") and not given.get("evaluationCriteria"):
            raise CheckError([("metricName", "is required (or metricQueries)")])
        return given

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """A query's metric, period and statistic are one block in AWS."""
        queries = [_nested(query) for query in inputs.get("metricQueries") or ()]
        return {**inputs, **({"metricQueries": queries} if queries else {})}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Queries back in Pulumi's form.

        Raises:
            ProviderError: the cloud took an alarm on queries and forgot them: it would never go off.
        """
        if inputs.get("metricQueries") and not body.get("Metrics"):
            raise ProviderError("this cloud keeps no queries (metric math) of an alarm", where=context.urn)
        same = [_nested(query) for query in inputs.get("metricQueries") or ()]
        return (
            {"metricQueries": inputs["metricQueries"]} if len(same) == len(body.get("Metrics", ())) and same else {}
        )


def _nested(query: Properties) -> Properties:
    metric = query.get("metric")
    metric = metric[0] if isinstance(metric, list) and metric else metric
    if not metric:
        return query
    inner = {key: metric[key] for key in ("namespace", "metricName", "dimensions") if metric.get(key) is not None}
    outer = {key: metric[key] for key in ("period", "stat", "unit") if metric.get(key) is not None}
    return {**{key: query[key] for key in query if key != "metric"}, "metricStat": {"metric": inner, **outer}}


class CompositeAlarm(_Alarm):
    """aws:cloudwatch/compositeAlarm:CompositeAlarm."""

    token: ClassVar = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
    creates: ClassVar = "PutCompositeAlarm"
    updates: ClassVar = "PutCompositeAlarm"
    parts: ClassVar = ("alarmName",)
    body: ClassVar = "CompositeAlarms"
    defaults: ClassVar = {"actionsEnabled": True}
    renames: ClassVar = {"arn": "AlarmArn"}
    replace_on: ClassVar = frozenset({"alarmName", "actionsEnabled"})

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """The suppressor is three members in AWS."""
        suppressor = inputs.get("actionsSuppressor")
        block = (suppressor[0] if isinstance(suppressor, list) else suppressor) or {}
        names = {"alarm": "", "extensionPeriod": "ExtensionPeriod", "waitPeriod": "WaitPeriod"}
        flat = {f"actionsSuppressor{name}": block[key] for key, name in names.items() if key in block}
        return {**{key: inputs[key] for key in inputs if key != "actionsSuppressor"}, **flat}

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """With the suppressor's block as it was given."""
        found = super().look(context, resource_id, inputs)
        given = inputs.get("actionsSuppressor")
        return found if found is None or not given else {**found, "actionsSuppressor": given}

    def send(self, context: Context, operation: str, inputs: Properties, **fixed: Any) -> dict[str, Any]:
        """Composite alarms are described only when asked for by type."""
        kinds = {"AlarmTypes": ["CompositeAlarm"]} if operation == self.reads else {}
        return super().send(context, operation, inputs, **{**fixed, **kinds})


class Dashboard(Declared, noun="Dashboard", verbs="Put Get Put -"):
    """aws:cloudwatch/dashboard:Dashboard; the id is the name."""

    token: ClassVar = "aws:cloudwatch/dashboard:Dashboard"
    deletes: ClassVar = "DeleteDashboards"
    key: ClassVar = {"DashboardName": "id", "DashboardNames": "id"}
    parts: ClassVar = ("dashboardName",)
    json_keys: ClassVar = frozenset({"dashboardBody"})
    replace_on: ClassVar = frozenset({"dashboardName"})


class MetricStream(Declared, noun="MetricStream", verbs="Put Get Put Delete"):
    """aws:cloudwatch/metricStream:MetricStream; the id is the name."""

    token: ClassVar = "aws:cloudwatch/metricStream:MetricStream"
    key: ClassVar = {"Name": "id"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    tagging: ClassVar = _TAGGING
    replace_on: ClassVar = frozenset({"name", "namePrefix"})


RESOURCES = (MetricAlarm(), CompositeAlarm(), Dashboard(), MetricStream())
