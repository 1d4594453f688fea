"""report.html: one file, the verdict on top, every number in the HTML, and nothing fetched from anywhere."""

import json
import re
from html.parser import HTMLParser

import pytest

from harness.measure.journal import Event
from harness.measure.method import Method
from harness.measure.scripted import Script, play
from harness.report.html import allowance, render_html
from harness.report.scenarios import Case, read_cases
from harness.report.series import columns, series_of
from harness.report.timeline import timeline
from harness.report.write import write_reports

_VOID = {"meta", "link", "br", "img", "hr", "path"}


class _Page(HTMLParser):
    """Checks that tags balance, and keeps the text and the attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        if tag not in _VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in {"src", "href"}:
                self.links.append(value)
            if name == "id":
                self.ids.append(value)

    def handle_endtag(self, tag) -> None:
        if tag in _VOID:  # <path/> is told as a start and an end
            return
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        if not self.open or self.open[-1] not in {"script", "style"}:
            self.text.append(data)


def _page(finished) -> tuple[str, _Page]:
    cases = read_cases(finished.folder / "logs" / "scenarios.xml")
    html = render_html(finished.run, journals=finished.journals, cases=cases)
    page = _Page()
    page.feed(html)
    assert page.open == []
    return html, page


@pytest.mark.parametrize("colour", ["green", "red"])
def test_the_page_is_whole_and_fetches_nothing(colour, request) -> None:
    html, page = _page(request.getfixturevalue(colour))
    assert all(link.startswith("#") for link in page.links)
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert "@import" not in html
    assert "default-src 'none'" in html


def test_the_verdict_comes_first_and_the_figures_are_text(green) -> None:
    text = " ".join(" ".join(_page(green)[1].text).split())
    assert text.index("Pass") < text.index("Objectives") < text.index("Timeline")
    for told in ("3.00 s", "between 2.98 … 3.00 s", "92.50 %", "0 of 925 acknowledged writes lost", "First effect"):
        assert told in text


def test_a_red_page_says_fail_inconclusive_and_not_supported(red) -> None:
    text = " ".join(" ".join(_page(red)[1].text).split())
    for told in ("Fail", "INCONCLUSIVE", "NOT SUPPORTED", "The fault never fired", "locust did not start", "still 1"):
        assert told in text


def test_hostile_text_stays_text(red) -> None:
    html, page = _page(red)
    assert "alert(1)" in " ".join(page.text)
    assert "<script>alert(1)" not in html


def test_the_charts_carry_their_data(green) -> None:
    html, _ = _page(green)
    charts = [json.loads(data) for data in re.findall(r'<script type="application/json">(.*?)</script>', html)]
    assert charts[0]["fault_s"] == 12.0
    assert charts[0]["recovered_s"] == pytest.approx(15.0)
    assert len(charts[0]["at"]) == len(charts[0]["p99"]) == 80
    assert charts[1]["good"] == [40] * 5


def test_a_page_without_journals_still_has_every_figure(green) -> None:
    html = render_html(green.run, journals={}, cases=[])
    assert "3.00 s" in html
    assert 'data-charts="drill"' not in html


def test_every_operation_is_in_one_bucket() -> None:
    journal = play(Script())
    series = series_of(journal, Method(), start_s=0.0, end_s=40.0)
    assert sum(bucket.scheduled for bucket in series.buckets) == len(journal.operations)
    assert set(columns(series)["scheduled"]) == {50.0}


def test_a_long_drill_gets_wider_buckets() -> None:
    journal = play(Script(rate=1.0, ended_s=3600.0, healed_s=30.0))
    assert len(series_of(journal, Method(), start_s=0.0, end_s=3600.0).buckets) == 400


def test_repeated_events_are_one_line() -> None:
    killed = tuple(
        Event(
            at_s=12.0 + n / 100,
            name="cloud_event",
            detail={"kind": "environment_killed", "function": "f", "zone": "z"},
        )
        for n in range(5)
    )
    journal = play(Script(fault_s=None, extra=killed))
    lines = [line for line in timeline(journal, start_s=2.0, fault_s=12.0, recovered_s=None) if line.times > 1]
    assert [(line.times, line.at_s, line.from_fault_s) for line in lines] == [(5, 10.0, 0.0)]


def test_what_alarms_did_before_the_drill_is_no_part_of_its_story() -> None:
    told = {"alarm": "late", "name": "late", "arn": "arn:late", "before": "OK", "state": "ALARM"}
    alarms = tuple(Event(at_s=at_s, name="alarm", detail=told) for at_s in (1.0, 13.0))
    lines = timeline(play(Script(fault_s=None, extra=alarms)), start_s=2.0, fault_s=12.0, recovered_s=None)
    assert [(one.at_s, one.detail) for one in lines if one.text == "Alarm late is ALARM"] == [(11.0, "before OK")]


def test_many_scenarios_that_passed_are_folded_and_what_failed_is_not(red) -> None:
    cases = [Case(suite="s", name=f"test_{n}", duration_s=1.0, outcome="pass") for n in range(30)]
    bad = Case(suite="s", name="test_bad", duration_s=1.0, outcome="fail", message="why")
    html = render_html(red.run, journals={}, cases=[*cases, bad])
    assert html.index("<td>bad") < html.index("<details ><summary>30 that passed")
    assert "<details open><summary>3 that passed" in render_html(red.run, journals={}, cases=cases[:3])


def test_only_the_first_effect_starts_the_clock() -> None:
    fired = tuple(Event(at_s=12.0 + n, name="fault_fired", detail={"zone": "z"}) for n in range(3))
    lines = timeline(play(Script(fault_s=None, extra=fired)), start_s=2.0, fault_s=12.0, recovered_s=None)
    assert [line.from_fault_s for line in lines if line.text.startswith("First effect")] == [0.0]


def test_the_allowance_is_the_used_share_of_the_limit(green) -> None:
    used = {objective.name: allowance(objective) for objective in green.run.drills[0].objectives}
    assert used["rto"] == pytest.approx(0.6)
    assert used["availability"] == pytest.approx(0.75)
    assert used["lost"] == 0.0


@pytest.mark.parametrize("colour", ["green", "red"])
def test_every_report_is_written_into_the_folder(colour, request) -> None:
    finished = request.getfixturevalue(colour)
    write_reports(finished.folder, finished.run)
    names = {path.name for path in finished.folder.iterdir()}
    assert names >= {"run.json", "journal.jsonl", "junit.xml", "summary.md", "report.html"}
    assert not [name for name in names if name.startswith(".")]
    page = (finished.folder / "report.html").read_text()
    assert page.count('data-charts="drill"') == len(finished.journals)
    starts = (finished.folder / "journal.jsonl").read_text().count('"drill_started"')
    assert starts == len(finished.journals)


def test_a_run_that_never_drilled_has_reports_too(green) -> None:
    import msgspec

    run = msgspec.structs.replace(green.run, drills=[], scenarios=None, load=None, deploy=None)
    write_reports(green.folder, run)
    assert "Blackstart" in (green.folder / "report.html").read_text()


def test_the_page_has_evidence_the_residual_error_and_the_error_of_the_harness(red, green) -> None:
    page = render_html(red.run, journals=red.journals, cases=[])
    assert "<code>order-00590</code>" in page
    page = render_html(green.run, journals=green.journals, cases=[])
    assert "Measurement error ±17 ms" in page
    assert "requests were all good: with 95 % confidence fewer than" in page
    assert "own lateness" in page
