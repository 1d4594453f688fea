"""This machine and a new project: doctor, init, ui."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from harness.commands.answer import DEFAULTS, Answer, Options
from harness.errors import UsageError


def doctor(*, services: bool = False, options: Options = DEFAULTS) -> Answer:
    """Check this machine and this project; a remedy on each line that is not well.

    Args:
        services: what each AWS service and feature is on the embedded cloud, and what to do where it is not.
        options: Options that every command takes.
    """
    from harness.doctor import examine

    if services:
        return _services()
    findings = examine(options.config)
    bad = [f for f in findings if f["state"] == "bad"]
    marks = {"well": "✓", "absent": "-", "bad": "✗"}
    lines = [f"{marks[f['state']]} {f['what']}" + (f"\n    → {f['remedy']}" if f["remedy"] else "") for f in findings]
    return Answer(data=findings, shown="\n".join(lines), exit_code=4 if bad else 0, error="not ready" if bad else "")


def _services() -> Answer:
    from harness.cloud.truth import table

    marks = {"works": "✓", "state only": "○", "absent": "✗"}
    lines = []
    for row in table():
        shown = f"{marks[row.state]} {row.service:<28} {row.state:<11} {row.feature}"
        lines.append(shown + (f"\n    → {row.instead}" if row.instead and row.feature != "the API" else ""))
    counts = {state: sum(row.state == state for row in table()) for state in marks}
    lines.append(", ".join(f"{count} {state}" for state, count in counts.items()))
    return Answer(data=[asdict(row) for row in table()], shown="\n".join(lines))


def init(folder: Path = Path(), *, options: Options = DEFAULTS) -> Answer:
    """Write a blackstart.toml, a first scenario and a first drill around a Pulumi program of your own."""
    from harness.scaffold import scaffold

    del options
    written = scaffold(folder)
    return Answer(data=[str(p) for p in written], shown="\n".join(f"wrote {p}" for p in written))


def ui(*, options: Options = DEFAULTS) -> Answer:
    """The live console. Not built yet; the reports are: `blackstart report open`."""
    del options
    raise UsageError("the live console is not built yet", hint="blackstart report open shows the newest run")
