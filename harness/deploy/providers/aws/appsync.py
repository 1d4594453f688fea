"""AppSync: GraphQL APIs, their keys, data sources, functions and resolvers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import LOGS
from harness.deploy.providers.resource import Context, Properties
from harness.errors import ProviderError

_API = {"apiId": "apiId"}


class GraphQLApi(Declared, noun="GraphqlApi"):
    """aws:appsync/graphQLApi:GraphQLApi; the id is the API's."""

    token: ClassVar = "aws:appsync/graphQLApi:GraphQLApi"
    named: ClassVar = "name"
    defaults: ClassVar = {"xrayEnabled": False}
    tagging: ClassVar = LOGS
    replace_on: ClassVar = frozenset({"apiType", "visibility"})
    renames: ClassVar = {
        "openidConnectConfig": "openIDConnectConfig",
        "cloudwatchLogsRoleArn": "cloudWatchLogsRoleArn",
    }
    key: ClassVar = {"apiId": "id"}
    id_from: ClassVar = "graphqlApi.apiId"
    body: ClassVar = "graphqlApi"
    computed: ClassVar = {"arn": "arn:aws:appsync:{region}:{account}:apis/{id}"}

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then its schema."""
        api = super().make(context, inputs)
        self._describe(context, api, inputs)
        return api

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Settings, then the schema."""
        super().change(context, resource_id, olds, news)
        if "schema" in roots(olds, news):
            self._describe(context, resource_id, news)

    def _describe(self, context: Context, api: str, inputs: Properties) -> None:
        if not inputs.get("schema"):
            return
        client = self.client(context)
        client.start_schema_creation(apiId=api, definition=str(inputs["schema"]).encode())
        status: dict[str, Any] = {}

        def ended() -> bool:
            status.update(client.get_schema_creation_status(apiId=api))
            return status["status"] not in {"PROCESSING", "NOT_APPLICABLE"}

        context.wait_until(ended, f"schema of {api}")
        if status["status"] == "FAILED":
            raise ProviderError(f"the schema was refused: {status.get('details', '')}", where=context.urn)


class ApiKey(Declared, noun="ApiKey", verbs="Create - Update Delete"):
    """aws:appsync/apiKey:ApiKey; the id is `api:key`."""

    token: ClassVar = "aws:appsync/apiKey:ApiKey"
    listed: ClassVar = "id"
    secret_outputs: ClassVar = frozenset({"key"})
    defaults: ClassVar = {"description": "Managed by Pulumi"}
    replace_on: ClassVar = frozenset({"apiId"})
    reads: ClassVar = "ListApiKeys"
    key: ClassVar = {**_API, "id": "apiKeyId"}
    parts: ClassVar = ("apiId", "apiKeyId")
    separator: ClassVar = ":"

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """AWS takes seconds since 1970."""
        if not inputs.get("expires"):
            return inputs
        moment = dt.datetime.fromisoformat(str(inputs["expires"]))
        return {**inputs, "expires": int(moment.timestamp())}

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it; AWS makes the key."""
        made = self.send(context, self.creates, self.arrange(context, inputs))["apiKey"]
        return f"{inputs['apiId']}:{made['id']}"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Its own among the API's keys."""
        api, _, key = resource_id.partition(":")
        keys = self.client(context).list_api_keys(apiId=api)["apiKeys"]
        found = next((one for one in keys if one["id"] == key), None)
        return found and {"apiKeyId": key, "key": key, "description": found.get("description", "")}


class DataSource(Declared, noun="DataSource"):
    """aws:appsync/dataSource:DataSource; the id is `api-name`."""

    token: ClassVar = "aws:appsync/dataSource:DataSource"
    named: ClassVar = "name"
    replace_on: ClassVar = frozenset({"apiId", "name"})
    renames: ClassVar = {"region": "awsRegion", "arn": "dataSourceArn"}
    key: ClassVar = {**_API, "name": "name"}
    parts: ClassVar = ("apiId", "name")
    separator: ClassVar = "-"
    body: ClassVar = "dataSource"

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """AWS takes no dash in a name."""
        checked = super().check(context, inputs, olds)
        return checked if inputs.get("name") else {**checked, "name": str(checked["name"]).replace("-", "_")}

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Tables and the like are in this region where the program says no other."""
        names = ("dynamodbConfig", "elasticsearchConfig", "opensearchserviceConfig")
        return {**inputs, **{name: {"region": context.region, **inputs[name]} for name in names if inputs.get(name)}}


class Function(Declared, noun="Function"):
    """aws:appsync/function:Function; the id is `api-function`."""

    token: ClassVar = "aws:appsync/function:Function"
    listed: ClassVar = "functionId"
    named: ClassVar = "name"
    replace_on: ClassVar = frozenset({"apiId"})
    renames: ClassVar = {"dataSource": "dataSourceName", "arn": "functionArn"}
    key: ClassVar = {**_API, "functionId": "functionId"}
    parts: ClassVar = ("apiId", "functionId")
    separator: ClassVar = "-"
    body: ClassVar = "functionConfiguration"

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """AWS takes no dash in a name; templates have a version."""
        checked = super().check(context, inputs, olds)
        if not inputs.get("code"):
            checked.setdefault("functionVersion", "2018-05-29")
        return checked if inputs.get("name") else {**checked, "name": str(checked["name"]).replace("-", "_")}

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it; AWS makes the id."""
        made = self.send(context, self.creates, self.arrange(context, inputs))["functionConfiguration"]
        return f"{inputs['apiId']}-{made['functionId']}"


class Resolver(Declared, noun="Resolver"):
    """aws:appsync/resolver:Resolver; the id is `api-type-field`."""

    token: ClassVar = "aws:appsync/resolver:Resolver"
    defaults: ClassVar = {"kind": "UNIT"}
    replace_on: ClassVar = frozenset({"apiId", "type", "field"})
    renames: ClassVar = {
        "type": "typeName", "field": "fieldName", "dataSource": "dataSourceName", "arn": "resolverArn",
        "requestTemplate": "requestMappingTemplate", "responseTemplate": "responseMappingTemplate",
    }  # fmt: skip
    key: ClassVar = {**_API, "typeName": "type", "fieldName": "field"}
    parts: ClassVar = ("apiId", "type", "field")
    separator: ClassVar = "-"
    body: ClassVar = "resolver"

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Where it is."""
        known = self.known(resource_id, inputs)
        return {name: known[name] for name in self.parts}


RESOURCES = (GraphQLApi(), ApiKey(), DataSource(), Function(), Resolver())
