"""`junit.xml` for CI: the scenarios as pytest wrote them, and one test case for each objective of each drill.

A missed objective is a failure, an inconclusive one an error, and what the target cannot do is skipped with its
reason: a CI that shows only colours shows no green that was not earned.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, parse, tostring

from harness.measure.figures import DrillRecord, ObjectiveVerdict, Verdict
from harness.report import words
from harness.report.run_json import RunRecord

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot carry, even escaped."""


def merge_junit(run: RunRecord, scenarios: Path) -> str:
    """The document. Suites of the `scenarios` file come first when it is there and can be read."""
    root = Element("testsuites", name="blackstart")
    for suite in _suites_in(scenarios):
        root.append(suite)
    for drill in run.drills:
        root.append(_drill_suite(drill))
    if run.problems:
        root.append(_problem_suite(run))
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suites_in(scenarios: Path) -> list[Element]:
    try:
        root = parse(scenarios).getroot()  # noqa: S314 - written by our own pytest
    except (OSError, ParseError):
        return []
    return [root] if root.tag == "testsuite" else list(root.iter("testsuite"))


def _drill_suite(drill: DrillRecord) -> Element:
    suite = Element("testsuite", name=f"drill {drill.name}")
    for objective in drill.objectives:
        case = SubElement(suite, "testcase", classname=f"drills.{drill.name}", name=objective.name, time="0")
        _outcome(case, objective.verdict, _message(objective))
    if not drill.objectives:
        case = SubElement(suite, "testcase", classname=f"drills.{drill.name}", name="drill", time="0")
        _outcome(case, drill.verdict, drill.reason or "no objective was judged")
    left = [item for figures in drill.runs if figures.rollback == "dirty" for item in figures.left or ["unnamed"]]
    rollback = SubElement(suite, "testcase", classname=f"drills.{drill.name}", name="rollback", time="0")
    _outcome(rollback, *_rollback(drill, left))
    _count(suite)
    return suite


def _rollback(drill: DrillRecord, left: list[str]) -> tuple[Verdict, str]:
    if left:
        return "fail", f"the rollback left behind: {', '.join(left)}"
    if not drill.runs:
        return "not_supported", drill.reason or "the drill did not run"
    if any(figures.rollback != "clean" for figures in drill.runs):
        return "inconclusive", "nobody checked whether the rollback was clean"
    return "pass", ""


def _problem_suite(run: RunRecord) -> Element:
    suite = Element("testsuite", name="run")
    for problem in run.problems:
        case = SubElement(suite, "testcase", classname="run", name=problem.code, time="0")
        where = f"{problem.where}: " if problem.where else ""
        _outcome(case, "inconclusive", f"{where}{problem.what}")
    _count(suite)
    return suite


def _message(objective: ObjectiveVerdict) -> str:
    text = f"measured {words.measured(objective)}, target {words.limit(objective)}"
    return f"{text}: {objective.reason}" if objective.reason else text


def _outcome(case: Element, verdict: Verdict, message: str) -> None:
    text = _ILLEGAL.sub("?", message)
    if verdict == "fail":
        SubElement(case, "failure", message=text)
    elif verdict == "inconclusive":
        SubElement(case, "error", message=text)
    elif verdict == "not_supported":
        SubElement(case, "skipped", message=f"not_supported: {text}")


def _count(suite: Element) -> None:
    cases = list(suite)
    suite.set("tests", str(len(cases)))
    for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(key, str(sum(case.find(tag) is not None for case in cases)))
