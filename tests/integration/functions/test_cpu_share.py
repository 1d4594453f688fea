"""A held function gets its share of the CPU and not more; what waits is not slowed. Lower bounds only."""

import sys
from pathlib import Path
from typing import Any

import pytest

from harness.cloud.client import CloudSettings, start_cloud
from harness.cloud.functions.cpu_share import pause_s
from harness.stack import RunningStack
from harness.tuning import TuningOrder, tune
from tests.integration.functions.conftest import zipped
from tests.waiting import until

COMPUTES = """
import time
def handler(event, _):
    began = time.monotonic()
    until = time.process_time() + event.get("cpu_s", 0)
    while time.process_time() < until:
        pass
    time.sleep(event.get("sleep_s", 0))
    return time.monotonic() - began
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the CPU share needs Linux's process clocks")


def test_a_held_function_computes_in_its_share_of_the_time(aws_lambda: Any) -> None:
    function = aws_lambda.function(COMPUTES, MemorySize=177, Timeout=60)  # a tenth of a vCPU
    aws_lambda.pool.hold_cpu("f", on=True)
    # It takes 1 s; where the governor itself gets no CPU it cannot hold anybody, so it may try again.
    assert until(lambda: aws_lambda.call(function, {"cpu_s": 0.1})["body"] >= 0.8)


def test_one_that_is_not_held_is_not(aws_lambda: Any) -> None:
    function = aws_lambda.function(COMPUTES, MemorySize=177, Timeout=60)
    aws_lambda.pool.hold_cpu("f", on=True)
    assert until(lambda: aws_lambda.call(function, {"cpu_s": 0.1})["body"] >= 0.8)
    aws_lambda.pool.hold_cpu("f", on=False)
    assert until(lambda: aws_lambda.call(function, {"cpu_s": 0.1})["body"] < 0.8)


def test_whoever_waits_needs_no_rest() -> None:
    assert pause_s(used_s=0.001, elapsed_s=0.02, share=0.072) == 0.0
    assert pause_s(used_s=0.02, elapsed_s=0.02, share=0.1) == pytest.approx(0.18)


def test_a_function_is_tuned_and_put_back(tmp_path: Path) -> None:
    with_cloud = start_cloud(CloudSettings(state_dir=tmp_path / "cloud", enforce_iam=False))
    try:
        lambdas, iam = with_cloud.target.client("lambda"), with_cloud.target.client("iam")
        iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")
        lambdas.create_function(
            FunctionName="worker",
            Runtime="python3.11",
            Role="arn:aws:iam::000000000000:role/r",
            Handler="index.handler",
            Code={"ZipFile": zipped({"index.py": COMPUTES})},
            MemorySize=300,
            Timeout=60,
        )
        stack = RunningStack(name="dev", target=with_cloud.target)
        told: list[str] = []
        order = TuningOrder(function="worker", payload=b'{"cpu_s": 0.05}', sizes_mb=(128, 1769), invocations=3)
        found = tune(stack, order, told.append)
        small, large = found.rows
        assert small.cost is not None
        assert large.cost is not None
        assert (small.held, large.held, large.failed) == (True, False, 0)
        assert len(told) == 2
        assert lambdas.get_function_configuration(FunctionName="worker")["MemorySize"] == 300
    finally:
        with_cloud.stop()
