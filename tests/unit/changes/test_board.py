"""The live view: what is under way, for how long, as which of how many."""

import io
import json
from typing import Any

from rich.console import Console

from harness.changes.board import Board
from harness.changes.json_steps import EventLines
from harness.deploy.engine.events import StepEvent
from harness.terminal import TerminalProgress


class Clock:
    """Stands still until it is moved."""

    at = 100.0

    def __call__(self) -> float:
        return self.at


def _event(op: str, name: str, status: str, **more: Any) -> StepEvent:
    urn = f"urn:pulumi:dev::shop::aws:sqs/queue:Queue::{name}"
    return StepEvent(op=op, urn=urn, type="aws:sqs/queue:Queue", name=name, status=status, **more)  # type: ignore[arg-type]


def _shown(board: Board, width: int = 60) -> list[str]:
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    return ["".join(segment.text for segment in line).rstrip() for line in console.render_lines(board)]


def test_what_is_under_way_is_shown_with_its_seconds():
    clock = Clock()
    board = Board("Deploying", clock)
    board.note(_event("create", "a", "started", planned=3))
    clock.at += 2
    board.note(_event("create", "b", "started", planned=3))
    clock.at += 1.5
    assert _shown(board) == [
        "Deploying 0 of 3 · 4 s",
        "  creating aws:sqs:Queue a 3.5 s",
        "  creating aws:sqs:Queue b 1.5 s",
    ]
    line = board.note(_event("create", "a", "done", planned=3, duration_s=3.5))
    assert line is not None
    assert line.plain == "+  created aws:sqs:Queue a  (1 of 3, 3.5 s)"
    assert _shown(board)[1:] == ["  creating aws:sqs:Queue b 1.5 s"]


def test_what_changes_nothing_counts_but_keeps_no_line():
    board = Board("Deploying")
    assert board.note(_event("same", "a", "done", planned=2)) is None
    assert board.note(_event("delete", "a", "done", planned=2, copy=True)) is None
    assert board.progress == "1 of 2"


def test_more_steps_than_expected_are_not_counted_against_a_total():
    board = Board("Deploying")
    for name in "ab":
        board.note(_event("same", name, "done", planned=1))
    assert board.progress == "2"


def test_rows_fit_a_narrow_terminal_and_there_are_not_too_many():
    board = Board("Deploying the stack")
    for number in range(12):
        board.note(_event("create", f"queue-with-a-long-name-{number:02}", "started"))
    rows = _shown(board, 40)
    assert max(len(row) for row in rows) <= 40
    assert rows[-1] == "  and 4 more"


def test_without_a_terminal_there_is_a_plain_line_for_each_change():
    out = io.StringIO()
    progress = TerminalProgress(Console(file=out, width=30))
    progress.phase("Deploying")
    progress.step(_event("create", "queue-with-a-rather-long-name", "started", planned=2))
    progress.step(_event("create", "queue-with-a-rather-long-name", "done", planned=2, duration_s=0.2))
    progress.step(_event("update", "q", "failed", message="AccessDenied"))
    progress.close()
    lines = out.getvalue().splitlines()
    assert lines[1] == "  +  created aws:sqs:Queue queue-with-a-rather-long-name  (1 of 2, 0.2 s)"
    assert lines[2] == "  ✗  update aws:sqs:Queue q failed: AccessDenied"
    assert "\x1b" not in out.getvalue()


def test_the_stream_has_one_object_a_line():
    out = io.StringIO()
    stream = EventLines(out)
    stream(_event("create", "a", "started", planned=1))
    stream(_event("create", "a", "done", planned=1, duration_s=0.25))
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(line["schema"], line["event"], line["status"], line["done"], line["planned"]) for line in lines] == [
        (1, "step", "started", 0, 1),
        (1, "step", "done", 1, 1),
    ]
