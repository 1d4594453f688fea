"""Step Functions: state machines, their aliases, activities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import SFN
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties


class StateMachine(Declared, noun="StateMachine", verbs="Create Describe Update Delete"):
    """aws:sfn/stateMachine:StateMachine; the id is the ARN."""

    token: ClassVar = "aws:sfn/stateMachine:StateMachine"
    service: ClassVar = "stepfunctions"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 80}
    defaults: ClassVar = {"type": "STANDARD", "publish": False}
    tagging: ClassVar = SFN
    json_keys: ClassVar = frozenset({"definition"})
    replace_on: ClassVar = frozenset({"name", "namePrefix", "type"})
    renames: ClassVar = {"arn": "stateMachineArn"}
    key: ClassVar = {"stateMachineArn": "id"}
    id_from: ClassVar = "stateMachineArn"
    settled: ClassVar = ("status", frozenset({"ACTIVE"}))

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """The one log destination that AWS takes, as AWS nests it."""
        given = inputs.get("loggingConfiguration")
        if not given:
            return inputs
        target = given.get("logDestination")
        group = [{"cloudWatchLogsLogGroup": {"logGroupArn": target}}] if target else []
        known = {name: value for name, value in given.items() if name != "logDestination"}
        return {**inputs, "loggingConfiguration": {**known, **({"destinations": group} if group else {})}}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The log destination as it was given; the newest version, where versions are published."""
        told: Properties = {}
        logging = body.get("loggingConfiguration") or {}
        if inputs.get("loggingConfiguration") and logging.get("destinations"):
            group = logging["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"]
            known = {name: value for name, value in logging.items() if name != "destinations"}
            told["loggingConfiguration"] = {**known, "logDestination": group}
        if inputs.get("publish"):
            versions = self.client(context).list_state_machine_versions(stateMachineArn=resource_id)
            found = versions["stateMachineVersions"]
            told["stateMachineVersionArn"] = found[0]["stateMachineVersionArn"] if found else ""
        return told

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name."""
        arn = f"arn:aws:states:{context.region}:{context.account_id}:stateMachine:{inputs['name']}"
        return arn if self.read(context, arn, inputs) else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it and wait: running executions end first."""
        super().remove(context, resource_id, state)
        self.wait_gone(context, resource_id, state)


class Activity(Declared, noun="Activity", verbs="Create Describe - Delete"):
    """aws:sfn/activity:Activity; the id is the ARN."""

    token: ClassVar = "aws:sfn/activity:Activity"
    service: ClassVar = "stepfunctions"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 80}
    tagging: ClassVar = SFN
    replace_on: ClassVar = frozenset({"name", "encryptionConfiguration"})
    renames: ClassVar = {"arn": "activityArn"}
    key: ClassVar = {"activityArn": "id"}
    id_from: ClassVar = "activityArn"


class Alias(Declared, noun="StateMachineAlias", verbs="Create Describe Update Delete"):
    """aws:sfn/alias:Alias: a name for versions of a state machine; the id is the ARN."""

    token: ClassVar = "aws:sfn/alias:Alias"
    service: ClassVar = "stepfunctions"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 80}
    replace_on: ClassVar = frozenset({"name"})
    renames: ClassVar = {"routingConfigurations": "routingConfiguration", "arn": "stateMachineAliasArn"}
    key: ClassVar = {"stateMachineAliasArn": "id"}
    id_from: ClassVar = "stateMachineAliasArn"

    def find(self, context: Context, inputs: Properties) -> str | None:
        """Its ARN is its machine's and its name."""
        machine = str(inputs["routingConfigurations"][0]["stateMachineVersionArn"]).rpartition(":")[0]
        arn = f"{machine}:{inputs['name']}"
        return arn if self.read(context, arn, inputs) is not None else None


RESOURCES = (StateMachine(), Activity(), Alias())


def state_machine(context: Context, arguments: Properties) -> Properties:
    """A state machine by name."""
    arn = f"arn:aws:states:{context.region}:{context.account_id}:stateMachine:{arguments['name']}"
    found = StateMachine().read(context, arn, None)
    if found is None:
        raise CheckError([("name", f"there is no state machine {arguments['name']}")])
    return {**found, **arguments, "id": arn}


INVOKES: dict[str, Invoke] = {"aws:sfn/getStateMachine:getStateMachine": state_machine}
