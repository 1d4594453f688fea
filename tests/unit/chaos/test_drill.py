"""What a target lacks is said by name before anything runs."""

from dataclasses import replace
from pathlib import Path

from chaos.drill import Repeats, run_drill
from chaos.drill_file import load_drill
from harness.stack import RunningStack
from harness.target import Target

DRILLS = Path(__file__).parents[3] / "chaos" / "drills"


def test_a_store_that_the_target_cannot_run_is_not_supported_here(tmp_path: Path) -> None:
    target = Target(
        kind="endpoint",
        endpoint="http://127.0.0.1:1",
        region="us-east-1",
        regions=("us-east-1",),
        account_id="000000000000",
        control_token="token",
        capabilities=frozenset({"elasticache"}),
    )
    drill = replace(
        load_drill("zone-loss", DRILLS, policy={}), stores=("aurora-bank", "valkey-register", "dynamodb-register")
    )
    stack = RunningStack(name="dev", target=target, outputs={})
    record = run_drill(stack, drill, Repeats(seed=1), folder=tmp_path)
    assert (record.verdict, record.reason) == ("not_supported", "target endpoint has no aurora")
