"""Which service a request is for: credential scope, target header and query version to botocore's service name.

We call services as botocore does (`dynamodb`, `cloudwatch`, `stepfunctions`): the names people type in
`boto3.client(…)`. Most sign with that very name; the tables below are the exceptions, taken from
`signingName`, `targetPrefix` and `apiVersion` of botocore's models.
"""

from __future__ import annotations

import functools

import botocore.loaders

from harness.errors import nearest

STAGES = "execute-api"
"""Requests to an API Gateway stage, and their only operation is `Invoke`."""

BY_SIGNING_NAME: dict[str, tuple[str, ...]] = {
    "apigateway": ("apigateway", "apigatewayv2"),
    "execute-api": ("apigatewaymanagementapi",),
    "monitoring": ("cloudwatch",),
    "states": ("stepfunctions",),
    "elasticloadbalancing": ("elbv2", "elb"),
    "elasticmapreduce": ("emr",),
    "elasticfilesystem": ("efs",),
    "s3": ("s3", "s3control"),
    "s3express": ("s3",),
    "s3-object-lambda": ("s3",),
    "ses": ("sesv2", "ses"),
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "tagging": ("resourcegroupstaggingapi",),
    "es": ("opensearch",),
    "iotdata": ("iot-data",),
    "cloudcontrolapi": ("cloudcontrol",),
    "appconfig": ("appconfig", "appconfigdata"),
    "servicequotas": ("service-quotas",),
    "airflow": ("mwaa",),
    "aoss": ("opensearchserverless",),
    "sso": ("sso-admin",),
    "aps": ("amp",),
    "cloudhsm": ("cloudhsmv2",),
    "lex": ("lexv2-models",),
    "mobiletargeting": ("pinpoint",),
    "servicecatalog": ("servicecatalog", "servicecatalog-appregistry"),
    "timestream": ("timestream-write", "timestream-query"),
}
"""Signing name to the services that sign with it, the likelier first; a name that is absent is its own service."""

BY_TARGET_PREFIX: dict[str, str] = {
    "DynamoDB_20120810": "dynamodb",
    "DynamoDBStreams_20120810": "dynamodbstreams",
    "AWSCognitoIdentityProviderService": "cognito-idp",
    "AWSCognitoIdentityService": "cognito-identity",
    "AWSEventsV2": "eventbridgev2",
    "CloudWatchOmniFrontend": "cloudwatchomni",
}
"""`X-Amz-Target` prefixes, and service names in RPC v2 paths, that tell more than the credential scope.

They also stand in for it on unsigned calls."""

BY_QUERY_VERSION: dict[str, str] = {
    "2015-12-01": "elbv2",
    "2012-06-01": "elb",
    "2010-12-01": "ses",
    "2011-06-15": "sts",
}
"""`Version=` of query calls, where several services share a signing name or the call is unsigned."""


def services_signing_as(signing_name: str) -> tuple[str, ...]:
    """The services that a credential scope may mean, the likelier first; empty for no name.

    >>> services_signing_as("states")
    ('stepfunctions',)
    >>> services_signing_as("sqs")
    ('sqs',)
    """
    if not signing_name:
        return ()
    return BY_SIGNING_NAME.get(signing_name, (signing_name,))


@functools.cache
def services() -> frozenset[str]:
    """Every service that a call can be for: botocore's, and requests to API Gateway stages, which no SDK has."""
    return frozenset({*botocore.loaders.Loader().list_available_services("service-2"), STAGES})


@functools.cache
def operations(service: str) -> frozenset[str]:
    """The operations of one of `services()`, as the gate names them."""
    if service == STAGES:
        return frozenset({"Invoke"})
    return frozenset(botocore.loaders.Loader().load_service_model(service, "service-2")["operations"])


def suggestion(service: str) -> str:
    """What may have been meant by a name that is none of `services()`: SDKs sign with other names than they have.

    >>> suggestion("states")
    "did you mean 'stepfunctions'?"
    >>> suggestion("dynamo")
    "did you mean 'dynamodb'?"
    """
    signing = [one for one in BY_SIGNING_NAME.get(service, ()) if one in services()]
    return f"did you mean {signing[0]!r}?" if signing else nearest(service, services())
