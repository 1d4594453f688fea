"""API Gateway's REST APIs: the API, its policy, resources, methods and integrations.

Ids are those of the real provider (`agm-<api>-<resource>-GET`); imports take `<api>/<resource>/GET`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.apigateway_body import import_body
from harness.deploy.providers.aws.apigateway_type import API, ARN, METHOD, METHOD_PARTS, Answer, Patched
from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.tags import LOGS
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties


class _WithPolicy(Patched):
    """AWS answers a policy as the inside of a JSON string."""

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """With the policy as plain JSON."""
        found = super().ask(context, resource_id, inputs)
        policy = str((found or {}).get("policy") or "")
        if found and policy.startswith('{\\"'):
            found["policy"] = json.loads(f'"{policy}"')
        return found


class RestApi(_WithPolicy, noun="RestApi"):
    """aws:apigateway/restApi:RestApi; the id is the API's. A `body` is an OpenAPI document."""

    token: ClassVar = "aws:apigateway/restApi:RestApi"
    named: ClassVar = "name"
    json_keys: ClassVar = frozenset({"policy", "body"})
    tagging: ClassVar = LOGS
    key: ClassVar = {"restApiId": "id"}
    id_from: ClassVar = "id"
    computed: ClassVar = {
        "arn": ARN + "/restapis/{id}",
        "executionArn": "arn:aws:execute-api:{region}:{account}:{id}",
    }

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then what its body describes."""
        api = super().make(context, inputs)
        if inputs.get("body"):
            import_body(context, api, str(inputs["body"]), inputs)
        return api

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The root resource, under which programs create theirs; a policy in the text that was given."""
        root = body.get("rootResourceId")
        if not root:
            pages = self.client(context).get_paginator("get_resources").paginate(restApiId=resource_id)
            root = next(item["id"] for page in pages for item in page["items"] if item["path"] == "/")
        return {"rootResourceId": root}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Settings by patches, the body as a whole."""
        super().change(context, resource_id, olds, news)
        if news.get("body") and roots(olds, news) & {"body", "parameters", "putRestApiMode"}:
            import_body(context, resource_id, str(news["body"]), news)


class RestApiPut(Patched):
    """aws:apigateway/restApiPut:RestApiPut; a body put on an API that is there; the id is the API's."""

    token: ClassVar = "aws:apigateway/restApiPut:RestApiPut"
    outlives: ClassVar = True
    json_keys: ClassVar = frozenset({"body"})
    replace_on: ClassVar = frozenset({"restApiId", "body", "triggers"})
    reads: ClassVar = "GetRestApi"
    key: ClassVar = {"restApiId": "restApiId"}
    parts: ClassVar = ("restApiId",)

    def make(self, context: Context, inputs: Properties) -> str:
        """Put the body."""
        import_body(context, str(inputs["restApiId"]), str(inputs["body"]), inputs)
        return str(inputs["restApiId"])


class RestApiPolicy(_WithPolicy):
    """aws:apigateway/restApiPolicy:RestApiPolicy; the id is the API's."""

    token: ClassVar = "aws:apigateway/restApiPolicy:RestApiPolicy"
    json_keys: ClassVar = frozenset({"policy"})
    replace_on: ClassVar = frozenset({"restApiId"})
    reads: ClassVar = "GetRestApi"
    key: ClassVar = {"restApiId": "restApiId"}
    parts: ClassVar = ("restApiId",)

    def make(self, context: Context, inputs: Properties) -> str:
        """Put the policy."""
        self.change(context, str(inputs["restApiId"]), {}, inputs)
        return str(inputs["restApiId"])

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """There as long as the policy is."""
        found = super().ask(context, resource_id, inputs)
        return found if found and found.get("policy") else None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Replace it."""
        operation = {"op": "replace", "path": "/policy", "value": str(news.get("policy", ""))}
        self.send(context, "UpdateRestApi", {}, restApiId=resource_id, patchOperations=[operation])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """An empty policy is none."""
        self.change(context, resource_id, state, {})


class Resource(Patched, noun="Resource"):
    """aws:apigateway/resource:Resource; the id is the resource's."""

    token: ClassVar = "aws:apigateway/resource:Resource"
    replace_on: ClassVar = frozenset({"restApi"})
    key: ClassVar = {**API, "resourceId": "id"}
    id_from: ClassVar = "id"
    parts: ClassVar = ("restApi", "id")


class Method(Patched, noun="Method", verbs="Put Get Update Delete"):
    """aws:apigateway/method:Method."""

    token: ClassVar = "aws:apigateway/method:Method"
    defaults: ClassVar = {"apiKeyRequired": False}
    replace_on: ClassVar = frozenset({"restApi", "resourceId", "httpMethod"})
    renames: ClassVar = {"restApi": "restApiId", "authorization": "authorizationType"}
    key: ClassVar = METHOD
    parts: ClassVar = METHOD_PARTS
    id_format: ClassVar = "agm-{restApi}-{resourceId}-{httpMethod}"


class MethodResponse(Answer, noun="MethodResponse", verbs="Put Get - Delete"):
    """aws:apigateway/methodResponse:MethodResponse."""

    token: ClassVar = "aws:apigateway/methodResponse:MethodResponse"
    id_format: ClassVar = "agmr-{restApi}-{resourceId}-{httpMethod}-{statusCode}"


class IntegrationResponse(Answer, noun="IntegrationResponse", verbs="Put Get - Delete"):
    """aws:apigateway/integrationResponse:IntegrationResponse."""

    token: ClassVar = "aws:apigateway/integrationResponse:IntegrationResponse"
    id_format: ClassVar = "agir-{restApi}-{resourceId}-{httpMethod}-{statusCode}"


class Integration(Patched, noun="Integration", verbs="Put Get Update Delete"):
    """aws:apigateway/integration:Integration. `httpMethod` is the method's, the backend's is another one."""

    token: ClassVar = "aws:apigateway/integration:Integration"
    defaults: ClassVar = {"connectionType": "INTERNET", "timeoutMilliseconds": 29_000}
    replace_on: ClassVar = frozenset({*METHOD_PARTS, "type", "integrationHttpMethod"})
    delete_before_replace: ClassVar = True
    renames: ClassVar = {"restApi": "restApiId", "timeoutMilliseconds": "timeoutInMillis"}
    key: ClassVar = METHOD
    parts: ClassVar = METHOD_PARTS
    id_format: ClassVar = "agi-{restApi}-{resourceId}-{httpMethod}"

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """AWS answers the backend's method as `httpMethod`."""
        known = self.known(resource_id, inputs)
        return {"httpMethod": known["httpMethod"], "integrationHttpMethod": body.get("httpMethod")}


RESOURCES = (
    RestApi(),
    RestApiPut(),
    RestApiPolicy(),
    Resource(),
    Method(),
    MethodResponse(),
    IntegrationResponse(),
    Integration(),
)


def rest_api(context: Context, arguments: Properties) -> Properties:
    """An API by name."""
    pages = context.client("apigateway").get_paginator("get_rest_apis").paginate()
    found = [api for page in pages for api in page["items"] if api["name"] == arguments["name"]]
    if len(found) != 1:
        raise CheckError([("name", f"there are {len(found)} REST APIs of this name, not one")])
    handler = RestApi()
    return {**arguments, "id": found[0]["id"], **(handler.read(context, found[0]["id"], None) or {})}


def resource(context: Context, arguments: Properties) -> Properties:
    """A resource by path."""
    pages = context.client("apigateway").get_paginator("get_resources").paginate(restApiId=arguments["restApiId"])
    for page in pages:
        for item in page["items"]:
            if item["path"] == arguments["path"]:
                parts = {"parentId": item.get("parentId", ""), "pathPart": item.get("pathPart", "")}
                return {**arguments, "id": item["id"], **parts}
    raise CheckError([("path", f"the API has no resource {arguments['path']}")])


INVOKES: dict[str, Invoke] = {
    "aws:apigateway/getRestApi:getRestApi": rest_api,
    "aws:apigateway/getResource:getResource": resource,
}
