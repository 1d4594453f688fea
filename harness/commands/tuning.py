"""Power tuning of one function: tune."""

from __future__ import annotations

from harness.commands.answer import DEFAULTS, Answer, Options, session


def tune(
    function: str, *, payload: str = "{}", sizes: str = "", invocations: int = 10, options: Options = DEFAULTS
) -> Answer:
    """Invoke a function of the running stack at several memory sizes: time and cost of each, and a plot.

    Args:
        function: The function's name.
        payload: The event it gets each time, as JSON, or @FILE. What it does, it really does.
        sizes: Memory sizes in MB, comma separated.
        invocations: Warm invocations at each size.
        options: Options that every command takes.
    """
    from rich.console import Group
    from rich.text import Text

    from harness.files import write_atomically
    from harness.report.tuning import plot, render_tuning
    from harness.running import require_running
    from harness.tuning import TuningOrder, parse_sizes, read_payload
    from harness.tuning import tune as measure

    order = TuningOrder(
        function=function, payload=read_payload(payload), sizes_mb=parse_sizes(sizes), invocations=invocations
    )
    with session(options, at_work="tune") as here:
        here.progress.phase(f"Tuning {function}")
        found = measure(require_running(here.workspace, here.target), order, here.progress.detail)
        path = here.workspace.folder / "tuning" / f"{function}.svg"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, plot(found))
    sound = found.fastest_mb is not None
    return Answer(
        data={"plot": str(path), "tuning": found},
        shown=Group(render_tuning(found), Text(f"plot: {path}", style="dim", no_wrap=True, overflow="ignore")),
        exit_code=0 if sound else 1,
        error="" if sound else "every size failed",
    )
