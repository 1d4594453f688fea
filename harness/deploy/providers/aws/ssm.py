"""Systems Manager: parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties

_SECURE = "SecureString"


class Parameter(AwsType):
    """aws:ssm/parameter:Parameter; the id is the name."""

    token: ClassVar = "aws:ssm/parameter:Parameter"
    named: ClassVar = "name"
    defaults: ClassVar = {"tier": "Standard", "dataType": "text"}
    tags_after: ClassVar = True
    tagging: ClassVar = Tagging(
        tag="add_tags_to_resource", untag="remove_tags_from_resource", resource="ResourceId",
        beside={"ResourceType": "Parameter"},
    )  # fmt: skip
    replace_on: ClassVar = frozenset({"name", "dataType", "type"})
    secret_outputs: ClassVar = frozenset({"value", "valueWo"})

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """One of the three ways to give a value."""
        given = super().check(context, inputs, olds)
        if all(given.get(key) is None for key in ("value", "insecureValue", "valueWo")):
            raise CheckError([("value", "is required (or insecureValue, or valueWo)")])
        if given["type"] == _SECURE and given.get("insecureValue") is not None:
            raise CheckError([("insecureValue", "is not for SecureString: use value")])
        return given

    def make(self, context: Context, inputs: Properties) -> str:
        """Put it; with `overwrite` over one that is there."""
        self._put(context, inputs, bool(inputs.get("overwrite")))
        return str(inputs["name"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """Value, version, ARN."""
        client = self.client(context)
        found = client.get_parameter(Name=resource_id, WithDecryption=True)["Parameter"]
        wanted = [{"Key": "Name", "Option": "Equals", "Values": [resource_id]}]
        about = (client.describe_parameters(ParameterFilters=wanted)["Parameters"] or [{}])[0]
        told = {
            "name": resource_id, "arn": found["ARN"], "type": found["Type"], "version": found["Version"],
            "dataType": found.get("DataType", "text"), "description": about.get("Description"),
            "tier": about.get("Tier"), "keyId": about.get("KeyId"), "allowedPattern": about.get("AllowedPattern"),
            "hasValueWo": bool(inputs.get("valueWoVersion")),
        }  # fmt: skip
        if not told["hasValueWo"]:
            told["value"] = found["Value"]
            if found["Type"] != _SECURE:
                told["insecureValue"] = found["Value"]
        return told

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it over the old one."""
        if roots(olds, news) - {"tags", "overwrite"}:
            self._put(context, news, overwrite=True)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        self.client(context).delete_parameter(Name=resource_id)

    def tag_target(self, resource_id: str, state: Properties) -> str:
        """By name."""
        return resource_id

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name."""
        return str(inputs["name"]) if self.read(context, str(inputs["name"]), inputs) else None

    def _put(self, context: Context, inputs: Properties, overwrite: bool) -> None:  # noqa: FBT001 - AWS's own word
        value = next(inputs[key] for key in ("value", "insecureValue", "valueWo") if inputs.get(key) is not None)
        known = {key: inputs[key] for key in inputs if key not in {"tags", "value", "overwrite"}}
        self.call(context, "PutParameter", known, Value=str(value), Overwrite=overwrite)


def get_parameter(context: Context, arguments: Properties) -> Properties:
    """A parameter by name; AWS's public ones as far as the cloud has them."""
    decrypted = arguments.get("withDecryption", True) is not False
    found = context.client("ssm").get_parameter(Name=arguments["name"], WithDecryption=decrypted)["Parameter"]
    return {
        **arguments, "id": found["Name"], "arn": found["ARN"], "type": found["Type"], "value": found["Value"],
        "insecureValue": "" if found["Type"] == _SECURE else found["Value"], "version": found["Version"],
        "region": context.region,
    }  # fmt: skip


def get_parameters_by_path(context: Context, arguments: Properties) -> Properties:
    """Every parameter below a path."""
    pages = context.client("ssm").get_paginator("get_parameters_by_path")
    found = [
        one
        for page in pages.paginate(
            Path=arguments["path"],
            Recursive=bool(arguments.get("recursive")),
            WithDecryption=arguments.get("withDecryption", True) is not False,
        )
        for one in page["Parameters"]
    ]
    return {
        **arguments, "id": arguments["path"], "region": context.region, "arns": [one["ARN"] for one in found],
        "names": [one["Name"] for one in found], "types": [one["Type"] for one in found],
        "values": [one["Value"] for one in found],
    }  # fmt: skip


RESOURCES = (Parameter(),)
INVOKES: Mapping[str, Invoke] = {
    "aws:ssm/getParameter:getParameter": get_parameter,
    "aws:ssm/getParametersByPath:getParametersByPath": get_parameters_by_path,
}
