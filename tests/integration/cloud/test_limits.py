"""Limits over boto3 and HTTP, on a cloud whose limits are low enough to be met; each is AWS's own error."""

import contextlib
import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.cloud.client import CloudSettings, RunningCloud, start_cloud
from tests.asking import ask, total
from tests.waiting import awaited, until

SLOW = 0.001
"""A rate at which nothing comes back while a test runs."""


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    limits = {
        "lambda_concurrency": 4, "lambda_scaling": 2, "lambda_scaling_period_s": 3600.0,
        "apigateway_rate": SLOW, "apigateway_burst": 3,
        "sqs_in_flight": 2, "sqs_fifo_in_flight": 2, "kms_symmetric_rate": 1, "kms_ecc_rate": SLOW,
        "ssm_get_rate": SLOW, "dynamodb_partition_writes": SLOW,
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("cloud")
    cloud = start_cloud(CloudSettings(state_dir=folder, enforce_iam=False, limits=limits, scaling_period_s=1.0))
    yield cloud
    cloud.stop()


@pytest.fixture
def cloud(limited: RunningCloud) -> Iterator[RunningCloud]:
    yield limited
    limited.control.reset()


def refusal(call: Any, **asked: Any) -> tuple[str, int]:
    """The code and the HTTP status of the error that a call is answered with."""
    with pytest.raises(ClientError) as caught:
        call(**asked)
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def once(cloud: RunningCloud, service: str, **config: Any) -> Any:
    """A client without retries."""
    return cloud.target.client(service, retries={"total_max_attempts": 1}, **config)


def function(cloud: RunningCloud, name: str, body: str) -> Any:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("app.py", body)
    functions = once(cloud, "lambda", read_timeout=400, max_pool_connections=20)
    functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="app.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=300,
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})
    return functions


HELD = "import os, time\ndef handler(e, _):\n    while not os.path.exists(e['until']):\n        time.sleep(0.02)\n"


def test_functions_are_throttled_by_the_account_and_by_how_fast_they_may_grow(cloud: Any, tmp_path: Any) -> None:
    functions = function(cloud, "a", HELD)
    function(cloud, "b", HELD)
    assert functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 4
    door = tmp_path / "door"
    event = json.dumps({"until": str(door)})

    def running(name: str) -> int:
        return sum(one["busy"] for one in cloud.control.environments() if one["function"] == name)

    with ThreadPoolExecutor(4) as threads:
        held = [threads.submit(functions.invoke, FunctionName=n, Payload=event) for n in "aabb"]
        try:
            assert until(lambda: running("a") == 2 and running("b") == 2)
            with pytest.raises(functions.exceptions.TooManyRequestsException) as full:
                functions.invoke(FunctionName="a", Payload=event)
            assert full.value.response["Reason"] == "ConcurrentInvocationLimitExceeded"
        finally:
            door.touch()
        assert [one.result()["StatusCode"] for one in held] == [200] * 4
    door.unlink()
    with ThreadPoolExecutor(2) as threads:
        held = [threads.submit(functions.invoke, FunctionName="a", Payload=event) for _ in range(2)]
        try:
            assert until(lambda: running("a") == 2)
            with pytest.raises(
                functions.exceptions.TooManyRequestsException, match="environments as it may in 3600 s"
            ):
                functions.invoke(FunctionName="a", Payload=event)
        finally:
            door.touch()
    assert until(lambda: total(cloud, "AWS/Lambda", "Throttles", FunctionName="a") == 2)
    reserve = functions.put_function_concurrency
    assert refusal(reserve, FunctionName="a", ReservedConcurrentExecutions=1) == (
        "InvalidParameterValueException",
        400,
    )


def test_queues_hold_back_what_is_more_than_may_be_in_flight(cloud: Any) -> None:
    sqs = once(cloud, "sqs")
    url = sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    fifo = sqs.create_queue(QueueName="work.fifo", Attributes={"FifoQueue": "true", "VisibilityTimeout": "600"})[
        "QueueUrl"
    ]
    for number in "123":
        sqs.send_message(QueueUrl=url, MessageBody=number)
        group = {"MessageGroupId": number, "MessageDeduplicationId": number}
        sqs.send_message(QueueUrl=fifo, MessageBody=number, **group)
    found = [sqs.receive_message(QueueUrl=url)["Messages"][0] for _ in range(2)]
    assert refusal(sqs.receive_message, QueueUrl=url)[0] == "OverLimit"
    assert "Messages" not in sqs.receive_message(
        QueueUrl=url, WaitTimeSeconds=1
    )  # a long poll gets nothing, no error
    sqs.delete_message(QueueUrl=url, ReceiptHandle=found[0]["ReceiptHandle"])
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "3"
    assert len(sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=2)["Messages"]) == 2
    assert "Messages" not in sqs.receive_message(QueueUrl=fifo)


def test_kms_and_parameter_store_take_so_many_calls_a_second(cloud: Any) -> None:
    kms, ssm = once(cloud, "kms"), once(cloud, "ssm")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    signer = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    sign = {"KeyId": signer, "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
    kms.sign(**sign)
    assert refusal(kms.sign, **sign) == ("ThrottlingException", 400)
    kms.encrypt(KeyId=key, Plaintext=b"secret")  # symmetric keys have their own quota
    ssm.put_parameter(Name="p", Value="1", Type="String")
    ssm.get_parameter(Name="p")
    assert refusal(ssm.get_parameters, Names=["p"]) == ("ThrottlingException", 400)  # they share one quota


def rest_api(cloud: Any, *, key_required: bool = False) -> tuple[str, str]:
    """A REST API that answers 200 by itself, and the URL of its stage `live`."""
    apis = cloud.target.client("apigateway")
    api = apis.create_rest_api(name="shop")["id"]
    root = apis.get_resources(restApiId=api)["items"][0]["id"]
    at = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    apis.put_method(**at, authorizationType="NONE", apiKeyRequired=key_required)
    apis.put_integration(**at, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    apis.put_method_response(**at, statusCode="200")
    apis.put_integration_response(**at, statusCode="200")
    apis.create_deployment(restApiId=api, stageName="live")
    return api, f"{cloud.target.endpoint}/_aws/execute-api/{api}/live/"


def http_api(cloud: Any, **stage: Any) -> str:
    """An HTTP API that leads nowhere: 404, and never 429, by itself."""
    apis = cloud.target.client("apigatewayv2")
    api = apis.create_api(Name="web", ProtocolType="HTTP")["ApiId"]
    to = apis.create_integration(
        ApiId=api, IntegrationType="HTTP_PROXY", IntegrationMethod="GET", PayloadFormatVersion="1.0",
        IntegrationUri=f"{cloud.target.endpoint}/_ministack/health",
    )["IntegrationId"]  # fmt: skip
    for path in ("/a", "/b"):
        apis.create_route(ApiId=api, RouteKey=f"GET {path}", Target=f"integrations/{to}")
    apis.create_stage(ApiId=api, StageName="live", AutoDeploy=True, **stage)
    return f"{cloud.target.endpoint}/_aws/execute-api/{api}/live"


def test_apis_are_throttled_by_usage_plan_method_route_and_account(cloud: Any) -> None:
    apis = cloud.target.client("apigateway")
    api, url = rest_api(cloud, key_required=True)
    key = apis.create_api_key(name="partner", enabled=True)
    plan = apis.create_usage_plan(
        name="gold",
        apiStages=[{"apiId": api, "stage": "live"}],
        throttle={"rateLimit": SLOW, "burstLimit": 1},
    )["id"]
    apis.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    assert ask(url) == (403, '{"message":"Forbidden"}')
    assert [ask(url, **{"x-api-key": key["value"]})[0] for _ in range(2)] == [200, 429]

    api, url = rest_api(cloud)
    settings = [("burstLimit", "1"), ("rateLimit", str(SLOW))]
    changes = [{"op": "replace", "path": f"/*/*/throttling/{name}", "value": value} for name, value in settings]
    apis.update_stage(restApiId=api, stageName="live", patchOperations=changes)
    assert [ask(url)[0] for _ in range(2)] == [200, 429]

    slow = {"ThrottlingBurstLimit": 1, "ThrottlingRateLimit": SLOW}
    url = http_api(cloud, RouteSettings={"GET /a": slow})
    assert [ask(f"{url}/a")[0] for _ in range(2)] == [404, 429]

    url = http_api(cloud)
    assert [ask(f"{url}/b")[0] for _ in range(2)] == [429] * 2  # the account's burst of three is used up
    assert ask(f"{url}/b") == (429, '{"message":"Too Many Requests"}')


KB = 1024
LARGE = 300 * KB
"""The size of an item that a table with one unit a second has to save up for minutes for."""


def item(key: str, size: int = 1, **more: str) -> dict[str, Any]:
    return {"id": {"S": key}, "fill": {"S": "x" * (size - 20)}, **{name: {"S": text} for name, text in more.items()}}


def table(cloud: Any, name: str, *, reads: int = 1000, writes: int = 1000, **more: Any) -> Any:
    """A client without retries, once the table is there; on demand without throughput."""
    client = once(cloud, "dynamodb")
    throughput = {"ProvisionedThroughput": {"ReadCapacityUnits": reads, "WriteCapacityUnits": writes}}
    attributes = [{"AttributeName": one, "AttributeType": "S"} for one in ("id", "owner")]
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=attributes if "GlobalSecondaryIndexes" in more else attributes[:1],
        **({"BillingMode": "PAY_PER_REQUEST"} if not writes else throughput),
        **more,
    )
    return client


def reason(call: Any, **asked: Any) -> tuple[str, str]:
    """The code of a throttle, and its ThrottlingReason."""
    with pytest.raises(ClientError) as caught:
        call(**asked)
    found = caught.value.response
    reasons = found.get("ThrottlingReasons") or found.get("throttlingReasons")
    return found["Error"]["Code"], reasons[0]["reason"]


def test_a_table_that_is_asked_more_than_it_was_given_refuses_and_counts_it(cloud: Any) -> None:
    dynamodb = table(cloud, "small", reads=1, writes=1)
    dynamodb.put_item(TableName="small", Item=item("a", 100))
    put = {"TableName": "small", "Item": item("b", LARGE)}
    provisioned = "ProvisionedThroughputExceededException"
    assert reason(dynamodb.put_item, **put) == (provisioned, "TableWriteProvisionedThroughputExceeded")
    requests = [{"PutRequest": {"Item": item("c", LARGE)}}]
    assert reason(dynamodb.batch_write_item, RequestItems={"small": requests})[0] == provisioned
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as cancelled:
        dynamodb.transact_write_items(TransactItems=[{"Put": put}])
    assert cancelled.value.response["CancellationReasons"][0]["Code"] == "ProvisionedThroughputExceeded"
    of = {"TableName": "small"}
    assert until(lambda: total(cloud, "AWS/DynamoDB", "WriteThrottleEvents", **of) == 3)
    assert until(lambda: total(cloud, "AWS/DynamoDB", "WriteProvisionedThroughputThrottleEvents", **of) == 3)
    assert until(lambda: total(cloud, "AWS/DynamoDB", "ThrottledRequests", Operation="PutItem", **of) == 1)
    assert until(lambda: total(cloud, "AWS/DynamoDB", "ConsumedWriteCapacityUnits", **of) == 1)

    table(cloud, "read", reads=1)
    dynamodb.put_item(TableName="read", Item=item("big", LARGE))
    key = {"TableName": "read", "Key": {"id": {"S": "big"}}}
    told = dynamodb.get_item(**key, ConsistentRead=True, ReturnConsumedCapacity="TOTAL")  # 75 units, paid for later
    assert len(told["Item"]["fill"]["S"]) == LARGE - 20
    assert reason(dynamodb.get_item, **key)[1] == "TableReadProvisionedThroughputExceeded"
    assert reason(dynamodb.scan, TableName="read")[1] == "TableReadProvisionedThroughputExceeded"
    assert until(lambda: total(cloud, "AWS/DynamoDB", "ReadThrottleEvents", TableName="read") == 2)
    assert until(lambda: total(cloud, "AWS/DynamoDB", "ConsumedReadCapacityUnits", TableName="read") == 75)
    dynamodb.update_table(TableName="read", ProvisionedThroughput={"ReadCapacityUnits": 400, "WriteCapacityUnits": 1})
    assert awaited(lambda: cloud.target.client("dynamodb").get_item(**key)["Item"])  # more throughput, soon paid


def test_an_index_that_cannot_follow_holds_the_table_back_and_batches_come_back_in_part(cloud: Any) -> None:
    index = {
        "IndexName": "by-owner", "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
        "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    }  # fmt: skip
    dynamodb = table(cloud, "indexed", GlobalSecondaryIndexes=[index])
    dynamodb.put_item(TableName="indexed", Item=item("a", LARGE, owner="o"))
    owned = {"TableName": "indexed", "Item": item("b", 100, owner="o")}
    assert reason(dynamodb.put_item, **owned)[1] == "IndexWriteProvisionedThroughputExceeded"
    of = {"TableName": "indexed", "GlobalSecondaryIndexName": "by-owner"}
    assert until(lambda: total(cloud, "AWS/DynamoDB", "WriteThrottleEvents", **of) == 1)
    assert until(lambda: total(cloud, "AWS/DynamoDB", "ConsumedWriteCapacityUnits", **of) == 300)
    puts = [{"PutRequest": {"Item": item("c", 100)}}, {"PutRequest": {"Item": item("d", 100, owner="o")}}]
    left = dynamodb.batch_write_item(RequestItems={"indexed": puts})["UnprocessedItems"]
    assert left == {"indexed": [puts[1]]}
    assert "Item" in dynamodb.get_item(TableName="indexed", Key={"id": {"S": "c"}})


def test_a_hot_key_and_the_maximum_of_a_table_on_demand_throttle(cloud: Any) -> None:
    dynamodb = table(cloud, "hot")
    dynamodb.put_item(TableName="hot", Item=item("k", LARGE))
    put = {"TableName": "hot", "Item": item("k")}
    hot = ("ProvisionedThroughputExceededException", "TableWriteKeyRangeThroughputExceeded")
    assert reason(dynamodb.put_item, **put) == hot
    dynamodb.put_item(TableName="hot", Item=item("other", 100))
    table(cloud, "most", writes=0, OnDemandThroughput={"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 1})
    dynamodb.put_item(TableName="most", Item=item("a", LARGE))
    put = {"TableName": "most", "Item": item("b", 100)}
    assert reason(dynamodb.put_item, **put) == ("ThrottlingException", "TableWriteMaxOnDemandThroughputExceeded")
    assert until(
        lambda: total(cloud, "AWS/DynamoDB", "WriteMaxOnDemandThroughputThrottleEvents", TableName="most") == 1
    )


def test_a_tables_throughput_is_scaled_by_its_measured_use(cloud: Any) -> None:
    dynamodb, scaling = table(cloud, "scaled", writes=100), cloud.target.client("application-autoscaling")
    where = {
        "ServiceNamespace": "dynamodb", "ResourceId": "table/scaled",
        "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
    }  # fmt: skip
    scaling.register_scalable_target(**where, MinCapacity=100, MaxCapacity=150)
    tracked = {"PredefinedMetricType": "DynamoDBWriteCapacityUtilization"}
    scaling.put_scaling_policy(
        **where,
        PolicyName="use",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 30.0, "PredefinedMetricSpecification": tracked},
    )

    def scaled() -> bool:
        with contextlib.suppress(dynamodb.exceptions.ProvisionedThroughputExceededException):
            dynamodb.put_item(TableName="scaled", Item=item(uuid.uuid4().hex, 40 * KB))
        found = dynamodb.describe_table(TableName="scaled")["Table"]["ProvisionedThroughput"]
        return bool(found["WriteCapacityUnits"] == 150 and found["ReadCapacityUnits"] == 1000)

    assert awaited(scaled)

    def newest() -> str:  # noted once the capacity is set
        told = scaling.describe_scaling_activities(ServiceNamespace="dynamodb")["ScalingActivities"]
        return str(told[0]["Description"]) if told else ""

    assert awaited(lambda: newest() == "Setting write capacity units to 150.")
