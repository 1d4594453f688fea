"""Watching an experiment: what it shows is what happened, and the table holds it."""

from typing import Any

from rich.console import Console

from chaos.fis.watching import Watcher
from harness.commands.fis_table import _Lines, table


class Notes:
    """Keeps what is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


def test_fired_counts_and_states_are_shown_while_it_runs_and_after(aws: Any, caller: Any) -> None:
    action = aws.action("aws:fis:inject-api-throttle-error", service="sqs", operations="ListQueues", percentage="100")
    lines = _Lines(notes := Notes())
    with aws.running(action) as experiment:
        watcher = Watcher(aws.cloud.target, experiment)
        for _ in range(3):
            aws.code_of(aws.client("sqs").list_queues)
        seen = watcher.look()
        assert [(a.name, a.status, a.fired) for a in seen.actions] == [("a", "running", 3)]
        lines(seen)
        lines(watcher.look())
    ended = watcher.look()
    assert ended.ended
    assert [(a.status, a.fired) for a in ended.actions] == [("stopped", 3)]
    lines(ended)
    assert notes.lines == ["experiment: running", "a: running, fired 3", "experiment: stopped", "a: stopped, fired 3"]
    console = Console(width=140, record=True, file=None)
    with console.capture() as shown:
        console.print(table(ended))
    assert "aws:fis:inject-api-throttle-error" in shown.get()
    assert "stopped" in shown.get()
