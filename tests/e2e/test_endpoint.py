"""Any AWS endpoint as target: ministack on its own server, in a process of its own."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cloud.loop_thread import free_port
from tests.waiting import awaited

DRILL = """
name = "short"
disruption = "Hardware"
[experiment]
template = "{template}"
duration = "3s"
[workload]
rate = 4.0
[[workload.operations]]
kind = "place_order"
method = "POST"
url = "{{outputs.api_url}}/orders"
headers = {{ "Idempotency-Key" = "{{key}}" }}
body = {{ customer = "prober", items = [{{ sku = "tea", quantity = 1 }}] }}
ok = [200, 201]
write = true
capture = {{ order_id = "order_id" }}
[method]
latency_limit = "3s"
baseline = "4s"
hold = "4s"
deadline = "20s"
must_be_felt = true
must_recover_in_fault = false
[objectives]
rto = "10s"
"""


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port, folder = free_port(), tmp_path_factory.mktemp("ministack")
    settings = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "PERSIST_STATE": "0",
        "LAMBDA_EXECUTOR": "local",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent",
    }
    command = [str(Path(sys.executable).with_name("ministack"))]
    with (folder / "ministack.log").open("wb") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **settings}, stdout=log, stderr=log, cwd=folder, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    awaited(lambda: _answers(url))
    yield url
    os.killpg(process.pid, 9)
    process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_ministack/health", timeout=30):  # noqa: S310 - loopback
            return True
    except OSError:
        return False


def test_an_endpoint_gets_the_same_deploy_and_drills_say_what_it_lacks(project: Any, ministack: str) -> None:
    template = project.folder / "chaos" / "experiments" / "api-unavailable.json"
    short = project.folder / "short.toml"
    short.write_text(DRILL.format(template=template))
    code, said = project.run(
        *("run", "--target", f"endpoint={ministack}", "--only", "drills", "--set", "orders:parts=none"),
        *("--drill", str(short), "--drill", "zone-loss", "--drill", "lambda-errors"),
    )
    project.skip_where_too_busy(code, said)
    assert code == 0, said
    run = json.loads((project.newest_run() / "run.json").read_text())
    assert run["target"] == "endpoint"
    verdicts = {drill["name"]: drill["verdict"] for drill in run["drills"]}
    assert verdicts == {"short": "pass", "zone-loss": "not_supported", "lambda-errors": "not_supported"}
    reasons = {drill["name"]: drill["reason"] for drill in run["drills"]}
    assert "blackstart:az:interrupt-power" in reasons["zone-loss"]
    assert _tables(ministack) == []


def test_what_an_endpoint_lacks_is_told_before_anything_is_created(project: Any, ministack: str) -> None:
    parts = "orders:parts=scaling,quotes,notices"
    code, said = project.run("run", "--target", f"endpoint={ministack}", "--only", "scenarios", "--set", parts)
    assert code == 2, said
    assert "nothing was created:\n  application-autoscaling: scaling\n  codedeploy: quotes\n" in said
    assert _tables(ministack) == []


def _tables(url: str) -> list[str]:
    from harness.target import endpoint_target

    names: list[str] = endpoint_target(url, regions=["us-east-1"]).client("dynamodb").list_tables()["TableNames"]
    return names
