"""The main job and its parts: run, test, load, drill."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from harness.commands.answer import DEFAULTS, Answer, Engine, Flag, Options, Repeatable, session


def run(
    *,
    only: str = "",
    drill: Repeatable = (),
    runs: int = 1,
    seed: int | None = None,
    program: Path | None = None,
    engine: Engine = "auto",
    set: Repeatable = (),  # noqa: A002 - the flag is --set
    options: Options = DEFAULTS,
) -> Answer:
    """Run the whole job: cloud, deploy, scenarios, load, drills, reports, down.

    Args:
        only: Parts to run, comma separated: scenarios, load, drills.
        drill: Run only this drill; repeatable.
        runs: Repeat each drill so many times, with derived seeds.
        seed: Seed of everything random; without it a new one, shown in the report.
        program: The Pulumi program's folder.
        engine: Who deploys.
        set: Stack configuration on top of Pulumi.STACK.yaml, KEY=VALUE; repeatable.
        options: Options that every command takes.
    """
    from harness.lifecycle import StackChoice
    from harness.report.terminal import render_terminal
    from harness.run import RunOptions, parse_parts, run_all

    with session(options, at_work="run") as here:
        record, folder = run_all(
            here.workspace,
            RunOptions(
                target=here.target,
                stack=StackChoice(program=program, name=options.env, settings=set, engine=engine),
                parts=parse_parts(only),
                drills=drill,
                runs=runs,
                seed=seed,
            ),
            here.progress,
        )
    return Answer(
        data={"folder": str(folder), "run": record}, shown=render_terminal(record, folder), exit_code=record.exit_code
    )


def test(*arguments: Annotated[str, Parameter(allow_leading_hyphen=True)], options: Options = DEFAULTS) -> Answer:
    """Run the scenario suites against the running stack, or an ephemeral one; arguments go to pytest."""
    from harness.run import test_scenarios

    with session(options, at_work="test") as here:
        result = test_scenarios(here.workspace, here.target, options.env, arguments, here.progress)
    counts = {
        "passed": result.passed,
        "failed": result.failed,
        "skipped": result.skipped,
        "not_supported": result.not_supported,
        "failures": list(result.failures),
        "junit": str(result.junit),
    }
    text = f"{result.passed} passed, {result.failed} failed, {result.skipped} skipped, "
    return Answer(
        data=counts,
        shown="\n".join(
            [
                text + f"{result.not_supported} not supported here",
                *(f"✗ {one}" for one in result.failures),
                *([f"  details: {result.junit}"] if result.failed else []),
            ]
        ),
        exit_code=1 if result.failed else 0,
        error="a scenario failed" if result.failed else "",
    )


def load(
    *,
    users: int | None = None,
    rate: float | None = None,
    duration: str = "",
    shape: str = "",
    limit: Repeatable = (),
    distributed: Flag = False,
    options: Options = DEFAULTS,
) -> Answer:
    """Run Locust against the running stack; what is not given comes from [load] of the project file.

    Args:
        users: How many at most.
        rate: How many of them start in a second, in a steady load.
        duration: How long, such as 30s or 10m.
        shape: steady, ramp, spike (Black Friday) or soak.
        limit: What may not be exceeded, as p95=200ms, failures=0.01 or "POST /orders p95=200ms"; repeatable.
        distributed: Two worker processes under a master.
        options: Options that every command takes.
    """
    from harness.report import words
    from harness.run import load_running

    with session(options, at_work="load") as here:
        result = load_running(
            here.workspace,
            target=here.target,
            users=users,
            rate=rate,
            duration=duration,
            distributed=distributed,
            shape=shape,
            limits=limit,
            progress=here.progress,
        )
    return Answer(
        data=result,
        shown=f"{result.requests} requests, {result.failures} failures, {result.rps:.1f}/s, "
        f"p50 {result.p50_ms:.1f} ms, p95 {result.p95_ms:.1f} ms, p99 {result.p99_ms:.1f} ms"
        + "".join(f"\n{line}" for line in map(words.load_limit, result.limits)),
        exit_code=0 if all(limit.held for limit in result.limits) else 1,
        error="" if all(limit.held for limit in result.limits) else "the load exceeded a limit",
    )


def drill(name: str, *, runs: int = 1, seed: int | None = None, options: Options = DEFAULTS) -> Answer:
    """Run one drill, by name or file, against the running stack, or with `--target aws` against the one there."""
    from harness.report.terminal import render_terminal
    from harness.run import drill_running

    with session(options, at_work="drill") as here:
        record, folder = drill_running(
            here.workspace,
            name,
            target=here.target,
            stack_name=options.env,
            runs=runs,
            seed=seed,
            progress=here.progress,
        )
    return Answer(
        data={"folder": str(folder), "run": record}, shown=render_terminal(record, folder), exit_code=record.exit_code
    )
