"""The stack's own code goes through its pipeline: it is built, tested and deployed; what fails its tests is not."""

import io
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.part("delivery"),
    pytest.mark.blackstart_covers("codepipeline", "codebuild", "cloudformation", "s3", "logs"),
]

STACK = Path(__file__).parents[1] / "pulumi_stack"
ENDED = {"Succeeded", "Failed", "Stopped", "Superseded"}


def source(**changed: str) -> bytes:
    """The stack's own code as a zip, with files changed (`order=…` for app/order.py)."""
    wanted = [*sorted((STACK / "app").glob("*.py")), *sorted((STACK / "app_tests").glob("*.py"))]
    wanted += [STACK / "buildspec.yml", STACK / "templates" / "orders.expanded.yaml"]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in wanted:
            text = changed.get(path.stem, "") if path.parent.name == "app" else ""
            archive.writestr(path.relative_to(STACK).as_posix(), text or path.read_text(encoding="utf-8"))
    return buffer.getvalue()


class Delivery:
    """The pipeline, as somebody sees it who changes the code."""

    def __init__(self, shop: Any, eventually: Any) -> None:
        self._named, self._shop, self._eventually = shop.outputs["delivery"], shop, eventually
        self._pipelines = shop.aws("codepipeline")

    def release(self, content: bytes) -> str:
        """Bring a source, let it go through; returns the execution's id once it has ended."""
        self._shop.aws("s3").put_object(Bucket=self._named["source_bucket"], Key="source.zip", Body=content)
        name = self._named["pipeline"]
        execution = str(self._pipelines.start_pipeline_execution(name=name)["pipelineExecutionId"])
        self._eventually(lambda: self.status(execution) in ENDED, within_s=300, what="the pipeline at its end")
        return execution

    def status(self, execution: str) -> str:
        found = self._pipelines.get_pipeline_execution(
            pipelineName=self._named["pipeline"], pipelineExecutionId=execution
        )
        return str(found["pipelineExecution"]["status"])

    def actions(self, execution: str) -> dict[str, Any]:
        """Action → what is told of it."""
        found = self._pipelines.list_action_executions(
            pipelineName=self._named["pipeline"], filter={"pipelineExecutionId": execution}
        )["actionExecutionDetails"]
        return {one["actionName"]: one for one in found}

    def build(self, execution: str) -> dict[str, Any]:
        builds = self._shop.aws("codebuild").list_builds_for_project(projectName=self._named["project"])["ids"]
        told = self.actions(execution)["Build"]["output"]["executionResult"]
        wanted = next(one for one in builds if one in str(told))
        found: dict[str, Any] = self._shop.aws("codebuild").batch_get_builds(ids=[wanted])["builds"][0]
        return found

    def log(self, build: dict[str, Any]) -> str:
        where = build["logs"]
        events = self._shop.aws("logs").get_log_events(
            logGroupName=where["groupName"], logStreamName=where["streamName"], startFromHead=True
        )["events"]
        return "\n".join(one["message"] for one in events)


@pytest.fixture
def delivery(shop: Any, eventually: Any) -> Iterator[Delivery]:
    """The pipeline; what it deployed is gone afterwards."""
    yield Delivery(shop, eventually)
    formation = shop.aws("cloudformation")
    formation.delete_stack(StackName=shop.outputs["delivery"]["deploys"])
    formation.get_waiter("stack_delete_complete").wait(
        StackName=shop.outputs["delivery"]["deploys"], WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )


def test_good_code_is_built_tested_and_deployed(delivery: Delivery, shop: Any, http: Any) -> None:
    execution = delivery.release(source())
    assert delivery.status(execution) == "Succeeded", delivery.actions(execution)
    build = delivery.build(execution)
    phases = {one["phaseType"]: one.get("phaseStatus") for one in build["phases"]}
    assert {phases[name] for name in ("INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD")} == {"SUCCEEDED"}
    assert [one["name"] for one in build["exportedEnvironmentVariables"]] == ["CODE_SHA256"]
    assert "Ran 2 tests" in delivery.log(build)

    found = shop.aws("cloudformation").describe_stacks(StackName=shop.outputs["delivery"]["deploys"])["Stacks"][0]
    made = {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
    stock = {"sku": {"S": "tea"}, "available": {"N": "5"}}
    shop.aws("dynamodb").put_item(TableName=made["StockTable"], Item=stock)
    apis = shop.aws("apigatewayv2").get_apis()["Items"]
    own = next(one["ApiId"] for one in apis if one["ApiId"] in shop.url)
    order = {"customer": "ada", "items": [{"sku": "tea", "quantity": 2}]}
    key = {"Idempotency-Key": f"delivery-{uuid.uuid4()}"}
    placed = http("POST", f"{shop.url.replace(own, made['ApiId'])}/orders", order, key)
    assert placed.status == 201, placed


def test_code_that_fails_its_tests_is_not_deployed(delivery: Delivery, shop: Any) -> None:
    careless = (STACK / "app" / "order.py").read_text(encoding="utf-8").replace("if not items or", "if")
    careless = careless.replace("or not items:", ":")
    execution = delivery.release(source(order=careless))
    assert delivery.status(execution) == "Failed"
    told = delivery.actions(execution)
    assert {name: one["status"] for name, one in told.items()} == {"Source": "Succeeded", "Build": "Failed"}
    build = delivery.build(execution)
    assert build["buildStatus"] == "FAILED"
    assert "FAILED (failures=1)" in delivery.log(build)
    with pytest.raises(shop.aws("cloudformation").exceptions.ClientError, match="does not exist"):
        shop.aws("cloudformation").describe_stacks(StackName=shop.outputs["delivery"]["deploys"])
