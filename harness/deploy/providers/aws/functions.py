"""Lambda: functions, layers, event source mappings, permissions. The rest is in `function_settings`."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.engine.values import Archive, Asset
from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.calls import gone_is_fine
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import LAMBDA
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties

_CODE = frozenset({
    "code", "s3Bucket", "s3Key", "s3ObjectVersion", "imageUri", "sourceCodeHash", "architectures", "codeSha256",
    "sourceKmsKeyArn",
})  # fmt: skip
_OTHER = frozenset({
    "tags", "publish", "publishTo", "reservedConcurrentExecutions", "skipDestroy", "codeSigningConfigArn",
    "replaceSecurityGroupsOnDestroy", "replacementSecurityGroupIds", "useResourceTimeoutForPropagation",
})  # fmt: skip
_RENAMES = {
    "name": "FunctionName", "commands": "Command", "entryPoints": "EntryPoint",
    "fileSystemConfig": "FileSystemConfigs",
}  # fmt: skip
_EMPTIED: Mapping[str, Any] = {
    "environment": {"variables": {}}, "layers": [], "vpcConfig": {"subnetIds": [], "securityGroupIds": []},
    "deadLetterConfig": {"targetArn": ""}, "description": "", "fileSystemConfig": [],
    "tracingConfig": {"mode": "PassThrough"}, "kmsKeyArn": "", "snapStart": {"applyOn": "None"},
}  # fmt: skip
"""What takes a setting away that is no longer given."""


class Function(Declared, noun="Function", verbs="Create Get - Delete"):
    """aws:lambda/function:Function; the id is the name."""

    token: ClassVar = "aws:lambda/function:Function"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    defaults: ClassVar = {
        "memorySize": 128,
        "timeout": 3,
        "packageType": "Zip",
        "publish": False,
        "reservedConcurrentExecutions": -1,
        "skipDestroy": False,
    }
    tagging: ClassVar = LAMBDA
    replace_on: ClassVar = frozenset({"name", "packageType", "tenancyConfig", "durableConfig"})
    renames: ClassVar = _RENAMES
    updates: ClassVar = "UpdateFunctionConfiguration"
    key: ClassVar = {"FunctionName": "name"}
    parts: ClassVar = ("name",)
    body: ClassVar = "Configuration"

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """Code must come from somewhere."""
        checked = super().check(context, inputs, olds)
        if all(checked.get(key) is None for key in ("code", "s3Bucket", "imageUri")):
            raise CheckError([("code", "or s3Bucket or imageUri is required")])
        return checked

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it and wait until it is Active."""
        name = str(inputs["name"])
        known = {key: value for key, value in inputs.items() if key not in {"code", "tags"}}
        extra = {"Tags": self.tags(context, inputs)} if self.tags(context, inputs) else {}
        self.send(context, self.creates, known, Code=_code(context, inputs), **extra)
        self._wait(context, name)
        if int(inputs["reservedConcurrentExecutions"]) >= 0:
            self._reserve(context, name, inputs)
        return name

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Settings, ARNs, version, hashes."""
        found = super().look(context, resource_id, inputs)
        if found is not None and inputs:
            found = {name: value for name, value in found.items() if name in inputs or name not in _EMPTIED}
        return found

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """ARNs, version, hashes; layers and reserved concurrency in the program's words."""
        arn, version = str(body["FunctionArn"]), self._version(context, resource_id, inputs)
        invoke = invoke_arn(context, arn)
        told: Properties = {
            "arn": arn,
            "invokeArn": invoke,
            "responseStreamingInvokeArn": invoke.replace("/invocations", "/response-streaming-invocations"),
            "qualifiedArn": f"{arn}:{version}",
            "qualifiedInvokeArn": invoke_arn(context, f"{arn}:{version}"),
            "version": version,
            "lastModified": str(body.get("LastModified", "")),
            "sourceCodeSize": body.get("CodeSize", 0),
            "codeSha256": body.get("CodeSha256", ""),
            "sourceCodeHash": inputs.get("sourceCodeHash") or body.get("CodeSha256", ""),
            "architectures": body.get("Architectures") or ["x86_64"],
            "layers": [layer["Arn"] for layer in body.get("Layers") or ()] if inputs.get("layers") else None,
        }
        if "reservedConcurrentExecutions" in inputs:
            answer = self.client(context).get_function_concurrency(FunctionName=resource_id)
            told["reservedConcurrentExecutions"] = answer.get("ReservedConcurrentExecutions", -1)
        return told

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Code first, then configuration, each waited for: Lambda takes one update at a time."""
        client, changed = self.client(context), roots(olds, news)
        if changed & _CODE:
            architectures = {"Architectures": news["architectures"]} if news.get("architectures") else {}
            client.update_function_code(FunctionName=resource_id, **_code(context, news), **architectures)
            self._wait(context, resource_id)
        if changed - _CODE - _OTHER:
            emptied = {name: value for name, value in _EMPTIED.items() if olds.get(name) and not news.get(name)}
            known = {name: value for name, value in news.items() if name not in _CODE and value is not None}
            self.send(context, self.updates, {**known, **emptied})
            self._wait(context, resource_id)
        if "reservedConcurrentExecutions" in changed:
            self._reserve(context, resource_id, news)
        if "codeSigningConfigArn" in changed:
            self._sign(context, resource_id, news)
        if news["publish"] and changed - {"tags"}:
            client.publish_version(FunctionName=resource_id)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it with all versions, unless it is to be kept."""
        if not state.get("skipDestroy"):
            super().remove(context, resource_id, state)

    def _version(self, context: Context, name: str, inputs: Properties) -> str:
        """The newest published version where the program publishes, `$LATEST` elsewhere."""
        if not inputs.get("publish"):
            return "$LATEST"
        pages = self.client(context).get_paginator("list_versions_by_function").paginate(FunctionName=name)
        found = [one["Version"] for page in pages for one in page["Versions"]]
        return max(found, key=lambda version: int(version) if version.isdigit() else 0, default="$LATEST")

    def _reserve(self, context: Context, name: str, inputs: Properties) -> None:
        """-1 means: not reserved."""
        reserved = int(inputs["reservedConcurrentExecutions"])
        if reserved >= 0:
            self.client(context).put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
        else:
            with gone_is_fine():
                self.client(context).delete_function_concurrency(FunctionName=name)

    def _sign(self, context: Context, name: str, inputs: Properties) -> None:
        client, arn = self.client(context), inputs.get("codeSigningConfigArn")
        if arn:
            client.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=arn)
        else:
            client.delete_function_code_signing_config(FunctionName=name)

    def _wait(self, context: Context, name: str) -> None:
        def ready() -> bool:
            found = self.client(context).get_function_configuration(FunctionName=name)
            pending = (found.get("State"), found.get("LastUpdateStatus"))
            return "Pending" not in pending and "InProgress" not in pending

        context.wait_until(ready, f"function {name}")


def _code(context: Context, inputs: Properties) -> dict[str, Any]:
    code = inputs.get("code")
    if isinstance(code, Archive):
        return {"ZipFile": context.zip_bytes(code)}
    if isinstance(code, Asset):
        return {"ZipFile": context.file_bytes(code)}
    if inputs.get("imageUri"):
        return {"ImageUri": inputs["imageUri"]}
    optional = {"S3ObjectVersion": inputs["s3ObjectVersion"]} if inputs.get("s3ObjectVersion") else {}
    return {"S3Bucket": inputs["s3Bucket"], "S3Key": inputs["s3Key"], **optional}


def invoke_arn(context: Context, arn: str) -> str:
    """What API Gateway calls a function by."""
    return f"arn:aws:apigateway:{context.region}:lambda:path/2015-03-31/functions/{arn}/invocations"


class Permission(AwsType):
    """aws:lambda/permission:Permission; the id is the statement's."""

    token: ClassVar = "aws:lambda/permission:Permission"
    named: ClassVar = "statementId"
    name_rules: ClassVar = {"limit": 100}
    replace_on: ClassVar = frozenset({
        "action", "eventSourceToken", "function", "functionUrlAuthType", "invokedViaFunctionUrl", "principal",
        "principalOrgId", "qualifier", "sourceAccount", "sourceArn", "statementId", "statementIdPrefix",
    })  # fmt: skip
    renames: ClassVar = {"function": "FunctionName"}

    def make(self, context: Context, inputs: Properties) -> str:
        """Add the statement."""
        self.call(context, "AddPermission", inputs)
        return str(inputs["statementId"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """In the policy, or not. An import gives `function[:qualifier]/statement`."""
        function, _, statement = resource_id.rpartition("/")
        name, _, qualifier = function.partition(":")
        known = inputs or {"function": name, "qualifier": qualifier, "statementId": statement}
        place = {"Qualifier": known["qualifier"]} if known.get("qualifier") else {}
        policy = self.client(context).get_policy(FunctionName=known["function"], **place)["Policy"]
        found = next((one for one in json.loads(policy)["Statement"] if one.get("Sid") == known["statementId"]), None)
        return None if found is None else {**known, "action": found["Action"]}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Nothing can change."""

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Remove the statement."""
        qualifier = {"Qualifier": state["qualifier"]} if state.get("qualifier") else {}
        self.client(context).remove_permission(FunctionName=state["function"], StatementId=resource_id, **qualifier)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By its statement."""
        found = self.read(context, str(inputs["statementId"]), inputs)
        return str(inputs["statementId"]) if found is not None else None


class EventSourceMapping(Declared, noun="EventSourceMapping"):
    """aws:lambda/eventSourceMapping:EventSourceMapping; the id is the UUID."""

    token: ClassVar = "aws:lambda/eventSourceMapping:EventSourceMapping"
    defaults: ClassVar = {"enabled": True}
    tagging: ClassVar = LAMBDA
    replace_on: ClassVar = frozenset({
        "eventSourceArn", "startingPosition", "startingPositionTimestamp", "queues", "topics",
        "selfManagedEventSource",
    })  # fmt: skip
    renames: ClassVar = {"destinationArn": "Destination", "arn": "EventSourceMappingArn"}
    key: ClassVar = {"UUID": "id"}
    id_from: ClassVar = "UUID"
    settled: ClassVar = ("State", frozenset({"Enabled", "Disabled"}))
    computed: ClassVar = {"arn": "arn:aws:lambda:{region}:{account}:event-source-mapping:{id}"}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The function as it was given, and whether it polls."""
        arn = str(body["FunctionArn"])
        given = str(inputs.get("functionName") or "")
        same = given and (arn == given or arn.endswith(f":function:{given}"))
        told = {"functionName": given if same else arn}
        return {**told, "uuid": resource_id, "enabled": str(body.get("State", "")).startswith("Enabl")}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it, and wait until it polls no more."""
        super().remove(context, resource_id, state)
        self.wait_gone(context, resource_id, state)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By function and source."""
        if not inputs.get("eventSourceArn"):
            return None
        place = {"FunctionName": inputs["functionName"], "EventSourceArn": inputs["eventSourceArn"]}
        found = self.client(context).list_event_source_mappings(**place)["EventSourceMappings"]
        return str(found[0]["UUID"]) if found else None


class LayerVersion(AwsType):
    """aws:lambda/layerVersion:LayerVersion; the id is the version's ARN."""

    token: ClassVar = "aws:lambda/layerVersion:LayerVersion"
    lists: ClassVar = "ListLayerVersions"
    listed: ClassVar = "LayerVersionArn"
    asks: ClassVar = {"LayerName": "layerName"}
    replace_on: ClassVar = frozenset({
        "layerName", "code", "s3Bucket", "s3Key", "s3ObjectVersion", "sourceCodeHash", "compatibleRuntimes",
        "compatibleArchitectures", "description", "licenseInfo",
    })  # fmt: skip

    def make(self, context: Context, inputs: Properties) -> str:
        """Publish a version."""
        known = {name: value for name, value in inputs.items() if name != "code"}
        answer = self.call(context, "PublishLayerVersion", known, Content=_code(context, inputs))
        return str(answer["LayerVersionArn"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARNs, version, size."""
        found = self.client(context).get_layer_version_by_arn(Arn=resource_id)
        code = inputs.get("code")
        digest = _digest(context, code) if isinstance(code, Archive) else ""
        content = found.get("Content", {})
        return {
            "arn": resource_id,
            "layerArn": resource_id.rpartition(":")[0],
            "version": str(found["Version"]),
            "createdDate": str(found.get("CreatedDate", "")),
            "sourceCodeSize": content.get("CodeSize", 0),
            "sourceCodeHash": inputs.get("sourceCodeHash") or digest or content.get("CodeSha256", ""),
            "description": found.get("Description", ""),
            "compatibleRuntimes": found.get("CompatibleRuntimes") or [],
        }

    def settings(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """What a version is made of is told by its hash only."""
        code = inputs.get("code")
        if not isinstance(code, Archive):
            return {}
        content = self.client(context).get_layer_version_by_arn(Arn=resource_id).get("Content", {})
        return {"code": code if content.get("CodeSha256") == _digest(context, code) else None}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Versions do not change."""

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete the version, unless it is to be kept."""
        if state.get("skipDestroy"):
            return
        layer, _, version = resource_id.rpartition(":")
        self.client(context).delete_layer_version(LayerName=layer, VersionNumber=int(version))


def _digest(context: Context, code: Archive) -> str:
    return base64.b64encode(hashlib.sha256(context.zip_bytes(code)).digest()).decode()


RESOURCES = (Function(), Permission(), EventSourceMapping(), LayerVersion())


def function(context: Context, arguments: Properties) -> Properties:
    """A function by name."""
    name = str(arguments["functionName"])
    found = Function().read(context, name, None)
    if found is None:
        raise CheckError([("functionName", f"there is no function {name}")])
    if arguments.get("qualifier"):
        found["qualifiedArn"] = f"{found['arn']}:{arguments['qualifier']}"
        found["qualifiedInvokeArn"] = invoke_arn(context, found["qualifiedArn"])
    return {**found, **arguments, "id": name}


def layer_version(context: Context, arguments: Properties) -> Properties:
    """A layer's newest version, or the one that is named."""
    client, name = context.client("lambda"), arguments["layerName"]
    version = arguments.get("version")
    if version is None:
        known = client.list_layer_versions(LayerName=name)["LayerVersions"]
        if not known:
            raise CheckError([("layerName", f"there is no layer {name}")])
        version = max(one["Version"] for one in known)
    arn = client.get_layer_version(LayerName=name, VersionNumber=int(version))["LayerVersionArn"]
    return {**arguments, **LayerVersion().look(context, arn, {}), "version": int(version), "id": arn}


INVOKES: dict[str, Invoke] = {
    "aws:lambda/getFunction:getFunction": function,
    "aws:lambda/getLayerVersion:getLayerVersion": layer_version,
}
