"""The real Pulumi CLI against the embedded cloud: `python tests/real`.

Needs `pulumi` on PATH and its aws plugin (or the internet to fetch it). Where there is no CLI it says
not_supported and exits with 5: that is no pass. Each step is one command of ours and one expectation.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

NOT_SUPPORTED = 5
PROGRAM = """
import pulumi, pulumi_aws as aws
queue = aws.sqs.Queue("orders", delay_seconds=1, tags={"team": "one"})
topic = aws.sns.Topic("news", display_name=pulumi.Output.secret("hunter2"))
aws.sns.TopicSubscription("link", topic=topic.arn, protocol="sqs", endpoint=queue.arn)
elsewhere = aws.Provider("west", region="us-west-2")
aws.dynamodb.Table("carts", hash_key="id", billing_mode="PAY_PER_REQUEST",
    attributes=[{"name": "id", "type": "S"}], opts=pulumi.ResourceOptions(provider=elsewhere))
pulumi.export("url", queue.url)
pulumi.export("word", topic.display_name)
"""
REAL, OURS = ("--engine", "pulumi"), ("--engine", "embedded")


@dataclass(frozen=True)
class Project:
    """A project of its own in `folder`, whose cloud listens on `port`."""

    folder: Path
    port: int

    def run(self, *words: str) -> Any:  # the answer's data
        """One command; raises RuntimeError with what it said when it fails."""
        command = [str(Path(sys.executable).with_name("blackstart")), *words, "--json"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=900)
        answer = json.loads(done.stdout)
        if not answer["ok"]:
            raise RuntimeError(json.dumps(answer["error"], indent=1) + done.stderr[-2000:])
        return answer["data"]

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """A client of the embedded cloud."""
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


def make_project(folder: Path) -> Project:
    """Write the program and its blackstart.toml."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "program").mkdir()
    (folder / "program" / "Pulumi.yaml").write_text("name: real\nruntime: python\n")
    (folder / "program" / "__main__.py").write_text(PROGRAM)
    (folder / "blackstart.toml").write_text(f'[project]\nprogram = "program"\n[embedded]\nport = {port}\n')
    return Project(folder, port)


def steps(project: Project) -> list[tuple[str, Callable[[], bool]]]:
    """What is done, and whether it came out as it should."""
    run, sqs = project.run, project.client("sqs")

    def drift() -> bool:
        url = run("deploy", *REAL)["outputs"]["url"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "9"})
        return "refresh" in run("refresh", *REAL)["changes"] and run("deploy", *REAL)["changes"].get("update") == 1

    def over(there: tuple[str, str], back: tuple[str, str]) -> bool:
        run("state", "export", "--file", "state.json", *there)
        run("state", "import", "state.json", *back)
        run("refresh", *back)
        return set(run("deploy", *back)["changes"]) <= {"same", "update"}

    return [
        ("preview of an empty stack", lambda: run("preview", *REAL)["changes"].get("create") == 4),
        ("create", lambda: run("deploy", *REAL)["changes"].get("create") == 4),
        ("secrets are masked", lambda: run("deploy", *REAL)["outputs"]["word"] == "[secret]"),
        ("no changes", lambda: set(run("deploy", *REAL)["changes"]) == {"same"}),
        ("a provider without an endpoint is in the emulator", lambda: bool(_tables(project))),
        ("drift is found and set back", drift),
        ("one resource only", lambda: run("deploy", *REAL, "--replace", "news")["changes"].get("replace", 0) > 0),
        ("to the embedded engine", lambda: over(REAL, OURS)),
        ("and back", lambda: over(OURS, REAL)),
        ("destroy", lambda: run("destroy", *REAL)["changes"].get("delete") == 4),
        ("nothing is left", lambda: not sqs.list_queues().get("QueueUrls") and not _tables(project)),
    ]


def _tables(project: Project) -> list[str]:
    found: list[str] = project.client("dynamodb", "us-west-2").list_tables()["TableNames"]
    return found


def main() -> int:
    """Run every step and tell a line for each; the exit code is that of the commands."""
    if shutil.which("pulumi") is None:
        print("not_supported: there is no pulumi on PATH; nothing was tested")
        return NOT_SUPPORTED
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder))
        try:
            project.run("up", "--detach", *OURS, "--only-resource", "carts")
            project.run("destroy", *OURS)
            for name, step in steps(project):
                started_s, problem = time.monotonic(), ""
                try:
                    good = step()
                except (RuntimeError, KeyError, ValueError, subprocess.TimeoutExpired) as error:
                    good, problem = False, f"\n{error}"
                failed += not good
                print(f"{'pass' if good else 'FAIL'}  {time.monotonic() - started_s:6.1f} s  {name}{problem}")
        finally:
            project.run("down")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
