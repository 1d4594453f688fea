"""AppSync."""

from typing import Any

ROLE = "arn:aws:iam::000000000000:role/any"
SCHEMA = "type Query { order(id: ID!): Order } type Order { id: ID! }"

GRAPHQL = {
    "api": ("aws:appsync/graphQLApi:GraphQLApi", {
        "authenticationType": "API_KEY", "schema": SCHEMA, "xrayEnabled": True, "tags": {"a": "b"}}),
    "key": ("aws:appsync/apiKey:ApiKey", {"apiId": "${api}", "description": "clients"}),
    "table": ("aws:dynamodb/table:Table", {
        "hashKey": "id", "billingMode": "PAY_PER_REQUEST", "attributes": [{"name": "id", "type": "S"}]}),
    "orders": ("aws:appsync/dataSource:DataSource", {
        "apiId": "${api}", "type": "AMAZON_DYNAMODB", "serviceRoleArn": ROLE,
        "dynamodbConfig": {"tableName": "${table.name}"}}),
    "function": ("aws:appsync/function:Function", {
        "apiId": "${api}", "dataSource": "${orders.name}", "requestMappingTemplate": "{}",
        "responseMappingTemplate": "$util.toJson($ctx.result)"}),
    "resolver": ("aws:appsync/resolver:Resolver", {
        "apiId": "${api}", "type": "Query", "field": "order", "dataSource": "${orders.name}",
        "requestTemplate": "{}", "responseTemplate": "$util.toJson($ctx.result)"}),
}  # fmt: skip
GRAPHQL_CHANGES: dict[str, dict[str, Any]] = {
    "api": {"xrayEnabled": False, "tags": {"c": "d"}},
    "key": {"description": "more clients"},
    "orders": {"serviceRoleArn": ROLE + "2"},
    "function": {"requestMappingTemplate": "{1}"},
    "resolver": {"requestTemplate": "{1}"},
}


def test_graphql_apis(lives: Any) -> None:
    lives.run(GRAPHQL, GRAPHQL_CHANGES)
