"""One embedded cloud for all actions, IAM enforced; experiments over boto3, and what a client feels of them."""

import io
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.cloud.client import CloudSettings, RunningCloud, start_cloud
from harness.cloud.settings import LocalImage
from tests.waiting import PATIENCE_S

ROLE = "arn:aws:iam::000000000000:role/fis"
FUNCTION_ROLE = "arn:aws:iam::000000000000:role/app/caller"
CALLER = """
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, BotoCoreError

def handler(event, context):
    within_s = event.get("within_s", 60)
    config = Config(connect_timeout=within_s, read_timeout=within_s, retries={"total_max_attempts": 1})
    client = boto3.client(event["service"], region_name=event.get("region"), config=config)
    try:
        getattr(client, event["operation"])(**event.get("arguments", {}))
    except ClientError as error:
        return error.response["Error"]["Code"]
    except BotoCoreError as error:
        return type(error).__name__
    return "ok"
"""


@dataclass(frozen=True)
class Aws:
    """The cloud as a client sees it, and experiments in it."""

    cloud: RunningCloud

    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str, **config: Any) -> Any:
        key = f"{service} {config}"
        if key not in self.clients:
            settings = {"retries": {"total_max_attempts": 1}, **config}
            self.clients[key] = self.cloud.target.client(service, **settings)
        return self.clients[key]

    @staticmethod
    def action(identity: str, **parameters: str) -> dict[str, Any]:
        return {"actionId": identity, "parameters": {"duration": "PT10M", **parameters}}

    @staticmethod
    def code_of(call: Callable[[], Any]) -> str:
        """`ok`, or the code of the error that the client sees."""
        try:
            call()
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "ok"

    def template(self, actions: dict[str, Any], targets: dict[str, Any] | None = None, **changes: Any) -> str:
        body = {
            "description": "d",
            "roleArn": ROLE,
            "stopConditions": [{"source": "none"}],
            "targets": targets or {},
            "actions": actions,
            **changes,
        }
        return str(self.client("fis").create_experiment_template(**body)["experimentTemplate"]["id"])

    def start(self, actions: dict[str, Any], targets: dict[str, Any] | None = None, **changes: Any) -> str:
        template = self.template(actions, targets, **changes)
        return str(self.client("fis").start_experiment(experimentTemplateId=template)["experiment"]["id"])

    def status(self, experiment: str) -> str:
        return str(self.client("fis").get_experiment(id=experiment)["experiment"]["state"]["status"])

    def wait(self, experiment: str, *statuses: str, within_s: float = PATIENCE_S) -> dict[str, Any]:
        fis, until_s = self.client("fis"), time.monotonic() + within_s
        while True:
            shown: dict[str, Any] = fis.get_experiment(id=experiment)["experiment"]
            states = {shown["state"]["status"], *(a["state"]["status"] for a in shown["actions"].values())}
            if shown["state"]["status"] in statuses and "initiating" not in states:
                return shown
            assert time.monotonic() < until_s, shown
            time.sleep(0.02)

    @contextmanager
    def running(self, action: dict[str, Any], target: dict[str, Any] | None = None, **changes: Any) -> Iterator[str]:
        """An experiment of one action on one target, in force inside the block and healed behind it."""
        targets = {"t": {"selectionMode": "ALL", **target}} if target else {}
        if target:
            slot = self.client("fis").get_action(id=action["actionId"])["action"]["targets"]
            action = {**action, "targets": {next(iter(slot)): "t"}}
        experiment = self.start({"a": action}, targets, **changes)
        try:
            self.wait(experiment, "running")
            yield experiment
        finally:  # or every test behind one that fails would feel it
            self.client("fis").stop_experiment(id=experiment)
        assert self.wait(experiment, "stopped", "completed")["state"]["status"] == "stopped"
        assert [r for r in self.cloud.control.rules() if r.rule.owner == experiment] == []


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    os.environ["BLACKSTART_FIS_ACTIVE_EXPERIMENTS"] = "50"
    try:
        cloud = start_cloud(
            CloudSettings(
                table_lag="0s",
                object_lag="0s",
                state_dir=tmp_path_factory.mktemp("cloud"),
                detection_s=0.2,
                regions=("us-east-1", "us-west-2"),
                images={"idle": LocalImage(dir="/", command=("python", "-c", "import time; time.sleep(3600)"))},
            )
        )
    finally:
        del os.environ["BLACKSTART_FIS_ACTIVE_EXPERIMENTS"]
    aws = Aws(cloud)
    _roles(aws)
    yield aws
    cloud.stop()


def _roles(aws: Aws) -> None:
    iam = aws.client("iam")
    for path, name, service in (("/", "fis", "fis"), ("/app/", "caller", "lambda")):
        principal = {"Service": f"{service}.amazonaws.com", "AWS": "arn:aws:iam::000000000000:root"}
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=document)
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName="caller", PolicyName="all", PolicyDocument=document)


@dataclass(frozen=True)
class Vpc:
    """A VPC with a subnet in each of two zones."""

    id: str
    here: str
    there: str


@pytest.fixture(scope="session")
def vpc(aws: Aws) -> Vpc:
    ec2 = aws.client("ec2")
    identity = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=identity, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for n, zone in enumerate(("us-east-1a", "us-east-1b"))
    ]
    ec2.create_tags(Resources=[subnets[0]], Tags=[{"Key": "chaos", "Value": "ready"}])
    main = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [identity]}])["RouteTables"][0]
    company = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]  # a way out that is in no zone
    ec2.create_route(RouteTableId=main["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=company)
    return Vpc(identity, *subnets)


Call = Callable[..., str]


def lost(call: Call, *asked: str, **arguments: Any) -> bool:
    """Whether nothing answers the call."""
    return call(*asked, within_s=0.6, **arguments) in {"ConnectTimeoutError", "ReadTimeoutError"}


@pytest.fixture(scope="session")
def caller(aws: Aws, vpc: Vpc) -> Call:
    """Makes an AWS call from a function in the first subnet: `ok`, an error's code, or how the connection failed."""
    return function_in(aws, "caller", [vpc.here])


@pytest.fixture(scope="session")
def neighbour(aws: Aws, vpc: Vpc) -> Call:
    """The same from the second subnet, in another zone."""
    return function_in(aws, "neighbour", [vpc.there])


def function_in(aws: Aws, name: str, subnets: list[str]) -> Call:
    """Makes an AWS call from a function in the subnets: `ok`, an error's code, or how the connection failed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", CALLER)
    client = aws.client("lambda", read_timeout=180)
    client.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=FUNCTION_ROLE,
        Handler="index.handler",
        Code={"ZipFile": buffer.getvalue()},
        Timeout=120,
        MemorySize=256,
        VpcConfig={"SubnetIds": subnets, "SecurityGroupIds": []},
    )

    def call(
        service: str, operation: str, region: str = "us-east-1", *, within_s: float = 60.0, **arguments: Any
    ) -> str:
        asked = {"service": service, "operation": operation, "region": region, "arguments": arguments}
        event = {**asked, "within_s": within_s}
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        return str(json.loads(answer["Payload"].read()))

    return call
