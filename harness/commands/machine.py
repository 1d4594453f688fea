"""This machine and a new project: doctor, init, ui."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from pathlib import Path

from harness.commands.answer import DEFAULTS, Answer, Options, session


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
    """Write a blackstart.toml, a first scenario, load and drill around a Pulumi program of your own."""
    from harness.scaffold import scaffold

    del options
    made = scaffold(folder)
    lines = [f"wrote {path}" for path in made.written]
    if made.url:
        lines.append(f"they ask the output {made.url!r}; next: blackstart run")
    else:
        lines.append(
            "no pulumi.export looks like a URL, so there is no load and no drill yet: export your API's URL,"
        )
        lines.append("delete these files and run blackstart init again; or write them as in docs/your-own-stack.md")
    return Answer(data={"written": [str(p) for p in made.written], "url": made.url}, shown="\n".join(lines))


def ui(*, port: int = 0, browser: bool = True, options: Options = DEFAULTS) -> Answer:
    """The live console of the running stack: zones, answers, alarms, drills, and the levers of a game day.

    Args:
        port: On 127.0.0.1; 0 takes a free one.
        browser: Open it in the browser.
        options: Options that every command takes.
    """
    import asyncio
    import webbrowser

    from harness.running import require_running
    from harness.web.console import Console

    with session(options) as here:
        console = Console(here.workspace, require_running(here.workspace, here.target))

        def ready(address: str) -> None:
            here.progress.note(f"the console is at {address}")
            here.progress.note("Ctrl-C ends it, and with it whatever it broke")
            if browser:
                webbrowser.open(address)

        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(console.serve(port, ready))
    return Answer(data={"stack": console.stack.name}, shown="the console has ended")
