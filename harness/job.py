"""The parts of the main job, and what they have found so far: deploy, scenarios, load, drills, reports.

A part that fails does not hide the others: each part's problem is kept, the reports are written whatever
happened, and the worst of them gives the exit code.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from chaos.drill import run_drill
from chaos.drill_file import Drill
from chaos.repeats import Repeats
from harness import leftovers
from harness.clock import utc_iso
from harness.cloud.control_client import ControlClient
from harness.cloud.timings import Timing
from harness.deploy.api import DeployResult, destroy, up
from harness.errors import BlackstartError
from harness.lifecycle import StackChoice, request, step_lines
from harness.load.calibration import Trial, calibrate
from harness.load.locust_run import LoadResult, run_load
from harness.measure.calibration import Calibration
from harness.measure.costs.bill import a_month_of, bill, used_between
from harness.measure.costs.prices import price_list
from harness.measure.figures import DrillRecord
from harness.measure.load_figures import RequestFigures
from harness.measure.load_limits import LoadLimit, judge_load
from harness.report.run_json import (
    CostRecord,
    DeployRecord,
    LoadRecord,
    RunRecord,
    ScenarioRecord,
    build_run,
)
from harness.report.write import write_reports
from harness.scenarios import ScenarioResult, run_scenarios
from harness.stack import RunningStack, save
from harness.stack import load as load_stack
from harness.target import Target
from harness.terminal import Progress
from harness.workspace import Workspace

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadShape:
    """How Locust loads: `users` in all, `rate` of them started each second, for `duration_s`; worker processes."""

    users: int
    rate: float
    duration_s: float
    workers: int = 0
    shape: str = "steady"
    limits: Mapping[str, float] = field(default_factory=dict)
    """Seconds for `p50 p95 p99`, a share for `failures`; after a request's name, of that request alone."""


@dataclass(slots=True, kw_only=True)
class Job:
    """What one command does to one target, with its reports below `folder`.

    `stack_file` is where processes of ours read the stack from; a stack that is already running keeps its own.
    """

    workspace: Workspace
    progress: Progress
    folder: Path
    stack_file: Path
    seed: int
    started: str = field(default_factory=utc_iso)
    deployed: DeployRecord | None = None
    scenarios: ScenarioResult | None = None
    load: LoadRecord | None = None
    cost: CostRecord | None = None
    drills: list[DrillRecord] = field(default_factory=list)
    calibration: Calibration | None = None
    problems: list[BlackstartError] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)

    def note_timings(self, target: Target) -> None:
        """Keep how long the embedded cloud takes, for the report; what does not answer will be felt elsewhere."""
        if target.kind == "embedded":
            with suppress(BlackstartError):
                self.timings = ControlClient(target).timings()

    def deploy(self, target: Target, choice: StackChoice) -> RunningStack:
        """Deploy twice: the second pass must change nothing, and shows what a no-op costs.

        Raises:
            BlackstartError: the program cannot be deployed.
        """
        self.progress.phase("Deploying the stack")
        self.note_timings(target)
        empty = RunningStack(name=choice.name, target=target)
        wanted = request(self.workspace, empty, choice, state=self.folder / "state")
        created = up(wanted, on_event=step_lines(self.progress))
        again = up(wanted, on_event=step_lines(self.progress))
        self.deployed = DeployRecord(
            engine=created.engine,
            resources=created.resources,
            create_s=round(created.duration_s, 3),
            noop_s=round(again.duration_s, 3) if _changed_nothing(again) else None,
        )
        stack = RunningStack(name=choice.name, target=target, outputs=again.outputs)
        save(stack, self.stack_file)
        return stack

    def destroy(self, stack: RunningStack, choice: StackChoice) -> None:
        """Delete what `deploy` created; what cannot be deleted is a problem of the run, and its state is kept."""
        self.progress.phase("Destroying the stack")
        wanted = request(self.workspace, stack, choice, state=self.folder / "state")
        self._kept(lambda: destroy(wanted, on_event=step_lines(self.progress)))

    def run_scenarios(self, arguments: Sequence[str] = ()) -> ScenarioResult | None:
        """The scenario suites; None, with the problem kept, when they could not run."""
        self.progress.phase("Running the scenarios")
        logs = self._logs()
        self.scenarios = self._kept(
            lambda: run_scenarios(
                self.workspace.scenarios,
                stack_file=self.stack_file,
                junit=logs / "scenarios.xml",
                registry=self.folder / "processes",
                arguments=arguments,
                on_line=self.progress.detail,
            )
        )
        return self.scenarios

    def run_load(self, shape: LoadShape) -> LoadRecord | None:
        """Locust; None, with the problem kept, when it could not run."""
        self.progress.phase("Loading the stack")
        logs = self._logs()
        before = self._usage()
        self.load = self._kept(lambda: self._locust(shape, logs))
        if self.load is not None and before is not None:
            self.cost = _cost(self._usage() or before, before, self.load.duration_s)
        return self.load

    def take_cost(self) -> None:
        """What all that was done until now would have cost; only the embedded cloud has meters."""
        used = self._usage()
        if used is not None:
            whole = bill(used, price_list())
            self.cost = CostRecord(run=whole) if self.cost is None else msgspec.structs.replace(self.cost, run=whole)

    def _usage(self) -> dict[str, float] | None:
        target = load_stack(self.stack_file).target if self.stack_file.exists() else None
        return self._kept(ControlClient(target).usage) if target is not None and target.kind == "embedded" else None

    @contextmanager
    def calibrating(self, trial: Trial) -> Iterator[None]:
        """Measure known outages beside whatever runs inside; the error found is told with every figure."""
        with ThreadPoolExecutor(1) as beside:
            found = beside.submit(calibrate, trial, folder=self._logs() / "calibration")
            yield
        self.calibration = self._kept(found.result)

    def run_drill(self, stack: RunningStack, drill: Drill, *, runs: int) -> None:
        """One drill; a kill of this process in the middle makes the next command heal the cloud."""
        self.progress.phase(f"Drill {drill.name}: {drill.title}")
        self.note_timings(stack.target)
        with leftovers.claim(self.workspace, stack, self.stack_file, self.folder):
            result = self._kept(
                lambda: run_drill(
                    stack,
                    drill,
                    Repeats(seed=self.seed, runs=runs, fresh=self._fresh(drill)),
                    folder=self.folder,
                    on_event=self.progress.detail,
                    on_run=self.progress.note,
                )
            )
        if result is not None:
            self.drills.append(result)

    def _fresh(self, drill: Drill) -> bool:
        """Whether the stack is our own and has not seen this drill before."""
        return self.stack_file.parent == self.folder and all(done.name != drill.name for done in self.drills)

    def write(self, target: str) -> RunRecord:
        """Write every report of this job; also after a failure, with what was found until then."""
        record = build_run(
            id=self.folder.name,
            target=target,
            seed=self.seed,
            started=self.started,
            ended=utc_iso(),
            deploy=self.deployed,
            scenarios=None if self.scenarios is None else _scenario_record(self.scenarios),
            load=self.load,
            cost=self.cost,
            drills=self.drills,
            calibration=self.calibration,
            problems=self.problems,
            timings=self.timings,
        )
        write_reports(self.folder, record)
        return record

    def _kept(self, part: Callable[[], Result]) -> Result | None:
        """What `part` returns; None when it raised, with the problem kept for the report and the exit code."""
        try:
            return part()
        except BlackstartError as problem:
            self.problems.append(problem)
            self.progress.note(str(problem))
            self.progress.close(failed=True)
            return None

    def _locust(self, shape: LoadShape, logs: Path) -> LoadRecord:
        result = run_load(
            self.workspace.locustfile,
            stack_file=self.stack_file,
            folder=logs,
            registry=self.folder / "processes",
            users=shape.users,
            rate=shape.rate,
            duration_s=shape.duration_s,
            workers=shape.workers,
            shape=shape.shape,
        )
        return LoadRecord(shape=shape.shape, limits=_judged(shape.limits, result), **msgspec.structs.asdict(result))

    def _logs(self) -> Path:
        logs = self.folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        return logs


def new_folder(workspace: Workspace) -> Path:
    """A folder of its own for a run, named by its start so that they sort by time."""
    name = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"
    folder = workspace.runs / name
    (folder / "logs").mkdir(parents=True)
    return folder


def new_seed(given: int | None) -> int:
    """The given seed, or a fresh one; every report shows it."""
    return secrets.randbelow(2**31) if given is None else given


def _judged(limits: Mapping[str, float], result: LoadResult) -> list[LoadLimit]:
    """The limits, percentiles in milliseconds, with what was measured."""
    whole = RequestFigures(
        name="",
        requests=result.requests,
        failures=result.failures,
        p50_ms=result.p50_ms,
        p95_ms=result.p95_ms,
        p99_ms=result.p99_ms,
    )
    measured = {name: value for figures in (whole, *result.by_name) for name, value in figures.measured().items()}
    return judge_load(
        {name: limit * (1 if name.endswith("failures") else 1000) for name, limit in limits.items()}, measured
    )


def _cost(after: Mapping[str, float], before: Mapping[str, float], seconds: float) -> CostRecord:
    prices = price_list()
    used = used_between(before, after, prices)
    return CostRecord(run=bill(after, prices), load=bill(used, prices), month=a_month_of(used, seconds, prices))


def _changed_nothing(result: DeployResult) -> bool:
    return not any(count for op, count in result.changes.items() if op != "same")


def _scenario_record(result: ScenarioResult) -> ScenarioRecord:
    return ScenarioRecord(
        passed=result.passed,
        failed=result.failed,
        skipped=result.skipped,
        not_supported=result.not_supported,
        failures=list(result.failures),
    )
