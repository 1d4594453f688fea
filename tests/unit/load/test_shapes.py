"""Shapes and limits of a load: how many users when, and what fails a run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config import LoadLimits
from harness.errors import InconclusiveError, UsageError
from harness.load.shapes import NAMES, SHAPES, users_at
from harness.measure.load_figures import RequestFigures
from harness.measure.load_limits import judge_load
from harness.report import words
from harness.report.run_json import LoadRecord, build_run
from harness.run import parse_limits

KNOWN = {
    "id": "r",
    "target": "embedded",
    "seed": 1,
    "started": "2026-01-01T00:00:00Z",
    "ended": "2026-01-01T00:01:00Z",
}


def users(shape: str, *shares: float) -> list[int | None]:
    return [users_at(shape, share * 60.0, 60.0, 100) for share in shares]


def test_a_ramp_rises_evenly() -> None:
    assert users("ramp", 0.0, 0.25, 0.5, 0.99) == [1, 25, 50, 99]


def test_black_friday_comes_at_once_and_goes_again() -> None:
    assert users("spike", 0.0, 0.33, 0.34, 0.66, 0.67) == [10, 10, 100, 100, 10]


def test_a_soak_holds_everybody() -> None:
    assert users("soak", 0.05, 0.1, 0.5, 0.99) == [50, 100, 100, 100]


@given(st.sampled_from(sorted(SHAPES)), st.floats(0, 200), st.integers(1, 10_000))
def test_there_is_somebody_until_the_time_is_over_and_never_too_many(shape: str, at_s: float, most: int) -> None:
    found = users_at(shape, at_s, 100.0, most)
    assert (found is None) == (at_s >= 100.0)
    assert found is None or 1 <= found <= most


def load(**limits: float) -> LoadRecord:
    figures = {"p50": 20.0, "p95": 200.0, "p99": 300.0, "failures": 0.02}
    return LoadRecord(
        users=1,
        duration_s=1.0,
        requests=100,
        failures=2,
        rps=1.0,
        p50_ms=20.0,
        p95_ms=200.0,
        p99_ms=300.0,
        limits=judge_load(limits, figures),
    )


def test_a_load_within_its_limits_passes() -> None:
    assert build_run(**KNOWN, load=load(p95=200.0, failures=0.02)).exit_code == 0


@pytest.mark.parametrize(("name", "limit"), [("p95", 199.0), ("failures", 0.01), ("p50", 1.0), ("p99", 299.9)])
def test_a_load_over_a_limit_fails_the_run_and_says_which(name: str, limit: float) -> None:
    run = build_run(**KNOWN, load=load(**{name: limit}))
    assert (run.exit_code, run.verdict) == (1, "fail")
    assert words.headline(run) == "1 limit of the load exceeded."
    assert run.load is not None
    assert words.load_limit(run.load.limits[0]).startswith(f"✗ FAIL {name}")


def test_limits_are_read_as_a_person_writes_them() -> None:
    assert parse_limits(["p95=200ms", "failures=0.01"]) == {"p95": 0.2, "failures": 0.01}
    said = {"p95": "1s", "requests": {"GET /a?b={c}": {"failures": 0.5}, "POST /a": {"p50": "10ms", "p99": "2s"}}}
    assert parse_limits(LoadLimits.model_validate(said).texts()) == {
        "p95": 1.0,
        "GET /a?b={c} failures": 0.5,
        "POST /a p50": 0.01,
        "POST /a p99": 2.0,
    }


def test_a_limit_on_one_request_is_held_against_that_request_alone() -> None:
    one = RequestFigures(name="POST /a", requests=10, failures=1, p50_ms=5.0, p95_ms=50.0, p99_ms=90.0)
    of_all = {"p50": 1.0, "p95": 2.0, "p99": 3.0, "failures": 0.0}
    judged = judge_load({"POST /a p95": 40.0, "POST /a failures": 0.1, "p95": 2.0}, {**of_all, **one.measured()})
    assert [(limit.name, limit.held) for limit in judged] == [
        ("p95", True),
        ("POST /a p95", False),
        ("POST /a failures", True),
    ]
    assert words.load_limit(judged[1]) == "✗ FAIL POST /a p95 50 ms (≤ 40 ms)"
    assert words.load_limit(judged[2]) == "✓ PASS POST /a failures 10.00 % (≤ 10 %)"


def test_a_limit_on_a_request_that_nobody_sent_is_no_pass() -> None:
    never = RequestFigures(name="GET /a", requests=1, failures=1)
    with pytest.raises(InconclusiveError, match="nothing was measured of 'GET /a p95'"):
        judge_load({"GET /a p95": 40.0}, never.measured())


@pytest.mark.parametrize("text", ["p75=1s", "p95", "p95=much", "failures=2", "failures=-1"])
def test_a_limit_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_limits([text])


def test_steady_is_no_shape_of_ours() -> None:
    assert NAMES == ("steady", "ramp", "spike", "soak")
