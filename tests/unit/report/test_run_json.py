"""run.json has the fields of the contract, survives a round trip, and its exit code is the worst of its parts."""

import json

import msgspec
import pytest

from harness.errors import (
    BlackstartError,
    InconclusiveError,
    NotReadyError,
    NotSupportedError,
    RollbackError,
    StoppedError,
)
from harness.report.run_json import ScenarioRecord, build_run, read_run, write_run

_TOP = {"schema", "id", "target", "seed", "started", "ended", "verdict", "exit_code", "deploy", "scenarios", "load"}
_RUN = {"seed", "experiment_id", "fired", "fault_s", "recovered_s", "rto_s", "rto_interval_s", "rpo_s", "acked"}
_RUN |= {"lost", "phantom", "duplicate", "unknown", "availability", "detect_s", "static_stability", "rollback"}


def test_the_fields_are_those_of_the_contract(green, tmp_path) -> None:
    write_run(green.run, tmp_path / "run.json")
    body = json.loads((tmp_path / "run.json").read_text())
    assert set(body) >= _TOP | {"drills"}
    assert body["schema"] == 1
    assert (body["verdict"], body["exit_code"]) == ("pass", 0)
    assert set(body["deploy"]) == {"engine", "resources", "create_s", "noop_s"}
    assert set(body["scenarios"]) >= {"passed", "failed", "skipped", "not_supported"}
    assert set(body["load"]) >= {"users", "duration_s", "requests", "failures", "rps", "p50_ms", "p95_ms", "p99_ms"}
    drill = body["drills"][0]
    assert set(drill) >= {"name", "disruption", "verdict", "runs", "objectives"}
    assert set(drill["runs"][0]) >= _RUN
    assert set(drill["objectives"][0]) >= {"name", "limit", "measured", "verdict"}


@pytest.mark.parametrize("colour", ["green", "red"])
def test_what_is_written_is_read_back(colour, request, tmp_path) -> None:
    run = request.getfixturevalue(colour).run
    write_run(run, tmp_path / "run.json")
    assert read_run(tmp_path / "run.json") == run


@pytest.mark.parametrize("content", [b"", b"{", b'{"schema":1}', b"[]"])
def test_a_damaged_report_is_an_error_that_says_so(content, tmp_path) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(NotReadyError, match="not a report"):
        read_run(tmp_path / "run.json")


def test_a_report_of_another_schema_is_refused(green, tmp_path) -> None:
    write_run(green.run, tmp_path / "run.json")
    text = (tmp_path / "run.json").read_text().replace('"schema": 1', '"schema": 2')
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(NotReadyError, match="schema 2"):
        read_run(tmp_path / "run.json")


def _built(*problems: BlackstartError, failed: int = 0):
    scenarios = ScenarioRecord(passed=3, failed=failed, skipped=0, not_supported=0)
    return build_run(
        id="x", target="embedded", seed=1, started="", ended="", scenarios=scenarios, problems=list(problems)
    )


@pytest.mark.parametrize(
    ("problems", "failed", "verdict", "exit_code"),
    [
        ([], 0, "pass", 0),
        ([], 1, "fail", 1),
        ([NotReadyError("x")], 0, "inconclusive", 4),
        ([NotReadyError("x")], 1, "fail", 1),
        ([InconclusiveError("x")], 0, "inconclusive", 5),
        ([NotSupportedError("x"), StoppedError("x")], 1, "inconclusive", 6),
        ([StoppedError("x"), RollbackError("x")], 1, "fail", 7),
    ],
)
def test_the_exit_code_is_the_worst(problems, failed, verdict, exit_code) -> None:
    run = _built(*problems, failed=failed)
    assert (run.verdict, run.exit_code) == (verdict, exit_code)


def test_a_problem_keeps_what_where_and_hint() -> None:
    problem = _built(NotReadyError("port taken", where="port 4566", hint="stop it")).problems[0]
    assert (problem.what, problem.where, problem.hint, problem.code) == (
        "port taken",
        "port 4566",
        "stop it",
        "not_ready",
    )


def test_a_run_that_judged_nothing_is_not_green(green) -> None:
    story = {"id": "r", "target": "embedded", "seed": 1, "started": "s", "ended": "e"}
    nothing = build_run(**story)
    assert (nothing.verdict, nothing.exit_code) == ("inconclusive", 5)
    assert "before anything was judged" in nothing.problems[0].what
    skipped = ScenarioRecord(passed=0, failed=0, skipped=9, not_supported=0)
    assert build_run(**story, scenarios=skipped).exit_code == 5
    load = msgspec.structs.replace(green.run.load, failures=green.run.load.requests)
    assert build_run(**story, load=load).exit_code == 5
    assert build_run(**story, load=green.run.load).exit_code == 0
