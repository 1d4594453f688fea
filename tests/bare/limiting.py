"""What AWS throttles and its firewall blocks. A check says what it saw instead; '' when all is well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from tests.bare.observing import Check
from tests.bare.subject import PATIENCE_S, Subject, asked
from tests.waiting import until

SLOW = 0.001
LARGE = "x" * 300_000
"""Of an item: more than a table with one unit a second saves in minutes."""


def answered(call: Callable[..., Any], **given: Any) -> str:
    """The code of the error that a call is answered with; 'OK' without one."""
    try:
        call(**given)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "OK"


def table(at: Subject, name: str, **throughput: Any) -> Any:
    dynamodb = at.client("dynamodb")
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        **throughput,
    )
    return dynamodb


def throughput(at: Subject) -> str:
    dynamodb = table(at, "metered", ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1})
    said = answered(dynamodb.put_item, TableName="metered", Item={"id": {"S": "a"}, "fill": {"S": LARGE}})
    if said != "ProvisionedThroughputExceededException":
        return f"a put of 300 units against one is {said}"
    return "" if at.statistics("AWS/DynamoDB", "WriteThrottleEvents") else "no WriteThrottleEvents"


def on_demand(at: Subject) -> str:
    most = {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 1}
    dynamodb = table(at, "most", BillingMode="PAY_PER_REQUEST", OnDemandThroughput=most)
    item = {"id": {"S": "a"}, "fill": {"S": LARGE}}
    said = [answered(dynamodb.put_item, TableName="most", Item=item) for _ in range(2)]
    return "" if said == ["OK", "ThrottlingException"] else f"two puts of 300 units against one: {said}"


def scaling(at: Subject) -> str:
    dynamodb = table(at, "scaled", ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5})
    auto = at.client("application-autoscaling")
    auto.register_scalable_target(
        ServiceNamespace="dynamodb", ResourceId="table/scaled", MinCapacity=7, MaxCapacity=9,
        ScalableDimension="dynamodb:table:WriteCapacityUnits",
    )  # fmt: skip

    def units() -> int:
        return int(
            dynamodb.describe_table(TableName="scaled")["Table"]["ProvisionedThroughput"]["WriteCapacityUnits"]
        )

    return "" if until(lambda: units() == 7, 90) else f"the table keeps {units()} write units"


def parameters(at: Subject) -> str:
    ssm = at.client("ssm")
    ssm.put_parameter(Name="p", Value="1", Type="String")
    with ThreadPoolExecutor(8) as pool:
        said = Counter(pool.map(lambda _: answered(ssm.get_parameter, Name="p"), range(600)))
    return "" if said["ThrottlingException"] else f"600 GetParameter at once: {dict(said)}"


def reservations(at: Subject) -> str:
    at.function("greedy")
    said = answered(
        at.client("lambda").put_function_concurrency, FunctionName="greedy", ReservedConcurrentExecutions=995
    )
    return "" if said == "InvalidParameterValueException" else f"995 of 1,000 may be reserved: {said}"


def routes(at: Subject) -> str:
    apis = at.client("apigatewayv2")
    api = apis.create_api(Name="throttled", ProtocolType="HTTP")["ApiId"]
    to = apis.create_integration(
        ApiId=api, IntegrationType="HTTP_PROXY", IntegrationMethod="GET", PayloadFormatVersion="1.0",
        IntegrationUri=f"{at.target.endpoint}/nowhere",
    )["IntegrationId"]  # fmt: skip
    apis.create_route(ApiId=api, RouteKey="GET /a", Target=f"integrations/{to}")
    slow = {"ThrottlingBurstLimit": 1, "ThrottlingRateLimit": SLOW}
    apis.create_stage(ApiId=api, StageName="live", AutoDeploy=True, RouteSettings={"GET /a": slow})
    said = [asked(f"{at.target.endpoint}/_aws/execute-api/{api}/live/a") for _ in range(2)]
    return "" if said[1] == 429 else f"a route throttled to one answers {said}"


def firewall(at: Subject) -> str:
    waf, elb = at.client("wafv2"), at.client("elbv2")
    seen = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}
    acl = waf.create_web_acl(
        Name="shut", Scope="REGIONAL", DefaultAction={"Block": {}}, VisibilityConfig=seen, Rules=[]
    )["Summary"]["ARN"]
    subnets = [one["SubnetId"] for one in at.client("ec2").describe_subnets()["Subnets"][:2]]
    made = elb.create_load_balancer(Name="shut", Subnets=subnets)["LoadBalancers"][0]
    said = {"StatusCode": "200", "MessageBody": "in", "ContentType": "text/plain"}
    actions = [{"Type": "fixed-response", "FixedResponseConfig": said}]
    elb.create_listener(LoadBalancerArn=made["LoadBalancerArn"], Port=80, Protocol="HTTP", DefaultActions=actions)
    waf.associate_web_acl(WebACLArn=acl, ResourceArn=made["LoadBalancerArn"])
    ours = made["DNSName"].startswith("127.")
    answer = asked(f"http://{made['DNSName']}/" if ours else f"{at.target.endpoint}/_alb/shut/")
    return "" if answer == 403 else f"a load balancer whose web ACL blocks all answers {answer}"


def integration_latency(at: Subject) -> str:
    _, url = at.rest_api("timed")
    asked(url)
    found = until(lambda: at.statistics("AWS/ApiGateway", "IntegrationLatency"), PATIENCE_S)
    return "" if found else "no IntegrationLatency"


CHECKS: dict[str, dict[str, Check]] = {
    "2 metrics of APIs": {"IntegrationLatency of an API": integration_latency},
    "6 limits, further": {
        "DynamoDB: provisioned throughput and its metrics": throughput,
        "DynamoDB: maximum on-demand throughput": on_demand,
        "Application Auto Scaling of a table": scaling,
        "Parameter Store: request rate": parameters,
        "Lambda: unreserved concurrency": reservations,
        "HTTP APIs: throttled routes": routes,
        "WAF on a load balancer": firewall,
    },
}
