"""The coverage table, from what scenarios recorded about themselves."""

from pathlib import Path

from harness.report.coverage import Row, coverage, services
from harness.report.markdown import render_markdown
from harness.report.scenarios import Case, read_cases

JUNIT = """<testsuites><testsuite>
<testcase classname="scenarios.test_payments" name="test_a" time="1"><properties>
<property name="blackstart.direct" value="dynamodb sqs"/><property name="blackstart.declared" value="lambda"/>
</properties></testcase>
<testcase classname="scenarios.test_payments" name="test_b" time="1"><properties>
<property name="blackstart.direct" value="sqs"/><property name="blackstart.declared" value="lambda"/>
<property name="blackstart.unseen" value="lambda"/></properties><failure message="no"/></testcase>
<testcase classname="scenarios.test_cache" name="test_c" time="1"><properties>
<property name="blackstart.declared" value="elasticache"/></properties>
<skipped message="not_supported: target endpoint lacks elasticache"/></testcase>
</testsuite></testsuites>"""


def cases(folder: Path) -> list[Case]:
    path = folder / "scenarios.xml"
    path.write_text(JUNIT)
    return read_cases(path)


def test_each_service_has_a_row_for_each_suite_with_its_worst_outcome(tmp_path: Path) -> None:
    rows = coverage(cases(tmp_path))
    assert rows == [
        Row(service="dynamodb", suite="payments", cases=1, direct=1, outcome="pass"),
        Row(service="elasticache", suite="cache", cases=1, direct=0, outcome="not_supported"),
        Row(service="lambda", suite="payments", cases=2, direct=0, outcome="fail", unseen=True),
        Row(service="sqs", suite="payments", cases=2, direct=2, outcome="fail"),
    ]
    assert services(rows) == ["dynamodb", "elasticache", "lambda", "sqs"]


def test_the_summary_shows_the_table_and_says_what_was_never_seen(tmp_path: Path, green) -> None:  # type: ignore[no-untyped-def]
    text = render_markdown(green.run, cases(tmp_path))
    assert "## Coverage" in text
    assert "payments (2, not seen)" in text


def test_without_scenarios_there_is_no_table(green) -> None:  # type: ignore[no-untyped-def]
    assert "Coverage" not in render_markdown(green.run, [])
