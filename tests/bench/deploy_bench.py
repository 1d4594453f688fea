"""The embedded engine: 120 resources against the same boto3 calls by hand, no-op, preview, destroy, memory, growth."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
from peers import Table, our_cloud
from run_bench import resident_bytes

from harness.deploy import api
from harness.deploy.engine.instances import Instances
from harness.target import Target

PROGRAM = """
import json
import pulumi
import pulumi_aws as aws

for i in range({count}):
    role = aws.iam.Role(f"role-{{i}}", assume_role_policy=json.dumps({{
        "Version": "2012-10-17",
        "Statement": [{{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {{"Service": "lambda.amazonaws.com"}}}}],
    }}))
    table = aws.dynamodb.Table(f"table-{{i}}", billing_mode="PAY_PER_REQUEST", hash_key="id",
                               attributes=[{{"name": "id", "type": "S"}}])
    bucket = aws.s3.Bucket(f"bucket-{{i}}")
    queue = aws.sqs.Queue(f"queue-{{i}}", visibility_timeout_seconds=60)
    topic = aws.sns.Topic(f"topic-{{i}}")
    aws.sns.TopicSubscription(f"subscription-{{i}}", topic=topic.arn, protocol="sqs", endpoint=queue.arn)
    pulumi.export(f"url-{{i}}", queue.url)
"""
QUEUES = "import pulumi_aws as aws\nfor i in range({count}):\n    aws.sqs.Queue(f'queue-{{i}}')\n"
KINDS = 6
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
    made = Instances.client
    seen: set[int] = set()

    def client(self: Instances, service: str, region: str) -> Any:
        found = made(self, service, region)
        if id(found) not in seen:
            seen.add(id(found))

            def note(params: dict[str, Any], model: Any, **_event: Any) -> None:
                calls.append((service, region, model.name, dict(params)))

            found.meta.events.register_first("provide-client-params", note)
        return found

    Instances.client = client  # type: ignore[method-assign]
    try:
        yield calls
    finally:
        Instances.client = made  # type: ignore[method-assign]


def by_hand(target: Target, calls: list[Call]) -> float:
    """Seconds for the same calls, one after the other."""
    import botocore

    clients = {(service, region): target.client(service, region=region) for service, region, _, _ in calls}
    began_s = time.perf_counter()
    for service, region, operation, parameters in calls:
        with contextlib.suppress(botocore.exceptions.ClientError):
            getattr(clients[service, region], botocore.xform_name(operation))(**parameters)
    return time.perf_counter() - began_s


def timed(work: Callable[[], Any]) -> float:
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


def against_hand(table: Table, folder: Path) -> None:
    """Creation and destruction of 120 resources."""
    write_program(folder / "program", PROGRAM, 120 // KINDS)
    with our_cloud() as ours, our_cloud() as peer:
        order = request(folder, ours.target)
        with recorded() as creating:
            create_s = timed(lambda: api.up(order))
        with recorded() as deleting:
            destroy_s = timed(lambda: api.destroy(order))
        raw_create_s, raw_destroy_s = by_hand(peer.target, creating), by_hand(peer.target, deleting)
        again_s = timed(lambda: api.up(order))
        print(f"  {len(creating)} calls to create, {len(deleting)} to delete; second creation {again_s:.2f} s")
    table.limit(f"create 120, by hand {raw_create_s:.2f} s", create_s / raw_create_s, "x", at_most=1.5)
    table.limit(f"destroy 120, by hand {raw_destroy_s:.2f} s", destroy_s / raw_destroy_s, "x", at_most=1.5)


def from_the_shell(table: Table, folder: Path) -> None:
    """No-op and preview as a person meets them: a new process, the program included."""
    write_program(folder / "program", PROGRAM, 120 // KINDS)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "blackstart.toml").write_text(f'[project]\nprogram = "program"\n[embedded]\nport = {port}\n')
    command = str(Path(sys.executable).with_name("blackstart"))

    def blackstart(*words: str) -> tuple[float, float]:
        began_s, peak = time.perf_counter(), 0
        with subprocess.Popen([command, *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            root = psutil.Process(process.pid)
            while process.poll() is None:
                if "deploy" in words:
                    with contextlib.suppress(psutil.Error):
                        peak = max(peak, resident_bytes(root))
                time.sleep(0.05)
        if process.returncode:
            raise RuntimeError(f"blackstart {' '.join(words)} ended with {process.returncode}")
        return time.perf_counter() - began_s, peak / 2**20

    blackstart("up", "--detach", "--yes")
    try:
        blackstart("destroy", "--yes")
        _, peak = blackstart("deploy", "--yes")
        noop_s = min(blackstart("deploy", "--yes")[0] for _ in range(3))
        preview_s = min(blackstart("preview")[0] for _ in range(3))
    finally:
        blackstart("down", "--yes")
    table.limit("no-op deploy of 120, process start included", noop_s, "s", at_most=2.0)
    table.limit("preview of 120, process start included", preview_s, "s", at_most=2.0)
    table.limit("memory at peak, engine and program", peak, "MiB", at_most=250)


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
