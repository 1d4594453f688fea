"""The HTTP API in front of the functions: open routes, and routes for who is signed in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws
from function import Answering


@dataclass(frozen=True)
class TokenIssuer:
    """Whose tokens are taken, and issued for which clients."""

    issuer: pulumi.Input[str]
    audience: Sequence[pulumi.Input[str]]


@dataclass(frozen=True)
class HttpApiArgs:
    """`routes` and `protected` map `METHOD /path` to the function that answers; `protected` ones need a token.

    `origins` are the web pages whose scripts may call.
    """

    routes: Mapping[str, Answering]
    protected: Mapping[str, Answering] = field(default_factory=dict)
    tokens: TokenIssuer | None = None
    origins: Sequence[str] = ()


class HttpApi(pulumi.ComponentResource):
    """Outputs: `id`, `url` and `name`, by which AWS knows it in DNS."""

    def __init__(self, name: str, args: HttpApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:HttpApi", name, None, opts)
        self._name, self._child = name, pulumi.ResourceOptions(parent=self)
        self.api = aws.apigatewayv2.Api(
            name,
            protocol_type="HTTP",
            cors_configuration=_cors(args.origins) if args.origins else None,
            tags={"app": "orders"},
            opts=self._child,
        )
        authorizer = None if args.tokens is None else self._authorizer(args.tokens)
        for key, function in args.routes.items():
            self._route(key, function, None)
        for key, function in args.protected.items():
            self._route(key, function, authorizer)
        aws.apigatewayv2.Stage(
            name, api_id=self.api.id, name="$default", auto_deploy=True, tags={"app": "orders"}, opts=self._child
        )
        self.id, self.url = self.api.id, self.api.api_endpoint
        here = aws.get_region().region
        self.name = self.id.apply(lambda made: f"{made}.execute-api.{here}.amazonaws.com")
        self.register_outputs({"url": self.url})

    def _authorizer(self, tokens: TokenIssuer) -> pulumi.Output[str]:
        made = aws.apigatewayv2.Authorizer(
            self._name,
            api_id=self.api.id,
            authorizer_type="JWT",
            identity_sources=["$request.header.Authorization"],
            jwt_configuration={"issuer": tokens.issuer, "audiences": list(tokens.audience)},
            opts=self._child,
        )
        return made.id

    def _route(self, key: str, function: Answering, authorizer: pulumi.Input[str] | None) -> None:
        label = f"{self._name}-{re.sub('[^a-z]+', '-', key.lower()).strip('-')}"
        integration = aws.apigatewayv2.Integration(
            label,
            api_id=self.api.id,
            integration_type="AWS_PROXY",
            integration_uri=function.invoke_arn,
            payload_format_version="2.0",
            timeout_milliseconds=max(6000, 1000 * function.timeout_s),
            opts=self._child,
        )
        aws.apigatewayv2.Route(
            label,
            api_id=self.api.id,
            route_key=key,
            target=integration.id.apply(lambda made: f"integrations/{made}"),
            authorization_type="NONE" if authorizer is None else "JWT",
            authorizer_id=authorizer,
            opts=self._child,
        )
        function.allow(label, "apigateway.amazonaws.com", self.api.execution_arn.apply(lambda arn: f"{arn}/*/*"))


def _cors(origins: Sequence[str]) -> dict[str, object]:
    return {
        "allow_origins": list(origins),
        "allow_methods": ["GET", "POST"],
        "allow_headers": ["authorization", "content-type", "idempotency-key"],
        "max_age": 600,
    }
