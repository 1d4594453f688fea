"""The same small service in two regions, on one global table: clients go to the other one when theirs is gone."""

import json
from pathlib import Path

import pulumi
import pulumi_aws as aws

HOME, OTHER = "us-east-1", "us-west-2"
APP = pulumi.FileArchive(str(Path(__file__).parent / "app"))
SERVING = (HOME, OTHER)

table = aws.dynamodb.Table(
    "orders",
    billing_mode="PAY_PER_REQUEST",
    hash_key="key",
    attributes=[{"name": "key", "type": "S"}],
    stream_enabled=True,
    stream_view_type="NEW_AND_OLD_IMAGES",
    replicas=[{"region_name": OTHER}],
)
trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
role = aws.iam.Role("put", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
allow = {"Effect": "Allow", "Action": ["dynamodb:PutItem", "logs:*"], "Resource": "*"}
policy = aws.iam.RolePolicy("put", role=role.id, policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))

for region in (HOME, OTHER):
    api = aws.apigatewayv2.Api(f"orders-{region}", protocol_type="HTTP", region=region)
    aws.apigatewayv2.Stage(f"orders-{region}", api_id=api.id, name="$default", auto_deploy=True, region=region)
    pulumi.export(f"url_{region.replace('-', '_')}", api.api_endpoint)
    if region not in SERVING:
        continue
    function = aws.lambda_.Function(
        f"put-{region}",
        runtime="python3.12",
        handler="put.handler",
        code=APP,
        role=role.arn,
        timeout=3,
        environment={"variables": {"TABLE": table.name}},
        region=region,
        opts=pulumi.ResourceOptions(depends_on=[policy]),
    )
    integration = aws.apigatewayv2.Integration(
        f"put-{region}",
        api_id=api.id,
        integration_type="AWS_PROXY",
        integration_uri=function.invoke_arn,
        payload_format_version="2.0",
        region=region,
    )
    aws.apigatewayv2.Route(
        f"put-{region}",
        api_id=api.id,
        route_key="POST /orders",
        target=integration.id.apply(lambda made: f"integrations/{made}"),
        region=region,
    )
    aws.lambda_.Permission(
        f"put-{region}",
        function=function.name,
        action="lambda:InvokeFunction",
        principal="apigateway.amazonaws.com",
        source_arn=api.execution_arn.apply(lambda arn: f"{arn}/*/*"),
        region=region,
    )
