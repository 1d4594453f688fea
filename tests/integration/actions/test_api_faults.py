"""API faults: the service's own errors, for the operations, streams, roles and zones that were named."""

import json
import time
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.waiting import awaited


def inject(aws: Any, kind: str, **parameters: str) -> Any:
    return aws.running(aws.action(f"aws:fis:inject-api-{kind}-error", percentage="100", **parameters))


@pytest.mark.parametrize(
    ("service", "operation", "kind", "code", "status"),
    [
        ("ec2", "DescribeVpcs", "internal", "InternalError", 500),
        ("ec2", "DescribeVpcs", "throttle", "RequestLimitExceeded", 503),
        ("ec2", "DescribeVpcs", "unavailable", "Unavailable", 503),
        ("kinesis", "ListStreams", "internal", "InternalFailure", 500),
        ("kinesis", "ListStreams", "throttle", "ThrottlingException", 400),
        ("kinesis", "ListStreams", "unavailable", "ServiceUnavailable", 503),
        ("dynamodb", "ListTables", "throttle", "ThrottlingException", 400),
        ("sqs", "ListQueues", "unavailable", "ServiceUnavailable", 503),
        ("s3", "ListBuckets", "throttle", "SlowDown", 503),
        ("lambda", "ListFunctions", "throttle", "TooManyRequestsException", 429),
        ("sns", "ListTopics", "throttle", "Throttled", 429),
    ],
)
def test_each_service_has_its_own_error(
    aws: Any, service: str, operation: str, kind: str, code: str, status: int
) -> None:
    client = aws.client(service)
    call = getattr(client, next(p for p, a in client.meta.method_to_api_mapping.items() if a == operation))
    with inject(aws, kind, service=service, operations=operation):
        with pytest.raises(client.exceptions.ClientError) as caught:
            call()
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert aws.code_of(call) == "ok"


def test_answers_come_later_by_what_was_asked_and_no_more_afterwards(aws: Any) -> None:
    action = aws.action("blackstart:api:add-latency", service="sqs", operations="ListQueues", percentage="100")
    action["parameters"]["delayMilliseconds"] = "400"
    list_queues = aws.client("sqs").list_queues
    with aws.running(action) as experiment:
        began_s = time.monotonic()
        list_queues()
        assert time.monotonic() - began_s >= 0.4
    healed = [e.detail for e in aws.cloud.control.evidence(owner=experiment) if e.kind == "fault_healed"]
    assert [one["fired"] for one in healed] == [1]
    list_queues()
    assert [e.kind for e in aws.cloud.control.evidence(owner=experiment)].count("fault_fired") == 1


@pytest.mark.parametrize("wrong", [{"operations": "ListQueue"}, {"delayMilliseconds": "0"}, {"percentage": "101"}])
def test_latency_that_cannot_be_is_refused(aws: Any, wrong: dict[str, str]) -> None:
    right = {"service": "sqs", "operations": "ListQueues", "percentage": "100", "delayMilliseconds": "400"}
    with pytest.raises(aws.client("fis").exceptions.ValidationException):
        aws.start({"a": aws.action("blackstart:api:add-latency", **{**right, **wrong})})


def test_only_the_target_role_is_hit(aws: Any, caller: Any) -> None:
    action = aws.action(
        "aws:fis:inject-api-throttle-error", service="ec2", operations="DescribeVpcs", percentage="100"
    )
    target = {"resourceType": "aws:iam:role", "resourceArns": ["arn:aws:iam::000000000000:role/app/caller"]}
    with aws.running(action, target):
        assert caller("ec2", "describe_vpcs") == "RequestLimitExceeded"
        assert caller("ec2", "describe_subnets") == "ok"
        assert aws.code_of(aws.client("ec2").describe_vpcs) == "ok"
    assert caller("ec2", "describe_vpcs") == "ok"


def test_a_role_that_is_assumed_is_hit_by_its_session(aws: Any) -> None:
    credentials = aws.client("sts").assume_role(
        RoleArn="arn:aws:iam::000000000000:role/app/caller", RoleSessionName="me"
    )["Credentials"]
    session = boto3.Session(
        credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"], "us-east-1"
    )
    once = Config(retries={"total_max_attempts": 1})
    assumed = session.client("kinesis", endpoint_url=aws.cloud.target.endpoint, config=once)
    action = aws.action("aws:fis:inject-api-internal-error", service="kinesis", operations="ListStreams")
    action["parameters"]["percentage"] = "100"
    target = {"resourceType": "aws:iam:role", "resourceArns": ["arn:aws:iam::000000000000:role/app/caller"]}
    with aws.running(action, target):
        assert aws.code_of(assumed.list_streams) == "InternalFailure"
        assert aws.code_of(aws.client("kinesis").list_streams) == "ok"


@pytest.fixture(scope="module")
def streams(aws: Any) -> Any:
    kinesis = aws.client("kinesis")
    for name in ("hit", "spared"):
        kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.add_tags_to_stream(StreamName="hit", Tags={"chaos": "ready"})

    def active(name: str) -> bool:
        shown = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        return bool(shown["StreamStatus"] == "ACTIVE")

    awaited(lambda: all(active(name) for name in ("hit", "spared")))
    return kinesis


STREAM = {"resourceType": "aws:kinesis:stream", "resourceTags": {"chaos": "ready"}}


def iterator(kinesis: Any, stream: str) -> str:
    shard = kinesis.list_shards(StreamName=stream)["Shards"][0]["ShardId"]
    return str(
        kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="LATEST")["ShardIterator"]
    )


def test_a_stream_exceeds_its_throughput(aws: Any, streams: Any) -> None:
    arn = streams.describe_stream_summary(StreamName="hit")["StreamDescriptionSummary"]["StreamARN"]
    given = {"Data": b"x", "PartitionKey": "k"}
    before = iterator(streams, "hit")
    with aws.running(aws.action("aws:kinesis:stream-provisioned-throughput-exception", percentage="100"), STREAM):
        for call in (
            lambda: streams.put_record(StreamName="hit", **given),
            lambda: streams.put_record(StreamARN=arn, **given),
            lambda: streams.put_records(StreamName="hit", Records=[given]),
            lambda: streams.get_records(ShardIterator=before),
        ):
            assert aws.code_of(call) == "ProvisionedThroughputExceededException"
        assert aws.code_of(lambda: streams.put_record(StreamName="spared", **given)) == "ok"
    assert aws.code_of(lambda: streams.put_record(StreamName="hit", **given)) == "ok"


def test_iterators_of_a_stream_expire(aws: Any, streams: Any) -> None:
    hit, spared = iterator(streams, "hit"), iterator(streams, "spared")
    with aws.running(aws.action("aws:kinesis:stream-expired-iterator-exception", percentage="100"), STREAM):
        assert aws.code_of(lambda: streams.get_records(ShardIterator=hit)) == "ExpiredIteratorException"
        assert aws.code_of(lambda: streams.get_records(ShardIterator=spared)) == "ok"
    assert aws.code_of(lambda: streams.get_records(ShardIterator=hit)) == "ok"


def test_a_zone_has_no_capacity_for_a_role(aws: Any, caller: Any, vpc: Any) -> None:
    action = aws.action(
        "aws:ec2:api-insufficient-instance-capacity-error", availabilityZoneIdentifiers="use1-az1", percentage="100"
    )
    target = {"resourceType": "aws:iam:role", "resourceArns": ["arn:aws:iam::000000000000:role/app/caller"]}
    image = {"ImageId": "ami-12345678", "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro"}
    with aws.running(action, target):
        assert caller("ec2", "run_instances", SubnetId=vpc.here, **image) == "InsufficientInstanceCapacity"
        named = {"Placement": {"AvailabilityZone": "us-east-1a"}}
        assert caller("ec2", "run_instances", **named, **image) == "InsufficientInstanceCapacity"
        assert caller("ec2", "run_instances", SubnetId=vpc.there, **image) == "ok"
    assert caller("ec2", "run_instances", SubnetId=vpc.here, **image) == "ok"


# -- Lambda ------------------------------------------------------------------------------------------------------

FUNCTION = {
    "resourceType": "aws:lambda:function",
    "resourceArns": ["arn:aws:lambda:us-east-1:000000000000:function:caller"],
}
EVENT = json.dumps({"service": "sts", "operation": "get_caller_identity"}).encode()


def invoke(aws: Any) -> tuple[str, Any]:
    answer = aws.client("lambda", read_timeout=180).invoke(FunctionName="caller", Payload=EVENT)
    return answer.get("FunctionError", ""), json.loads(answer["Payload"].read())


def test_invocations_fail_without_and_after_running(aws: Any, caller: Any) -> None:
    assert invoke(aws) == ("", "ok")
    for prevent in ("true", "false"):
        with aws.running(aws.action("aws:lambda:invocation-error", preventExecution=prevent), FUNCTION):
            error, payload = invoke(aws)
            assert (error, payload["errorType"]) == ("Unhandled", "FaultInjectionError")
        assert invoke(aws) == ("", "ok")


def test_invocations_are_late_and_time_out_beyond_their_timeout(aws: Any, caller: Any) -> None:
    with aws.running(aws.action("aws:lambda:invocation-add-delay", startupDelayMilliseconds="400"), FUNCTION):
        started_s = time.monotonic()
        assert invoke(aws) == ("", "ok")
        assert time.monotonic() - started_s >= 0.4
    aws.client("lambda").update_function_configuration(FunctionName="caller", Timeout=1)
    with aws.running(aws.action("aws:lambda:invocation-add-delay", startupDelayMilliseconds="60000"), FUNCTION):
        error, payload = invoke(aws)
        assert error == "Unhandled"
        assert payload["errorType"] == "Sandbox.Timedout"
    aws.client("lambda").update_function_configuration(FunctionName="caller", Timeout=120)
    assert invoke(aws) == ("", "ok")


def test_invocations_answer_with_the_response_that_was_asked_for(aws: Any, caller: Any) -> None:
    action = aws.action(
        "aws:lambda:invocation-http-integration-response",
        statusCode="503",
        contentTypeHeader="text/plain",
        preventExecution="true",
    )
    with aws.running(action, FUNCTION):
        _, payload = invoke(aws)
        assert payload["statusCode"] == 503
        assert payload["headers"] == {"Content-Type": "text/plain"}
    assert invoke(aws) == ("", "ok")


def test_of_two_errors_the_first_counts_and_the_second_takes_over(aws: Any, caller: Any) -> None:
    answer = aws.action(
        "aws:lambda:invocation-http-integration-response",
        statusCode="418",
        contentTypeHeader="text/plain",
        preventExecution="true",
    )
    error = aws.action("aws:lambda:invocation-error", preventExecution="true")
    with aws.running(error, FUNCTION) as first, aws.running(answer, FUNCTION):
        assert invoke(aws)[0] == "Unhandled"
        aws.client("fis").stop_experiment(id=first)
        assert invoke(aws)[1]["statusCode"] == 418
