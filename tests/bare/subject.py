"""A cloud under comparison: clients, and the few things that every check makes."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.target import Target
from tests.waiting import until

ACCOUNT, REGION = "000000000000", "us-east-1"
PATIENCE_S = 25.0
"""How long a check waits for what ought to come; on a plain emulator most of it never does."""

CODE = """
def handler(event, _):
    if 'poison' in str(event):
        raise ValueError('poison')
    return {'seen': True}

def declined(event, _):
    raise CardDeclinedError('no money')

class CardDeclinedError(Exception):
    pass
"""


class Subject:
    """One cloud. Names are given by the checks, each its own."""

    def __init__(self, target: Target) -> None:
        self.target = target
        trusted = {"Service": ["lambda.amazonaws.com", "states.amazonaws.com", "events.amazonaws.com"]}
        trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
        iam = self.client("iam")
        self.role = iam.create_role(RoleName="all", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam.put_role_policy(RoleName="all", PolicyName="all", PolicyDocument=policy(allow))

    def client(self, service: str, region: str = REGION, account: str = "") -> Any:
        role = {"AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "test"} if account else None
        return self.target.client(
            service, region=region, role=role, retries={"total_max_attempts": 1}, read_timeout=30
        )

    def stream(self, name: str) -> str:
        """The ARN of a Kinesis stream of one shard that takes records."""
        kinesis = self.client("kinesis")
        kinesis.create_stream(StreamName=name, ShardCount=1)

        def state() -> str:
            return str(kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamStatus"])

        until(lambda: state() == "ACTIVE", PATIENCE_S)
        return f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"

    def function(self, name: str, handler: str = "handler", **options: Any) -> str:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as code:
            code.writestr("app.py", CODE)
        made = self.client("lambda").create_function(
            FunctionName=name, Runtime="python3.12", Role=self.role, Handler=f"app.{handler}", Timeout=30,
            Code={"ZipFile": archive.getvalue()}, **options,
        )  # fmt: skip
        return str(made["FunctionArn"])

    def queue(self, name: str, region: str = REGION, account: str = "") -> str:
        """The ARN of a queue that every service may send to."""
        sqs, arn = self.client("sqs", region, account), f"arn:aws:sqs:{region}:{account or ACCOUNT}:{name}"
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(allowed)})
        return arn

    def received(self, arn: str, account: str = "") -> dict[str, Any]:
        """The next message, {} when none comes."""
        sqs = self.client("sqs", arn.split(":")[3], account)
        url = sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]

        def look() -> dict[str, Any]:
            found = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, MessageAttributeNames=["All"])
            for message in found.get("Messages", ()):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                return dict(message)
            return {}

        return until(look, PATIENCE_S) or {}

    def put_event(self, source: str, detail: Any = None, bus: str = "default") -> None:
        entry = {"Source": source, "DetailType": "order", "Detail": json.dumps(detail or {}), "EventBusName": bus}
        self.client("events").put_events(Entries=[entry])

    def rule(self, source: str, **target: Any) -> None:
        """A rule of that name with one target."""
        events = self.client("events")
        events.put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))
        events.put_targets(Rule=source, Targets=[{"Id": "1", **target}])

    def statistics(self, namespace: str, name: str, **more: Any) -> list[dict[str, Any]]:
        """The datapoints of the last minutes of every metric of that name, by GetMetricData."""
        watch, now = self.client("cloudwatch"), datetime.now(UTC)
        listed = watch.list_metrics(Namespace=namespace, MetricName=name)["Metrics"]
        window = {"StartTime": now - timedelta(minutes=5), "EndTime": now + timedelta(minutes=1)}
        stat = {"Period": 60, "Stat": "Sum", **more}
        queries = [{"Id": f"m{n}", "MetricStat": {"Metric": one, **stat}} for n, one in enumerate(listed[:10])]
        return (
            list(watch.get_metric_data(MetricDataQueries=queries, **window)["MetricDataResults"]) if queries else []
        )

    def rest_api(self, name: str, integration: dict[str, Any] | None = None) -> tuple[str, str]:
        """The id and the URL of a REST stage that answers 200."""
        apis = self.client("apigateway")
        api = apis.create_rest_api(name=name)["id"]
        root = apis.get_resources(restApiId=api)["items"][0]["id"]
        at = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
        apis.put_method(**at, authorizationType="NONE")
        apis.put_integration(
            **at, **(integration or {"type": "MOCK", "requestTemplates": {"application/json": '{"statusCode": 200}'}})
        )
        apis.put_method_response(**at, statusCode="200")
        apis.put_integration_response(**at, statusCode="200")
        apis.create_deployment(restApiId=api, stageName="live")
        return api, f"{self.target.endpoint}/_aws/execute-api/{api}/live/"


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def asked(url: str) -> int:
    """The status of a GET."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - loopback
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
