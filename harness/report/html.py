"""`report.html`: one file that opens from disk, without a server and without the network.

The numbers are HTML and need no script; the charts are drawn by the vendored uPlot (see `vendor/`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from harness.measure.figures import DrillRecord, DrillRunFigures, ObjectiveVerdict
from harness.measure.journal import Journal
from harness.measure.method import Method
from harness.measure.phases import phases_of
from harness.report import words
from harness.report.coverage import coverage
from harness.report.run_json import RunRecord
from harness.report.scenarios import Case
from harness.report.series import Series, columns, series_of
from harness.report.strips import strip
from harness.report.timeline import MOST_LINES, Line, timeline

_HERE = Path(__file__).parent
_MOST_OPEN = 25
"""A longer table of what went well starts folded: what comes after it must be found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One run of a drill as the page shows it. `chart` is plain JSON for the script, None without a journal."""

    number: int
    figures: DrillRunFigures
    series: Series | None = None
    chart: dict[str, Any] | None = None  # JSON
    lines: Sequence[Line] = ()
    lines_cut: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillView:
    """One drill as the page shows it."""

    record: DrillRecord
    runs: Sequence[RunView]
    sentence: str
    worst: int
    """The number of the worst run, from 1: the one that is shown first."""


def render_html(run: RunRecord, *, journals: Mapping[str, Journal], cases: Sequence[Case]) -> str:
    """The whole page. `journals` has one for each drill run, keyed `<drill>/<number from 1>`."""
    template = _environment().get_template("report.html.j2")
    return template.render(
        run=run,
        drills=[_drill_view(drill, journals) for drill in run.drills],
        cases=cases,
        coverage=coverage(cases),
        words=words,
        headline=words.headline(run),
        load_chart=_load_chart(run),
        allowance=allowance,
        strip=strip,
        most_lines=MOST_LINES,
        most_open=_MOST_OPEN,
        style=_read("vendor/uplot.min.css") + _read("template/report.css"),
        script=_read("vendor/uplot.min.js") + "\n" + _read("template/charts.js"),
    )


def allowance(objective: ObjectiveVerdict) -> float | None:
    """How much of the limit was used: 1 is all of it, more is a miss; None when it cannot be said.

    For a lower limit such as availability this is the used share of the error budget.
    """
    if objective.measured is None:
        return None
    used, allowed = objective.measured, objective.limit
    if objective.at_least:
        used, allowed = 1.0 - objective.measured, 1.0 - objective.limit
    if allowed <= 0.0:
        return 0.0 if used <= 0.0 else 2.0
    return used / allowed


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "template"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _drill_view(drill: DrillRecord, journals: Mapping[str, Journal]) -> DrillView:
    runs = [
        _run_view(number, figures, journals.get(f"{drill.name}/{number}"), drill.method)
        for number, figures in enumerate(drill.runs, 1)
    ]
    worst = words.worst_run(drill) + 1 if runs else 0
    return DrillView(record=drill, runs=runs, sentence=words.drill_sentence(drill), worst=worst)


def _run_view(number: int, figures: DrillRunFigures, journal: Journal | None, method: Method | None) -> RunView:
    if journal is None:
        return RunView(number=number, figures=figures)
    phases = phases_of(journal)
    series = series_of(journal, method or Method(), start_s=phases.started_s, end_s=phases.ended_s)
    recovered_s = None if figures.recovered_s is None else figures.recovered_s + phases.started_s
    lines = timeline(journal, start_s=phases.started_s, fault_s=phases.fault_s, recovered_s=recovered_s)
    return RunView(
        number=number,
        figures=figures,
        series=series,
        chart={
            **columns(series),
            "fault_s": figures.fault_s,
            "healed_s": figures.healed_s,
            "recovered_s": figures.recovered_s if figures.felt else None,
            "limit_ms": method.latency_limit_s * 1000.0 if method is not None else None,
        },
        lines=lines[:MOST_LINES],
        lines_cut=max(0, len(lines) - MOST_LINES),
    )


def _load_chart(run: RunRecord) -> dict[str, Any] | None:  # JSON for the script
    if run.load is None or not run.load.series:
        return None
    points = run.load.series
    return {
        "at": [point.at_s for point in points],
        "good": [point.requests - point.failures for point in points],
        "failed": [point.failures for point in points],
        "p50": [point.p50_ms for point in points],
        "p95": [point.p95_ms for point in points],
        "p99": [point.p99_ms for point in points],
    }
