"""X-Ray over boto3: one trace through API Gateway, functions, topics, buses, queues and state machines."""

import io
import json
import time
import urllib.request
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.waiting import until

ACCOUNT, REGION = "000000000000", "us-east-1"
CODE = """
import json, os, socket, urllib.request
import boto3

def place(event, context):
    boto3.client("events").put_events(Entries=[{"Source": "shop", "DetailType": "placed", "Detail": "{}"}])
    return {"statusCode": 200, "body": json.dumps({"trace": os.environ["_X_AMZN_TRACE_ID"]})}

def fulfil(event, context):
    boto3.client("sns").publish(TopicArn=os.environ["TOPIC"], Message="done")

def tell(event, context):
    root, parent, _ = os.environ["_X_AMZN_TRACE_ID"].split(";")
    segment = {"type": "subsegment", "id": "00000000000000aa", "name": "custom", "start_time": 1.0, "end_time": 2.0,
               "trace_id": root.removeprefix("Root="), "parent_id": parent.removeprefix("Parent="),
               "annotations": {"order": "o-1"}}
    host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
    datagram = b'{"format":"json","version":1}\\n' + json.dumps(segment).encode()
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(datagram, (host, int(port)))

def fail(event, context):
    raise KeyError("nothing there")
"""


class Shop:
    """Functions with one role that may do everything."""

    def __init__(self, cloud: Any) -> None:
        self.cloud = cloud
        self.xray = cloud.target.client("xray")
        self.functions = cloud.target.client("lambda")
        iam = cloud.target.client("iam")
        trusted = {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]}
        trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        self.role = iam.create_role(RoleName="all", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
        iam.put_role_policy(RoleName="all", PolicyName="all", PolicyDocument=document(allow))

    def function(self, name: str, *, mode: str = "PassThrough", **variables: str) -> str:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as code:
            code.writestr("app.py", CODE)
        made = self.functions.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=self.role,
            Handler=f"app.{name}",
            Code={"ZipFile": archive.getvalue()},
            Timeout=60,
            TracingConfig={"Mode": mode},
            Environment={"Variables": variables},
        )
        return str(made["FunctionArn"])

    def documents(self, trace_id: str) -> list[dict[str, Any]]:
        """The segments of a trace."""
        found = self.xray.batch_get_traces(TraceIds=[trace_id])["Traces"]
        return [json.loads(segment["Document"]) for trace in found for segment in trace["Segments"]]

    def summaries(self, expression: str = "") -> list[dict[str, Any]]:
        now = datetime.now(UTC)
        asked = {"FilterExpression": expression} if expression else {}
        found = self.xray.get_trace_summaries(
            StartTime=now - timedelta(minutes=30), EndTime=now + timedelta(minutes=1), **asked
        )
        return list(found["TraceSummaries"])


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def shop(cloud: Any) -> Shop:
    return Shop(cloud)


def rest_api(shop: Shop, function: str) -> str:
    """The URL of a traced stage whose every request invokes the function."""
    apis = shop.cloud.target.client("apigateway")
    api = apis.create_rest_api(name="orders")["id"]
    root = apis.get_resources(restApiId=api)["items"][0]["id"]
    apis.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
    apis.put_integration(
        restApiId=api, resourceId=root, httpMethod="GET", type="AWS_PROXY", integrationHttpMethod="POST", uri=uri
    )
    apis.create_deployment(restApiId=api, stageName="live")
    patch = {"op": "replace", "path": "/tracingEnabled", "value": "true"}
    apis.update_stage(restApiId=api, stageName="live", patchOperations=[patch])
    source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*"
    shop.functions.add_permission(
        FunctionName="place", StatementId="api", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com", SourceArn=source,
    )  # fmt: skip
    return f"{shop.cloud.target.endpoint}/_aws/execute-api/{api}/live/"


def test_an_order_is_one_trace_up_to_the_queue_and_linked_beyond_it(shop: Shop) -> None:
    cloud = shop.cloud
    sqs, events = cloud.target.client("sqs"), cloud.target.client("events")
    topic = cloud.target.client("sns").create_topic(Name="done")["TopicArn"]
    place = shop.function("place")
    shop.function("fulfil", TOPIC=topic)
    queue = sqs.create_queue(QueueName="work")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:work"
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:*",
        "Resource": arn,
    }
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": document(allowed), "VisibilityTimeout": "120"})
    events.put_rule(Name="placed", EventPattern=json.dumps({"source": ["shop"]}))
    events.put_targets(Rule="placed", Targets=[{"Id": "1", "Arn": arn}])
    shop.functions.create_event_source_mapping(EventSourceArn=arn, FunctionName="fulfil", BatchSize=1)

    with urllib.request.urlopen(rest_api(shop, place)) as response:  # noqa: S310 - our own loopback
        told = json.loads(response.read())["trace"]
    root = told.split(";")[0].removeprefix("Root=")
    assert told.endswith("Sampled=1")

    origins = {"AWS::ApiGateway::Stage", "AWS::Lambda", "AWS::Lambda::Function", "AWS::Events"}

    def whole() -> dict[str, dict[str, Any]]:
        by_origin = {one["origin"]: one for one in shop.documents(root)}
        return by_origin if origins <= set(by_origin) else {}

    by_origin = until(whole)
    stage, service = by_origin["AWS::ApiGateway::Stage"], by_origin["AWS::Lambda"]
    function, bus = by_origin["AWS::Lambda::Function"], by_origin["AWS::Events"]
    assert stage["name"] == "orders/live"
    assert stage["http"]["response"]["status"] == 200
    assert service["parent_id"] == stage["id"]
    assert function["parent_id"] == service["id"]
    assert f"Parent={function['id']}" in told
    calls = [inner for inner in function["subsegments"] if inner.get("namespace") == "aws"]
    assert [call["aws"]["operation"] for call in calls] == ["PutEvents"]
    assert bus["parent_id"] == calls[0]["id"]

    def consumer() -> dict[str, Any]:
        for summary in shop.summaries('service("fulfil")'):
            for one in shop.documents(summary["Id"]):
                if {"trace_id": root, "id": calls[0]["id"]} in one.get("links", ()):
                    return one
        return {}

    linked = until(consumer)
    assert linked["name"] == "fulfil"
    names = until(lambda: [n for d in shop.documents(linked["trace_id"]) if (n := d["name"]) == "done"])
    assert names  # the topic that was published to

    services = shop.xray.get_trace_graph(TraceIds=[root, linked["trace_id"]])["Services"]
    names_by_id = {one["ReferenceId"]: one["Name"] for one in services}
    kinds = {
        (one["Name"], names_by_id[edge["ReferenceId"]]): edge.get("EdgeType")
        for one in services
        for edge in one["Edges"]
    }
    assert kinds["orders/live", "place"] is None
    assert [edge for edge, kind in kinds.items() if kind == "link"] == [(bus["name"], "fulfil")]
    assert kinds["fulfil", "done"] is None


def test_segments_come_in_by_the_daemon_and_annotations_are_found(shop: Shop) -> None:
    shop.function("tell", mode="Active")
    shop.functions.invoke(FunctionName="tell", Payload=b"{}")
    (found,) = until(lambda: shop.summaries('annotation.order = "o-1" AND service("tell")'))
    assert found["Annotations"]["order"][0]["AnnotationValue"]["StringValue"] == "o-1"
    assert found["EntryPoint"]["Name"] == "tell"
    assert shop.summaries('annotation.order = "o-2"') == []


def test_a_functions_error_is_a_fault_with_its_type(shop: Shop) -> None:
    shop.function("fail", mode="Active")
    shop.functions.invoke(FunctionName="fail", Payload=b"{}")
    (found,) = until(lambda: shop.summaries("fault = true"))
    function = until(lambda: next((d for d in shop.documents(found["Id"]) if d["origin"].endswith("::Function")), {}))
    assert function["cause"]["exceptions"][0]["type"] == "KeyError"
    assert [inner["name"] for inner in function["subsegments"]] == ["Initialization", "Invocation"]
    assert shop.summaries("ok") == []
    logs = shop.cloud.target.client("logs")
    asked = {"logGroupName": "/aws/lambda/fail", "filterPattern": "XRAY"}
    assert found["Id"] in until(lambda: logs.filter_log_events(**asked)["events"])[0]["message"]


def test_what_nobody_samples_has_no_segments(shop: Shop) -> None:
    shop.function("place")
    told = json.loads(shop.functions.invoke(FunctionName="place", Payload=b"{}")["Payload"].read())
    assert "Sampled=0" in told["body"]
    assert shop.summaries() == []


def test_a_state_machine_is_a_segment_with_its_states(shop: Shop) -> None:
    shop.function("fulfil", TOPIC=shop.cloud.target.client("sns").create_topic(Name="t")["TopicArn"])
    states = shop.cloud.target.client("stepfunctions")
    definition = {
        "StartAt": "Wait",
        "States": {
            "Wait": {"Type": "Pass", "Next": "Do"},
            "Do": {"Type": "Task", "Resource": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fulfil", "End": True},
        },
    }
    machine = states.create_state_machine(
        name="flow", definition=json.dumps(definition), roleArn=shop.role, tracingConfiguration={"enabled": True}
    )["stateMachineArn"]
    states.start_execution(stateMachineArn=machine)
    (found,) = until(lambda: shop.summaries('service(id(name: "flow", type: "AWS::StepFunctions::StateMachine"))'))
    flow = until(lambda: next((d for d in shop.documents(found["Id"]) if d["name"] == "flow" and ended(d)), {}))
    assert [inner["name"] for inner in flow["subsegments"]] == ["Wait", "Do"]
    below = {"origin": "AWS::Lambda", "parent_id": flow["id"]}
    assert until(lambda: any(below.items() <= d.items() for d in shop.documents(found["Id"])))


def ended(segment: dict[str, Any]) -> bool:
    return "end_time" in segment


def test_segments_that_are_put_come_back_whole(shop: Shop) -> None:
    now_s = time.time()
    trace_id = f"1-{int(now_s):08x}-{'0' * 24}"
    segment = {"id": "1" * 16, "trace_id": trace_id, "name": "web", "start_time": now_s, "end_time": now_s + 0.5,
               "http": {"request": {"url": "https://shop/cart", "method": "GET"}, "response": {"status": 429}},
               "throttle": True, "error": True, "user": "ann"}  # fmt: skip
    inner = {"type": "subsegment", "id": "2" * 16, "trace_id": trace_id, "parent_id": "1" * 16, "name": "DynamoDB",
             "namespace": "aws", "start_time": now_s, "end_time": now_s + 0.1,
             "aws": {"table_name": "orders"}}  # fmt: skip
    answer = shop.xray.put_trace_segments(
        TraceSegmentDocuments=[json.dumps(segment), json.dumps(inner), json.dumps({"name": "x"})]
    )
    assert [one["ErrorCode"] for one in answer["UnprocessedTraceSegments"]] == ["MissingId"]
    web, table = shop.documents(trace_id)
    assert web["subsegments"][0]["id"] == "2" * 16
    assert (table["name"], table["origin"], table["inferred"]) == ("orders", "AWS::DynamoDB::Table", True)
    (found,) = shop.summaries("throttle AND http.status = 429 AND http.url CONTAINS cart AND responsetime >= 0.5")
    assert found["Http"]["HttpURL"] == "https://shop/cart"
    assert found["Users"] == [{"UserName": "ann", "ServiceIds": []}]
    assert shop.summaries("http.status < 429") == []
    with pytest.raises(shop.xray.exceptions.InvalidRequestException, match="Invalid filter expression"):
        shop.summaries("nonsense = 1")


def test_opentelemetry_comes_in_as_json_and_protobuf(shop: Shop) -> None:
    from google.protobuf.json_format import ParseDict
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    now_ns = time.time_ns()
    trace_hex = f"{now_ns // 10**9:08x}" + "a" * 24
    attributes = [{"key": "http.response.status_code", "value": {"intValue": "503"}}]
    span = {"traceId": trace_hex, "spanId": "b" * 16, "name": "GET /", "kind": 2, "attributes": attributes,
            "startTimeUnixNano": str(now_ns), "endTimeUnixNano": str(now_ns + 10**8)}  # fmt: skip
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "web"}}]}
    post(shop, {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]})
    child = {**span, "spanId": "c" * 16, "parentSpanId": "b" * 16, "kind": 3, "name": "charge", "attributes": []}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [child]}]}]}
    message = ParseDict(_bytes_ids(body), ExportTraceServiceRequest())
    post(shop, message.SerializeToString())
    (web, *_rest) = shop.documents(f"1-{trace_hex[:8]}-{trace_hex[8:]}")
    assert (web["name"], web["fault"], web["subsegments"][0]["name"]) == ("web", True, "charge")


def _bytes_ids(body: dict[str, Any]) -> dict[str, Any]:
    """Ids as protobuf's own JSON has bytes: base64."""
    import base64

    for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for key in ("traceId", "spanId", "parentSpanId"):
            span[key] = base64.b64encode(bytes.fromhex(span[key])).decode()
    return body


def post(shop: Shop, body: Any) -> None:
    data, kind = (
        (body, "application/x-protobuf")
        if isinstance(body, bytes)
        else (json.dumps(body).encode(), "application/json")
    )
    request = urllib.request.Request(  # noqa: S310 - our own loopback
        f"{shop.cloud.target.endpoint}/v1/traces", data, {"Content-Type": kind}, method="POST"
    )
    with urllib.request.urlopen(request) as response:  # noqa: S310
        assert response.status == 200
