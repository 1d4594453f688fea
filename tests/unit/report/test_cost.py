"""The cost is in every report, the same; what is not in it is said; two runs are compared meter by meter."""

from typing import Any

import msgspec
import pytest
from rich.console import Console

from harness.measure.costs.bill import bill
from harness.measure.costs.prices import price_list
from harness.report import words
from harness.report.diff import diff_runs
from harness.report.html import render_html
from harness.report.markdown import render_markdown
from harness.report.run_json import CostRecord, read_run, write_run
from harness.report.terminal import render_terminal


def test_every_report_tells_the_same_money(green: Any) -> None:
    console = Console(width=300, record=True, file=None, quiet=False)
    with console.capture() as shown:
        console.print(render_terminal(green.run))
    page = render_html(green.run, journals={}, cases=())
    for text in (shown.get(), render_markdown(green.run), page):
        assert "$18.67" in text  # 10 M requests, 512 MB, 200 ms
        assert "$37.33" in text  # a month is two of it


def test_what_is_not_in_the_sum_is_said(green: Any) -> None:
    for text in (render_markdown(green.run), render_html(green.run, journals={}, cases=())):
        assert "NAT gateways" in text
        assert "quantum.requests" in text


def test_run_json_keeps_it(green: Any, tmp_path: Any) -> None:
    write_run(green.run, tmp_path / "run.json")
    assert read_run(tmp_path / "run.json").cost == green.run.cost


def test_a_run_without_meters_tells_no_cost(red: Any) -> None:
    assert "Cost on AWS" not in render_markdown(red.run)
    assert 'id="cost"' not in render_html(red.run, journals={}, cases=())


def test_a_difference_names_the_meters_that_moved(green: Any) -> None:
    dearer = bill({"lambda.requests": 10e6, "lambda.gb_seconds": 2e6, "sqs.standard_requests": 5.0}, price_list())
    second = msgspec.structs.replace(green.run, cost=CostRecord(run=dearer, load=dearer))
    changes = {change.name: change for change in diff_runs(green.run, second).changes}
    assert changes["cost of the load"].change == pytest.approx(1e6 * 0.0000166667 + 5 * 0.0000004)
    assert changes["cost: Lambda duration, x86"].after == "$33.33 for 2,000,000 GB-s"
    assert changes["cost: SQS requests, standard queues"].before == "—"
    assert "cost: Lambda requests" not in changes
    assert "(+$16.67)" in diff_runs(green.run, second).text()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "$0"), (18.6667, "$18.67"), (1234.5, "$1,234.50"), (0.000125, "$0.000125"), (0.5, "$0.5")],
)
def test_money_has_figures_that_count(value: float, text: str) -> None:
    assert words.money(value) == text
