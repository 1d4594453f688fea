"""Reports of past runs: open, show, diff."""

from __future__ import annotations

from cyclopts import App

from harness.commands.answer import DEFAULTS, Answer, Options
from harness.workspace import open_workspace

report = App(name="report", help="Reports of past runs.")


@report.command(name="open")
def report_open(run_id: str = "latest", *, options: Options = DEFAULTS) -> Answer:
    """Open report.html in the browser."""
    import webbrowser

    from harness.run import find_run

    path = find_run(open_workspace(options.config), run_id) / "report.html"
    webbrowser.open(path.as_uri())
    return Answer(data=str(path), shown=str(path))


@report.command(name="show")
def report_show(run_id: str = "latest", *, options: Options = DEFAULTS) -> Answer:
    """Show a past run in the terminal."""
    from harness.report.run_json import read_run
    from harness.report.terminal import render_terminal
    from harness.run import find_run

    folder = find_run(open_workspace(options.config), run_id)
    record = read_run(folder / "run.json")
    return Answer(data=record, shown=render_terminal(record, folder))


@report.command(name="diff")
def report_diff(first: str, second: str, *, options: Options = DEFAULTS) -> Answer:
    """Compare the figures of two runs."""
    from harness.report.diff import diff_runs
    from harness.report.run_json import read_run
    from harness.run import find_run

    workspace = open_workspace(options.config)
    runs = [read_run(find_run(workspace, run_id) / "run.json") for run_id in (first, second)]
    difference = diff_runs(*runs)
    return Answer(data=difference, shown=difference.text())
