"""CloudFormation: stacks, for programs that carry a template along."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.engine.diff import same_json
from harness.deploy.providers.aws.aws_type import AwsType
from harness.deploy.providers.resource import Context, Invoke, Properties
from harness.errors import ProviderError

_GOOD = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})


class Stack(AwsType):
    """aws:cloudformation/stack:Stack; the id is the stack's ARN."""

    token: ClassVar = "aws:cloudformation/stack:Stack"
    creates: ClassVar = "CreateStack"
    listed: ClassVar = "StackId"
    asks: ClassVar = {"StackName": "name"}
    named: ClassVar = "name"
    json_keys: ClassVar = frozenset({"templateBody", "policyBody"})
    replace_on: ClassVar = frozenset({"name", "onFailure", "disableRollback", "timeoutInMinutes"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it and wait for all of it.

        Raises:
            ProviderError: it was rolled back; with the reason of the resource that failed.
        """
        optional = {"OnFailure": inputs["onFailure"]} if inputs.get("onFailure") else {}
        answer = self.client(context).create_stack(**self._request(context, inputs), **optional)
        self._settle(context, str(answer["StackId"]))
        return str(answer["StackId"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Its outputs and parameters."""
        found = self._described(context, resource_id)
        if found is None or found["StackStatus"] == "DELETE_COMPLETE":
            return None
        told: Properties = {
            "name": found["StackName"],
            "outputs": {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())},
        }
        if inputs.get("templateBody"):
            template = self.client(context).get_template(StackName=resource_id)["TemplateBody"]
            same = same_json(inputs["templateBody"], template)
            told["templateBody"] = inputs["templateBody"] if same else as_text(template)
        if inputs.get("parameters"):
            there = {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", ())}
            told["parameters"] = {key: there.get(key, value) for key, value in inputs["parameters"].items()}
        return told

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Update it and wait for all of it."""
        self.client(context).update_stack(**self._request(context, news))
        self._settle(context, resource_id)

    def _outputs(self, context: Context, inputs: Properties, found: Properties) -> Properties:
        """A stack is tagged by its update, with no operation of its own."""
        return {**super()._outputs(context, inputs, found), "tagsAll": self.tags(context, inputs)}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it with everything in it."""
        self.client(context).delete_stack(StackName=resource_id)
        context.wait_until(lambda: self.read(context, resource_id, state) is None, f"deletion of {resource_id}")

    def _request(self, context: Context, inputs: Properties) -> dict[str, Any]:
        names = {
            "templateBody": "TemplateBody", "templateUrl": "TemplateURL", "capabilities": "Capabilities",
            "notificationArns": "NotificationARNs", "iamRoleArn": "RoleARN", "policyBody": "StackPolicyBody",
        }  # fmt: skip
        known = {member: inputs[key] for key, member in names.items() if inputs.get(key)}
        parameters = inputs.get("parameters") or {}
        return {
            **known,
            "StackName": inputs["name"],
            "Parameters": [{"ParameterKey": key, "ParameterValue": str(text)} for key, text in parameters.items()],
            "Tags": [{"Key": key, "Value": text} for key, text in self.tags(context, inputs).items()],
        }

    def _settle(self, context: Context, stack: str) -> None:
        status: list[str] = []

        def settled() -> bool:
            found = self._described(context, stack) or {"StackStatus": "DELETE_COMPLETE"}
            status[:] = [str(found["StackStatus"]), str(found.get("StackStatusReason", ""))]
            return not status[0].endswith("_IN_PROGRESS")

        context.wait_until(settled, f"the stack {stack}")
        if status[0] not in _GOOD:
            raise ProviderError(f"the stack ended in {': '.join(filter(None, status))}", where=context.urn)

    def _described(self, context: Context, stack: str) -> dict[str, Any] | None:
        client = self.client(context)
        try:
            return dict(client.describe_stacks(StackName=stack)["Stacks"][0])
        except client.exceptions.ClientError as error:
            if "does not exist" in str(error):
                return None
            raise


def as_text(template: Any) -> str:
    """A template as text: boto3 reads one in JSON."""
    return template if isinstance(template, str) else json.dumps(template)


def get_stack(context: Context, arguments: Properties) -> Properties:
    """A stack by name."""
    found = context.client("cloudformation").describe_stacks(StackName=arguments["name"])["Stacks"][0]
    return {
        **arguments, "id": found["StackId"], "capabilities": found.get("Capabilities", []),
        "description": found.get("Description", ""), "disableRollback": found.get("DisableRollback", False),
        "iamRoleArn": found.get("RoleARN", ""), "notificationArns": found.get("NotificationARNs", []),
        "outputs": {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())},
        "parameters": {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", ())},
        "region": context.region, "tags": {one["Key"]: one["Value"] for one in found.get("Tags", ())},
        "templateBody": "", "timeoutInMinutes": found.get("TimeoutInMinutes", 0),
    }  # fmt: skip


RESOURCES = (Stack(),)
INVOKES: Mapping[str, Invoke] = {"aws:cloudformation/getStack:getStack": get_stack}
