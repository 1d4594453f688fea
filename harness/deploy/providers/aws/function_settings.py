"""Lambda: what is set on a function or points to it: aliases, URLs, capacity, event invoke rules, signing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.functions import invoke_arn
from harness.deploy.providers.aws.tags import LAMBDA
from harness.deploy.providers.resource import CheckError, Context, Invoke, Observation, Properties
from harness.errors import ProviderError

_FUNCTION = {"FunctionName": "functionName"}
_QUALIFIED = {**_FUNCTION, "Qualifier": "qualifier"}


class Alias(Declared, noun="Alias"):
    """aws:lambda/alias:Alias; the id is the ARN."""

    token: ClassVar = "aws:lambda/alias:Alias"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    replace_on: ClassVar = frozenset({"name", "functionName"})
    renames: ClassVar = {"arn": "AliasArn"}
    key: ClassVar = {**_FUNCTION, "Name": "name"}
    id_from: ClassVar = "AliasArn"
    parts: ClassVar = ("functionName", "name")

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """What API Gateway calls it by."""
        return {"invokeArn": invoke_arn(context, str(body["AliasArn"]))}


class FunctionUrl(Declared, noun="FunctionUrlConfig"):
    """aws:lambda/functionUrl:FunctionUrl; the id is `function[/qualifier]`."""

    token: ClassVar = "aws:lambda/functionUrl:FunctionUrl"
    defaults: ClassVar = {"invokeMode": "BUFFERED"}
    replace_on: ClassVar = frozenset({"functionName", "qualifier"})
    renames: ClassVar = {"authorizationType": "AuthType"}
    key: ClassVar = _QUALIFIED
    parts: ClassVar = ("functionName",)

    def joined(self, inputs: Properties) -> str:
        """With the qualifier where there is one."""
        return "/".join(str(inputs[name]) for name in ("functionName", "qualifier") if inputs.get(name))

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The id in the URL."""
        url = str(body.get("FunctionUrl", ""))
        return {"urlId": url.partition("://")[2].partition(".")[0]}


class FunctionEventInvokeConfig(Declared, noun="FunctionEventInvokeConfig", verbs="Put Get Put Delete"):
    """aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig; the id is `function[:qualifier]`."""

    token: ClassVar = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
    defaults: ClassVar = {"maximumRetryAttempts": 2}
    replace_on: ClassVar = frozenset({"functionName", "qualifier"})
    key: ClassVar = _QUALIFIED
    parts: ClassVar = ("functionName",)

    def joined(self, inputs: Properties) -> str:
        """With the qualifier where there is one."""
        return ":".join(str(inputs[name]) for name in ("functionName", "qualifier") if inputs.get(name))


class ProvisionedConcurrencyConfig(Declared, noun="ProvisionedConcurrencyConfig", verbs="Put Get Put Delete"):
    """aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig; the id is `function,qualifier`."""

    token: ClassVar = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"
    defaults: ClassVar = {"skipDestroy": False}
    replace_on: ClassVar = frozenset({"functionName", "qualifier"})
    renames: ClassVar = {"provisionedConcurrentExecutions": "ProvisionedConcurrentExecutions"}
    key: ClassVar = _QUALIFIED
    parts: ClassVar = ("functionName", "qualifier")
    separator: ClassVar = ","
    settled: ClassVar = ("Status", frozenset({"READY"}))

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """What was asked for; AWS tells what it has allocated beside."""
        return {"provisionedConcurrentExecutions": body["RequestedProvisionedConcurrentExecutions"]}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Give it back, unless it is to be kept."""
        if not state.get("skipDestroy"):
            super().remove(context, resource_id, state)


class CodeSigningConfig(Declared, noun="CodeSigningConfig"):
    """aws:lambda/codeSigningConfig:CodeSigningConfig; the id is the ARN."""

    token: ClassVar = "aws:lambda/codeSigningConfig:CodeSigningConfig"
    tagging: ClassVar = LAMBDA
    renames: ClassVar = {
        "policies": "CodeSigningPolicies", "arn": "CodeSigningConfigArn", "configId": "CodeSigningConfigId",
    }  # fmt: skip
    key: ClassVar = {"CodeSigningConfigArn": "id"}
    id_from: ClassVar = "CodeSigningConfig.CodeSigningConfigArn"
    body: ClassVar = "CodeSigningConfig"


class FunctionRecursionConfig(Declared, noun="FunctionRecursionConfig", verbs="Put Get Put -"):
    """aws:lambda/functionRecursionConfig:FunctionRecursionConfig; the id is the function's name."""

    token: ClassVar = "aws:lambda/functionRecursionConfig:FunctionRecursionConfig"
    outlives: ClassVar = True
    replace_on: ClassVar = frozenset({"functionName"})
    key: ClassVar = _FUNCTION
    parts: ClassVar = ("functionName",)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Back to what a new function has."""
        self.send(context, self.updates, {"recursiveLoop": "Terminate"}, FunctionName=resource_id)


class RuntimeManagementConfig(Declared, noun="RuntimeManagementConfig", verbs="Put Get Put -"):
    """aws:lambda/runtimeManagementConfig:RuntimeManagementConfig; the id is `function[,qualifier]`."""

    token: ClassVar = "aws:lambda/runtimeManagementConfig:RuntimeManagementConfig"
    outlives: ClassVar = True
    defaults: ClassVar = {"updateRuntimeOn": "Auto"}
    replace_on: ClassVar = frozenset({"functionName", "qualifier"})
    key: ClassVar = _QUALIFIED
    parts: ClassVar = ("functionName",)
    separator: ClassVar = ","

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Back to updates whenever AWS has one."""
        self.send(context, self.updates, {"updateRuntimeOn": "Auto"}, **self.keys(resource_id, state))


class LayerVersionPermission(AwsType):
    """aws:lambda/layerVersionPermission:LayerVersionPermission; the id is `layer,version`."""

    token: ClassVar = "aws:lambda/layerVersionPermission:LayerVersionPermission"
    parts: ClassVar = ("layerName", "versionNumber")
    defaults: ClassVar = {"skipDestroy": False}
    replace_on: ClassVar = frozenset(
        {"action", "layerName", "organizationId", "principal", "statementId", "versionNumber"}
    )

    def make(self, context: Context, inputs: Properties) -> str:
        """Add the statement."""
        self.call(context, "AddLayerVersionPermission", inputs)
        return self.joined(inputs)

    def joined(self, inputs: Properties) -> str:
        """Layer and version."""
        return f"{inputs['layerName']},{int(inputs['versionNumber'])}"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """In the policy, or not."""
        layer, _, version = resource_id.rpartition(",")
        answer = self.client(context).get_layer_version_policy(LayerName=layer, VersionNumber=int(version))
        statements = json.loads(answer["Policy"])["Statement"]
        if not any(one.get("Sid") == inputs.get("statementId", one.get("Sid")) for one in statements):
            return None
        return {"policy": answer["Policy"], "revisionId": answer.get("RevisionId", "")}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Nothing can change."""

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Remove the statement, unless it is to be kept."""
        if not state.get("skipDestroy"):
            known = {name: state[name] for name in ("layerName", "versionNumber", "statementId")}
            self.call(context, "RemoveLayerVersionPermission", known)


class Invocation(AwsType):
    """aws:lambda/invocation:Invocation: the function is called when it is created and when its input changes."""

    token: ClassVar = "aws:lambda/invocation:Invocation"
    traceless: ClassVar = "the function may have been called"
    defaults: ClassVar = {"qualifier": "$LATEST", "lifecycleScope": "CREATE_ONLY", "terraformKey": "tf"}
    json_keys: ClassVar = frozenset({"input"})
    replace_on: ClassVar = frozenset({"functionName", "qualifier", "triggers"})
    outlives: ClassVar = True

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Call it; the answer is the only thing that is kept."""
        result = self._invoke(context, inputs)
        return f"{inputs['functionName']}_{inputs['qualifier']}", {**inputs, "result": result}

    def read(self, context: Context, resource_id: str, inputs: Properties | None) -> Properties | None:
        """Nothing of it is on AWS."""
        return inputs

    def observe(self, context: Context, resource_id: str, inputs: Properties) -> Observation | None:
        """Nothing of it is on AWS, so that there is nothing to compare."""
        return Observation(inputs, {}, frozenset(inputs))

    def update(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> Properties:
        """Call it again."""
        return {**news, "result": self._invoke(context, news) if "input" in roots(olds, news) else ""}

    def delete(self, context: Context, resource_id: str, state: Properties) -> None:
        """A call that was made stays made; in the scope CRUD one more tells of the end."""
        if state.get("lifecycleScope") == "CRUD":
            self._invoke(context, state)

    def _invoke(self, context: Context, inputs: Properties) -> str:
        name = str(inputs["functionName"])
        answer = self.client(context).invoke(
            FunctionName=name, Qualifier=inputs["qualifier"], Payload=str(inputs["input"]).encode()
        )
        text: str = answer["Payload"].read().decode()
        if answer.get("FunctionError"):
            raise ProviderError(f"function {name} failed: {text}", where=context.urn)
        return text


RESOURCES = (
    Alias(), FunctionUrl(), FunctionEventInvokeConfig(), ProvisionedConcurrencyConfig(), CodeSigningConfig(),
    FunctionRecursionConfig(), RuntimeManagementConfig(), LayerVersionPermission(), Invocation(),
)  # fmt: skip


def alias(context: Context, arguments: Properties) -> Properties:
    """An alias by function and name."""
    found = Alias().read(context, f"{arguments['functionName']}/{arguments['name']}", None)
    if found is None:
        raise CheckError([("name", f"{arguments['functionName']} has no alias {arguments['name']}")])
    return {**found, **arguments, "id": found["arn"]}


def function_url(context: Context, arguments: Properties) -> Properties:
    """A function's URL."""
    found = FunctionUrl().read(context, str(arguments["functionName"]), dict(arguments))
    if found is None:
        raise CheckError([("functionName", f"{arguments['functionName']} has no URL")])
    return {**found, "id": arguments["functionName"]}


def invocation(context: Context, arguments: Properties) -> Properties:
    """What a function answers."""
    known = {"qualifier": "$LATEST", **arguments}
    _, outputs = Invocation().create(context, known)
    return {**known, "result": outputs["result"], "id": f"{known['functionName']}_{known['qualifier']}"}


INVOKES: dict[str, Invoke] = {
    "aws:lambda/getAlias:getAlias": alias,
    "aws:lambda/getFunctionUrl:getFunctionUrl": function_url,
    "aws:lambda/getInvocation:getInvocation": invocation,
}
