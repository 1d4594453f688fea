"""A finished run of every colour, made from scripted journals."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.errors import NotReadyError
from harness.load.locust_run import LoadSecond
from harness.measure.calibration import Calibration
from harness.measure.costs.bill import a_month_of, bill
from harness.measure.costs.prices import price_list
from harness.measure.journal import Journal, JournalWriter, journal_path
from harness.measure.method import Method
from harness.measure.objectives import DrillObjectives
from harness.measure.scripted import Outage, Script, play, records_of
from harness.measure.verdict import drill_record, judge, not_supported_record
from harness.report.run_json import (
    CostRecord,
    DeployRecord,
    LoadRecord,
    RunRecord,
    ScenarioRecord,
    build_run,
)

USAGE = {"lambda.requests": 10e6, "lambda.gb_seconds": 1e6, "s3.stored_gb": 2.0}
COST = CostRecord(
    run=bill({**USAGE, "quantum.requests": 1.0}, price_list()),
    load=bill(USAGE, price_list()),
    month=a_month_of(USAGE, 2628000.0 / 2, price_list()),
)
OBJECTIVES = DrillObjectives(rto_s=5.0, rpo_s=0.0, availability=0.9, lost=0, duplicates=0)
GOOD = Script(outages=(Outage(start_s=12.0, end_s=15.0),))
BAD = Script(outages=(Outage(start_s=12.0, end_s=19.0),), lost_keys=frozenset({"order-00590"}))
HOSTILE = "</script><script>alert(1)</script> & <b>|bold|</b> \x07"

JUNIT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" tests="3" failures="1" errors="0" skipped="1">
<testcase classname="scenarios.test_orders" name="test_happy_path" time="1.25"/>
<testcase classname="scenarios.test_orders" name="test_poison" time="0.5">
  <failure message="AssertionError: still 1">trace</failure></testcase>
<testcase classname="scenarios.test_web" name="test_web" time="0">
  <skipped message="not_supported: no container engine"/></testcase>
</testsuite></testsuites>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run, with its folder as a run leaves it before the reports are written."""

    run: RunRecord
    folder: Path
    journals: dict[str, Journal]


def finish(folder: Path, *, journals: dict[str, Journal], **parts: object) -> Finished:
    (folder / "logs").mkdir(parents=True)
    for name, journal in journals.items():
        drill, number = name.rsplit("/", 1)
        with JournalWriter(journal_path(folder, drill, int(number))) as writer:
            for record in records_of(journal):
                writer.append(record)
    known = {"id": "20261123T093311-4f2a", "target": "embedded", "seed": 7}
    times = {"started": "2026-11-23T09:33:11.123Z", "ended": "2026-11-23T09:35:20.456Z"}
    return Finished(run=build_run(**known, **times, **parts), folder=folder, journals=journals)


@pytest.fixture
def green(tmp_path: Path) -> Finished:
    journal = play(GOOD)
    drill = drill_record(
        "zone-loss", "AZ", [judge(journal, OBJECTIVES, Method())], method=Method(), title="Loss of a zone"
    )
    seconds = [LoadSecond(at_s=float(n), requests=40, failures=0, p50_ms=20.0, p95_ms=40.0) for n in range(5)]
    return finish(
        tmp_path / "green",
        journals={"zone-loss/1": journal},
        drills=[drill],
        calibration=Calibration(rate=50.0, outage_s=0.4, errors_ms=[3.2, -17.4], late_p50_ms=0.4, late_p99_ms=1.9),
        deploy=DeployRecord(engine="embedded", resources=58, create_s=6.2, noop_s=0.4),
        cost=COST,
        scenarios=ScenarioRecord(passed=8, failed=0, skipped=0, not_supported=0),
        load=LoadRecord(
            users=10,
            duration_s=5.0,
            requests=200,
            failures=0,
            rps=40.0,
            p50_ms=20.0,
            p95_ms=40.0,
            p99_ms=60.0,
            series=seconds,
        ),
    )


@pytest.fixture
def red(tmp_path: Path) -> Finished:
    """A miss, an inconclusive drill, one that is not supported, a failed scenario, a problem, hostile text."""
    bad, unfired = play(BAD), play(Script(fired=0))
    drills = [
        drill_record(
            "zone-loss",
            "AZ",
            [judge(bad, OBJECTIVES, Method()), judge(play(GOOD), OBJECTIVES, Method())],
            method=Method(),
            title=HOSTILE,
        ),
        drill_record("lambda-errors", "Software", [judge(unfired, OBJECTIVES, Method())], method=Method()),
        not_supported_record("gray", "AZ", reason="blackstart:az:interrupt-power is not supported here"),
    ]
    made = finish(
        tmp_path / "red",
        journals={"zone-loss/1": bad, "zone-loss/2": play(GOOD), "lambda-errors/1": unfired},
        drills=drills,
        scenarios=ScenarioRecord(
            passed=1, failed=1, skipped=0, not_supported=1, failures=["scenarios.test_orders::test_poison"]
        ),
        problems=[NotReadyError("locust did not start", where=HOSTILE, hint="see logs/locust.log")],
    )
    (made.folder / "logs" / "scenarios.xml").write_text(JUNIT)
    return made
