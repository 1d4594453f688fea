"""`make privilege`: each statement of each function's policy is taken away once, and a scenario must go red.

A statement that no scenario misses is one too many, or its scenario is not there. Names of functions choose some of
them. Exits with the number of statements that nobody missed.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.deploy.api import DeployRequest, up
from harness.environment import TargetChoice, environment
from harness.pytest_plugin import PATIENCE_VARIABLE
from harness.stack import STACK_FILE_VARIABLE, RunningStack, save
from harness.workspace import open_workspace

ROOT = Path(__file__).parents[2]
PROVES: dict[str, str] = tomllib.loads(Path(__file__).with_name("proves.toml").read_text(encoding="utf-8"))
"""A function's name in the program → the scenarios that need all of its statements, as pytest takes them."""

SLOWEST_S = 180.0
PATIENCE_S = "15"
"""How long a scenario waits for what does not come: a red one is what we look for."""


SETTLES_S = 3.0
"""How long a change of a policy takes to count: what an event source may read is looked at each second."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What came of taking one statement away."""

    function: str
    statement: str
    outcome: str
    took_s: float

    @property
    def missed(self) -> bool:
        """True when a scenario went red."""
        return self.outcome == "red"

    def line(self) -> str:
        """One row of the table."""
        return f"| {self.function} | {self.statement} | {self.outcome} | {self.took_s:.0f} s |"


def scenarios(stack_file: Path, chosen: str) -> int:
    """Run the chosen scenarios until the first failure; returns pytest's exit code."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:locust",
        *chosen.split(),
    ]
    environ = {**os.environ, STACK_FILE_VARIABLE: str(stack_file), PATIENCE_VARIABLE: PATIENCE_S}
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, check=False, timeout=SLOWEST_S
    ).returncode


@contextmanager
def without(iam: Any, role: str, policy: str, number: int) -> Iterator[None]:
    """The role's policy without one of its statements."""
    whole = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    left = [one for index, one in enumerate(whole["Statement"]) if index != number]
    document = {**whole, "Statement": left or [{"Effect": "Deny", "Action": "none:None", "Resource": "*"}]}
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
    time.sleep(SETTLES_S)
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(whole))


def take_each(stack: RunningStack, stack_file: Path, function: str) -> Iterator[Taken]:
    """Take each statement of a function away, one after the other."""
    iam, role = stack.target.client("iam"), stack.outputs["roles"][function]
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"] or ("",)
    statements = (
        iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]["Statement"] if policy else []
    )
    for number, statement in enumerate(statements):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        began_s = time.monotonic()
        with without(iam, role, policy, number):
            try:
                code = scenarios(stack_file, PROVES[function])
            except subprocess.TimeoutExpired:
                code = 1  # something waits for what never comes
        outcome = {0: "NOBODY MISSED IT", 1: "red"}.get(code, f"pytest ended with {code}")
        yield Taken(
            function=function,
            statement=", ".join(actions),
            outcome=outcome,
            took_s=time.monotonic() - began_s,
        )


def main(named: list[str]) -> int:
    """Deploy, see the scenarios green, take each statement away; returns how many nobody missed."""
    workspace = open_workspace(ROOT / "blackstart.toml")
    with tempfile.TemporaryDirectory(prefix="privilege-") as scratch:
        folder = Path(scratch)
        with environment(workspace, TargetChoice(), folder=folder / "cloud") as ready:
            wanted = DeployRequest(
                program=workspace.program,
                stack="privilege",
                target=ready.target,
                state_dir=folder / "state",
                config={},
            )
            stack = RunningStack(name="privilege", target=ready.target, outputs=up(wanted).outputs)
            stack_file = folder / "stack.json"
            save(stack, stack_file)
            chosen = named or list(PROVES)
            if code := scenarios(stack_file, " ".join(dict.fromkeys(" ".join(PROVES[n] for n in chosen).split()))):
                print(f"the scenarios are not green with every statement in place (pytest: {code})")
                return 1
            print("| function | statement taken away | scenarios | took |\n|---|---|---|---|")
            unmissed = 0
            for function in chosen:
                for taken in take_each(stack, stack_file, function):
                    print(taken.line(), flush=True)
                    unmissed += not taken.missed
    print(f"{unmissed} statements that nobody missed")
    return unmissed


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 100))
