"""WebSocket APIs beyond what scenarios see: one-way routes, a function that fails, a region that is lost."""

import contextlib
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import websocket

from harness.cloud.client import RunningCloud

CODE = """
def handler(event, context):
    about = event["requestContext"]
    if event.get("body") == "fail":
        raise RuntimeError("broken")
    return {"statusCode": 200, "body": f"{about['eventType']} {event.get('body', '')}"}
"""
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.fixture
def address(cloud: RunningCloud) -> str:
    """An API whose `$default` answers, and whose `quiet` does not."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", CODE)
    client = cloud.target.client
    trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    role = client("iam").create_role(RoleName="sockets", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    made = client("lambda").create_function(
        FunctionName="sockets",
        Runtime="python3.12",
        Handler="index.handler",
        Role=role,
        Timeout=60,
        Code={"ZipFile": buffer.getvalue()},
    )
    client("lambda").get_waiter("function_active_v2").wait(FunctionName="sockets")
    client("lambda").add_permission(
        FunctionName="sockets",
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    api = client("apigatewayv2")
    made_api = api.create_api(Name="sockets", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.do")
    api_id = made_api["ApiId"]
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{made['FunctionArn']}/invocations"
    integration = api.create_integration(ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=uri)
    target = f"integrations/{integration['IntegrationId']}"
    api.create_route(ApiId=api_id, RouteKey="quiet", Target=target)
    api.create_route(ApiId=api_id, RouteKey="$default", Target=target, RouteResponseSelectionExpression="$default")
    api.create_stage(ApiId=api_id, StageName="s", AutoDeploy=True)
    return f"{str(cloud.target.endpoint).replace('http', 'ws', 1)}/_aws/execute-api/{api_id}/s"


@contextlib.contextmanager
def connected(address: str) -> Iterator[websocket.WebSocket]:
    socket = websocket.WebSocket()
    try:
        socket.connect(address, timeout=60)
        yield socket
    finally:
        socket.shutdown()


def test_routes_answer_as_they_are_set_and_connections_end_with_their_region(
    cloud: RunningCloud, address: str
) -> None:
    with connected(address) as socket:
        socket.send('{"do": "quiet"}')  # one-way: what the function returns goes nowhere
        socket.send("hello")
        assert socket.recv() == "MESSAGE hello"
        socket.send("fail")
        told: dict[str, Any] = json.loads(socket.recv())
        assert told["message"] == "Internal server error"
        assert told["connectionId"]
        socket.send("still here")
        assert socket.recv() == "MESSAGE still here"
        zones = [zone["id"] for zone in cloud.control.zones() if zone["region"] == "us-east-1"]
        for zone in zones:
            cloud.control.cut_power(zone, owner="test", lease_s=600)
        with suppress(websocket.WebSocketConnectionClosedException, ConnectionError):
            assert not socket.recv()  # the close frame, or the end of the connection
        for zone in zones:
            cloud.control.restore_power(zone, owner="test")
    with connected(address) as socket:
        socket.send("again")
        assert socket.recv() == "MESSAGE again"
