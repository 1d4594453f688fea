"""A customer watches an order over a WebSocket, and is told the moment it is fulfilled."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import websocket

pytestmark = [
    pytest.mark.part("live"),
    pytest.mark.blackstart_requires("cognito-triggers"),
    pytest.mark.blackstart_covers("apigatewaymanagementapi", "lambda", "dynamodb", "sns"),
]

Connect = Callable[[str], websocket.WebSocket]


@pytest.fixture
def connect(shop: Any) -> Iterator[Connect]:
    """Open a socket with a token; all are closed afterwards."""
    sockets: list[websocket.WebSocket] = []

    def opened(token: str) -> websocket.WebSocket:
        sockets.append(socket := websocket.WebSocket())
        socket.connect(f"{shop.outputs['live_url']}?token={token}", timeout=30)
        return socket

    yield opened
    for one in sockets:
        one.shutdown()


def say(socket: websocket.WebSocket, **words: str) -> dict[str, Any]:
    socket.send(json.dumps(words))
    heard: dict[str, Any] = json.loads(socket.recv())
    return heard


def watchers(shop: Any, order_id: str) -> int:
    named = {":order": {"S": order_id}}
    found = shop.aws("dynamodb").scan(
        TableName=shop.outputs["watchers_table"],
        FilterExpression="order_id = :order",
        ExpressionAttributeValues=named,
        ConsistentRead=True,
    )
    return len(found["Items"])


def order(shop: Any, http: Any, customer: Any) -> str:
    basket = {"items": [{"sku": "tea", "quantity": 1}], "notify": ["live"]}
    return str(http("POST", f"{shop.url}/me/orders", basket, customer.headers).body["order_id"])


def test_the_status_is_pushed_and_who_leaves_is_forgotten(
    shop: Any, http: Any, customer: Any, connect: Connect, eventually: Any
) -> None:
    watching = connect(customer.access_token)
    order_id = order(shop, http, customer)
    told = say(watching, action="watch", order_id=order_id)
    assert told["order_id"] == order_id
    until_s = time.monotonic() + 30
    while told["status"] != "FULFILLED" and time.monotonic() < until_s:  # the answer, then the push
        told = json.loads(watching.recv())
    assert told == {"order_id": order_id, "status": "FULFILLED"}
    assert watchers(shop, order_id) == 1
    watching.close()
    eventually(lambda: watchers(shop, order_id) == 0, what="the watcher forgotten")


def test_a_watcher_that_left_without_a_word_is_forgotten_at_the_next_push(
    shop: Any, http: Any, customer: Any, eventually: Any
) -> None:
    """PostToConnection says that it is gone: what stands in the table is a connection of another day."""
    order_id = order(shop, http, customer)
    gone = {"connection_id": {"S": f"gone-{order_id[:8]}"}, "order_id": {"S": order_id}}
    shop.aws("dynamodb").put_item(TableName=shop.outputs["watchers_table"], Item=gone)
    told = {"order_id": order_id, "status": "FULFILLED", "customer": customer.sub}
    live = {"channels": {"DataType": "String.Array", "StringValue": '["live"]'}}
    shop.aws("sns").publish(TopicArn=shop.outputs["topic_arn"], Message=json.dumps(told), MessageAttributes=live)
    eventually(lambda: watchers(shop, order_id) == 0, what="the connection of another day forgotten")


def test_news_that_come_late_are_dropped(shop: Any) -> None:
    """Load shedding of a consumer: after an outage the backlog is worked off for those whom it still helps."""
    order_id, lambdas = str(uuid.uuid4()), shop.aws("lambda")
    gone = {"connection_id": {"S": f"late-{order_id[:8]}"}, "order_id": {"S": order_id}}
    shop.aws("dynamodb").put_item(TableName=shop.outputs["watchers_table"], Item=gone)

    def push(at: datetime) -> None:
        told = {"Message": json.dumps({"order_id": order_id, "status": "FULFILLED"}), "Timestamp": at.isoformat()}
        event = json.dumps({"Records": [{"Sns": told}]})
        assert "FunctionError" not in lambdas.invoke(FunctionName=shop.outputs["push_function"], Payload=event)

    push(datetime.now(UTC) - timedelta(minutes=5))
    assert watchers(shop, order_id) == 1  # nobody was told, so nobody was found to be gone
    push(datetime.now(UTC))
    assert watchers(shop, order_id) == 0


def test_nobody_watches_without_a_token_or_anothers_order(
    shop: Any, http: Any, customer: Any, accounts: Any, connect: Connect
) -> None:
    for token, status in (("", 401), ("no-token", 403)):
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            connect(token)
        assert refused.value.status_code == status
    order_id = order(shop, http, customer)
    stranger = connect(accounts.new_customer().access_token)
    assert say(stranger, action="watch", order_id=order_id) == {"error": "no such order"}
    assert watchers(shop, order_id) == 0
    assert "say" in say(stranger, action="hello")["error"]


def test_operators_see_and_end_a_connection(shop: Any, customer: Any, connect: Connect, http: Any) -> None:
    """The @connections API: who is there, and the end of it."""
    watching = connect(customer.access_token)
    order_id = order(shop, http, customer)
    say(watching, action="watch", order_id=order_id)
    items = shop.aws("dynamodb").scan(TableName=shop.outputs["watchers_table"], ConsistentRead=True)["Items"]
    connection = next(one["connection_id"]["S"] for one in items if one["order_id"]["S"] == order_id)
    url = shop.outputs["live_url"].replace("ws", "http", 1)
    desk = shop.aws("apigatewaymanagementapi", url=url)
    assert desk.get_connection(ConnectionId=connection)["Identity"]["SourceIp"]
    desk.delete_connection(ConnectionId=connection)
    with pytest.raises(desk.exceptions.GoneException):
        desk.post_to_connection(ConnectionId=connection, Data=b"hello")
    with suppress(websocket.WebSocketConnectionClosedException, ConnectionError):
        while watching.recv():  # what was on its way, then the end
            pass
