"""Drills where no gate of ours stands before the cloud, as on real AWS: FIS over its API is all there is.

The cloud here is ours, but its control token is taken away, so that nothing but AWS's own APIs can be asked.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chaos.drill import run_drill
from chaos.drill_file import Drill, load_drill
from chaos.fis.role import stand_in
from chaos.repeats import Repeats
from harness import leftovers, processes
from harness.cloud.client import CloudSettings, RunningCloud, start_cloud
from harness.measure.figures import DrillRecord
from harness.measure.journal import read_journal
from harness.measure.machine import crowd
from harness.running import heal_aws
from harness.stack import RunningStack
from harness.workspace import open_workspace
from tests.waiting import until

CROWDED = 1.5
"""Processes for each core with which nothing can be measured."""

ROLE = "arn:aws:iam::000000000000:role/fis"
HANDLER = "def handler(event, context):\n    return {'statusCode': 200, 'body': '{}'}\n"
DRILL = """
name = "fails"
disruption = "Software"
[experiment]
template = "template.json"
duration = "3s"
[workload]
rate = 10.0
[[workload.operations]]
kind = "ask"
method = "GET"
url = "{outputs.api_url}/"
[method]
latency_limit = "30s"
baseline = "2s"
hold = "3s"
deadline = "60s"
must_recover_in_fault = false
[objectives]
rto = "60s"
static_stability = true
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    cloud = start_cloud(CloudSettings(state_dir=tmp_path_factory.mktemp("cloud"), enforce_iam=False))
    yield cloud
    cloud.stop()


def function(cloud: RunningCloud, name: str) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", HANDLER)
    made = cloud.target.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role="arn:aws:iam::000000000000:role/app",
        Handler="index.handler",
        Code={"ZipFile": buffer.getvalue()},
        Tags={"role": name},
    )
    return str(made["FunctionArn"])


@pytest.fixture(scope="module")
def stack(cloud: RunningCloud) -> RunningStack:
    """One function behind an API, another that nobody calls, and a target that gives no way to our gate."""
    arn = function(cloud, "asked")
    function(cloud, "idle")
    gateway = cloud.target.client("apigatewayv2")
    api = gateway.create_api(Name="api", ProtocolType="HTTP")["ApiId"]
    integration = gateway.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    gateway.create_route(ApiId=api, RouteKey="GET /", Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    url = f"{cloud.target.endpoint}/_aws/execute-api/{api}"
    target = replace(cloud.target, kind="endpoint", control_token="")
    assert not target.control_url
    return RunningStack(name="dev", target=target, outputs={"api_url": url})


def template(role: str, duration: str = "PT1M") -> dict[str, Any]:
    return {
        "description": "every invocation fails",
        "roleArn": ROLE,
        "stopConditions": [{"source": "none"}],
        "targets": {
            "f": {"resourceType": "aws:lambda:function", "resourceTags": {"role": role}, "selectionMode": "ALL"}
        },
        "actions": {
            "fail": {
                "actionId": "aws:lambda:invocation-error",
                "parameters": {"duration": duration, "invocationPercentage": "100", "preventExecution": "true"},
                "targets": {"Functions": "f"},
            }
        },
    }


@pytest.fixture
def drill_on(stack: RunningStack, tmp_path: Path) -> Callable[[str], DrillRecord]:
    def run(role: str) -> DrillRecord:
        (tmp_path / "template.json").write_text(json.dumps(template(role)))
        (tmp_path / "fails.toml").write_text(DRILL)
        drill: Drill = load_drill(str(tmp_path / "fails.toml"), tmp_path, policy={})
        record = run_drill(stack, drill, Repeats(seed=1), folder=tmp_path)
        worst = max((crowd(read_journal(path)) for path in tmp_path.rglob("*.jsonl")), default=1.0)
        verdict, reason = objective(record, "rto")
        if verdict == "inconclusive" and not reason.startswith("FIS says") and worst > CROWDED:
            pytest.skip(f"this machine is too busy to measure anything, and the drill says so: {reason}")
        return record

    return run


def objective(record: DrillRecord, name: str) -> tuple[str, str]:
    found = next(o for o in record.objectives if o.name == name)
    return found.verdict, found.reason


def test_a_felt_fault_is_judged_by_what_the_prober_saw(drill_on: Callable[[str], DrillRecord]) -> None:
    record = drill_on("asked")
    (figures,) = record.runs
    assert objective(record, "rto")[0] == "pass", figures
    assert figures.felt
    assert figures.fired == 1  # the one function that FIS resolved
    assert figures.rto_s is not None
    assert figures.rto_s > 2.0  # the fault lasts three seconds, and nothing here survives it
    assert objective(record, "static_stability")[0] == "not_supported"  # nobody there tells all calls
    assert figures.rollback == "clean"


def test_a_fault_that_only_fis_tells_of_proves_nothing(drill_on: Callable[[str], DrillRecord]) -> None:
    record = drill_on("idle")
    verdict, reason = objective(record, "rto")
    assert verdict == "inconclusive"
    assert "FIS says that it hit 1 resources, but no probe felt it and no alarm told of it" in reason


def test_what_a_killed_drill_left_running_is_stopped_by_its_tag(
    stack: RunningStack, cloud: RunningCloud, tmp_path: Path
) -> None:
    (tmp_path / "blackstart.toml").write_text("")
    workspace = open_workspace(tmp_path / "blackstart.toml")
    account = stack.target.account_id
    notes = {"stack_file": "-", "folder": "", "aws_account": account}
    processes.record(2**22 + 1, role="fault", registry=workspace.claims, notes=notes)  # no process has such an id
    assert leftovers.clear(workspace).failed == (
        f"a killed drill may have left an experiment in {account}: blackstart heal --target aws --yes stops it",
    )
    stand_in(stack.target, ROLE)
    fis = stack.target.client("fis")
    made = fis.create_experiment_template(**template("idle", "PT10M"))["experimentTemplate"]["id"]
    ours = fis.start_experiment(experimentTemplateId=made, tags={"blackstart:seed": "1"})["experiment"]["id"]
    other = fis.start_experiment(experimentTemplateId=made)["experiment"]["id"]
    assert heal_aws(workspace, stack.target) == {"stopped": [ours], "failed": []}
    assert until(lambda: [rule.rule.owner for rule in cloud.control.rules()] == [other])  # somebody else's is left
    assert not leftovers.clear(workspace)
    assert heal_aws(workspace, stack.target) == {"stopped": [], "failed": []}
    fis.stop_experiment(id=other)
