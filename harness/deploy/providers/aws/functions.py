"""Lambda: functions, permissions, event source mappings, layers, aliases, event invoke rules."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, ClassVar

from harness.deploy.engine.values import Archive, Asset
from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.calls import is_gone
from harness.deploy.providers.aws.tags import LAMBDA
from harness.deploy.providers.resource import CheckError, Context, Properties

_CODE = frozenset({"code", "s3Bucket", "s3Key", "s3ObjectVersion", "imageUri", "sourceCodeHash", "architectures"})
_CONFIGURATION = frozenset(
    {
        "handler", "runtime", "role", "timeout", "memorySize", "description", "environment", "layers", "vpcConfig",
        "deadLetterConfig", "tracingConfig", "ephemeralStorage", "loggingConfig", "kmsKeyArn",
    }
)  # fmt: skip


class Function(AwsType):
    """aws:lambda/function:Function; the id is the name."""

    token: ClassVar = "aws:lambda/function:Function"
    service: ClassVar = "lambda"
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
    replace_on: ClassVar = frozenset({"name", "packageType"})

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """Code must come from somewhere."""
        checked = super().check(context, inputs, olds)
        if not any(checked.get(key) for key in ("code", "s3Bucket", "imageUri")):
            raise CheckError([("code", "or s3Bucket or imageUri is required")])
        return checked

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it and wait until it is Active."""
        name = str(inputs["name"])
        extra = {"Architectures": inputs["architectures"]} if inputs.get("architectures") else {}
        self.client(context).create_function(
            FunctionName=name,
            Code=_code(context, inputs),
            PackageType=inputs["packageType"],
            Publish=bool(inputs["publish"]),
            Tags=self.tags(context, inputs),
            **self._configuration(inputs),
            **extra,
        )
        self._wait(context, name)
        self._reserve(context, name, inputs)
        return name

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARNs, version, hashes."""
        found = self.client(context).get_function(FunctionName=resource_id)["Configuration"]
        arn, version = found["FunctionArn"], found.get("Version", "$LATEST")
        return {
            "name": resource_id,
            "arn": arn,
            "invokeArn": _invoke_arn(context, arn),
            "qualifiedArn": f"{arn}:{version}",
            "qualifiedInvokeArn": _invoke_arn(context, f"{arn}:{version}"),
            "version": version,
            "lastModified": str(found.get("LastModified", "")),
            "sourceCodeSize": found.get("CodeSize", 0),
            "codeSha256": found.get("CodeSha256", ""),
            "sourceCodeHash": inputs.get("sourceCodeHash") or found.get("CodeSha256", ""),
            "architectures": found.get("Architectures") or ["x86_64"],
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Code first, then configuration, each waited for: Lambda takes one update at a time."""
        client, changed = self.client(context), roots(olds, news)
        if changed & _CODE:
            client.update_function_code(FunctionName=resource_id, **_code(context, news))
            self._wait(context, resource_id)
        if changed & _CONFIGURATION:
            client.update_function_configuration(FunctionName=resource_id, **self._configuration(news))
            self._wait(context, resource_id)
        if "reservedConcurrentExecutions" in changed:
            self._reserve(context, resource_id, news)
        if news["publish"] and changed & (_CODE | _CONFIGURATION):
            client.publish_version(FunctionName=resource_id)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it with all versions."""
        del state
        self.client(context).delete_function(FunctionName=resource_id)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name."""
        return str(inputs["name"]) if self.read(context, str(inputs["name"]), inputs) else None

    def _configuration(self, inputs: Properties) -> dict[str, Any]:
        known: dict[str, Any] = {
            "Role": inputs["role"],
            "Timeout": int(inputs["timeout"]),
            "MemorySize": int(inputs["memorySize"]),
            "Description": inputs.get("description", ""),
            "Environment": {"Variables": (inputs.get("environment") or {}).get("variables") or {}},
        }
        for key, member in (("handler", "Handler"), ("runtime", "Runtime"), ("kmsKeyArn", "KMSKeyArn")):
            if inputs.get(key):
                known[member] = inputs[key]
        if inputs.get("layers") is not None:
            known["Layers"] = inputs["layers"]
        if inputs.get("vpcConfig"):
            vpc = inputs["vpcConfig"]
            known["VpcConfig"] = {"SubnetIds": vpc["subnetIds"], "SecurityGroupIds": vpc["securityGroupIds"]}
        if inputs.get("deadLetterConfig"):
            known["DeadLetterConfig"] = {"TargetArn": inputs["deadLetterConfig"]["targetArn"]}
        if inputs.get("tracingConfig"):
            known["TracingConfig"] = {"Mode": inputs["tracingConfig"]["mode"]}
        if inputs.get("ephemeralStorage"):
            known["EphemeralStorage"] = {"Size": int(inputs["ephemeralStorage"]["size"])}
        return known

    def _reserve(self, context: Context, name: str, inputs: Properties) -> None:
        """-1 means: not reserved."""
        reserved = int(inputs["reservedConcurrentExecutions"])
        if reserved >= 0:
            self.client(context).put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
            return
        from botocore.exceptions import ClientError

        try:
            self.client(context).delete_function_concurrency(FunctionName=name)
        except ClientError as error:
            if not is_gone(error):
                raise

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


def _invoke_arn(context: Context, arn: str) -> str:
    return f"arn:aws:apigateway:{context.region}:lambda:path/2015-03-31/functions/{arn}/invocations"


class Permission(AwsType):
    """aws:lambda/permission:Permission; the id is the statement's."""

    token: ClassVar = "aws:lambda/permission:Permission"
    service: ClassVar = "lambda"
    named: ClassVar = "statementId"
    name_rules: ClassVar = {"limit": 100}
    replace_on: ClassVar = frozenset(
        {"action", "function", "principal", "qualifier", "sourceAccount", "sourceArn", "statementId"}
    )
    renames: ClassVar = {"function": "FunctionName"}

    def make(self, context: Context, inputs: Properties) -> str:
        """Add the statement."""
        self.call(context, "AddPermission", inputs)
        return str(inputs["statementId"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """In the policy, or not."""
        qualifier = {"Qualifier": inputs["qualifier"]} if inputs.get("qualifier") else {}
        policy = self.client(context).get_policy(FunctionName=inputs["function"], **qualifier)["Policy"]
        return {"statementId": resource_id} if f'"{resource_id}"' in policy else None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Nothing can change."""

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Remove the statement."""
        qualifier = {"Qualifier": state["qualifier"]} if state.get("qualifier") else {}
        self.client(context).remove_permission(FunctionName=state["function"], StatementId=resource_id, **qualifier)


class EventSourceMapping(AwsType):
    """aws:lambda/eventSourceMapping:EventSourceMapping; the id is the UUID."""

    token: ClassVar = "aws:lambda/eventSourceMapping:EventSourceMapping"
    service: ClassVar = "lambda"
    defaults: ClassVar = {"enabled": True}
    replace_on: ClassVar = frozenset({"eventSourceArn", "startingPosition", "startingPositionTimestamp"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it and wait until it polls."""
        known = {key: value for key, value in inputs.items() if key != "tags"}
        uuid = str(self.call(context, "CreateEventSourceMapping", known)["UUID"])
        settled = {"Enabled", "Disabled"}
        context.wait_until(
            lambda: self.client(context).get_event_source_mapping(UUID=uuid).get("State") in settled,
            f"mapping {uuid}",
        )
        return uuid

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARNs, state."""
        del inputs
        found = self.client(context).get_event_source_mapping(UUID=resource_id)
        return {
            "uuid": resource_id,
            "arn": found.get("EventSourceMappingArn")
            or f"arn:aws:lambda:{context.region}:{context.account_id}:event-source-mapping:{resource_id}",
            "functionArn": found["FunctionArn"],
            "state": found.get("State", ""),
            "stateTransitionReason": found.get("StateTransitionReason", ""),
            "lastModified": str(found.get("LastModified", "")),
            "batchSize": found.get("BatchSize"),
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Everything but the source."""
        del olds
        fixed = {"eventSourceArn", "startingPosition", "startingPositionTimestamp", "tags"}
        known = {key: value for key, value in news.items() if key not in fixed}
        self.call(context, "UpdateEventSourceMapping", known, UUID=resource_id)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        del state
        self.client(context).delete_event_source_mapping(UUID=resource_id)


class LayerVersion(AwsType):
    """aws:lambda/layerVersion:LayerVersion; the id is the version's ARN."""

    token: ClassVar = "aws:lambda/layerVersion:LayerVersion"
    service: ClassVar = "lambda"
    replace_on: ClassVar = frozenset(
        {
            "layerName", "code", "s3Bucket", "s3Key", "s3ObjectVersion", "sourceCodeHash", "compatibleRuntimes",
            "compatibleArchitectures", "description", "licenseInfo",
        }
    )  # fmt: skip

    def make(self, context: Context, inputs: Properties) -> str:
        """Publish a version."""
        extra = {
            member: inputs[key]
            for key, member in (
                ("compatibleRuntimes", "CompatibleRuntimes"),
                ("compatibleArchitectures", "CompatibleArchitectures"),
                ("licenseInfo", "LicenseInfo"),
            )
            if inputs.get(key)
        }
        answer = self.client(context).publish_layer_version(
            LayerName=inputs["layerName"],
            Description=inputs.get("description", ""),
            Content=_code(context, inputs),
            **extra,
        )
        return str(answer["LayerVersionArn"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARNs, version, size."""
        found = self.client(context).get_layer_version_by_arn(Arn=resource_id)
        code = inputs.get("code")
        digest = ""
        if isinstance(code, Archive):
            digest = base64.b64encode(hashlib.sha256(context.zip_bytes(code)).digest()).decode()
        return {
            "arn": resource_id,
            "layerArn": resource_id.rpartition(":")[0],
            "version": str(found["Version"]),
            "createdDate": str(found.get("CreatedDate", "")),
            "sourceCodeSize": found.get("Content", {}).get("CodeSize", 0),
            "sourceCodeHash": inputs.get("sourceCodeHash") or digest,
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Versions do not change."""

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete the version."""
        if state.get("skipDestroy"):
            return
        layer, _, version = resource_id.rpartition(":")
        self.client(context).delete_layer_version(LayerName=layer, VersionNumber=int(version))


class Alias(AwsType):
    """aws:lambda/alias:Alias; the id is the ARN."""

    token: ClassVar = "aws:lambda/alias:Alias"
    service: ClassVar = "lambda"
    named: ClassVar = "name"
    replace_on: ClassVar = frozenset({"name", "functionName"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        return str(self.call(context, "CreateAlias", inputs)["AliasArn"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARNs."""
        self.client(context).get_alias(FunctionName=inputs["functionName"], Name=inputs["name"])
        return {"arn": resource_id, "invokeArn": _invoke_arn(context, resource_id)}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Version, weights, description."""
        del resource_id, olds
        self.call(context, "UpdateAlias", news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        del resource_id
        self.client(context).delete_alias(FunctionName=state["functionName"], Name=state["name"])


RESOURCES = (Function(), Permission(), EventSourceMapping(), LayerVersion(), Alias())
