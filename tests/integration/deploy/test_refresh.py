"""Drift: found property by property, taken into the state, set back by the next up."""

import json
from dataclasses import replace
from typing import Any

from harness.deploy import api
from harness.deploy.engine.selection import Selection

TEXT = (
    "import json\n"
    "a = aws.sqs.Queue('a', name='a', delay_seconds=1, tags={'team': 'one'}, fifo_queue=False)\n"
    "b = aws.sns.Topic('b', name='b', display_name=pulumi.Output.secret('hunter2'))\n"
)


def _by_name(things: Any, name: str) -> dict[str, Any]:
    return next(found for found in things.existing.values() if found["name"] == name)


def _steps(events: list[Any]) -> dict[str, Any]:
    return {event.name: event for event in events if event.status == "done" and event.op in {"refresh", "delete"}}


def test_drift_is_shown_taken_into_the_state_and_set_back(stack: Any, things: Any) -> None:
    stack.program(TEXT).up()
    found = _by_name(things, "a")
    found["delaySeconds"], found["tags"] = 7, {"team": "one", "by": "hand"}
    events: list[Any] = []
    result = api.refresh(stack.request, events.append)
    shown = _steps(events)
    assert [(c.path, c.kind, c.old, c.new) for c in shown["a"].changes] == [
        ("delaySeconds", "update", 1, 7),
        ("tags.by", "add", None, "hand"),
    ]
    assert shown["a"].unknown == ("fifoQueue",)
    assert shown["b"].changes == ()
    assert result.changes == {"refresh": 2}
    inputs = {r["urn"].rsplit("::", 1)[1]: r.get("inputs") for r in _resources(stack)}
    assert inputs["a"]["delaySeconds"] == 7
    things.calls.clear()
    assert stack.up().changes == {"same": 1, "update": 1}
    assert _by_name(things, "a")["delaySeconds"] == 1


def test_a_drifted_secret_stays_one(stack: Any, things: Any) -> None:
    stack.program(TEXT).up()
    _by_name(things, "b")["displayName"] = "hunter3"
    events: list[Any] = []
    api.refresh(stack.request, events.append)
    (change,) = _steps(events)["b"].changes
    assert (change.path, change.old, change.new) == ("displayName", "[secret]", "[secret]")
    assert "hunter" not in stack.request.state.read_text()
    assert "hunter" not in repr(events)


def test_what_is_gone_leaves_the_state_and_is_made_anew(stack: Any, things: Any) -> None:
    stack.program(TEXT).up()
    things.existing.clear()
    events: list[Any] = []
    assert api.refresh(stack.request, events.append).changes == {"delete": 2}
    assert {event.message for event in _steps(events).values()} == {"gone from AWS"}
    assert [r["type"] for r in _resources(stack) if r["type"].startswith("aws:")] == []
    assert stack.up().changes == {"create": 2}


def test_looking_only_changes_nothing(stack: Any, things: Any) -> None:
    stack.program(TEXT).up()
    before = stack.request.state.read_text()
    _by_name(things, "a")["delaySeconds"] = 7
    api.refresh(stack.request, dry_run=True)
    assert stack.request.state.read_text() == before


def test_up_and_preview_can_refresh_first(stack: Any, things: Any) -> None:
    stack.program(TEXT).up()
    _by_name(things, "a")["delaySeconds"] = 7
    before = stack.request.state.read_text()
    events: list[Any] = []
    api.preview(replace(stack.request, refresh=True), events.append)
    assert [e.message for e in events if e.op == "update" and e.status == "done"] == ["delaySeconds"]
    assert stack.request.state.read_text() == before
    assert api.up(replace(stack.request, refresh=True)).changes == {"refresh": 2, "same": 1, "update": 1}
    assert _by_name(things, "a")["delaySeconds"] == 1


def test_only_the_selected_resource_is_looked_at(stack: Any, things: Any) -> None:
    stack.program(TEXT).up()
    _by_name(things, "a")["delaySeconds"] = 7
    assert api.refresh(replace(stack.request, only=Selection(("b",)))).changes == {"refresh": 1}
    assert stack.up().changes == {"same": 2}


def test_a_type_that_is_unknown_here_is_named_and_kept(stack: Any, things: Any) -> None:
    """A state of the real CLI may hold what this engine cannot look at; silence would be taken for sameness."""
    stack.program("aws.sqs.Queue('a', name='a')").up()
    document = json.loads(stack.request.state.read_text())
    queue = next(r for r in document["deployment"]["resources"] if r["type"] == "aws:sqs/queue:Queue")
    other = "aws:rare/thing:Thing"
    document["deployment"]["resources"].append(
        {**queue, "urn": queue["urn"].replace("aws:sqs/queue:Queue", other), "type": other}
    )
    stack.request.state.write_text(json.dumps(document))
    events: list[Any] = []
    api.refresh(stack.request, events.append)
    told = {event.type: event.unknown for event in events if event.status == "done"}
    assert told[other] == ("name",)
    assert other in [r["type"] for r in _resources(stack)]


def _resources(stack: Any) -> list[dict[str, Any]]:
    return json.loads(stack.request.state.read_text())["deployment"]["resources"]
