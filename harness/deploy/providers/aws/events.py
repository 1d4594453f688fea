"""EventBridge: buses and who may use them, rules, targets, archives, connections, API destinations, endpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws import ecs_targets
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.shapes import to_request
from harness.deploy.providers.aws.tags import EVENTS
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties


class EventBus(Declared, noun="EventBus", verbs="Create Describe Update Delete"):
    """aws:cloudwatch/eventBus:EventBus; the id is the name."""

    token: ClassVar = "aws:cloudwatch/eventBus:EventBus"
    service: ClassVar = "events"
    named: ClassVar = "name"
    tagging: ClassVar = EVENTS
    replace_on: ClassVar = frozenset({"name", "eventSourceName"})
    key: ClassVar = {"Name": "name"}
    parts: ClassVar = ("name",)


class EventBusPolicy(Declared):
    """aws:cloudwatch/eventBusPolicy:EventBusPolicy: the whole policy of a bus; the id is the bus."""

    token: ClassVar = "aws:cloudwatch/eventBusPolicy:EventBusPolicy"
    service: ClassVar = "events"
    defaults: ClassVar = {"eventBusName": "default"}
    json_keys: ClassVar = frozenset({"policy"})
    replace_on: ClassVar = frozenset({"eventBusName"})
    creates: ClassVar = "PutPermission"
    reads: ClassVar = "DescribeEventBus"
    updates: ClassVar = "PutPermission"
    deletes: ClassVar = "RemovePermission"
    key: ClassVar = {"EventBusName": "eventBusName"}
    parts: ClassVar = ("eventBusName",)

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """There as long as it says something."""
        found = _bus_policy(self, context, resource_id)
        return {"policy": json.dumps(found)} if found.get("Statement") else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Take every permission away."""
        self.send(context, self.deletes, {}, EventBusName=resource_id, RemoveAllPermissions=True)


class EventPermission(Declared):
    """aws:cloudwatch/eventPermission:EventPermission: one statement of it; the id is `bus-statement`."""

    token: ClassVar = "aws:cloudwatch/eventPermission:EventPermission"
    service: ClassVar = "events"
    defaults: ClassVar = {"eventBusName": "default", "action": "events:PutEvents"}
    replace_on: ClassVar = frozenset({"eventBusName", "statementId"})
    creates: ClassVar = "PutPermission"
    updates: ClassVar = "PutPermission"
    deletes: ClassVar = "RemovePermission"
    key: ClassVar = {"EventBusName": "eventBusName", "StatementId": "statementId"}
    parts: ClassVar = ("eventBusName", "statementId")
    id_format: ClassVar = "{eventBusName}-{statementId}"

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """Its statement, in the words of the operation."""
        known = self.known(resource_id, inputs)
        statements = _bus_policy(self, context, str(known["eventBusName"])).get("Statement") or ()
        found = next((one for one in statements if one.get("Sid") == known["statementId"]), None)
        if found is None:
            return None
        principal = found["Principal"]
        arn = principal if isinstance(principal, str) else str(principal.get("AWS", ""))
        return {"Action": found["Action"], "Principal": arn.split(":")[4] if arn.startswith("arn:") else arn}


def _bus_policy(handler: Declared, context: Context, bus: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(handler.send(context, "DescribeEventBus", {}, Name=bus).get("Policy") or "{}")
    return found


class EventRule(Declared, noun="Rule", verbs="Put Describe Put Delete"):
    """aws:cloudwatch/eventRule:EventRule; the id is the name, with the bus in front where it is not the default."""

    token: ClassVar = "aws:cloudwatch/eventRule:EventRule"
    service: ClassVar = "events"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    defaults: ClassVar = {"eventBusName": "default", "forceDestroy": False}
    tagging: ClassVar = EVENTS
    json_keys: ClassVar = frozenset({"eventPattern"})
    replace_on: ClassVar = frozenset({"name", "namePrefix", "eventBusName"})
    key: ClassVar = {"Name": "name", "EventBusName": "eventBusName"}
    parts: ClassVar = ("eventBusName", "name")

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """A rule needs something to wait for."""
        if all(inputs.get(key) in (None, "") for key in ("eventPattern", "scheduleExpression")):
            raise CheckError([("eventPattern", "or scheduleExpression is required")])
        return super().check(context, inputs, olds)

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """`isEnabled` is the older word for the state."""
        if inputs.get("isEnabled") is None or inputs.get("state"):
            return inputs
        return {**inputs, "state": "ENABLED" if inputs["isEnabled"] else "DISABLED"}

    def joined(self, inputs: Properties) -> str:
        """The default bus goes unsaid."""
        bus = inputs["eventBusName"]
        return str(inputs["name"] if bus == "default" else f"{bus}/{inputs['name']}")

    def known(self, resource_id: str, state: Properties) -> Properties:
        """A name alone is on the default bus."""
        bus, _, name = resource_id.rpartition("/")
        return {"name": name, "eventBusName": bus or "default", **super().known(resource_id, state)}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The state in the older word, where that was used."""
        return {"isEnabled": body.get("State") == "ENABLED"} if inputs.get("isEnabled") is not None else {}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Targets that are not the program's own go with it where it allows."""
        keys = self.keys(resource_id, state)
        if state.get("forceDestroy"):
            place = {"Rule": keys["Name"], "EventBusName": keys["EventBusName"]}
            left = [target["Id"] for target in self.client(context).list_targets_by_rule(**place)["Targets"]]
            if left:
                self.client(context).remove_targets(**place, Ids=left, Force=True)
        self.send(context, self.deletes, {}, **keys, Force=True)


class EventTarget(Declared):
    """aws:cloudwatch/eventTarget:EventTarget; the id is `[bus-]rule-target`, imports take `[bus/]rule/target`."""

    token: ClassVar = "aws:cloudwatch/eventTarget:EventTarget"
    service: ClassVar = "events"
    defaults: ClassVar = {"eventBusName": "default", "forceDestroy": False}
    named: ClassVar = "targetId"
    name_rules: ClassVar = {"limit": 64}
    json_keys: ClassVar = frozenset({"input"})
    replace_on: ClassVar = frozenset({"rule", "eventBusName", "targetId"})
    renames: ClassVar = {
        "targetId": "Id", "appsyncTarget": "AppSyncParameters", "batchTarget": "BatchParameters",
        "ecsTarget": "EcsParameters", "httpTarget": "HttpParameters", "inputPaths": "InputPathsMap",
        "kinesisTarget": "KinesisParameters", "redshiftTarget": "RedshiftDataParameters",
        "secretsManagerArn": "SecretManagerArn",
        "sagemakerPipelineTarget": "SageMakerPipelineParameters", "pipelineParameterLists": "PipelineParameterList",
        "sqsTarget": "SqsParameters", "graphqlOperation": "GraphQLOperation", **ecs_targets.RENAMES,
    }  # fmt: skip
    creates: ClassVar = "PutTargets"
    reads: ClassVar = "ListTargetsByRule"
    deletes: ClassVar = "RemoveTargets"
    key: ClassVar = {"Rule": "rule", "EventBusName": "eventBusName"}

    def make(self, context: Context, inputs: Properties) -> str:
        """Put it."""
        self.change(context, "", {}, inputs)
        return self.joined(inputs)

    def joined(self, inputs: Properties) -> str:
        """The default bus goes unsaid."""
        bus = "" if inputs["eventBusName"] == "default" else f"{inputs['eventBusName']}-"
        return f"{bus}{inputs['rule']}-{inputs['targetId']}"

    def known(self, resource_id: str, state: Properties) -> Properties:
        """An import tells bus, rule and target."""
        if state:
            return state
        *bus, rule, target = resource_id.rsplit("/", 2)
        return {"eventBusName": bus[0] if bus else "default", "rule": rule, "targetId": target}

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Blocks that AWS nests deeper."""
        wanted = {name: value for name, value in inputs.items() if name not in {"rule", "eventBusName"}}
        if inputs.get("ecsTarget"):
            wanted["ecsTarget"] = ecs_targets.with_network(inputs["ecsTarget"])
        if inputs.get("batchTarget"):
            given = inputs["batchTarget"]
            array = {"arrayProperties": {"size": given["arraySize"]}} if given.get("arraySize") else {}
            retry = {"retryStrategy": {"attempts": given["jobAttempts"]}} if given.get("jobAttempts") else {}
            wanted["batchTarget"] = {**given, **array, **retry}
        if inputs.get("runCommandTargets"):
            wanted["runCommandParameters"] = {"runCommandTargets": wanted.pop("runCommandTargets")}
        return wanted

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it (again)."""
        operation = self.client(context).meta.service_model.operation_model(self.creates)
        shape = operation.input_shape.members["Targets"].member
        target = to_request(shape, self.arrange(context, news), self.renames)
        answer = self.send(context, self.creates, {}, **self.keys("", news), Targets=[target])
        if answer.get("FailedEntryCount"):
            raise CheckError([("arn", answer["FailedEntries"][0].get("ErrorMessage", "was refused"))])

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """Its own among the rule's targets."""
        known = self.known(resource_id, inputs)
        targets = self.send(context, self.reads, {}, **self.keys(resource_id, known))["Targets"]
        return next((target for target in targets if target["Id"] == known["targetId"]), None)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Take it off the rule."""
        self.send(context, self.deletes, {}, **self.keys(resource_id, state), Ids=[state["targetId"]])

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By rule and id."""
        return self.joined(inputs) if self.read(context, "", inputs) else None


class EventArchive(Declared, noun="Archive", verbs="Create Describe Update Delete"):
    """aws:cloudwatch/eventArchive:EventArchive; the id is the name."""

    token: ClassVar = "aws:cloudwatch/eventArchive:EventArchive"
    service: ClassVar = "events"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 48}
    json_keys: ClassVar = frozenset({"eventPattern"})
    replace_on: ClassVar = frozenset({"name", "eventSourceArn"})
    renames: ClassVar = {"name": "ArchiveName", "arn": "ArchiveArn"}
    key: ClassVar = {"ArchiveName": "name"}
    parts: ClassVar = ("name",)
    settled: ClassVar = ("State", frozenset({"ENABLED", "DISABLED"}))


class EventConnection(Declared, noun="Connection", verbs="Create Describe Update Delete"):
    """aws:cloudwatch/eventConnection:EventConnection: how to log in somewhere; the id is the name."""

    token: ClassVar = "aws:cloudwatch/eventConnection:EventConnection"
    service: ClassVar = "events"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    replace_on: ClassVar = frozenset({"name"})
    renames: ClassVar = {
        "apiKey": "ApiKeyAuthParameters", "basic": "BasicAuthParameters", "oauth": "OAuthParameters",
        "headers": "HeaderParameters", "bodies": "BodyParameters", "queryStrings": "QueryStringParameters",
        "arn": "ConnectionArn",
    }  # fmt: skip
    key: ClassVar = {"Name": "name"}
    parts: ClassVar = ("name",)
    settled: ClassVar = ("ConnectionState", frozenset({"AUTHORIZED", "DEAUTHORIZED", "ACTIVE"}))

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """AWS's names of an API key's two halves."""
        given = dict(inputs["authParameters"])
        if given.get("apiKey"):
            key = given["apiKey"]
            given["apiKey"] = {"apiKeyName": key["key"], "apiKeyValue": key["value"]}
        return {**inputs, "authParameters": given}

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """AWS does not tell how to log in."""
        found = super().look(context, resource_id, inputs)
        return found and {name: value for name, value in found.items() if name != "authParameters"}


class EventApiDestination(Declared, noun="ApiDestination", verbs="Create Describe Update Delete"):
    """aws:cloudwatch/eventApiDestination:EventApiDestination; the id is the name."""

    token: ClassVar = "aws:cloudwatch/eventApiDestination:EventApiDestination"
    service: ClassVar = "events"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    defaults: ClassVar = {"invocationRateLimitPerSecond": 300}
    replace_on: ClassVar = frozenset({"name"})
    renames: ClassVar = {"arn": "ApiDestinationArn"}
    key: ClassVar = {"Name": "name"}
    parts: ClassVar = ("name",)


class EventEndpoint(Declared, noun="Endpoint", verbs="Create Describe Update Delete"):
    """aws:cloudwatch/eventEndpoint:EventEndpoint: one address for two regions; the id is the name."""

    token: ClassVar = "aws:cloudwatch/eventEndpoint:EventEndpoint"
    service: ClassVar = "events"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    replace_on: ClassVar = frozenset({"name"})
    key: ClassVar = {"Name": "name"}
    parts: ClassVar = ("name",)
    settled: ClassVar = ("State", frozenset({"ACTIVE"}))


RESOURCES = (
    EventBus(), EventBusPolicy(), EventPermission(), EventRule(), EventTarget(), EventArchive(), EventConnection(),
    EventApiDestination(), EventEndpoint(),
)  # fmt: skip


def event_bus(context: Context, arguments: Properties) -> Properties:
    """A bus by name."""
    found = EventBus().read(context, str(arguments["name"]), None)
    if found is None:
        raise CheckError([("name", f"there is no event bus {arguments['name']}")])
    return {**found, **arguments, "id": arguments["name"]}


def event_connection(context: Context, arguments: Properties) -> Properties:
    """A connection by name."""
    found = EventConnection().read(context, str(arguments["name"]), None)
    if found is None:
        raise CheckError([("name", f"there is no connection {arguments['name']}")])
    return {**found, **arguments, "id": arguments["name"]}


INVOKES: dict[str, Invoke] = {
    "aws:cloudwatch/getEventBus:getEventBus": event_bus,
    "aws:cloudwatch/getEventConnection:getEventConnection": event_connection,
}
