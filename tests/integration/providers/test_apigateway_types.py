"""API Gateway: REST, HTTP and WebSocket APIs."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

ROLE = "arn:aws:iam::000000000000:role/logs"
CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/1"
POOL = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_1"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}],
}
V1 = "aws:apigateway/"
V2 = "aws:apigatewayv2/"

REST = {
    "api": (V1 + "restApi:RestApi", {
        "description": "orders", "binaryMediaTypes": ["image/png"], "endpointConfiguration": {"types": "REGIONAL"},
        "tags": {"a": "b"}}),
    "policy": (V1 + "restApiPolicy:RestApiPolicy", {"restApiId": "${api}", "policy": json.dumps(POLICY)}),
    "orders": (V1 + "resource:Resource", {
        "restApi": "${api}", "parentId": "${api.rootResourceId}", "pathPart": "orders"}),
    "one": (V1 + "resource:Resource", {"restApi": "${api}", "parentId": "${orders}", "pathPart": "{id}"}),
    "authorizer": (V1 + "authorizer:Authorizer", {
        "restApi": "${api}", "type": "COGNITO_USER_POOLS", "providerArns": [POOL]}),
    "validator": (V1 + "requestValidator:RequestValidator", {"restApi": "${api}", "validateRequestBody": True}),
    "model": (V1 + "model:Model", {
        "restApi": "${api}", "contentType": "application/json", "schema": json.dumps({"type": "object"})}),
    "method": (V1 + "method:Method", {
        "restApi": "${api}", "resourceId": "${one}", "httpMethod": "GET", "authorization": "COGNITO_USER_POOLS",
        "authorizerId": "${authorizer}", "requestValidatorId": "${validator}",
        "requestParameters": {"method.request.path.id": True}, "requestModels": {"application/json": "Empty"}}),
    "answer": (V1 + "methodResponse:MethodResponse", {
        "restApi": "${api}", "resourceId": "${one}", "httpMethod": "GET", "statusCode": "200",
        "responseParameters": {"method.response.header.X": False}}),
    "integration": (V1 + "integration:Integration", {
        "restApi": "${api}", "resourceId": "${one}", "httpMethod": "GET", "type": "HTTP",
        "integrationHttpMethod": "POST", "uri": "http://127.0.0.1:9/", "timeoutMilliseconds": 5000,
        "requestTemplates": {"application/json": "{}"}}),
    "mapping": (V1 + "integrationResponse:IntegrationResponse", {
        "restApi": "${api}", "resourceId": "${one}", "httpMethod": "GET", "statusCode": "200",
        "responseTemplates": {"application/json": "{}"}}),
    "refusal": (V1 + "response:Response", {
        "restApiId": "${api}", "responseType": "UNAUTHORIZED", "statusCode": "401",
        "responseTemplates": {"application/json": "{}"}}),
    "part": (V1 + "documentationPart:DocumentationPart", {
        "restApiId": "${api}", "location": {"type": "API"}, "properties": json.dumps({"description": "x"})}),
    "deployment": (V1 + "deployment:Deployment", {"restApi": "${api}", "triggers": {"redeployment": "1"}}),
    "stage": (V1 + "stage:Stage", {
        "restApi": "${api}", "deployment": "${deployment}", "stageName": "v1", "variables": {"a": "1"},
        "xrayTracingEnabled": True, "tags": {"a": "b"},
        "accessLogSettings": {"destinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:x", "format": "$x"}}),
    "settings": (V1 + "methodSettings:MethodSettings", {
        "restApi": "${api}", "stageName": "v1", "methodPath": "*/*",
        "settings": {"metricsEnabled": True, "loggingLevel": "INFO", "throttlingBurstLimit": 5}}),
    "plan": (V1 + "usagePlan:UsagePlan", {
        "apiStages": [{"apiId": "${api}", "stage": "v1"}], "quotaSettings": {"limit": 10, "period": "DAY"},
        "throttleSettings": {"burstLimit": 5, "rateLimit": 2}, "tags": {"a": "b"}}),
    "key": (V1 + "apiKey:ApiKey", {}),
    "member": (V1 + "usagePlanKey:UsagePlanKey", {
        "usagePlanId": "${plan}", "keyId": "${key}", "keyType": "API_KEY"}),
    "domain": (V1 + "domainName:DomainName", {
        "domainName": "api.example.com", "regionalCertificateArn": CERTIFICATE,
        "endpointConfiguration": {"types": "REGIONAL"}}),
    "path": (V1 + "basePathMapping:BasePathMapping", {
        "restApi": "${api}", "stageName": "v1", "domainName": "${domain.domainName}", "basePath": "shop"}),
    "root": (V1 + "basePathMapping:BasePathMapping", {
        "restApi": "${api}", "stageName": "v1", "domainName": "${domain.domainName}"}),
    "account": (V1 + "account:Account", {"cloudwatchRoleArn": ROLE}),
}  # fmt: skip
REST_CHANGES: dict[str, dict[str, Any]] = {
    "api": {"description": "all orders", "binaryMediaTypes": ["image/gif", "image/jpeg"], "tags": {"c": "d"}},
    "policy": {"policy": json.dumps({**POLICY, "Id": "second"})},
    "authorizer": {"authorizerResultTtlInSeconds": 0},
    "validator": {"validateRequestBody": False, "validateRequestParameters": True},
    "model": {"schema": json.dumps({"type": "array"})},
    "method": {"apiKeyRequired": True, "requestParameters": {"method.request.path.id": False}},
    "answer": {"responseParameters": {"method.response.header.Y": True}},
    "integration": {"timeoutMilliseconds": 6000, "requestTemplates": {"application/json": "{1}", "text/plain": "x"}},
    "mapping": {"responseTemplates": {"application/json": "{2}"}},
    "refusal": {"statusCode": "403"},
    "part": {"properties": json.dumps({"description": "y"})},
    "deployment": {"description": "second"},
    "stage": {"variables": {"b": "2"}, "description": "live", "xrayTracingEnabled": False, "tags": {"a": "c"}},
    "settings": {"settings": {"metricsEnabled": False, "loggingLevel": "ERROR", "throttlingBurstLimit": 6}},
    "plan": {"quotaSettings": {"limit": 20, "period": "DAY"}, "apiStages": [], "description": "x"},
    "key": {"enabled": False, "description": "old"},
    "account": {"cloudwatchRoleArn": ROLE + "2"},
}

HTTP = {
    "api": (V2 + "api:Api", {
        "protocolType": "HTTP", "corsConfiguration": {"allowOrigins": ["*"], "maxAge": 5}, "tags": {"a": "b"}}),
    "authorizer": (V2 + "authorizer:Authorizer", {
        "apiId": "${api}", "authorizerType": "JWT", "identitySources": ["$request.header.Authorization"],
        "jwtConfiguration": {"audiences": ["shop"], "issuer": "https://issuer.example.com"}}),
    "integration": (V2 + "integration:Integration", {
        "apiId": "${api}", "integrationType": "HTTP_PROXY", "integrationUri": "http://127.0.0.1:9/",
        "integrationMethod": "GET", "timeoutMilliseconds": 5000}),
    "route": (V2 + "route:Route", {
        "apiId": "${api}", "routeKey": "GET /orders", "target": "integrations/${integration}",
        "authorizationType": "JWT", "authorizerId": "${authorizer}"}),
    "deployment": (V2 + "deployment:Deployment", {"apiId": "${api}", "triggers": {"x": "1"}}),
    "stage": (V2 + "stage:Stage", {
        "apiId": "${api}", "name": "v1", "autoDeploy": True, "stageVariables": {"a": "1"}, "tags": {"a": "b"},
        "defaultRouteSettings": {"throttlingBurstLimit": 5, "throttlingRateLimit": 2},
        "routeSettings": [{"routeKey": "GET /orders", "throttlingBurstLimit": 3}]}),
    "domain": (V2 + "domainName:DomainName", {
        "domainName": "v2.example.com", "domainNameConfiguration": {
            "certificateArn": CERTIFICATE, "endpointType": "REGIONAL", "securityPolicy": "TLS_1_2"}}),
    "mapping": (V2 + "apiMapping:ApiMapping", {
        "apiId": "${api}", "domainName": "${domain}", "stage": "v1", "apiMappingKey": "shop"}),
    "link": (V2 + "vpcLink:VpcLink", {"subnetIds": ["subnet-1"], "securityGroupIds": [], "tags": {"a": "b"}}),
}  # fmt: skip
HTTP_CHANGES: dict[str, dict[str, Any]] = {
    "api": {"corsConfiguration": {"allowOrigins": ["https://example.com"], "maxAge": 6}, "description": "orders"},
    "authorizer": {"jwtConfiguration": {"audiences": ["shop", "admin"], "issuer": "https://issuer.example.com"}},
    "integration": {"timeoutMilliseconds": 6000},
    "route": {"routeKey": "GET /all", "authorizationType": "NONE", "authorizerId": None},
    "stage": {"stageVariables": {"a": "2"}, "tags": {"a": "c"}},
    "mapping": {"apiMappingKey": "store"},
}

WEBSOCKET = {
    "api": (V2 + "api:Api", {"protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action"}),
    "model": (V2 + "model:Model", {
        "apiId": "none", "name": "Message", "contentType": "application/json", "schema": "{}"}),
    "integration": (V2 + "integration:Integration", {"apiId": "${api}", "integrationType": "MOCK"}),
    "said": (V2 + "integrationResponse:IntegrationResponse", {
        "apiId": "${api}", "integrationId": "${integration}", "integrationResponseKey": "$default"}),
    "route": (V2 + "route:Route", {
        "apiId": "${api}", "routeKey": "$connect", "target": "integrations/${integration}"}),
    "answer": (V2 + "routeResponse:RouteResponse", {
        "apiId": "${api}", "routeId": "${route}", "routeResponseKey": "$default"}),
    "stage": (V2 + "stage:Stage", {"apiId": "${api}", "name": "live", "autoDeploy": True}),
}  # fmt: skip
WEBSOCKET_CHANGES: dict[str, dict[str, Any]] = {
    "said": {"templateSelectionExpression": "x"},
    "answer": {"modelSelectionExpression": "x"},
    "stage": {"description": "live"},
}


def test_rest_apis(lives: Any) -> None:
    lives.run(REST, REST_CHANGES)


def test_http_apis(lives: Any) -> None:
    lives.run(HTTP, HTTP_CHANGES, lacking=("link",))


def test_the_default_stage_is_at_the_root_of_its_api(lives: Any) -> None:
    api = lives.create("api", V2 + "api:Api", {"protocolType": "HTTP"})
    stage = lives.create("stage", V2 + "stage:Stage", {"apiId": api.id, "name": "$default", "autoDeploy": True})
    assert stage.outputs["invokeUrl"].endswith(f"/{api.id}/")
    for url in (stage.outputs["invokeUrl"], stage.outputs["invokeUrl"].removesuffix("/")):
        with pytest.raises(HTTPError, match="404") as told:
            urlopen(url, timeout=30)  # noqa: S310 - our own loopback
        assert json.loads(told.value.read()) == {"message": "Not Found"}  # API Gateway's words, not S3's


def test_websocket_apis(lives: Any) -> None:
    lives.run(WEBSOCKET, WEBSOCKET_CHANGES, lacking=("model",))


BODY = """
swagger: "2.0"
info: {title: shop, version: "1"}
x-amazon-apigateway-binary-media-types: [image/png]
definitions: {Order: {type: object}}
securityDefinitions:
  pool:
    type: apiKey
    name: Authorization
    in: header
    x-amazon-apigateway-authorizer: {type: cognito_user_pools, providerARNs: [POOL]}
paths:
  /orders/{id}:
    get:
      security: [{pool: [read]}]
      parameters: [{name: id, in: path, required: true, type: string}]
      responses: {"200": {description: ok, headers: {X: {type: string}}}}
      x-amazon-apigateway-integration:
        type: http
        httpMethod: POST
        uri: http://127.0.0.1:9/
        responses: {default: {statusCode: "200", responseTemplates: {application/json: "{}"}}}
    x-amazon-apigateway-any-method:
      x-amazon-apigateway-integration: {type: mock}
"""


def test_a_rest_api_from_its_document(lives: Any, cloud: Any) -> None:
    api = lives.create("api", V1 + "restApi:RestApi", {"body": BODY})
    client = cloud.target.client("apigateway")

    def methods() -> dict[str, Any]:
        items = client.get_resources(restApiId=api.id)["items"]
        return {item["path"]: sorted(item.get("resourceMethods", ())) for item in items}

    assert methods() == {"/": [], "/orders": [], "/orders/{id}": ["ANY", "GET"]}
    place = {"restApiId": api.id, "httpMethod": "GET"}
    place["resourceId"] = next(
        item["id"] for item in client.get_resources(restApiId=api.id)["items"] if "{id}" in item["path"]
    )
    method = client.get_method(**place)
    assert method["authorizationType"] == "COGNITO_USER_POOLS"
    assert method["authorizationScopes"] == ["read"]
    assert method["requestParameters"] == {"method.request.path.id": True}
    integration = client.get_integration(**place)
    assert (integration["type"], integration["httpMethod"]) == ("HTTP", "POST")
    assert integration["integrationResponses"]["200"]["responseTemplates"] == {"application/json": "{}"}
    assert client.get_rest_api(restApiId=api.id)["binaryMediaTypes"] == ["image/png"]
    lives.change("api", {"body": BODY.replace("/orders/{id}", "/carts")}, seen=False)
    assert methods() == {"/": [], "/carts": ["ANY", "GET"]}
    assert len(client.get_authorizers(restApiId=api.id)["items"]) == 1
    lives.delete("api")
