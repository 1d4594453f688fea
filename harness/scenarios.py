"""The scenario suites of a project, run by pytest in a process of its own against a running stack."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, parse

from harness import processes
from harness.errors import InconclusiveError, StoppedError, UsageError
from harness.stack import child_environment

NOT_SUPPORTED = "not_supported"
"""A skip whose reason starts with this word says what the target lacks; it is counted apart."""

_WHY = 200
"""Characters of a reason; the whole of it is in the junit file."""

_PYTEST_INTERRUPTED, _PYTEST_USAGE, _PYTEST_NOTHING = 2, 4, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """Counts of one pytest run; `failures` say what failed, errors included, and why."""

    passed: int
    failed: int
    skipped: int
    not_supported: int
    failures: tuple[str, ...]
    junit: Path


def run_scenarios(
    suites: Path,
    *,
    stack_file: Path,
    junit: Path,
    registry: Path,
    arguments: Sequence[str] = (),
    workers: int = 4,
    timeout_s: float = 600.0,
    on_line: Callable[[str], None] = lambda _line: None,
) -> ScenarioResult:
    """Run `suites` and count the outcomes; each output line goes to `on_line` as it comes.

    Scenarios mostly wait for events to flow, so `workers` may exceed the cores. Files run side by side, the scenarios
    of a file one after another: they are of one flow, and may move what they share.

    Raises:
        UsageError: no such folder, or pytest refused its arguments.
        InconclusiveError: pytest ran nothing, crashed, or left no report.
        StoppedError: pytest was interrupted.
    """
    if not suites.exists():
        raise UsageError("no such folder", where=str(suites), hint="set [project] scenarios in blackstart.toml")
    spread = (
        []
        if any(a in {"-n", "--pdb", "-s"} or a.startswith("-n") for a in arguments)
        else ["-n", str(workers), "--dist", "loadfile"]
    )
    command = [sys.executable, "-m", "pytest", str(suites), f"--junitxml={junit}", "-q", "--color=no", "-rfE"]
    command += ["-p", "no:cacheprovider", "-p", "no:locust", *spread, *arguments]
    process = processes.spawn(
        command,
        role="scenarios",
        registry=registry,
        env={**os.environ, **child_environment(stack_file)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    tail: list[str] = []
    try:
        assert process.stdout is not None  # noqa: S101 - a PIPE was asked for
        for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip()
            tail = [*tail[-30:], line]
            on_line(line)
        code = process.wait(timeout_s)
    finally:
        processes.stop(process, registry=registry)
    _refuse_no_run(code, suites, tail)
    return read_junit(junit)


def _refuse_no_run(code: int, suites: Path, tail: Sequence[str]) -> None:
    said = "\n".join(tail[-12:])
    if code == _PYTEST_USAGE:
        raise UsageError(f"pytest refused:\n{said}", where=str(suites))
    if code == _PYTEST_NOTHING:
        raise InconclusiveError("pytest found no scenario", where=str(suites))
    if code == _PYTEST_INTERRUPTED and any("KeyboardInterrupt" in line for line in tail):
        raise StoppedError("the scenarios were interrupted", where=str(suites))
    if code not in {0, 1}:
        raise InconclusiveError(f"pytest ended with code {code}:\n{said}", where=str(suites))


def read_junit(junit: Path) -> ScenarioResult:
    """The counts in a junit.xml that pytest wrote.

    Raises:
        InconclusiveError: the file is missing, cut off, or counts no test.
    """
    try:
        cases = list(parse(junit).getroot().iter("testcase"))  # noqa: S314 - written by our own pytest
    except (OSError, ParseError) as error:
        raise InconclusiveError(f"no report of the scenarios: {error}", where=str(junit)) from error
    if not cases:
        raise InconclusiveError("pytest ran no scenario", where=str(junit))
    failed = [c for c in cases if c.find("failure") is not None or c.find("error") is not None]
    reasons = [s.get("message") or "" for c in cases if (s := c.find("skipped")) is not None]
    lacking = sum(reason.startswith(NOT_SUPPORTED) for reason in reasons)
    return ScenarioResult(
        passed=len(cases) - len(failed) - len(reasons),
        failed=len(failed),
        skipped=len(reasons) - lacking,
        not_supported=lacking,
        failures=tuple(map(_failure, failed)),
        junit=junit,
    )


def _failure(case: Element) -> str:
    """The scenario's id, and the first line of why it failed."""
    found = case.find("failure")
    found = case.find("error") if found is None else found
    why = ((found.get("message") if found is not None else "") or "").partition("\n")[0]
    return f"{case.get('classname')}::{case.get('name')}" + (f": {why[:_WHY]}" if why else "")
