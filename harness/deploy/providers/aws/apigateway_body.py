"""A REST API from its OpenAPI document (Swagger 2.0 or OpenAPI 3).

Real AWS reads the document itself (PutRestApi). Emulators have no such operation, so for them the document is taken
apart here, by AWS's extensions:
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.deploy.providers.aws.patches import escaped
from harness.deploy.providers.resource import CheckError, Context, Properties

_METHODS = {name: name.upper() for name in ("get", "post", "put", "delete", "patch", "head", "options")}
_METHODS["x-amazon-apigateway-any-method"] = "ANY"
_WHERE = {"path": "path", "query": "querystring", "header": "header"}
_INTEGRATION = (
    "uri", "credentials", "passthroughBehavior", "contentHandling", "timeoutInMillis", "connectionId",
    "connectionType", "requestParameters", "requestTemplates", "cacheNamespace", "cacheKeyParameters",
)  # fmt: skip


def import_body(context: Context, api: str, text: str, options: Properties) -> None:
    """Put the document `text` on the API; `options` may hold `putRestApiMode`, `parameters`, `failOnWarnings`.

    Raises:
        CheckError: the document is neither JSON nor YAML.
    """
    client = context.client("apigateway")
    mode = str(options.get("putRestApiMode") or "overwrite")
    if context.target.kind == "aws":
        extra = {"parameters": options["parameters"]} if options.get("parameters") else {}
        warnings = bool(options.get("failOnWarnings"))
        client.put_rest_api(restApiId=api, mode=mode, failOnWarnings=warnings, body=text.encode(), **extra)
        return
    document = _document(text)
    writer = _Writer(client, api, document)
    if mode == "overwrite":
        writer.clear()
    writer.write()


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        import yaml

        try:
            document = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise CheckError([("body", f"is neither JSON nor YAML: {error}")]) from error
    if not isinstance(document, dict) or "paths" not in document:
        raise CheckError([("body", "is no OpenAPI document: it has no paths")])
    return document


@dataclass(slots=True)
class _Writer:
    """Writes one document with the API's own operations."""

    client: Any  # boto3 makes clients at run time
    api: str
    document: Mapping[str, Any]
    ids: dict[str, str] = field(default_factory=dict)
    validators: dict[str, str] = field(default_factory=dict)
    security: dict[str, dict[str, Any]] = field(default_factory=dict)

    def clear(self) -> None:
        """Take away what an earlier document made."""
        client, api = self.client, self.api
        resources = sorted(self._resources(), key=lambda item: len(item["path"]))
        root = resources[0]
        for method in root.get("resourceMethods") or {}:
            client.delete_method(restApiId=api, resourceId=root["id"], httpMethod=method)
        for child in reversed(resources[1:]):  # AWS takes children along, emulators leave them
            client.delete_resource(restApiId=api, resourceId=child["id"])
        for authorizer in client.get_authorizers(restApiId=api)["items"]:
            client.delete_authorizer(restApiId=api, authorizerId=authorizer["id"])
        for validator in client.get_request_validators(restApiId=api)["items"]:
            client.delete_request_validator(restApiId=api, requestValidatorId=validator["id"])
        for model in client.get_models(restApiId=api)["items"]:
            client.delete_model(restApiId=api, modelName=model["name"])

    def write(self) -> None:
        """Everything the document has."""
        self.ids = {item["path"]: item["id"] for item in self._resources()}
        self._settings()
        self._models()
        self._validators()
        self._authorizers()
        for path, item in self.document["paths"].items():
            for name, operation in item.items():
                if name in _METHODS:
                    self._method(path, _METHODS[name], operation, item.get("parameters") or ())

    def _resources(self) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("get_resources").paginate(restApiId=self.api)
        return [item for page in pages for item in page["items"]]

    def _settings(self) -> None:
        types = self.document.get("x-amazon-apigateway-binary-media-types") or ()
        operations = [{"op": "add", "path": f"/binaryMediaTypes/{escaped(one)}"} for one in types]
        if self.document.get("x-amazon-apigateway-policy"):
            text = json.dumps(self.document["x-amazon-apigateway-policy"])
            operations.append({"op": "replace", "path": "/policy", "value": text})
        if operations:
            self.client.update_rest_api(restApiId=self.api, patchOperations=operations)
        for kind, body in (self.document.get("x-amazon-apigateway-gateway-responses") or {}).items():
            known = ("statusCode", "responseParameters", "responseTemplates")
            given = {key: body[key] for key in known if body.get(key)}
            if "statusCode" in given:
                given["statusCode"] = str(given["statusCode"])
            self.client.put_gateway_response(restApiId=self.api, responseType=kind, **given)

    def _models(self) -> None:
        components = self.document.get("components") or {}
        for name, schema in {**(self.document.get("definitions") or {}), **(components.get("schemas") or {})}.items():
            self.client.create_model(
                restApiId=self.api, name=name, contentType="application/json", schema=json.dumps(schema)
            )

    def _validators(self) -> None:
        for name, body in (self.document.get("x-amazon-apigateway-request-validators") or {}).items():
            self.validators[name] = self.client.create_request_validator(restApiId=self.api, name=name, **body)["id"]

    def _authorizers(self) -> None:
        components = self.document.get("components") or {}
        schemes = self.document.get("securityDefinitions") or components.get("securitySchemes") or {}
        for name, scheme in schemes.items():
            extension = scheme.get("x-amazon-apigateway-authorizer")
            if str(scheme.get("x-amazon-apigateway-authtype", "")).lower() == "awssigv4":
                self.security[name] = {"authorizationType": "AWS_IAM"}
            elif extension:
                self.security[name] = self._authorizer(name, scheme, extension)
            elif scheme.get("type") == "apiKey" and str(scheme.get("name", "")).lower() == "x-api-key":
                self.security[name] = {"apiKeyRequired": True}

    def _authorizer(self, name: str, scheme: Mapping[str, Any], extension: Mapping[str, Any]) -> dict[str, Any]:
        kind = str(extension["type"]).upper()
        place = "querystring" if scheme.get("in") == "query" else "header"
        known = (
            "authorizerUri", "authorizerCredentials", "identityValidationExpression", "authorizerResultTtlInSeconds",
            "providerARNs",
        )  # fmt: skip
        made = self.client.create_authorizer(
            restApiId=self.api,
            name=name,
            type=kind,
            identitySource=extension.get("identitySource")
            or f"method.request.{place}.{scheme.get('name', 'Authorization')}",
            **{key: extension[key] for key in known if extension.get(key) is not None},
        )
        return {
            "authorizationType": kind if kind == "COGNITO_USER_POOLS" else "CUSTOM",
            "authorizerId": made["id"],
        }

    def _resource(self, path: str) -> str:
        path = "/" + path.strip("/")
        if path not in self.ids:
            parent, _, part = path.rpartition("/")
            made = self.client.create_resource(restApiId=self.api, parentId=self._resource(parent), pathPart=part)
            self.ids[path] = made["id"]
        return self.ids[path]

    def _method(self, path: str, method: str, operation: Mapping[str, Any], shared: Any) -> None:
        place = {"restApiId": self.api, "resourceId": self._resource(path), "httpMethod": method}
        request: dict[str, Any] = {"authorizationType": "NONE"}
        for requirement in operation.get("security", self.document.get("security")) or ():
            for name, scopes in requirement.items():
                found = self.security.get(name, {})
                request |= found
                if scopes and "authorizerId" in found:
                    request["authorizationScopes"] = scopes
        parameters = dict(_parameters([*shared, *(operation.get("parameters") or ())]))
        if parameters:
            request["requestParameters"] = parameters
        validator = operation.get("x-amazon-apigateway-request-validator") or self.document.get(
            "x-amazon-apigateway-request-validator"
        )
        if validator in self.validators:
            request["requestValidatorId"] = self.validators[validator]
        models = dict(_request_models(operation))
        if models:
            request["requestModels"] = models
        if operation.get("operationId"):
            request["operationName"] = operation["operationId"]
        self.client.put_method(**place, **request)
        for status, response in (operation.get("responses") or {}).items():
            headers = {f"method.response.header.{name}": False for name in response.get("headers") or ()}
            self.client.put_method_response(**place, statusCode=str(status), responseParameters=headers)
        if operation.get("x-amazon-apigateway-integration"):
            self._integration(place, operation["x-amazon-apigateway-integration"])

    def _integration(self, place: Mapping[str, str], body: Mapping[str, Any]) -> None:
        known = {key: body[key] for key in _INTEGRATION if body.get(key) is not None}
        if body.get("httpMethod"):
            known["integrationHttpMethod"] = body["httpMethod"]
        self.client.put_integration(**place, type=str(body["type"]).upper(), **known)
        for pattern, response in (body.get("responses") or {}).items():
            selection = {} if pattern == "default" else {"selectionPattern": pattern}
            given = {key: response[key] for key in ("responseParameters", "responseTemplates") if response.get(key)}
            status = str(response.get("statusCode", "200"))
            self.client.put_integration_response(**place, statusCode=status, **selection, **given)


def _parameters(given: list[Mapping[str, Any]]) -> Iterator[tuple[str, bool]]:
    for one in given:
        if one.get("in") in _WHERE:
            yield f"method.request.{_WHERE[one['in']]}.{one['name']}", bool(one.get("required"))


def _request_models(operation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for kind, media in ((operation.get("requestBody") or {}).get("content") or {}).items():
        if "$ref" in (media.get("schema") or {}):
            yield kind, media["schema"]["$ref"].rpartition("/")[2]
    for one in operation.get("parameters") or ():
        if one.get("in") == "body" and "$ref" in (one.get("schema") or {}):
            yield "application/json", one["schema"]["$ref"].rpartition("/")[2]
