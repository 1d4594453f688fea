"""Deliveries over HTTP are tried again as their policies say, and what is given up is kept; other accounts; order."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.waiting import until

NEXT_DOOR = "222222222222"


class Endpoint:
    """A web server that answers by a script, its last answer for ever, and remembers what it was sent."""

    def __init__(self, *statuses: int) -> None:
        self.statuses, self.bodies = list(statuses), list[str]()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                endpoint.bodies.append(body.decode())
                more = len(endpoint.statuses) > 1
                self.send_response(endpoint.statuses.pop(0) if more else endpoint.statuses[0])
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/in"


@pytest.fixture
def endpoint() -> Iterator[Any]:
    made: list[Endpoint] = []

    def make(*statuses: int) -> Endpoint:
        made.append(Endpoint(*statuses))
        return made[-1]

    yield make
    for one in made:
        one.server.shutdown()
        one.server.server_close()


def subscribed(shop: Any, url: str, **attributes: str) -> str:
    """A topic with a web endpoint on it, confirmed."""
    sns = shop.cloud.target.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    policy = {"healthyRetryPolicy": {"minDelayTarget": 0, "maxDelayTarget": 0, "numRetries": 2}}
    sns.subscribe(
        TopicArn=topic, Protocol="http", Endpoint=url,
        Attributes={"DeliveryPolicy": json.dumps(policy), "RawMessageDelivery": "true", **attributes},
    )  # fmt: skip
    return str(topic)


def test_a_topic_tries_a_web_endpoint_as_its_policy_says_and_then_keeps_the_message(shop: Any, endpoint: Any) -> None:
    dead = shop.queue("dead", open_to="sns.amazonaws.com")
    broken = endpoint(200, 500)  # the confirmation is taken
    topic = subscribed(shop, broken.url, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead}))
    assert until(lambda: len(broken.bodies) == 1)
    token = json.loads(broken.bodies[0])["Token"]
    sns = shop.cloud.target.client("sns")
    sns.confirm_subscription(TopicArn=topic, Token=token)
    sns.publish(TopicArn=topic, Message="hello")
    assert shop.received(dead)["Body"] == "hello"
    assert broken.bodies[1:] == ["hello"] * 3  # one try, two retries


def test_a_rule_tries_an_api_destination_as_its_policy_says(shop: Any, endpoint: Any) -> None:
    events, dead = shop.cloud.target.client("events"), shop.queue("dead", open_to="events.amazonaws.com")
    broken = endpoint(503, 400)
    connection = events.create_connection(
        Name="c", AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": "v"}},
    )["ConnectionArn"]  # fmt: skip
    destination = events.create_api_destination(
        Name="d", ConnectionArn=connection, InvocationEndpoint=broken.url, HttpMethod="POST"
    )["ApiDestinationArn"]
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["shop"]}))
    target = {"Id": "d", "Arn": destination, "RoleArn": shop.role, "DeadLetterConfig": {"Arn": dead}}
    events.put_targets(Rule="r", Targets=[{**target, "RetryPolicy": {"MaximumRetryAttempts": 3}}])
    events.put_events(Entries=[{"Source": "shop", "DetailType": "a", "Detail": "{}"}])
    letter = shop.received(dead)
    assert letter["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"] == "d: HTTP 400"
    assert len(broken.bodies) == 2  # 503 is worth a retry, 400 is not


def test_a_bus_of_another_account_gets_the_event_when_its_policy_lets_it(shop: Any) -> None:
    target = shop.cloud.target
    there = {
        service: target.client(service, role={"AWS_ACCESS_KEY_ID": NEXT_DOOR, "AWS_SECRET_ACCESS_KEY": "test"})
        for service in ("events", "sqs")
    }
    bus = there["events"].create_event_bus(Name="next-door")["EventBusArn"]
    assert bus.split(":")[4] == NEXT_DOOR
    queue = there["sqs"].create_queue(QueueName="told")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{NEXT_DOOR}:told"
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    there["sqs"].set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    there["events"].put_rule(Name="all", EventBusName="next-door", EventPattern=json.dumps({"source": ["shop"]}))
    there["events"].put_targets(Rule="all", EventBusName="next-door", Targets=[{"Id": "q", "Arn": arn}])

    events, dead = target.client("events"), shop.queue("dead", open_to="events.amazonaws.com")
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["shop"]}))
    events.put_targets(
        Rule="r", Targets=[{"Id": "b", "Arn": bus, "RoleArn": shop.role, "DeadLetterConfig": {"Arn": dead}}]
    )
    entry = {"Source": "shop", "DetailType": "a", "Detail": '{"n": 1}'}
    events.put_events(Entries=[entry])
    assert shop.received(dead)["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    there["events"].put_permission(
        EventBusName="next-door", StatementId="s", Action="events:PutEvents", Principal="000000000000"
    )
    events.put_events(Entries=[entry])
    message = until(lambda: there["sqs"].receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"))
    event = json.loads(message[0]["Body"])
    assert (event["account"], event["detail"]) == ("000000000000", {"n": 1})


def test_what_rules_cannot_reach_here_is_told_and_not_dropped(shop: Any) -> None:
    events, dead = shop.cloud.target.client("events"), shop.queue("dead", open_to="events.amazonaws.com")
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["shop"]}))
    arn = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
    events.put_targets(
        Rule="r", Targets=[{"Id": "k", "Arn": arn, "RoleArn": shop.role, "DeadLetterConfig": {"Arn": dead}}]
    )
    events.put_events(Entries=[{"Source": "shop", "DetailType": "a", "Detail": "{}"}])
    said = shop.received(dead)["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
    assert "the embedded cloud has no targets of kinesis" in said


def test_notifications_of_one_object_are_put_in_order_by_their_sequencer(shop: Any) -> None:
    s3, arn = shop.cloud.target.client("s3"), shop.queue("told", open_to="s3.amazonaws.com")
    s3.create_bucket(Bucket="ordered")
    configuration = {
        "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}]
    }
    s3.put_bucket_notification_configuration(Bucket="ordered", NotificationConfiguration=configuration)
    sizes = [1, 2, 3]
    for size in sizes:
        s3.put_object(Bucket="ordered", Key="one", Body=b"x" * size)
    s3.delete_object(Bucket="ordered", Key="one")
    seen: dict[str, tuple[str, int]] = {}

    def all_seen() -> bool:
        for record in json.loads(shop.received(arn)["Body"]).get("Records", ()):
            told = record["s3"]["object"]
            seen[told["sequencer"]] = (record["eventName"], told.get("size", 0))
        return len(seen) == 4

    assert until(all_seen)
    widest = max(map(len, seen))  # AWS: pad the shorter with zeros on the right, then compare as text
    in_order = [seen[one] for one in sorted(seen, key=lambda one: one.ljust(widest, "0"))]
    assert [size for _, size in in_order[:3]] == sizes
    assert in_order[3][0].startswith("ObjectRemoved")
