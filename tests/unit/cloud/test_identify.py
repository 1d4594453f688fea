"""Every operation of the services of a serverless stack is told apart, whatever its protocol."""

from collections.abc import Callable
from typing import Any

import botocore.loaders
import pytest

from harness.cloud.call import Caller
from harness.cloud.identify import Identifier, Request

Sent = Callable[[str, str], tuple[dict[str, Any], bytes]]

SERVICES = {
    "json": [
        "dynamodb",
        "sqs",
        "events",
        "logs",
        "stepfunctions",
        "kms",
        "secretsmanager",
        "ecs",
        "cognito-idp",
        "ssm",
    ],
    "query": ["sns", "sts", "iam", "rds", "elasticache", "elbv2", "cloudformation", "autoscaling"],
    "ec2": ["ec2"],
    "rest-json": ["lambda", "apigatewayv2", "apigateway", "fis", "scheduler", "pipes", "schemas", "xray", "backup"],
    "rest-xml": ["s3", "route53", "cloudfront"],
    "cbor": ["eventbridgev2", "cloudwatchomni"],
}

SAME_ON_THE_WIRE = {
    # What the first sends with its least input is byte for byte what the second sends: no server could tell.
    ("s3", "GetBucketLifecycle"): "GetBucketLifecycleConfiguration",
    ("s3", "GetBucketNotification"): "GetBucketNotificationConfiguration",
    ("s3", "PutBucketLifecycle"): "PutBucketLifecycleConfiguration",
    ("s3", "PutBucketNotification"): "PutBucketNotificationConfiguration",
    ("s3", "ListDirectoryBuckets"): "ListBuckets",
}


def identify(scope: dict[str, Any], body: bytes, **settings: Any) -> Request:
    identifier = Identifier(region="us-east-1", **settings)
    return _identified(identifier, scope, body)


def _identified(identifier: Identifier, scope: dict[str, Any], body: bytes) -> Request:
    request = identifier.head(scope)
    if request.operation_in_body:
        identifier.body(request, body)
    identifier.resource(request, body)
    return request


@pytest.mark.parametrize("service", [name for names in SERVICES.values() for name in names])
def test_every_operation_is_told_from_the_request(service: str, sent: Sent) -> None:
    operations = botocore.loaders.Loader().load_service_model(service, "service-2")["operations"]
    identifier = Identifier(region="us-east-1")
    wrong = []
    for operation in operations:
        scope, body = sent(service, operation)
        found = _identified(identifier, scope, body)
        signed = any(name == b"authorization" for name, _ in scope["headers"])
        origin = ("eu-west-3", "111122223333") if signed else ("us-east-1", "000000000000")
        expected = (service, SAME_ON_THE_WIRE.get((service, operation), operation), *origin)
        if (found.service, found.operation, found.region, found.account) != expected:
            wrong.append(f"{operation}: {found.service}.{found.operation} {found.region} {found.account}")
    assert not wrong, f"{len(wrong)} of {len(operations)}: {wrong[:10]}"


@pytest.mark.parametrize(
    ("service", "operation", "resource"),
    [
        ("dynamodb", "PutItem", "name-1"),
        ("sqs", "SendMessage", "name-1"),
        ("s3", "PutObject", "name-1"),
        ("lambda", "Invoke", "name-1"),
        ("sns", "Publish", "name-1"),
        ("kms", "Encrypt", "name-1"),
        ("stepfunctions", "StartExecution", "name-1"),
        ("cloudwatch", "SetAlarmState", "name-1"),
    ],
)
def test_the_resource_is_what_the_call_is_about(service: str, operation: str, resource: str, sent: Sent) -> None:
    assert identify(*sent(service, operation)).resource == resource


def _request(method: str = "GET", path: str = "/", query: str = "", **headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": pairs,
    }


def test_a_presigned_url_is_known_by_its_query() -> None:
    credential = "X-Amz-Credential=111122223333%2F20260101%2Feu-west-1%2Fs3%2Faws4_request"
    found = identify(_request(path="/bucket/key", query=f"X-Amz-Algorithm=AWS4-HMAC-SHA256&{credential}"), b"")
    assert (found.service, found.operation, found.resource) == ("s3", "GetObject", "bucket")
    assert (found.region, found.account) == ("eu-west-1", "111122223333")


def test_a_virtual_hosted_bucket_is_the_resource() -> None:
    signed = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request"
    found = identify(_request("PUT", "/key", host="photos.s3.localhost:4566", authorization=signed), b"")
    assert (found.operation, found.resource) == ("PutObject", "photos")


@pytest.mark.parametrize(
    "scope",
    [_request("POST", "/_aws/execute-api/abc123/orders"), _request("GET", "/o", host="abc123.execute-api.x")],
)
def test_a_call_to_an_http_api_is_about_that_api(scope: dict[str, Any]) -> None:
    found = identify(scope, b"")
    assert (found.service, found.operation, found.resource) == ("execute-api", "Invoke", "abc123")


@pytest.mark.parametrize(("known", "region"), [("us-west-2", "us-west-2"), ("", "us-east-1")])
def test_a_request_to_an_api_is_in_the_region_of_the_api(known: str, region: str) -> None:
    found = identify(_request("POST", "/_aws/execute-api/abc123/orders"), b"", apis={"abc123": known}.__getitem__)
    assert found.region == region


def test_a_process_of_ours_is_known_by_its_app_id() -> None:
    ours = Caller(zone_id="use1-az2", function="fulfil")
    scope = _request(user_agent="Boto3/1.43 app/bs.use1-az2.0123456789ab")
    assert identify(scope, b"", callers={"bs.use1-az2.0123456789ab": ours}.get).caller is ours
    assert identify(scope, b"").caller is None


@pytest.mark.parametrize(
    ("scope", "body"),
    [
        (_request("POST", "/", content_type="application/x-www-form-urlencoded"), b"\xff&&=%%%"),
        (_request("POST", "/", x_amz_target="DynamoDB_20120810.PutItem"), b"[1, 2"),
        (_request("POST", "/", x_amz_target="nothing"), b"null"),
        (_request("POST", "/service/X/operation/Y", smithy_protocol="rpc-v2-cbor"), b"\xbf\xff\xff"),
        (_request("OPTIONS", "/%zz", authorization="AWS4-HMAC-SHA256 Credential=///aws4_request"), b""),
        (_request("GET", "/favicon.ico", query="X-Amz-Credential=%2F%2F"), b""),
    ],
)
def test_garbage_is_no_call_and_no_crash(scope: dict[str, Any], body: bytes) -> None:
    assert identify(scope, body).region == "us-east-1"
