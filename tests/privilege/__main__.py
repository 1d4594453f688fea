"""`make privilege`: each statement of each role's own policy is taken away once, and a scenario must go red.

A statement that no scenario misses is one too many, or its scenario is not there. Names of roles choose some of them;
without any, docs/privilege.md gets the table. What went red is kept in `.blackstart/privilege.jsonl` for as long as
the statement, its scenarios and the function's code stay as they are, so that an interrupted `make privilege` goes on
where it stopped; `--afresh` takes all away again. Exits with the number of statements that nobody missed.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from policies import Granted, granted, without

from harness.deploy.api import DeployRequest, up
from harness.environment import environment
from harness.pytest_plugin import PATIENCE_VARIABLE
from harness.stack import STACK_FILE_VARIABLE, RunningStack, save
from harness.target import TargetChoice
from harness.workspace import open_workspace
from tests.kept import answers, keep

ROOT = Path(__file__).parents[2]
PROVES: dict[str, str] = tomllib.loads(Path(__file__).with_name("proves.toml").read_text(encoding="utf-8"))
"""A role's name in the program → the scenarios that need all of its statements, as pytest takes them."""

KEPT = ROOT / ".blackstart" / "privilege.jsonl"
APP = ROOT / "pulumi_stack" / "app"
SLOWEST_S = 180.0
PATIENCE_S = "15"
"""How long a scenario waits for what does not come: a red one is what we look for."""

NOBODY, NO_SCENARIO, STILL_RED = "NOBODY MISSED IT", "NO SCENARIO IS NAMED", "RED WITH ALL OF THEM"
_FAILED = re.compile(r"^(?:FAILED|ERROR) \S+?::(\S+)", re.MULTILINE)
_IMPORTED = re.compile(r"^(?:from|import) (\w+)", re.MULTILINE)
_HEADER = "| role | statement taken away | went red |\n|---|---|---|\n"


def first_red(stack_file: Path, chosen: str) -> str:
    """Run the chosen scenarios until the first failure; returns its name, '' when all are green."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:locust", "-n", "0"]
    environ = {**os.environ, STACK_FILE_VARIABLE: str(stack_file), PATIENCE_VARIABLE: PATIENCE_S}
    try:
        ended = subprocess.run(
            [*command, *chosen.split()],
            cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=SLOWEST_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "it never ended"  # something waits for what never comes
    if ended.returncode == 0:
        return ""
    found = _FAILED.search(ended.stdout)
    if found is None:
        raise SystemExit(f"pytest ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return found[1]


def take_each(iam: Any, stack_file: Path, statements: Sequence[Granted], known: dict[str, str]) -> Iterator[str]:
    """Take the statements of one role away, one after the other: a row for each; then see its scenarios green."""
    label, tried = statements[0].label, False
    for one in statements:
        key = key_of(one)
        if label in PROVES and key not in known:
            tried = True
            with without(iam, one):
                known[key] = first_red(stack_file, PROVES[label])
            if known[key]:
                keep(KEPT, [key, known[key]])
        yield row(one, known.get(key, NO_SCENARIO) or NOBODY)
    if tried and (red := first_red(stack_file, PROVES[label])):
        yield f"| {label} | - | {STILL_RED}: {red} |"


def row(one: Granted, outcome: str) -> str:
    """One row of the table."""
    return f"| {one.label} | {one.said} | {outcome} |"


def key_of(one: Granted) -> str:
    """Another one when the statement, its scenarios or the function's code change."""
    named = {ROOT / scenario.split("::")[0] for scenario in PROVES.get(one.label, "").split()}
    texts = [path.read_text(encoding="utf-8") for path in sorted(named | code_of(one.handler))]
    parts = [one.label, one.said, PROVES.get(one.label, ""), *texts]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def code_of(module: str) -> set[Path]:
    """A module of the functions' code, and those of them that it imports."""
    found, open_ones = set[Path](), [module]
    while open_ones:
        path = APP / f"{open_ones.pop()}.py"
        if path.exists() and path not in found:
            found.add(path)
            open_ones += _IMPORTED.findall(path.read_text(encoding="utf-8"))
    return found


def unmissed(rows: Sequence[str]) -> list[str]:
    """The rows that prove nothing."""
    return [line for line in rows if any(mark in line for mark in (NOBODY, NO_SCENARIO, STILL_RED))]


def page(rows: Sequence[str]) -> str:
    """docs/privilege.md."""
    roles = len({line.split(" | ")[0] for line in rows})
    return f"""# Least privilege, proved

Written by `make privilege`: it deploys the stack with IAM enforced, takes each statement of each role's own policy
away, once, runs the scenarios that `tests/privilege/proves.toml` names for the role, and sees them green again. A
statement that no scenario misses is one too many, or its scenario is not there. Of {len(rows)} statements
of {roles} roles {len(rows) - len(unmissed(rows))} were missed.

Roles are those of functions, of state machines, tasks, builds, pipelines, schedules and replication. What a role has
by AWS's managed policies (logs, network interfaces, traces) is not taken away; roles with nothing else are not here.
Nor are the parts that the shop has by name only (`reviews`, `releases` and the like).

{_HEADER}""" + "".join(f"{line}\n" for line in rows)


def deployed_rows(folder: Path, chosen: Sequence[str], known: dict[str, str]) -> Iterator[str]:
    """Deploy, and take away each statement of the chosen roles, or of all."""
    workspace = open_workspace(ROOT / "blackstart.toml")
    with environment(workspace, TargetChoice(), folder=folder / "cloud") as ready:
        wanted = DeployRequest(
            program=workspace.program,
            stack="privilege",
            target=ready.target,
            state_dir=folder / "state",
            config={},
        )
        stack = RunningStack(name="privilege", target=ready.target, outputs=up(wanted).outputs)
        save(stack, stack_file := folder / "stack.json")
        iam = ready.target.client("iam")
        found = sorted(
            granted(iam, ready.target.client("lambda")), key=lambda one: (one.label, one.policy, one.number)
        )
        roles = [one.label for one in found]
        if unknown := [name for name in chosen if name not in roles]:
            raise SystemExit(f"no such role: {', '.join(unknown)}; there are {', '.join(dict.fromkeys(roles))}")
        asked = [one for one in found if one.label in (chosen or roles)]
        missing = {PROVES[one.label] for one in asked if one.label in PROVES and key_of(one) not in known}
        if missing and (red := first_red(stack_file, " ".join(dict.fromkeys(" ".join(sorted(missing)).split())))):
            raise SystemExit(f"red with every statement in place: {red}")
        for _, statements in groupby(asked, key=lambda one: one.label):
            yield from take_each(iam, stack_file, list(statements), known)


def main(arguments: list[str]) -> int:
    """Take away what is not known to be missed; returns how many statements nobody missed."""
    parser = argparse.ArgumentParser(prog="tests/privilege", description=__doc__)
    parser.add_argument("roles", nargs="*", metavar="ROLE")
    parser.add_argument("--afresh", action="store_true", help="forget what went red before")
    given = parser.parse_args(arguments)
    if given.afresh:
        KEPT.unlink(missing_ok=True)
    rows, began_s = [], time.monotonic()
    print(_HEADER, end="")
    with tempfile.TemporaryDirectory(prefix="privilege-") as scratch:
        for line in deployed_rows(Path(scratch), given.roles, dict(answers(KEPT))):
            rows.append(line)
            print(line, flush=True)
    if not given.roles:
        (ROOT / "docs" / "privilege.md").write_text(page(rows), encoding="utf-8")
    print(f"\n{len(rows)} statements in {time.monotonic() - began_s:.0f} s, {len(unmissed(rows))} that nobody missed")
    return min(len(unmissed(rows)), 100)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
