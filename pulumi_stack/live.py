"""The status of an order, pushed to the customer over a WebSocket the moment it changes.

A customer who asked to be told `live` connects with a token, says which order to watch, and is told by
PostToConnection. Connections that go away are forgotten: at once when they say so, by the table's time to live when
they do not.
"""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from function import Function, ShopFunctionArgs, Statement
from placement import Placement

STAGE = "live"


@dataclass(frozen=True)
class LiveArgs:
    """`topic` tells of each fulfilled order; `pool` knows the customers."""

    placement: Placement
    orders: aws.dynamodb.Table
    topic: aws.sns.Topic
    pool: aws.cognito.UserPool


class Live(pulumi.ComponentResource):
    """Outputs: `url` (ws…), `watchers` (table), `functions`."""

    def __init__(self, name: str, args: LiveArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Live", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.watchers = self._table()
        self.api = aws.apigatewayv2.Api(
            name,
            protocol_type="WEBSOCKET",
            route_selection_expression="$request.body.action",
            tags={"app": "shop"},
            opts=self._child,
        )
        stage = aws.apigatewayv2.Stage(
            name, api_id=self.api.id, name=STAGE, auto_deploy=True, tags={"app": "shop"}, opts=self._child
        )
        self.url = stage.invoke_url
        admit, watch, push = self._admit(), self._watch(), self._push()
        self.functions = [admit, watch, push]
        self._routes(admit, watch)
        push.allow(f"{name}-push", "sns.amazonaws.com", args.topic.arn)
        aws.sns.TopicSubscription(
            name,
            topic=args.topic.arn,
            protocol="lambda",
            endpoint=push.arn,
            filter_policy=json.dumps({"channels": ["live"]}),  # nobody else's order wakes the function
            opts=self._child,
        )
        self.register_outputs({"url": self.url})

    def _table(self) -> aws.dynamodb.Table:
        return aws.dynamodb.Table(
            self._name,
            billing_mode="PAY_PER_REQUEST",
            hash_key="connection_id",
            attributes=[{"name": "connection_id", "type": "S"}, {"name": "order_id", "type": "S"}],
            global_secondary_indexes=[{"name": "by-order", "hash_key": "order_id", "projection_type": "KEYS_ONLY"}],
            ttl={"attribute_name": "expires_at", "enabled": True},
            server_side_encryption={"enabled": True},
            tags={"app": "shop"},
            opts=self._child,
        )

    def _admit(self) -> Function:
        return Function(
            "watcher",
            ShopFunctionArgs(
                handler="admit_watcher",
                statements=[],
                environment={"POOL_ID": self._args.pool.id},
                placement=self._args.placement,
            ),
            self._child,
        )

    def _watch(self) -> Function:
        return Function(
            "watch",
            ShopFunctionArgs(
                handler="watch_order",
                statements=[
                    Statement(["dynamodb:PutItem", "dynamodb:DeleteItem"], [self.watchers.arn]),
                    Statement(["dynamodb:GetItem"], [self._args.orders.arn]),
                ],
                environment={"WATCHERS_TABLE": self.watchers.name, "ORDERS_TABLE": self._args.orders.name},
                placement=self._args.placement,
            ),
            self._child,
        )

    def _push(self) -> Function:
        reachable = self.api.execution_arn.apply(lambda arn: f"{arn}/{STAGE}/POST/@connections/*")
        return Function(
            "push",
            ShopFunctionArgs(
                handler="push_status",
                statements=[
                    Statement(["dynamodb:Query"], [self.watchers.arn.apply(lambda arn: f"{arn}/index/by-order")]),
                    Statement(["dynamodb:DeleteItem"], [self.watchers.arn]),
                    Statement(["execute-api:ManageConnections"], [reachable]),
                ],
                environment={
                    "WATCHERS_TABLE": self.watchers.name,
                    "CONNECTIONS_URL": self.url.apply(lambda url: url.replace("ws", "http", 1)),
                },
                placement=self._args.placement,
            ),
            self._child,
        )

    def _routes(self, admit: Function, watch: Function) -> None:
        authorizer = aws.apigatewayv2.Authorizer(
            self._name,
            api_id=self.api.id,
            authorizer_type="REQUEST",
            authorizer_uri=admit.invoke_arn,
            identity_sources=["route.request.querystring.token"],
            opts=self._child,
        )
        integration = aws.apigatewayv2.Integration(
            self._name,
            api_id=self.api.id,
            integration_type="AWS_PROXY",
            integration_uri=watch.invoke_arn,
            opts=self._child,
        )
        for key in ("$connect", "watch", "$default", "$disconnect"):
            guarded, label = key == "$connect", f"{self._name}-{key.strip('$')}"
            answers = key in {"watch", "$default"}
            route = aws.apigatewayv2.Route(
                label,
                api_id=self.api.id,
                route_key=key,
                target=integration.id.apply(lambda made: f"integrations/{made}"),
                authorization_type="CUSTOM" if guarded else "NONE",
                authorizer_id=authorizer.id if guarded else None,
                route_response_selection_expression="$default" if answers else None,
                opts=self._child,
            )
            if answers:
                aws.apigatewayv2.RouteResponse(
                    label,
                    api_id=self.api.id,
                    route_id=route.id,
                    route_response_key="$default",
                    opts=self._child,
                )
        for function in (admit, watch):
            source = self.api.execution_arn.apply(lambda arn: f"{arn}/*")
            function.allow(f"{self._name}-{function.label}", "apigateway.amazonaws.com", source)
