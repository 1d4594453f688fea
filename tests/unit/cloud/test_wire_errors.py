"""Injected errors are what the SDK takes for the service's own: code, status, message and retry class."""

from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from harness.cloud.models import Models
from harness.cloud.wire_errors import wire_error

MODELS = Models()


class _Body:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, *_: Any, **__: Any) -> list[bytes]:
        return [self.content]

    def read(self, *_: Any, **__: Any) -> bytes:
        return self.content


def raised(service: str, method: str, arguments: dict[str, Any], sent_as: str, code: str, status: int = 0) -> Any:
    """What botocore makes of our response."""
    session = botocore.session.Session()
    session.set_credentials("test", "test")
    client = session.create_client(
        service,
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:4566",
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
    )
    error = wire_error(MODELS, service, sent_as, code=code, status=status, message="<said> & done")

    def answer(request: Any, **_: Any) -> AWSResponse:
        headers = {"Content-Type": error.content_type, **dict(error.headers)}
        return AWSResponse(request.url, error.status, headers, _Body(error.body))

    client.meta.events.register_last("before-send.*.*", answer)
    with pytest.raises(ClientError) as caught:
        getattr(client, method)(**arguments)
    return client, caught.value


CASES = [
    ("dynamodb", "get_item", {"TableName": "ttt", "Key": {}}, "json", "ProvisionedThroughputExceededException", 400),
    ("dynamodb", "get_item", {"TableName": "ttt", "Key": {}}, "json", "InternalServerError", 500),
    ("sqs", "send_message", {"QueueUrl": "http://q", "MessageBody": "b"}, "json", "QueueDoesNotExist", 400),
    ("events", "put_events", {"Entries": [{}]}, "json", "InternalException", 500),
    ("sns", "publish", {"TopicArn": "t", "Message": "m"}, "query", "InternalErrorException", 500),
    ("iam", "get_role", {"RoleName": "rrr"}, "query", "NoSuchEntityException", 404),
    ("ec2", "describe_vpcs", {}, "query", "RequestLimitExceeded", 400),
    ("lambda", "invoke", {"FunctionName": "f"}, "rest", "TooManyRequestsException", 429),
    ("lambda", "invoke", {"FunctionName": "f"}, "rest", "ServiceException", 500),
    ("apigatewayv2", "get_apis", {}, "rest", "TooManyRequestsException", 429),
    ("s3", "get_object", {"Bucket": "bbb", "Key": "k"}, "rest", "SlowDown", 503),
    ("s3", "get_object", {"Bucket": "bbb", "Key": "k"}, "rest", "NoSuchKey", 404),
    ("route53", "list_hosted_zones", {}, "rest", "Throttling", 400),
    ("cloudwatch", "describe_alarms", {}, "json", "InternalServiceFault", 500),
    ("eventbridgev2", "list_event_buses", {}, "cbor", "AccessDeniedException", 403),
    ("eventbridgev2", "list_event_buses", {}, "cbor", "InternalError", 500),
]


@pytest.mark.parametrize(("service", "method", "arguments", "sent_as", "code", "status"), CASES)
def test_the_sdk_reads_the_error_as_the_services_own(
    service: str, method: str, arguments: dict[str, Any], sent_as: str, code: str, status: int
) -> None:
    client, error = raised(service, method, arguments, sent_as, code)
    answer = error.response
    shape = MODELS.get(service)["shapes"].get(code, {})
    assert answer["Error"]["Code"] in {code, shape.get("error", {}).get("code")}
    assert answer["Error"]["Message"] == "<said> & done"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert answer["ResponseMetadata"]["RequestId"]
    if shape.get("exception"):
        assert type(error) is getattr(client.exceptions, code)


def test_a_given_status_is_kept_and_an_unknown_code_is_a_server_error() -> None:
    _, error = raised("dynamodb", "list_tables", {}, "json", "Nonsense")
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    _, error = raised("dynamodb", "list_tables", {}, "json", "Nonsense", status=418)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 418
