"""What API Gateway lets in and how it says no: authorizers, validators, models, gateway responses, documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.apigateway_type import API, ARN, Answer, Patched
from harness.deploy.providers.resource import CheckError, Context, Properties


class Authorizer(Patched, noun="Authorizer"):
    """aws:apigateway/authorizer:Authorizer; the id is the authorizer's."""

    token: ClassVar = "aws:apigateway/authorizer:Authorizer"
    named: ClassVar = "name"
    defaults: ClassVar = {
        "type": "TOKEN",
        "identitySource": "method.request.header.Authorization",
        "authorizerResultTtlInSeconds": 300,
    }
    replace_on: ClassVar = frozenset({"restApi"})
    key: ClassVar = {**API, "authorizerId": "id"}
    id_from: ClassVar = "id"
    parts: ClassVar = ("restApi", "id")
    computed: ClassVar = {"arn": ARN + "/restapis/{restApi}/authorizers/{id}"}

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """Each kind needs its own backend."""
        checked = super().check(context, inputs, olds)
        needed = "providerArns" if checked["type"] == "COGNITO_USER_POOLS" else "authorizerUri"
        if checked.get(needed) is None:
            raise CheckError([(needed, f"is required for an authorizer of type {checked['type']}")])
        return checked


class RequestValidator(Patched, noun="RequestValidator"):
    """aws:apigateway/requestValidator:RequestValidator; the id is the validator's."""

    token: ClassVar = "aws:apigateway/requestValidator:RequestValidator"
    named: ClassVar = "name"
    defaults: ClassVar = {"validateRequestBody": False, "validateRequestParameters": False}
    replace_on: ClassVar = frozenset({"restApi"})
    key: ClassVar = {**API, "requestValidatorId": "id"}
    id_from: ClassVar = "id"
    parts: ClassVar = ("restApi", "id")


class Model(Patched, noun="Model"):
    """aws:apigateway/model:Model; the id is AWS's, the API knows it by name."""

    token: ClassVar = "aws:apigateway/model:Model"
    named: ClassVar = "name"
    json_keys: ClassVar = frozenset({"schema"})
    replace_on: ClassVar = frozenset({"restApi", "name", "contentType"})
    key: ClassVar = {**API, "modelName": "name"}
    id_from: ClassVar = "id"
    parts: ClassVar = ("restApi", "name")

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """AWS takes letters and digits only in a model's name."""
        checked = super().check(context, inputs, olds)
        if inputs.get("name") is None:
            checked["name"] = "".join(char for char in checked["name"] if char.isalnum())
        return checked


class GatewayResponse(Answer, noun="GatewayResponse", verbs="Put Get - Delete"):
    """aws:apigateway/response:Response; what API Gateway itself answers when it refuses."""

    token: ClassVar = "aws:apigateway/response:Response"
    replace_on: ClassVar = frozenset({"restApiId", "responseType"})
    key: ClassVar = {"restApiId": "restApiId", "responseType": "responseType"}
    parts: ClassVar = ("restApiId", "responseType")
    id_format: ClassVar = "aggr-{restApiId}-{responseType}"


class DocumentationPart(Patched, noun="DocumentationPart"):
    """aws:apigateway/documentationPart:DocumentationPart; the id is `api/part`."""

    token: ClassVar = "aws:apigateway/documentationPart:DocumentationPart"
    listed: ClassVar = "id"
    replace_on: ClassVar = frozenset({"restApiId", "location"})
    json_keys: ClassVar = frozenset({"properties"})
    key: ClassVar = {"restApiId": "restApiId", "documentationPartId": "documentationPartId"}
    parts: ClassVar = ("restApiId", "documentationPartId")

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        return f"{inputs['restApiId']}/{self.send(context, self.creates, inputs)['id']}"

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its own id."""
        return {"documentationPartId": body["id"]}


class DocumentationVersion(Patched, noun="DocumentationVersion"):
    """aws:apigateway/documentationVersion:DocumentationVersion; the id is `api/version`."""

    token: ClassVar = "aws:apigateway/documentationVersion:DocumentationVersion"
    replace_on: ClassVar = frozenset({"restApiId", "version"})
    renames: ClassVar = {"version": "documentationVersion"}
    key: ClassVar = {"restApiId": "restApiId", "documentationVersion": "version"}
    parts: ClassVar = ("restApiId", "version")


RESOURCES = (
    Authorizer(),
    RequestValidator(),
    Model(),
    GatewayResponse(),
    DocumentationPart(),
    DocumentationVersion(),
)
