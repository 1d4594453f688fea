"""One order across the services: trace."""

from __future__ import annotations

from pathlib import Path

from harness.commands.answer import DEFAULTS, Answer, Options, Repeatable, session


def trace(key: str, *, annotation: Repeatable = (), file: Path | None = None, options: Options = DEFAULTS) -> Answer:
    """Show where one order went in the running stack: the tree of its traces, and a picture of it.

    Args:
        key: The order's id, its correlation id, or a trace's id.
        annotation: The annotations that have such an id; order_id, correlation_id and checkout_id by default.
        file: Where the picture (SVG) goes; beside the project's state without it.
        options: Options that every command takes.
    """
    from dataclasses import asdict

    from rich.console import Group
    from rich.text import Text

    from harness.files import write_atomically
    from harness.report.trace import picture, render_journey
    from harness.running import require_running
    from harness.tracing import KEYS, find

    with session(options) as here:
        found = find(require_running(here.workspace, here.target), key, annotation or KEYS)
        path = file or here.workspace.folder / "traces" / f"{key.replace('/', '_')}.svg"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, picture(found))
    return Answer(
        data={"picture": str(path), **asdict(found)},
        shown=Group(render_journey(found), Text(f"\npicture: {path}", style="dim", no_wrap=True, overflow="ignore")),
    )
