"""The main job, whole: what `make gameday` does, judged by what it leaves behind."""

import json
from typing import Any
from xml.etree import ElementTree as ET

PARTS_BY_NAME = 4
"""Scenarios of parts that are not made unless they are named: releases and the global ledger."""


def test_the_main_job_passes_and_writes_every_report(project: Any) -> None:
    code, said = project.run("run", "--seed", "7")
    folder = project.newest_run()
    project.skip_where_too_busy(code, said)
    assert code == 0, said
    run = json.loads((folder / "run.json").read_text())
    assert (run["verdict"], run["exit_code"], run["seed"]) == ("pass", 0, 7)
    assert run["deploy"]["resources"] > 50
    assert run["deploy"]["noop_s"] is not None
    assert run["scenarios"]["passed"] >= 8
    assert run["scenarios"]["failed"] == 0
    assert run["scenarios"]["not_supported"] == PARTS_BY_NAME
    assert run["load"]["requests"] > 0
    assert run["load"]["failures"] == 0
    drills = {drill["name"]: drill for drill in run["drills"]}
    assert set(drills) == {"lambda-errors", "zone-loss"}
    for drill in drills.values():
        (figures,) = drill["runs"]
        assert figures["fired"] > 0
        assert figures["rollback"] == "clean"
        assert figures["acked"] > 200
        assert (figures["lost"], figures["duplicate"], figures["phantom"]) == (0, 0, 0)
    (lost,) = drills["zone-loss"]["runs"]
    assert lost["rto_s"] > 0
    assert lost["static_stability"] == "held"
    assert ET.parse(folder / "junit.xml").getroot().attrib["failures"] == "0"  # noqa: S314 - our own
    assert "zone-loss" in (folder / "summary.md").read_text()
    assert "<svg" in (folder / "report.html").read_text() or "uPlot" in (folder / "report.html").read_text()
    assert project.processes() == []
