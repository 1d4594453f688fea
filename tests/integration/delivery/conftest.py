"""One embedded cloud with IAM enforced, and what every test of delivery needs in it."""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from harness.cloud.client import CloudSettings, RunningCloud, start_cloud
from tests.waiting import PATIENCE_S

ACCOUNT, REGION = "000000000000", "us-east-1"
CODE = """
import base64, boto3, json, os

def handler(event, _):
    text = str(event)
    if 'poison' in text:
        raise ValueError('poison')
    return {'seen': True}

def relay(event, _):
    # Tells what each record of a Kinesis batch was; waits at `slow` until its own queue says go on.
    sqs = boto3.client('sqs')
    texts = [base64.b64decode(one['kinesis']['data']).decode() for one in event['Records']]
    sqs.send_message(QueueUrl=os.environ['TOLD'], MessageBody=json.dumps(texts))
    if 'poison' in texts:
        raise ValueError('poison')
    if 'slow' in texts:
        while not sqs.receive_message(QueueUrl=os.environ['GO'], WaitTimeSeconds=1).get('Messages'):
            pass
"""


@pytest.fixture(scope="module")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    cloud = start_cloud(CloudSettings(state_dir=tmp_path_factory.mktemp("cloud")))
    yield cloud
    cloud.stop()


class Shop:
    """A role that may do everything, functions, queues, and what came into them."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.cloud = cloud
        self.sqs = cloud.target.client("sqs")
        trusted = {"Service": ["lambda.amazonaws.com", "states.amazonaws.com", "events.amazonaws.com"]}
        trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
        iam = cloud.target.client("iam")
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self.role = iam.create_role(RoleName="all", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_role_policy(RoleName="all", PolicyName="all", PolicyDocument=json.dumps(allow))

    def function(self, name: str, **options: Any) -> str:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as code:
            code.writestr("app.py", CODE)
        arn: str = self.cloud.target.client("lambda").create_function(
            FunctionName=name,
            Role=self.role,
            Code={"ZipFile": archive.getvalue()},
            **{"Handler": "app.handler", "Runtime": "python3.12", "Timeout": 60, **options},
        )["FunctionArn"]
        return arn

    def queue(self, name: str, *, open_to: str = "", region: str = REGION) -> str:
        """The ARN of a new queue; `open_to` is a service that may send to it."""
        arn = f"arn:aws:sqs:{region}:{ACCOUNT}:{name}"
        client = self.sqs if region == REGION else self.cloud.target.client("sqs", region=region)
        url = client.create_queue(QueueName=name)["QueueUrl"]
        if open_to:
            allowed = {
                "Effect": "Allow",
                "Principal": {"Service": open_to},
                "Action": "sqs:SendMessage",
                "Resource": arn,
            }
            policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
            client.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return arn

    def received(self, arn: str) -> dict[str, Any]:
        """The next message of a queue."""
        client = self.cloud.target.client("sqs", region=arn.split(":")[3])
        url = client.get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            found = client.receive_message(QueueUrl=url, WaitTimeSeconds=1, MessageAttributeNames=["All"])
            for message in found.get("Messages", ()):
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                return dict(message)
        raise AssertionError(f"nothing came into {arn}")


@pytest.fixture
def shop(running_cloud: RunningCloud) -> Iterator[Shop]:
    yield Shop(running_cloud)
    running_cloud.control.reset()
