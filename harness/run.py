"""One run: environment, deploy, scenarios, load, drills, reports, down. What `blackstart run` does.

A part that fails does not hide the others: each part's problem is kept, the reports are written whatever
happened, and the worst of them gives the exit code.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from chaos.drill import run_drill
from chaos.drill_file import Drill, drill_names, load_drill
from harness import leftovers
from harness.clock import parse_duration_s, utc_iso
from harness.deploy.api import DeployResult, up
from harness.environment import TargetChoice, environment
from harness.errors import BlackstartError, InterruptedByUserError, UsageError, nearest
from harness.lifecycle import StackChoice, current, request, require_running, step_lines
from harness.load.locust_run import LoadResult, run_load
from harness.measure.figures import DrillRecord
from harness.report.run_json import DeployRecord, LoadRecord, LoadSecond, RunRecord, ScenarioRecord, build_run
from harness.report.write import write_reports
from harness.scenarios import ScenarioResult, run_scenarios
from harness.stack import RunningStack, save
from harness.terminal import Progress
from harness.workspace import Workspace

PARTS = ("scenarios", "load", "drills")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What to run. `seed` None draws a new one; `drills` empty means all of the project's."""

    target: TargetChoice
    stack: StackChoice
    parts: frozenset[str] = frozenset(PARTS)
    drills: tuple[str, ...] = ()
    runs: int = 1
    seed: int | None = None


def parse_parts(only: str) -> frozenset[str]:
    """The parts named in `--only`, all of them for ''.

    Raises:
        UsageError: an unknown part.
    """
    parts = [part.strip() for part in only.split(",") if part.strip()]
    for part in parts:
        if part not in PARTS:
            raise UsageError(f"unknown part {part!r}", where="--only", hint=nearest(part, PARTS))
    return frozenset(parts or PARTS)


@dataclass(slots=True)
class _Findings:
    """What a run has found so far; becomes the record, whatever happened."""

    deploy: DeployRecord | None = None
    scenarios: ScenarioResult | None = None
    load: LoadRecord | None = None
    drills: list[DrillRecord] = field(default_factory=list)
    problems: list[BlackstartError] = field(default_factory=list)


def run_all(workspace: Workspace, options: RunOptions, progress: Progress) -> tuple[RunRecord, Path]:
    """Run every part in an environment of its own; returns the record and the folder of its reports.

    Raises:
        UsageError: an unknown drill or part, before anything is started.
        BlackstartError: the environment could not be made or the stack not be deployed.
        KeyboardInterrupt: Ctrl-C, after rollback and with the reports written.
    """
    drills = _chosen_drills(workspace, options)
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    folder = _new_folder(workspace)
    started = utc_iso()
    findings = _Findings()
    try:
        progress.phase("Starting the cloud" if options.target.kind != "aws" else "Asking AWS who you are")
        with environment(workspace, options.target, folder=folder / "cloud") as ready:
            stack = _deploy(
                workspace,
                options,
                RunningStack(name=options.stack.name, target=ready.target),
                folder,
                findings,
                progress,
            )
            _drive(workspace, options, stack, folder, findings, progress)
            for drill in drills:
                _break(workspace, stack, drill, folder, findings, options.runs, seed, progress)
            progress.phase("Taking everything down")
    except (BlackstartError, KeyboardInterrupt) as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        findings.problems.append(InterruptedByUserError("interrupted") if interrupted else error)
        _write(options, findings, folder, started, seed)
        raise
    record = _write(options, findings, folder, started, seed)
    progress.close()
    return record, folder


def _chosen_drills(workspace: Workspace, options: RunOptions) -> list[Drill]:
    """Every drill file is read before anything starts, so that a typo costs a second and not a run."""
    if "drills" not in options.parts:
        return []
    names = options.drills or drill_names(workspace.drills)
    return [load_drill(name, workspace.drills, policy=workspace.config.policy) for name in names]


def _new_folder(workspace: Workspace) -> Path:
    """A folder of its own for this run, named by its start so that they sort by time."""
    name = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"
    folder = workspace.runs / name
    (folder / "logs").mkdir(parents=True)
    return folder


def _deploy(
    workspace: Workspace,
    options: RunOptions,
    stack: RunningStack,
    folder: Path,
    findings: _Findings,
    progress: Progress,
) -> RunningStack:
    """Deploy twice: the second pass must change nothing, and shows what a no-op costs."""
    progress.phase("Deploying the stack")
    wanted = request(workspace, stack, options.stack, state=folder / "state")
    created = up(wanted, on_event=step_lines(progress))
    again = up(wanted, on_event=step_lines(progress))
    findings.deploy = DeployRecord(
        engine=options.stack.engine if options.stack.engine != "auto" else "embedded",
        resources=created.resources,
        create_s=round(created.duration_s, 3),
        noop_s=round(again.duration_s, 3) if _unchanged(again) else None,
    )
    deployed = RunningStack(name=stack.name, target=stack.target, outputs=again.outputs)
    if stack.target.kind != "aws":
        save(deployed, folder / "stack.json")
    return deployed


def _unchanged(result: DeployResult) -> bool:
    return not any(count for op, count in result.changes.items() if op != "same")


def _drive(
    workspace: Workspace,
    options: RunOptions,
    stack: RunningStack,
    folder: Path,
    findings: _Findings,
    progress: Progress,
) -> None:
    """Scenarios, then load."""
    if "scenarios" in options.parts:
        findings.scenarios = _kept(
            findings, lambda: _scenarios(workspace, folder / "stack.json", folder, (), progress)
        )
    if "load" in options.parts:
        load = workspace.config.load
        progress.phase("Loading the stack")
        findings.load = _kept(
            findings,
            lambda: _load(
                workspace,
                folder / "stack.json",
                folder,
                users=load.users,
                rate=load.rate,
                duration_s=parse_duration_s(load.duration),
            ),
        )


def _scenarios(
    workspace: Workspace, stack_file: Path, folder: Path, arguments: Sequence[str], progress: Progress
) -> ScenarioResult:
    progress.phase("Running the scenarios")
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    return run_scenarios(
        workspace.scenarios,
        stack_file=stack_file,
        junit=folder / "logs" / "scenarios.xml",
        registry=folder / "processes",
        arguments=arguments,
        on_line=progress.detail,
    )


def _load(
    workspace: Workspace,
    stack_file: Path,
    folder: Path,
    *,
    users: int,
    rate: float,
    duration_s: float,
    workers: int = 0,
) -> LoadRecord:
    result: LoadResult = run_load(
        workspace.locustfile,
        stack_file=stack_file,
        folder=folder / "logs",
        registry=folder / "processes",
        users=users,
        rate=rate,
        duration_s=duration_s,
        workers=workers,
    )
    return LoadRecord(
        users=result.users,
        duration_s=result.duration_s,
        requests=result.requests,
        failures=result.failures,
        rps=result.rps,
        p50_ms=result.p50_ms,
        p95_ms=result.p95_ms,
        p99_ms=result.p99_ms,
        series=[
            LoadSecond(
                at_s=second.at_s,
                requests=second.requests,
                failures=second.failures,
                p50_ms=second.p50_ms,
                p95_ms=second.p95_ms,
                p99_ms=second.p99_ms,
            )
            for second in result.series
        ],
    )


def _break(
    workspace: Workspace,
    stack: RunningStack,
    drill: Drill,
    folder: Path,
    findings: _Findings,
    runs: int,
    seed: int,
    progress: Progress,
) -> None:
    progress.phase(f"Drill {drill.name}: {drill.title}")
    with leftovers.claim(workspace, folder / "stack.json"):
        result = _kept(
            findings,
            lambda: run_drill(stack, drill, seed=seed, runs=runs, folder=folder, on_event=progress.detail),
        )
    if result is not None:
        findings.drills.append(result)


def _kept(findings: _Findings, part: Callable[[], Result]) -> Result | None:
    """What `part` returns; None when it raised, with the problem kept for the report and the exit code."""
    try:
        return part()
    except BlackstartError as problem:
        findings.problems.append(problem)
        return None


def _write(options: RunOptions, findings: _Findings, folder: Path, started: str, seed: int) -> RunRecord:
    """Write every report of this run; also after a failure, with what was found until then."""
    ran = findings.scenarios
    record = build_run(
        id=folder.name,
        target=options.target.kind,
        seed=seed,
        started=started,
        ended=utc_iso(),
        deploy=findings.deploy,
        scenarios=None
        if ran is None
        else ScenarioRecord(
            passed=ran.passed,
            failed=ran.failed,
            skipped=ran.skipped,
            not_supported=ran.not_supported,
            failures=list(ran.failures),
        ),
        load=findings.load,
        drills=findings.drills,
        problems=findings.problems,
    )
    write_reports(folder, record)
    return record


def test_scenarios(
    workspace: Workspace, target: TargetChoice, name: str, arguments: Sequence[str], progress: Progress
) -> ScenarioResult:
    """Run the suites against the running stack, or against an ephemeral one when none is running.

    Raises:
        InconclusiveError: nothing ran.
    """
    running = current(workspace)
    if running is not None:
        return _scenarios(workspace, workspace.stack_file, workspace.folder / "test", arguments, progress)
    folder = _new_folder(workspace)
    progress.phase("Starting the cloud")
    with environment(workspace, target, folder=folder / "cloud") as ready:
        options = RunOptions(target=target, stack=StackChoice(name=name))
        stack = RunningStack(name=name, target=ready.target)
        _deploy(workspace, options, stack, folder, _Findings(), progress)
        return _scenarios(workspace, folder / "stack.json", folder, arguments, progress)


def load_running(
    workspace: Workspace,
    *,
    users: int | None,
    rate: float | None,
    duration: str,
    distributed: bool,
    progress: Progress,
) -> LoadRecord:
    """Run Locust against the running stack; what is not given comes from `[load]`.

    Raises:
        NotReadyError: no stack is running.
        UsageError: `duration` is none.
    """
    require_running(workspace)
    defaults = workspace.config.load
    try:
        duration_s = parse_duration_s(duration or defaults.duration)
    except ValueError as error:
        raise UsageError(str(error), where="--duration") from error
    progress.phase("Loading the stack")
    return _load(
        workspace,
        workspace.stack_file,
        workspace.folder / "load",
        users=users or defaults.users,
        rate=rate or defaults.rate,
        duration_s=duration_s,
        workers=2 if distributed else 0,
    )


def drill_running(
    workspace: Workspace, name: str, *, runs: int, seed: int | None, progress: Progress
) -> tuple[RunRecord, Path]:
    """Run one drill, by name or file, against the running stack; writes reports as a run does.

    Raises:
        NotReadyError: no stack is running.
        ConfigError: no such drill, or its file is wrong.
        KeyboardInterrupt: Ctrl-C, after rollback and with the reports written.
    """
    drill = load_drill(name, workspace.drills, policy=workspace.config.policy)
    stack = require_running(workspace)
    seed = secrets.randbelow(2**31) if seed is None else seed
    folder, started, findings = _new_folder(workspace), utc_iso(), _Findings()
    options = RunOptions(target=TargetChoice(kind=stack.target.kind), stack=StackChoice(name=stack.name))
    try:
        _break(workspace, stack, drill, folder, findings, runs, seed, progress)
    except KeyboardInterrupt:
        findings.problems.append(InterruptedByUserError("interrupted"))
        _write(options, findings, folder, started, seed)
        raise
    return _write(options, findings, folder, started, seed), folder


def find_run(workspace: Workspace, run_id: str) -> Path:
    """The folder of a past run; `latest` is the newest.

    Raises:
        UsageError: there is no such run.
    """
    names = sorted(path.parent.name for path in workspace.runs.glob("*/run.json"))
    if not names:
        raise UsageError("no run has been made here yet", where=str(workspace.runs), hint="blackstart run")
    if run_id == "latest":
        return workspace.runs / names[-1]
    if run_id not in names:
        raise UsageError(f"no run {run_id!r}", where=str(workspace.runs), hint=nearest(run_id, names))
    return workspace.runs / run_id
