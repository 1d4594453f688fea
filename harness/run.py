"""What `run`, `test`, `load` and `drill` do: parts of a `Job`, in an environment of its own or the running one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from chaos.drill_file import Drill, drill_names, load_drill
from harness.clock import parse_duration_s
from harness.environment import environment
from harness.errors import BlackstartError, InterruptedByUserError, UsageError, nearest
from harness.job import Job, LoadShape, new_folder, new_seed
from harness.lifecycle import StackChoice, program_of, reached
from harness.load.calibration import Trial
from harness.load.shapes import NAMES
from harness.measure.load_limits import LIMITS
from harness.report.run_json import LoadRecord, RunRecord
from harness.running import current, require_running
from harness.scenarios import ScenarioResult
from harness.target import EMBEDDED_CHOICE, TargetChoice
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


def run_all(workspace: Workspace, options: RunOptions, progress: Progress) -> tuple[RunRecord, Path]:
    """Run every part in an environment of its own; returns the record and the folder of its reports.

    Raises:
        UsageError: an unknown drill or part, or no program, before anything is started.
        BlackstartError: the environment could not be made or the stack not be deployed.
        KeyboardInterrupt: Ctrl-C, after rollback and with the reports written.
    """
    drills = _chosen_drills(workspace, options)
    program_of(workspace, options.stack)
    job = _own_job(workspace, options.seed, progress)
    with _reported(job, options.target.kind):
        progress.phase("Starting the cloud" if options.target.kind != "aws" else "Asking AWS who you are")
        with environment(workspace, options.target, folder=job.folder / "cloud") as ready:
            with job.calibrating(Trial(seed=job.seed)) if drills else nullcontext():
                stack = job.deploy(ready.target, options.stack)
            try:
                if "scenarios" in options.parts:
                    job.run_scenarios()
                if "load" in options.parts:
                    job.run_load(_load_shape(workspace))
                for drill in drills:
                    job.run_drill(stack, drill, runs=options.runs)
                job.take_cost()
            finally:
                if ready.target.kind != "embedded":  # the embedded cloud goes with all that is in it
                    job.destroy(stack, options.stack)
            progress.phase("Taking everything down")
    record = job.write(options.target.kind)
    progress.close()
    return record, job.folder


def test_scenarios(
    workspace: Workspace, target: TargetChoice, name: str, arguments: Sequence[str], progress: Progress
) -> ScenarioResult:
    """Run the suites against the running stack, or against an ephemeral one when none is running.

    Raises:
        BlackstartError: they could not run.
    """
    if current(workspace, target) is not None:
        job = Job(
            workspace=workspace,
            progress=progress,
            folder=workspace.folder / "test",
            stack_file=workspace.stack_file,
            seed=0,
        )
        return _whole(job.run_scenarios(arguments), job)
    job = _own_job(workspace, None, progress)
    progress.phase("Starting the cloud")
    with environment(workspace, target, folder=job.folder / "cloud") as ready:
        job.deploy(ready.target, StackChoice(name=name))
        return _whole(job.run_scenarios(arguments), job)


def load_running(
    workspace: Workspace,
    *,
    target: TargetChoice = EMBEDDED_CHOICE,
    users: int | None,
    rate: float | None,
    duration: str,
    distributed: bool,
    shape: str = "",
    limits: Sequence[str] = (),
    progress: Progress,
) -> LoadRecord:
    """Run Locust against the running stack; what is not given comes from `[load]`.

    Raises:
        NotReadyError: no stack is running.
        UsageError: a value that cannot be.
    """
    given = _load_shape(workspace, users=users, rate=rate, duration=duration, workers=2 if distributed else 0)
    wanted = replace(given, shape=_shape_name(shape or given.shape), limits={**given.limits, **parse_limits(limits)})
    require_running(workspace, target)
    job = Job(
        workspace=workspace,
        progress=progress,
        folder=workspace.folder / "load",
        stack_file=workspace.stack_file,
        seed=0,
    )
    return _whole(job.run_load(wanted), job)


def drill_running(
    workspace: Workspace,
    name: str,
    *,
    target: TargetChoice,
    stack_name: str,
    runs: int,
    seed: int | None,
    progress: Progress,
) -> tuple[RunRecord, Path]:
    """Run one drill, by name or file, against the running stack; writes reports as a run does.

    Raises:
        NotReadyError: no stack is running.
        RefusedError: real AWS without consent, or outside the allow-list.
        ConfigError: no such drill, or its file is wrong.
        KeyboardInterrupt: Ctrl-C, after rollback and with the reports written.
    """
    drill = load_drill(name, workspace.drills, policy=workspace.config.policy)
    _at_least_one(runs)
    stack = reached(workspace, target, stack_name)
    job = Job(
        workspace=workspace,
        progress=progress,
        folder=new_folder(workspace),
        stack_file=workspace.stack_file,
        seed=new_seed(seed),
    )
    with _reported(job, stack.target.kind):
        with job.calibrating(Trial(seed=job.seed, outages=1)):
            progress.phase("Measuring a known outage")
        job.run_drill(stack, drill, runs=runs)
    return job.write(stack.target.kind), job.folder


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


def _own_job(workspace: Workspace, seed: int | None, progress: Progress) -> Job:
    folder = new_folder(workspace)
    return Job(
        workspace=workspace,
        progress=progress,
        folder=folder,
        stack_file=folder / "stack.json",
        seed=new_seed(seed),
    )


@contextmanager
def _reported(job: Job, target: str) -> Iterator[None]:
    """Write the reports of what was found also when the job is broken off."""
    try:
        yield
    except KeyboardInterrupt:
        job.problems.append(InterruptedByUserError("interrupted"))
        job.write(target)
        raise
    except BlackstartError as problem:
        job.problems.append(problem)
        job.write(target)
        raise


def _chosen_drills(workspace: Workspace, options: RunOptions) -> list[Drill]:
    """Every drill file is read before anything starts, so that a typo costs a second and not a run."""
    _at_least_one(options.runs)
    if "drills" not in options.parts:
        return []
    names = tuple(dict.fromkeys(options.drills)) or drill_names(workspace.drills)  # each has one journal a run
    drills = [load_drill(name, workspace.drills, policy=workspace.config.policy) for name in names]
    return drills if options.drills else [drill for drill in drills if drill.run_by_default]


def _at_least_one(runs: int) -> None:
    if runs < 1:
        raise UsageError(f"{runs} runs prove nothing", where="--runs", hint="1 or more")


def _load_shape(
    workspace: Workspace,
    *,
    users: int | None = None,
    rate: float | None = None,
    duration: str = "",
    workers: int = 0,
) -> LoadShape:
    """What is given, over `[load]` of the project file."""
    defaults = workspace.config.load
    for flag, value in (("--users", users), ("--rate", rate)):
        if value is not None and value <= 0:
            raise UsageError(f"{value} is no load", where=flag, hint="more than 0")
    try:
        duration_s = parse_duration_s(duration or defaults.duration)
    except ValueError as error:
        raise UsageError(str(error), where="--duration") from error
    if duration_s <= 0:
        raise UsageError(f"{duration_s:g} s is no load", where="--duration", hint="such as 30s")
    return LoadShape(
        users=users or defaults.users,
        rate=rate or defaults.rate,
        duration_s=duration_s,
        workers=workers,
        shape=defaults.shape,
        limits=parse_limits(defaults.limits.texts()),
    )


def _shape_name(shape: str) -> str:
    if shape not in NAMES:
        raise UsageError(f"no shape {shape!r}", where="--shape", hint=nearest(shape, NAMES))
    return shape


def parse_limits(texts: Sequence[str]) -> dict[str, float]:
    """Limits as `p95=200ms`, `failures=0.01` and `POST /orders p95=200ms`: seconds, and a share.

    Raises:
        UsageError: an unknown name, or a value that cannot be.
    """
    found = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        limit = name.rpartition(" ")[2]
        if limit not in LIMITS:
            raise UsageError(f"no limit {limit or text!r}", where="--limit", hint=nearest(limit or text, LIMITS))
        try:
            found[name] = float(value) if limit == "failures" else parse_duration_s(value)
        except ValueError as error:
            raise UsageError(f"{name}: {error}", where="--limit", hint="p95=200ms, failures=0.01") from error
        if not found[name] >= 0 or (limit == "failures" and found[name] > 1):
            raise UsageError(f"{name} cannot be {value}", where="--limit", hint="a share is 0 to 1")
    return found


def _whole(result: Result | None, job: Job) -> Result:
    """The part's result; raises the problem that was kept when there is none."""
    if result is None:
        raise job.problems[-1]
    return result
