"""CloudWatch Logs: groups, streams, filters, subscriptions, destinations, deliveries, policies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import LOGS
from harness.deploy.providers.resource import Context, Invoke, Properties


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
        optional = {key: inputs[key] for key in ("kmsKeyId", "logGroupClass") if inputs.get(key)}
        try:
            client.create_log_group(logGroupName=name, tags=self.tags(context, inputs), **optional)
        except client.exceptions.ResourceAlreadyExistsException:
            if not name.startswith("/aws/lambda/"):
                raise
        self._retain(context, name, inputs)
        return name

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """ARN, class, key, how long logs are kept."""
        group = find_group(self.client(context), resource_id)
        if group is None:
            return None
        return {
            "name": resource_id, "arn": group["arn"].removesuffix(":*"), "kmsKeyId": group.get("kmsKeyId"),
            "retentionInDays": group.get("retentionInDays", 0),
            "logGroupClass": group.get("logGroupClass") or inputs.get("logGroupClass") or "STANDARD",
        }  # fmt: skip

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """How long logs are kept, and the key."""
        client = self.client(context)
        if olds.get("retentionInDays") != news.get("retentionInDays"):
            self._retain(context, resource_id, news)
        if olds.get("kmsKeyId") != news.get("kmsKeyId"):
            if news.get("kmsKeyId"):
                client.associate_kms_key(logGroupName=resource_id, kmsKeyId=news["kmsKeyId"])
            else:
                client.disassociate_kms_key(logGroupName=resource_id)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it with its logs, unless they are to be kept."""
        if not state.get("skipDestroy"):
            self.client(context).delete_log_group(logGroupName=resource_id)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name."""
        return str(inputs["name"]) if self.read(context, str(inputs["name"]), inputs) else None

    def _retain(self, context: Context, name: str, inputs: Properties) -> None:
        days = int(inputs["retentionInDays"])
        if days:
            self.client(context).put_retention_policy(logGroupName=name, retentionInDays=days)
        else:
            self.client(context).delete_retention_policy(logGroupName=name)


def find_group(client: Any, name: str) -> dict[str, Any] | None:
    """The log group of exactly this name."""
    for page in client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name):
        for group in page["logGroups"]:
            if group["logGroupName"] == name:
                return dict(group)
    return None


class LogStream(Declared):
    """aws:cloudwatch/logStream:LogStream; the id is the name."""

    token: ClassVar = "aws:cloudwatch/logStream:LogStream"
    service: ClassVar = "logs"
    creates: ClassVar = "CreateLogStream"
    reads: ClassVar = "DescribeLogStreams"
    deletes: ClassVar = "DeleteLogStream"
    key: ClassVar = {"logGroupName": "logGroupName", "logStreamName": "id", "logStreamNamePrefix": "id"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    body: ClassVar = "logStreams"
    match: ClassVar = ("logStreamName", "id")
    renames: ClassVar = {"name": "logStreamName"}
    replace_on: ClassVar = frozenset({"name", "logGroupName"})


class LogMetricFilter(Declared, noun="MetricFilter", verbs="Put - Put Delete"):
    """aws:cloudwatch/logMetricFilter:LogMetricFilter; the id is the name."""

    token: ClassVar = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
    service: ClassVar = "logs"
    reads: ClassVar = "DescribeMetricFilters"
    key: ClassVar = {"logGroupName": "logGroupName", "filterName": "id", "filterNamePrefix": "id"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    body: ClassVar = "metricFilters"
    match: ClassVar = ("filterName", "id")
    renames: ClassVar = {"pattern": "filterPattern"}
    replace_on: ClassVar = frozenset({"name", "logGroupName"})

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """The transformation's names begin with `metric` in AWS."""
        given = inputs["metricTransformation"]
        given = given[0] if isinstance(given, list) else given
        names = {"name": "metricName", "namespace": "metricNamespace", "value": "metricValue"}
        made = {names.get(key, key): value for key, value in given.items() if value not in (None, {}, "")}
        known = {key: value for key, value in inputs.items() if key != "metricTransformation"}
        return {**known, "filterName": inputs["name"], "metricTransformations": [made]}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The transformation back in Pulumi's names."""
        found = body["metricTransformations"][0]
        told = {"name": found["metricName"], "namespace": found["metricNamespace"], "value": found["metricValue"]}
        for key in ("defaultValue", "dimensions", "unit"):
            if found.get(key) not in (None, {}, "", "None"):
                told[key] = str(found[key]) if key == "defaultValue" else found[key]
        given = inputs.get("metricTransformation")
        given = given[0] if isinstance(given, list) else given
        same = given is not None and all(_same(told.get(key), value) for key, value in given.items())
        return {"name": resource_id, "metricTransformation": given if same else told}


def _same(found: Any, given: Any) -> bool:
    """Numbers are given as text and told as numbers; a unit of None is no unit."""
    if given in (None, {}, "", "None"):
        return found in (None, {}, "", "None")
    try:
        return found == given or float(found) == float(given)
    except (TypeError, ValueError):
        return False


class LogSubscriptionFilter(Declared, noun="SubscriptionFilter", verbs="Put - Put Delete"):
    """aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter; the id is `group|name`."""

    token: ClassVar = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"
    service: ClassVar = "logs"
    reads: ClassVar = "DescribeSubscriptionFilters"
    key: ClassVar = {"logGroupName": "logGroup", "filterName": "name", "filterNamePrefix": "name"}
    parts: ClassVar = ("logGroup", "name")
    separator: ClassVar = "|"
    named: ClassVar = "name"
    body: ClassVar = "subscriptionFilters"
    match: ClassVar = ("filterName", "name")
    defaults: ClassVar = {"distribution": "ByLogStream"}
    renames: ClassVar = {"name": "filterName", "logGroup": "logGroupName"}
    replace_on: ClassVar = frozenset({"name", "logGroup"})


class LogResourcePolicy(Declared, noun="ResourcePolicy", verbs="Put - Put Delete"):
    """aws:cloudwatch/logResourcePolicy:LogResourcePolicy; the id is the name."""

    token: ClassVar = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
    service: ClassVar = "logs"
    reads: ClassVar = "DescribeResourcePolicies"
    key: ClassVar = {"policyName": "id"}
    parts: ClassVar = ("policyName",)
    named: ClassVar = "policyName"
    body: ClassVar = "resourcePolicies"
    match: ClassVar = ("policyName", "id")
    json_keys: ClassVar = frozenset({"policyDocument"})
    replace_on: ClassVar = frozenset({"policyName", "resourceArn"})


class LogDestination(Declared, noun="Destination", verbs="Put - Put Delete"):
    """aws:cloudwatch/logDestination:LogDestination; the id is the name."""

    token: ClassVar = "aws:cloudwatch/logDestination:LogDestination"
    service: ClassVar = "logs"
    reads: ClassVar = "DescribeDestinations"
    key: ClassVar = {"destinationName": "id", "DestinationNamePrefix": "id"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    body: ClassVar = "destinations"
    match: ClassVar = ("destinationName", "id")
    tagging: ClassVar = LOGS
    renames: ClassVar = {"name": "destinationName"}
    replace_on: ClassVar = frozenset({"name"})


class LogDestinationPolicy(Declared):
    """aws:cloudwatch/logDestinationPolicy:LogDestinationPolicy; the id is the destination. It ends with it."""

    token: ClassVar = "aws:cloudwatch/logDestinationPolicy:LogDestinationPolicy"
    service: ClassVar = "logs"
    creates: ClassVar = "PutDestinationPolicy"
    reads: ClassVar = "DescribeDestinations"
    updates: ClassVar = "PutDestinationPolicy"
    key: ClassVar = {"destinationName": "id", "DestinationNamePrefix": "id"}
    parts: ClassVar = ("destinationName",)
    body: ClassVar = "destinations"
    match: ClassVar = ("destinationName", "id")
    json_keys: ClassVar = frozenset({"accessPolicy"})
    replace_on: ClassVar = frozenset({"destinationName"})


class LogDeliverySource(Declared, noun="DeliverySource", verbs="Put Get Put Delete"):
    """aws:cloudwatch/logDeliverySource:LogDeliverySource; the id is the name."""

    token: ClassVar = "aws:cloudwatch/logDeliverySource:LogDeliverySource"
    service: ClassVar = "logs"
    key: ClassVar = {"name": "id"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 60}
    body: ClassVar = "deliverySource"
    tagging: ClassVar = LOGS
    replace_on: ClassVar = frozenset({"name", "resourceArn", "logType"})

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """AWS has a list of one resource."""
        return {"resourceArn": next(iter(body.get("resourceArns", ())), None)}


class LogDeliveryDestination(Declared, noun="DeliveryDestination", verbs="Put Get Put Delete"):
    """aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination; the id is the name."""

    token: ClassVar = "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination"
    service: ClassVar = "logs"
    key: ClassVar = {"name": "id"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 60}
    body: ClassVar = "deliveryDestination"
    tagging: ClassVar = LOGS
    renames: ClassVar = {"destinationResourceArn": "destinationResourceArn"}
    replace_on: ClassVar = frozenset({"name"})


class LogDelivery(Declared, noun="Delivery", verbs="Create Get - Delete"):
    """aws:cloudwatch/logDelivery:LogDelivery."""

    token: ClassVar = "aws:cloudwatch/logDelivery:LogDelivery"
    service: ClassVar = "logs"
    updates: ClassVar = "UpdateDeliveryConfiguration"
    key: ClassVar = {"id": "id"}
    id_from: ClassVar = "delivery.id"
    body: ClassVar = "delivery"
    tagging: ClassVar = LOGS
    renames: ClassVar = {"s3DeliveryConfigurations": "s3DeliveryConfiguration"}
    replace_on: ClassVar = frozenset({"deliveryDestinationArn", "deliverySourceName"})


class QueryDefinition(Declared, noun="QueryDefinition", verbs="Put - Put Delete"):
    """aws:cloudwatch/queryDefinition:QueryDefinition."""

    token: ClassVar = "aws:cloudwatch/queryDefinition:QueryDefinition"
    service: ClassVar = "logs"
    reads: ClassVar = "DescribeQueryDefinitions"
    key: ClassVar = {"queryDefinitionId": "id", "queryDefinitionNamePrefix": "name"}
    id_from: ClassVar = "queryDefinitionId"
    named: ClassVar = "name"
    body: ClassVar = "queryDefinitions"
    match: ClassVar = ("queryDefinitionId", "id")
    computed: ClassVar = {"arn": "arn:aws:logs:{region}:{account}:query-definition:{id}"}


class LogDataProtectionPolicy(Declared, noun="DataProtectionPolicy", verbs="Put Get Put Delete"):
    """aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy; the id is the group."""

    token: ClassVar = "aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy"
    service: ClassVar = "logs"
    key: ClassVar = {"logGroupIdentifier": "id"}
    parts: ClassVar = ("logGroupName",)
    json_keys: ClassVar = frozenset({"policyDocument"})
    renames: ClassVar = {"logGroupName": "logGroupIdentifier"}
    replace_on: ClassVar = frozenset({"logGroupName"})


class LogAccountPolicy(Declared, noun="AccountPolicy", verbs="Put - Put Delete"):
    """aws:cloudwatch/logAccountPolicy:LogAccountPolicy; the id is `name:type`."""

    token: ClassVar = "aws:cloudwatch/logAccountPolicy:LogAccountPolicy"
    service: ClassVar = "logs"
    reads: ClassVar = "DescribeAccountPolicies"
    key: ClassVar = {"policyName": "policyName", "policyType": "policyType"}
    parts: ClassVar = ("policyName", "policyType")
    separator: ClassVar = ":"
    body: ClassVar = "accountPolicies"
    defaults: ClassVar = {"scope": "ALL"}
    json_keys: ClassVar = frozenset({"policyDocument"})
    replace_on: ClassVar = frozenset({"policyName", "policyType", "selectionCriteria"})


def get_log_group(context: Context, arguments: Properties) -> Properties:
    """A log group by name.

    Raises:
        ProviderError: there is none.
    """
    from harness.errors import ProviderError

    found = find_group(context.client("logs"), str(arguments["name"]))
    if found is None:
        raise ProviderError(f"no log group is named {arguments['name']!r}")
    return {
        **arguments, "id": found["logGroupName"], "arn": found["arn"].removesuffix(":*"), "region": context.region,
        "creationTime": found.get("creationTime", 0), "kmsKeyId": found.get("kmsKeyId", ""),
        "logGroupClass": found.get("logGroupClass", "STANDARD"), "retentionInDays": found.get("retentionInDays", 0),
        "deletionProtectionEnabled": False,
    }  # fmt: skip


def get_log_groups(context: Context, arguments: Properties) -> Properties:
    """Log groups whose names begin so."""
    prefix = {"logGroupNamePrefix": arguments["logGroupNamePrefix"]} if arguments.get("logGroupNamePrefix") else {}
    pages = context.client("logs").get_paginator("describe_log_groups").paginate(**prefix)
    groups = [group for page in pages for group in page["logGroups"]]
    names = [group["logGroupName"] for group in groups]
    arns = [group["arn"].removesuffix(":*") for group in groups]
    return {**arguments, "id": context.region, "region": context.region, "arns": arns, "logGroupNames": names}


def get_protection_document(context: Context, arguments: Properties) -> Properties:
    """The JSON of a data protection policy from its parts."""
    statements = []
    for one in arguments["statements"]:
        known = {key: value for key, value in one.items() if key not in {"sid", "dataIdentifiers", "operation"}}
        operation = _capital(one["operation"])
        body = {"DataIdentifier": one["dataIdentifiers"], "Operation": operation, **_capital(known)}
        statements.append({**({"Sid": one["sid"]} if one.get("sid") else {}), **body})
    document = {"Name": arguments["name"], "Version": arguments.get("version") or "2021-06-01"}
    if arguments.get("description"):
        document["Description"] = arguments["description"]
    text = json.dumps({**document, "Statement": statements})
    return {**arguments, "id": arguments["name"], "json": text}


def _capital(value: Any) -> Any:
    """Names as AWS writes them: `findingsDestination` is `FindingsDestination`."""
    if isinstance(value, Mapping):
        return {f"{key[0].upper()}{key[1:]}": _capital(inner) for key, inner in value.items() if inner is not None}
    return [_capital(inner) for inner in value] if isinstance(value, list) else value


RESOURCES = (
    LogGroup(), LogStream(), LogMetricFilter(), LogSubscriptionFilter(), LogResourcePolicy(), LogDestination(),
    LogDestinationPolicy(), LogDeliverySource(), LogDeliveryDestination(), LogDelivery(), QueryDefinition(),
    LogDataProtectionPolicy(), LogAccountPolicy(),
)  # fmt: skip
INVOKES: Mapping[str, Invoke] = {
    "aws:cloudwatch/getLogGroup:getLogGroup": get_log_group,
    "aws:cloudwatch/getLogGroups:getLogGroups": get_log_groups,
    "aws:cloudwatch/getLogDataProtectionPolicyDocument:getLogDataProtectionPolicyDocument": get_protection_document,
}
