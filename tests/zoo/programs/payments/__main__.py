"""A function that writes payments into Aurora PostgreSQL through the cluster endpoint, behind an HTTP API."""

import json
from pathlib import Path

import psycopg
import pulumi
import pulumi_aws as aws

PACKAGES = str(Path(psycopg.__file__).parents[1])  # on AWS the driver comes in a layer

cluster = aws.rds.Cluster(
    "payments",
    engine="aurora-postgresql",
    master_username="app",
    master_password="of-the-zoo-only",
    database_name="payments",
    skip_final_snapshot=True,
    tags={"app": "payments"},
)
instances = [
    aws.rds.ClusterInstance(
        f"payments-{number}", cluster_identifier=cluster.id, engine="aurora-postgresql", instance_class="db.r6g.large"
    )
    for number in (1, 2)
]
trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
role = aws.iam.Role("pay", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
function = aws.lambda_.Function(
    "pay",
    runtime="python3.12",
    handler="pay.handler",
    code=pulumi.FileArchive(str(Path(__file__).parent / "app")),
    role=role.arn,
    timeout=4,
    environment={"variables": {"HOST": cluster.endpoint, "PORT": cluster.port.apply(str), "PYTHONPATH": PACKAGES}},
    opts=pulumi.ResourceOptions(depends_on=instances),
)
api = aws.apigatewayv2.Api("payments", protocol_type="HTTP")
aws.apigatewayv2.Stage("payments", api_id=api.id, name="$default", auto_deploy=True)
integration = aws.apigatewayv2.Integration(
    "pay",
    api_id=api.id,
    integration_type="AWS_PROXY",
    integration_uri=function.invoke_arn,
    payload_format_version="2.0",
)
aws.apigatewayv2.Route(
    "pay",
    api_id=api.id,
    route_key="POST /payments",
    target=integration.id.apply(lambda made: f"integrations/{made}"),
)
aws.lambda_.Permission(
    "pay",
    function=function.name,
    action="lambda:InvokeFunction",
    principal="apigateway.amazonaws.com",
    source_arn=api.execution_arn.apply(lambda arn: f"{arn}/*/*"),
)
pulumi.export("url", api.api_endpoint)
