"""`run.json`, schema 1: the whole run as data. Every other report is made from it and from the journals."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psutil

from harness.cloud.timings import Timing
from harness.errors import BlackstartError, InconclusiveError, NotReadyError
from harness.files import write_atomically
from harness.load.locust_run import LoadResult
from harness.measure.calibration import Calibration
from harness.measure.costs.bill import Bill
from harness.measure.figures import DrillRecord, Verdict
from harness.measure.load_limits import LoadLimit
from harness.measure.verdict import overall

SCHEMA = 1

_GRAVEST_FIRST = (7, 130, 6, 1, 3, 2, 4, 5, 0)
"""Exit codes from docs/measures.md: what was left behind, then who stopped it, then what failed, then doubt."""


class DeployRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The deployment; `noop_s` is the second pass, which changes nothing, None when it was not measured."""

    engine: str
    resources: int
    create_s: float
    noop_s: float | None = None


class ScenarioRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of the scenario suites; `failures` are test ids."""

    passed: int
    failed: int
    skipped: int
    not_supported: int
    failures: list[str] = []


class LoadRecord(LoadResult, frozen=True, kw_only=True):
    """What Locust did and saw, and the limits that it was held to."""

    shape: str = "steady"
    limits: list[LoadLimit] = msgspec.field(default_factory=list)


class CostRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What this would have cost on AWS: the whole run, its load alone, and a month at the load's pace."""

    run: Bill
    load: Bill | None = None
    month: Bill | None = None


class ProblemRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the run that could not be done, as a person has to be told."""

    code: str
    exit_code: int
    what: str
    where: str = ""
    hint: str = ""


class MachineRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Where the figures were taken; timings mean nothing without it."""

    system: str
    python: str
    cpus: int
    memory_bytes: int
    load_1m: float


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The whole run. Instants are ISO 8601 in UTC, for people; figures come from the journals' clock."""

    id: str
    target: str
    seed: int
    started: str
    ended: str
    verdict: Verdict
    exit_code: int
    deploy: DeployRecord | None = None
    scenarios: ScenarioRecord | None = None
    load: LoadRecord | None = None
    cost: CostRecord | None = None
    drills: list[DrillRecord] = []
    calibration: Calibration | None = None
    problems: list[ProblemRecord] = []
    machine: MachineRecord | None = None
    timings: list[Timing] = []
    """How long the embedded cloud takes where AWS takes its time; [] where it did not run."""
    schema: int = SCHEMA


def build_run(
    *,
    id: str,  # noqa: A002 - the name that run.json has
    target: str,
    seed: int,
    started: str,
    ended: str,
    deploy: DeployRecord | None = None,
    scenarios: ScenarioRecord | None = None,
    load: LoadRecord | None = None,
    cost: CostRecord | None = None,
    drills: Sequence[DrillRecord] = (),
    calibration: Calibration | None = None,
    problems: Sequence[BlackstartError] = (),
    timings: Sequence[Timing] = (),
) -> RunRecord:
    """The record of a run, with the verdict and the exit code that follow from its parts.

    `problems` are parts that raised: they never leave a run green.
    """
    _, code = overall(drills, scenarios_failed=scenarios.failed if scenarios is not None else 0)
    problems = [*problems, *_proves_nothing(scenarios, load, drills, problems)]
    over = [1] if load is not None and not all(limit.held for limit in load.limits) else []
    exit_code = min([code, *over, *(problem.exit_code for problem in problems)], key=_gravity)
    return RunRecord(
        id=id,
        target=target,
        seed=seed,
        started=started,
        ended=ended,
        verdict=_verdict(exit_code),
        exit_code=exit_code,
        deploy=deploy,
        scenarios=scenarios,
        load=load,
        cost=cost,
        drills=list(drills),
        calibration=calibration,
        problems=[_problem(problem) for problem in problems],
        machine=this_machine(),
        timings=list(timings),
    )


def _proves_nothing(
    scenarios: ScenarioRecord | None,
    load: LoadRecord | None,
    drills: Sequence[DrillRecord],
    problems: Sequence[BlackstartError],
) -> list[InconclusiveError]:
    """The parts that ran and yet say nothing; a run without any part says nothing either."""
    found = []
    if scenarios is None and load is None and not drills and not problems:
        found.append(InconclusiveError("the run ended before anything was judged"))
    if scenarios is not None and scenarios.passed + scenarios.failed == 0:
        found.append(
            InconclusiveError("no scenario ran", where="scenarios", hint="every one was skipped or is absent")
        )
    if load is not None and load.requests == load.failures:
        found.append(InconclusiveError("every request of the load failed", where="load", hint="see logs/locust.log"))
    return found


def this_machine() -> MachineRecord:
    """The machine we run on, now."""
    return MachineRecord(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        cpus=os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        load_1m=round(os.getloadavg()[0], 2),
    )


def write_run(run: RunRecord, path: Path) -> None:
    """Write run.json.

    Raises:
        NotReadyError: the file cannot be written.
    """
    write_atomically(path, msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n")


def read_run(path: Path) -> RunRecord:
    """A run.json as written by `write_run`.

    Raises:
        NotReadyError: there is none, it is damaged, or it has a schema this version does not know.
    """
    try:
        run = msgspec.json.decode(path.read_bytes(), type=RunRecord)
    except OSError as error:
        raise NotReadyError(f"cannot read the report: {error.strerror}", where=str(path)) from error
    except msgspec.MsgspecError as error:
        raise NotReadyError(f"not a report: {error}", where=str(path), hint="run again to write a new one") from error
    if run.schema != SCHEMA:
        raise NotReadyError(
            f"the report has schema {run.schema}, this version reads {SCHEMA}",
            where=str(path),
            hint="use the version of blackstart that wrote it",
        )
    return run


def _gravity(code: int) -> int:
    return _GRAVEST_FIRST.index(code) if code in _GRAVEST_FIRST else 3


def _verdict(exit_code: int) -> Verdict:
    if exit_code == 0:
        return "pass"
    return "fail" if exit_code in {1, 7} else "inconclusive"


def _problem(problem: BlackstartError) -> ProblemRecord:
    return ProblemRecord(
        code=problem.code,
        exit_code=problem.exit_code,
        what=problem.what,
        where=problem.where,
        hint=problem.hint,
    )
