"""The HTTP API in front of the functions."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from function import Function


@dataclass(frozen=True)
class HttpApiArgs:
    """`routes` maps `METHOD /path` to the function that answers."""

    routes: Mapping[str, Function]


class HttpApi(pulumi.ComponentResource):
    """Outputs: `url`."""

    def __init__(self, name: str, args: HttpApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:HttpApi", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.api = aws.apigatewayv2.Api(name, protocol_type="HTTP", tags={"app": "orders"}, opts=child)
        for key, function in args.routes.items():
            label = f"{name}-{key.split()[0].lower()}"
            integration = aws.apigatewayv2.Integration(
                label,
                api_id=self.api.id,
                integration_type="AWS_PROXY",
                integration_uri=function.function.invoke_arn,
                payload_format_version="2.0",
                timeout_milliseconds=6000,
                opts=child,
            )
            aws.apigatewayv2.Route(
                label,
                api_id=self.api.id,
                route_key=key,
                target=integration.id.apply(lambda made: f"integrations/{made}"),
                opts=child,
            )
            aws.lambda_.Permission(
                label,
                action="lambda:InvokeFunction",
                function=function.name,
                principal="apigateway.amazonaws.com",
                source_arn=self.api.execution_arn.apply(lambda arn: f"{arn}/*/*"),
                opts=child,
            )
        aws.apigatewayv2.Stage(name, api_id=self.api.id, name="$default", auto_deploy=True, opts=child)
        self.url = self.api.api_endpoint
        self.register_outputs({"url": self.url})
