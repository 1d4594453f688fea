"""The embedded engine: 120 resources against the same boto3 calls by hand; no-op, preview, memory, growth.

Creating runs the program twice: once to look for what cannot work, before anything is created, once to deploy. Its
limit was to be 1.5 times the calls by hand; docs/decisions/0005 says why it is another.
"""

import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore
import psutil
from botocore.exceptions import ClientError
from peers import Table, our_cloud
from run_bench import resident_bytes

from harness.deploy import api
from harness.deploy.engine.clients import Clients
from harness.target import Target

PROGRAM = """
import json
import pulumi
import pulumi_aws as aws

TRUST = {{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {{"Service": "lambda.amazonaws.com"}}}}
POLICY = json.dumps({{"Version": "2012-10-17", "Statement": [TRUST]}})
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
CODE = pulumi.AssetArchive({{"app.py": pulumi.StringAsset("def handler(event, context): return event")}})

for i in range({count}):
    role = aws.iam.Role(f"role-{{i}}", assume_role_policy=POLICY)
    aws.iam.RolePolicyAttachment(f"basic-{{i}}", role=role.name, policy_arn=BASIC)
    table = aws.dynamodb.Table(f"table-{{i}}", billing_mode="PAY_PER_REQUEST", hash_key="id",
                               attributes=[{{"name": "id", "type": "S"}}])
    bucket = aws.s3.Bucket(f"bucket-{{i}}")
    queue = aws.sqs.Queue(f"queue-{{i}}", visibility_timeout_seconds=60)
    topic = aws.sns.Topic(f"topic-{{i}}")
    aws.sns.TopicSubscription(f"subscription-{{i}}", topic=topic.arn, protocol="sqs", endpoint=queue.arn)
    function = aws.lambda_.Function(f"function-{{i}}", role=role.arn, runtime="python3.12", handler="app.handler",
                                    code=CODE, environment={{"variables": {{"TABLE": table.name}}}})
    aws.cloudwatch.LogGroup(f"logs-{{i}}", name=function.name.apply(lambda name: f"/aws/lambda/{{name}}"))
    rule = aws.cloudwatch.EventRule(f"rule-{{i}}", schedule_expression="rate(1 day)")
    aws.cloudwatch.EventTarget(f"target-{{i}}", rule=rule.name, arn=function.arn)
    aws.lambda_.Permission(f"permission-{{i}}", action="lambda:InvokeFunction", function=function.name,
                           principal="events.amazonaws.com", source_arn=rule.arn)
    pulumi.export(f"url-{{i}}", queue.url)
"""
QUEUES = "import pulumi_aws as aws\nfor i in range({count}):\n    aws.sqs.Queue(f'queue-{{i}}')\n"
KINDS = 12
ROUNDS = 3
Call = tuple[str, str, str, dict[str, Any]]  # service, region, operation, parameters


def write_program(folder: Path, text: str, count: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
    (folder / "__main__.py").write_text(text.format(count=count))
    return folder


def request(folder: Path, target: Target) -> api.DeployRequest:
    return api.DeployRequest(program=folder / "program", stack="bench", target=target, state_dir=folder / "state")


@contextlib.contextmanager
def recorded() -> Iterator[list[Call]]:
    """Every AWS call that a deployment makes meanwhile."""
    calls: list[Call] = []
    made = Clients.client
    seen: set[int] = set()

    def client(self: Clients, service: str, region: str) -> Any:
        found = made(self, service, region)
        if id(found) not in seen:
            seen.add(id(found))

            def note(params: dict[str, Any], model: Any, **_event: Any) -> None:
                calls.append((service, region, model.name, dict(params)))

            found.meta.events.register_first("provide-client-params", note)
        return found

    Clients.client = client  # type: ignore[method-assign]
    try:
        yield calls
    finally:
        Clients.client = made  # type: ignore[method-assign]


def by_hand(target: Target, calls: list[Call]) -> float:
    """Seconds for the same calls, one after the other; clients are made on the way, as in a deployment."""
    clients: dict[tuple[str, str], Any] = {}
    began_s = time.perf_counter()
    for service, region, operation, parameters in calls:
        if (service, region) not in clients:
            clients[service, region] = target.client(service, region=region)
        with contextlib.suppress(ClientError):
            getattr(clients[service, region], botocore.xform_name(operation))(**parameters)
    return time.perf_counter() - began_s


def timed(work: Callable[[], Any]) -> float:
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


class Shell:
    """A workspace with a program, and `blackstart` in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_program(folder / "program", PROGRAM, 120 // KINDS)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        (folder / "blackstart.toml").write_text(f'[project]\nprogram = "program"\n[embedded]\nport = {port}\n')
        self.peak_mib = 0.0

    def run(self, *words: str, watched: bool = False) -> float:
        """Seconds for one command; `watched` for the memory of all its processes."""
        command = [str(Path(sys.executable).with_name("blackstart")), *words]
        nothing, began_s = subprocess.DEVNULL, time.perf_counter()
        with subprocess.Popen(command, cwd=self.folder, stdout=nothing, stderr=nothing) as process:
            root = psutil.Process(process.pid)
            while watched and process.poll() is None:
                with contextlib.suppress(psutil.Error):
                    self.peak_mib = max(self.peak_mib, resident_bytes(root) / 2**20)
                time.sleep(0.1)
        if process.returncode:
            raise RuntimeError(f"blackstart {' '.join(words)} ended with {process.returncode}")
        return time.perf_counter() - began_s


def against_hand(table: Table, folder: Path) -> None:
    """120 resources made and deleted by the engine, program start included, and by the same calls in sequence."""
    write_program(folder / "program", PROGRAM, 120 // KINDS)
    figures = []
    with our_cloud() as ours, our_cloud() as peer:
        order = request(folder, ours.target)
        for _ in range(ROUNDS):
            order.state.with_suffix(".program").unlink(missing_ok=True)
            with recorded() as creating:
                create_s = timed(lambda: api.up(order))
            with recorded() as deleting:
                destroy_s = timed(lambda: api.destroy(order))
            figures.append((create_s, by_hand(peer.target, creating), destroy_s, by_hand(peer.target, deleting)))
    create_s, raw_create_s, destroy_s, raw_destroy_s = map(statistics.median, zip(*figures, strict=True))
    print(f"  {len(creating)} calls to create, {len(deleting)} to delete")
    for name, ours_s, hand_s, limit in (
        ("create", create_s, raw_create_s, 4.5),
        ("destroy", destroy_s, raw_destroy_s, 1.5),
    ):
        table.limit(f"{name} 120: {ours_s:.2f} s, by hand {hand_s:.2f} s", ours_s / hand_s, "x", at_most=limit)


def from_the_shell(table: Table, folder: Path) -> None:
    """Nothing to do, and a preview, as a person meets them: a new process, the program included."""
    folder.mkdir()
    shell = Shell(folder)
    shell.run("up", "--detach", "--yes")
    try:
        noop_s = statistics.median(shell.run("deploy", "--yes") for _ in range(ROUNDS))
        preview_s = statistics.median(shell.run("preview") for _ in range(ROUNDS))
        shell.run("destroy", "--yes")
        shell.run("deploy", "--yes", watched=True)
    finally:
        shell.run("down", "--yes")
    table.limit("no-op deploy of 120, process start included", noop_s, "s", at_most=2.0)
    table.limit("preview of 120, process start included", preview_s, "s", at_most=2.0)
    table.limit("memory at peak, engine and program", shell.peak_mib, "MiB", at_most=250)


def growth(table: Table, folder: Path) -> None:
    """Queues: ten times as many take about ten times as long, and so do the bytes written to the state."""
    seconds: dict[int, float] = {}
    with our_cloud() as ours:
        for count in (100, 300, 1000):
            home = folder / str(count)
            write_program(home / "program", QUEUES, count)
            order = request(home, ours.target)
            written = _written()
            seconds[count] = timed(lambda order=order: api.up(order))
            kib = (_written() - written) / 1024
            print(f"  {count:5} queues: {seconds[count]:6.2f} s, {kib / count:5.1f} KiB of state written for each")
            api.destroy(order)
    table.limit("a queue of 1,000 against one of 100", seconds[1000] / 1000 / (seconds[100] / 100), "x", at_most=1.3)


def _written() -> int:
    path = Path("/proc/self/io")
    return int(path.read_text().split("wchar:")[1].split()[0]) if path.exists() else 0


def main() -> int:
    os.environ["PULUMI_CONFIG_PASSPHRASE"] = ""
    table = Table()
    folder = Path(tempfile.mkdtemp(prefix="bench-deploy-"))
    try:
        against_hand(table, folder / "hand")
        from_the_shell(table, folder / "shell")
        growth(table, folder / "growth")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return table.missed


if __name__ == "__main__":
    sys.exit(main())
