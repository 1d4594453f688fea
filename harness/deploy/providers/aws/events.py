"""EventBridge: buses, rules, targets, archives."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType
from harness.deploy.providers.aws.tags import EVENTS
from harness.deploy.providers.resource import CheckError, Context, Properties


class EventBus(AwsType):
    """aws:cloudwatch/eventBus:EventBus; the id is the name."""

    token: ClassVar = "aws:cloudwatch/eventBus:EventBus"
    service: ClassVar = "events"
    named: ClassVar = "name"
    tagging: ClassVar = EVENTS
    replace_on: ClassVar = frozenset({"name", "eventSourceName"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        self.call(context, "CreateEventBus", {"name": inputs["name"]}, Tags=self.wire_tags(context, inputs))
        return str(inputs["name"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARN."""
        del inputs
        return {"name": resource_id, "arn": self.client(context).describe_event_bus(Name=resource_id)["Arn"]}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Only tags can change."""

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        del state
        self.client(context).delete_event_bus(Name=resource_id)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name."""
        return str(inputs["name"]) if self.read(context, str(inputs["name"]), inputs) else None


class EventRule(AwsType):
    """aws:cloudwatch/eventRule:EventRule; the id is the name, with the bus in front where it is not the default."""

    token: ClassVar = "aws:cloudwatch/eventRule:EventRule"
    service: ClassVar = "events"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    defaults: ClassVar = {"eventBusName": "default", "forceDestroy": False}
    tagging: ClassVar = EVENTS
    json_keys: ClassVar = frozenset({"eventPattern"})
    replace_on: ClassVar = frozenset({"name", "namePrefix", "eventBusName"})

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """A rule needs something to wait for."""
        if not inputs.get("eventPattern") and not inputs.get("scheduleExpression"):
            raise CheckError([("eventPattern", "or scheduleExpression is required")])
        return super().check(context, inputs, olds)

    def make(self, context: Context, inputs: Properties) -> str:
        """Put it."""
        self._put(context, inputs, Tags=self.wire_tags(context, inputs))
        bus = inputs["eventBusName"]
        return str(inputs["name"] if bus == "default" else f"{bus}/{inputs['name']}")

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARN."""
        bus, _, name = resource_id.rpartition("/")
        found = self.client(context).describe_rule(Name=name, EventBusName=bus or "default")
        return {"name": name, "arn": found["Arn"], "state": inputs.get("state") or found.get("State", "ENABLED")}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it again."""
        del resource_id, olds
        self._put(context, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it; its targets must have gone before."""
        del resource_id
        self.client(context).delete_rule(Name=state["name"], EventBusName=state["eventBusName"], Force=True)

    def _put(self, context: Context, inputs: Properties, **fixed: Any) -> None:
        known = {key: value for key, value in inputs.items() if key != "tags"}
        self.call(context, "PutRule", known, **fixed)


class EventTarget(AwsType):
    """aws:cloudwatch/eventTarget:EventTarget; the id is `[bus-]rule-target`."""

    token: ClassVar = "aws:cloudwatch/eventTarget:EventTarget"
    service: ClassVar = "events"
    defaults: ClassVar = {"eventBusName": "default"}
    named: ClassVar = "targetId"
    name_rules: ClassVar = {"limit": 64}
    replace_on: ClassVar = frozenset({"rule", "eventBusName", "targetId"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Put it."""
        self.change(context, "", {}, inputs)
        bus = "" if inputs["eventBusName"] == "default" else f"{inputs['eventBusName']}-"
        return f"{bus}{inputs['rule']}-{inputs['targetId']}"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """There, or not."""
        del resource_id
        answer = self.client(context).list_targets_by_rule(Rule=inputs["rule"], EventBusName=inputs["eventBusName"])
        found = next((target for target in answer["Targets"] if target["Id"] == inputs["targetId"]), None)
        return None if found is None else {"arn": found["Arn"]}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it (again)."""
        del resource_id, olds
        target: dict[str, Any] = {"Id": news["targetId"], "Arn": news["arn"]}
        plain = {"roleArn": "RoleArn", "input": "Input", "inputPath": "InputPath"}
        target |= {name: news[key] for key, name in plain.items() if news.get(key) is not None}
        if news.get("inputTransformer"):
            transformer = news["inputTransformer"]
            target["InputTransformer"] = {
                "InputPathsMap": transformer.get("inputPaths") or {},
                "InputTemplate": transformer["inputTemplate"],
            }
        if news.get("deadLetterConfig"):
            target["DeadLetterConfig"] = {"Arn": news["deadLetterConfig"]["arn"]}
        if news.get("retryPolicy"):
            target["RetryPolicy"] = {key[0].upper() + key[1:]: value for key, value in news["retryPolicy"].items()}
        if news.get("sqsTarget"):
            target["SqsParameters"] = {"MessageGroupId": news["sqsTarget"].get("messageGroupId", "")}
        answer = self.client(context).put_targets(
            Rule=news["rule"], EventBusName=news["eventBusName"], Targets=[target]
        )
        if answer.get("FailedEntryCount"):
            raise CheckError([("arn", answer["FailedEntries"][0].get("ErrorMessage", "was refused"))])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Take it off the rule."""
        del resource_id
        self.client(context).remove_targets(
            Rule=state["rule"], EventBusName=state["eventBusName"], Ids=[state["targetId"]]
        )


class EventArchive(AwsType):
    """aws:cloudwatch/eventArchive:EventArchive; the id is the name."""

    token: ClassVar = "aws:cloudwatch/eventArchive:EventArchive"
    service: ClassVar = "events"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 48}
    json_keys: ClassVar = frozenset({"eventPattern"})
    replace_on: ClassVar = frozenset({"name", "eventSourceArn"})
    renames: ClassVar = {"name": "ArchiveName"}

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it and wait until it records."""
        self.call(context, "CreateArchive", inputs)
        name = str(inputs["name"])
        states = {"ENABLED", "DISABLED"}
        context.wait_until(
            lambda: self.client(context).describe_archive(ArchiveName=name)["State"] in states, f"archive {name}"
        )
        return name

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARN."""
        del inputs
        found = self.client(context).describe_archive(ArchiveName=resource_id)
        return {"name": resource_id, "arn": found["ArchiveArn"]}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Pattern, retention, description."""
        del resource_id, olds
        self.call(context, "UpdateArchive", news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it with its events."""
        del state
        self.client(context).delete_archive(ArchiveName=resource_id)


class EventPermission(AwsType):
    """Who may put events on a bus: aws:cloudwatch/eventBusPolicy:EventBusPolicy; the id is the bus."""

    token: ClassVar = "aws:cloudwatch/eventBusPolicy:EventBusPolicy"
    service: ClassVar = "events"
    defaults: ClassVar = {"eventBusName": "default"}
    json_keys: ClassVar = frozenset({"policy"})
    replace_on: ClassVar = frozenset({"eventBusName"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Put the policy."""
        self.change(context, "", {}, inputs)
        return str(inputs["eventBusName"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """There, or not."""
        del inputs
        policy = self.client(context).describe_event_bus(Name=resource_id).get("Policy")
        return {} if policy and json.loads(policy).get("Statement") else None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it (again)."""
        del resource_id, olds
        self.client(context).put_permission(EventBusName=news["eventBusName"], Policy=news["policy"])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Take every permission away."""
        del state
        self.client(context).remove_permission(EventBusName=resource_id, RemoveAllPermissions=True)


RESOURCES = (EventBus(), EventRule(), EventTarget(), EventArchive(), EventPermission())
