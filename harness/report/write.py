"""Writes every report of a run into its folder, whatever happened in the run."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from harness.errors import NotReadyError
from harness.files import write_atomically
from harness.measure.journal import Journal, journal_path, read_journal
from harness.report.html import render_html
from harness.report.junit import merge_junit
from harness.report.markdown import render_markdown
from harness.report.run_json import RunRecord, write_run
from harness.report.scenarios import read_cases

SCENARIOS_JUNIT = Path("logs") / "scenarios.xml"
"""Where a run leaves the junit file of its scenario suites, in its folder."""


def write_reports(folder: Path, run: RunRecord, journals: Mapping[str, Path] | None = None) -> None:
    """Write run.json, journal.jsonl, junit.xml, summary.md and report.html into `folder`.

    Args:
        folder: the run's folder; the scenarios' junit file is read from it when it is there.
        run: the finished run.
        journals: the journal of each drill run, keyed `<drill>/<number from 1>`; without it they are looked
            for where `journal_path` puts them.

    Raises:
        NotReadyError: a file cannot be written.
    """
    found = _journals_in(folder, run) if journals is None else dict(journals)
    scenarios = folder / SCENARIOS_JUNIT
    write_run(run, folder / "run.json")  # first: the others can be made again from it
    _join(list(found.values()), folder / "journal.jsonl")
    write_atomically(folder / "junit.xml", merge_junit(run, scenarios))
    cases = read_cases(scenarios)
    write_atomically(folder / "summary.md", render_markdown(run, cases))
    read = {name: journal for name, path in found.items() if (journal := _read(path)) is not None}
    write_atomically(folder / "report.html", render_html(run, journals=read, cases=cases))


def _journals_in(folder: Path, run: RunRecord) -> dict[str, Path]:
    paths = {
        f"{drill.name}/{number}": journal_path(folder, drill.name, number)
        for drill in run.drills
        for number in range(1, len(drill.runs) + 1)
    }
    return {name: path for name, path in paths.items() if path.is_file()}


def _read(path: Path) -> Journal | None:
    """The journal, or None when it cannot be opened: its figures are in the run, only the charts are missing."""
    try:
        return read_journal(path)
    except NotReadyError:
        return None


def _join(paths: list[Path], into: Path) -> None:
    """One file with all journals after one another; each starts with its `drill_started`."""
    if into in paths or not paths:
        return
    partial = into.with_name(f".{into.name}.partial")
    try:
        with partial.open("wb") as joined:
            for path in paths:
                with path.open("rb") as journal:
                    shutil.copyfileobj(journal, joined)
        partial.replace(into)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise NotReadyError(
            f"cannot write the journal: {error.strerror}", where=str(into), hint="free some space"
        ) from error
