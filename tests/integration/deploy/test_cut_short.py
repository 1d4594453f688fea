"""Creations that a kill -9 cut short: taken up, completed, made anew, or, where nothing tells, said by name."""

import json
from typing import Any

import pytest

from tests.integration.deploy.conftest import Thing

QUEUE = "q = aws.sqs.Queue('orders', delay_seconds=5)\npulumi.export('arn', q.arn)\n"


def _cut_short(stack: Any, things: Any) -> str:
    """The state as a kill leaves it: the queue exists, and its creation is still a pending operation; its id."""
    stack.program(QUEUE).up()
    document = json.loads(stack.request.state.read_text())
    resources = document["deployment"]["resources"]
    queue = next(r for r in resources if r["type"] == "aws:sqs/queue:Queue")
    resources.remove(queue)
    document["deployment"]["pending_operations"] = [{"type": "creating", "resource": {**queue, "id": ""}}]
    stack.request.state.write_text(json.dumps(document))
    things.calls.clear()
    stack.events.clear()
    return str(queue["id"])


def _pending(stack: Any) -> list[Any]:
    return list(json.loads(stack.request.state.read_text())["deployment"].get("pending_operations", ()))


def test_it_is_taken_up_and_not_repeated(stack: Any, things: Any) -> None:
    _cut_short(stack, things)
    assert stack.up().changes == {"create": 1}
    assert things.calls == []
    assert len(things.existing) == 1
    assert _pending(stack) == []


def test_what_it_had_not_come_to_is_done(stack: Any, things: Any) -> None:
    identity = _cut_short(stack, things)
    del things.existing[identity]["delaySeconds"]
    stack.up()
    assert things.operations() == ["update orders"]
    assert things.existing[identity]["delaySeconds"] == 5


def test_one_whose_secret_nobody_was_told_is_deleted_and_made_anew(
    stack: Any, things: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = _cut_short(stack, things)
    monkeypatch.setattr(Thing, "told_once", frozenset({"secret"}))
    stack.up()
    assert things.operations() == ["delete orders", "create orders"]
    assert identity not in things.existing
    assert _pending(stack) == []


@pytest.mark.parametrize("program", [QUEUE, "pass"])
def test_one_that_leaves_no_trace_is_told_by_name(
    stack: Any, things: Any, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    _cut_short(stack, things)

    def find(self: Any, context: Any, inputs: Any) -> str | None:
        return super(Thing, self).find(context, inputs)

    monkeypatch.setattr(Thing, "find", find)
    monkeypatch.setattr(Thing, "traceless", "the bell may have rung")
    stack.program(program).up()
    told = [(event.name, event.message) for event in stack.events if "by hand" in event.message]
    assert told == [
        ("orders", "an interrupted deployment may have made one already, look for it by hand: the bell may have rung")
    ]
    assert _pending(stack) == []
