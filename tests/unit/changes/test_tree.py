"""The diff people read: signs, tree, paths, folding, summary."""

from typing import Any

from harness.changes.record import ChangeRecord, summary
from harness.changes.tree import Layout, change_tree, short_type
from harness.deploy.engine.events import PropertyChange, StepEvent

STACK = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
ORDERS = "urn:pulumi:dev::shop::shop:index:Orders::orders"


def _event(op: str, kind: str, name: str, parent: str = STACK, **more: Any) -> StepEvent:
    inside = parent.split("::")[2] + "$" if parent not in {"", STACK} else ""
    urn = f"urn:pulumi:dev::shop::{inside}{kind}::{name}"
    more.setdefault("custom", not kind.startswith("shop:"))
    return StepEvent(
        op=op,  # type: ignore[arg-type]
        urn=urn,
        type=kind,
        name=name,
        parent=parent,
        status=more.pop("status", "done"),
        **more,
    )


def _stack(*events: StepEvent) -> list[StepEvent]:
    record = ChangeRecord()
    for event in (_event("same", "pulumi:pulumi:Stack", "shop-dev", "", custom=False), *events):
        record(event)
    return record.events


def _update(path: str, old: Any, new: Any, **more: Any) -> PropertyChange:
    return PropertyChange(path=path, kind="update", old=old, new=new, **more)


def test_the_tree_has_signs_guides_and_property_paths():
    events = _stack(
        _event("same", "shop:index:Orders", "orders"),
        _event("update", "aws:sqs/queue:Queue", "q", ORDERS, changes=(_update("delaySeconds", 1, 2),)),
        _event("same", "aws:sqs/queue:Queue", "still"),
        _event(
            "replace",
            "aws:sns/topic:Topic",
            "t",
            reasons=("name",),
            changes=(_update("name", "a", "b", replaces=True),),
        ),
        _event("delete", "aws:sns/topic:Topic", "gone"),
    )
    text = change_tree(events, Layout()).plain
    assert [" ".join(line.split()) for line in text.splitlines()] == [
        "pulumi:pulumi:Stack shop-dev",
        "├─ shop:index:Orders orders",
        "~ │ └─ aws:sqs:Queue q update",
        "│ ~ delaySeconds: 1 => 2",
        "- ├─ aws:sns:Topic gone delete",
        "+- └─ aws:sns:Topic t replace: name",
        '~ name: "a" => "b" (replaces)',
        "",
        "Resources:",
        "~ 1 to update",
        "+- 1 to replace",
        "- 1 to delete",
        "1 unchanged",
    ]
    signs = {line[:5].strip() for line in text.splitlines()[:7]}
    assert signs == {"", "~", "-", "+-"}


def test_creations_list_their_properties_only_in_detail():
    added = (PropertyChange(path="tags", kind="add", new={"team": "one", "a b": 1}),)
    events = _stack(_event("create", "aws:sqs/queue:Queue", "q", changes=added))
    assert "tags" not in change_tree(events, Layout()).plain
    detailed = change_tree(events, Layout(detailed=True)).plain
    assert '+ tags.team: "one"' in detailed
    assert '+ tags["a b"]: 1' in detailed


def test_json_text_is_compared_leaf_by_leaf():
    change = _update("policy", '{"S":[{"A":"x","E":"Allow"}]}', '{"S": [{"E": "Allow", "A": ["y"]}]}')
    text = change_tree(_stack(_event("update", "aws:sqs/queue:Queue", "q", changes=(change,))), Layout()).plain
    assert '~ policy (json) S[0].A: "x" => ["y"]' in text
    assert "Allow" not in text


def test_special_values_stand_without_quotes():
    changes = (
        _update("password", "[secret]", "[secret]"),
        _update("arn", "a", "[unknown]"),
        _update("code", "archive(file:aaaaaaa) { ./a }", "archive(file:bbbbbbb) { ./a }"),
    )
    text = change_tree(_stack(_event("update", "aws:sqs/queue:Queue", "q", changes=changes)), Layout()).plain
    assert "~ password: [secret] => [secret]" in text
    assert '~ arn: "a" => [unknown]' in text
    assert "~ code: archive(file:aaaaaaa) { ./a } => archive(file:bbbbbbb) { ./a }" in text


def test_a_narrow_terminal_folds_and_a_pipe_does_not():
    change = _update("description", "old " * 30, "new " * 30)
    events = _stack(
        _event("update", "aws:lambda/function:Function", "a-name-that-is-long" * 3, changes=(change,)),
        _event("replace", "aws:sqs/queue:Queue", "q", reasons=("one", "two", "three") * 9),
    )
    for width in (80, 120):
        folded = change_tree(events, Layout(width=width)).plain.splitlines()
        assert max(len(line) for line in folded if "a-name" not in line) <= width
        assert any(line.strip().endswith("description:") for line in folded)
    piped = change_tree(events, Layout()).plain
    assert f'"{"old " * 30}" => "{"new " * 30}"' in piped


def test_drift_is_named_and_so_is_what_was_not_compared():
    events = _stack(
        _event("refresh", "aws:sqs/queue:Queue", "q", changes=(_update("delaySeconds", 1, 9),), unknown=("tags",)),
        _event("refresh", "aws:sqs/queue:Queue", "r"),
        _event("delete", "aws:sns/topic:Topic", "t", message="gone from AWS"),
    )
    text = change_tree(events, Layout(planned=False)).plain
    assert "drifted" in text
    assert "~ delaySeconds: 1 => 9" in text
    assert "delete: gone from AWS" in text
    assert "aws:sqs:Queue q: tags" in text
    assert "Queue r" not in text
    assert [line.split() for line in text.splitlines()[-3:]] == [
        ["-", "1", "deleted"],
        ["~", "1", "drifted"],
        ["1", "unchanged"],
    ]


def test_a_failure_is_shown_with_its_message():
    events = _stack(_event("create", "aws:sqs/queue:Queue", "q", status="failed", message="AccessDenied: no"))
    assert "create failed: AccessDenied: no" in change_tree(events, Layout()).plain
    assert summary(events, planned=False) == [("same", "   no resources")]


def test_the_copy_that_a_replacement_leaves_is_no_deletion():
    events = _stack(
        _event("replace", "aws:sqs/queue:Queue", "q", reasons=("name",)),
        _event("delete", "aws:sqs/queue:Queue", "q", copy=True),
        _event("delete", "aws:sns/topic:Topic", "t"),
        _event("replace", "aws:sns/topic:Topic", "t", reasons=("what it depends on is replaced",)),
    )
    assert [line for _, line in summary(events, planned=True)] == ["+- 2 to replace"]


def test_parents_that_were_not_told_about_still_hold_their_children():
    text = change_tree([_event("delete", "aws:sqs/queue:Queue", "q", ORDERS)], Layout()).plain
    assert text.splitlines()[0].strip() == "shop:index:Orders orders"


def test_types_are_short():
    assert short_type("aws:sqs/queue:Queue") == "aws:sqs:Queue"
    assert short_type("pulumi:pulumi:Stack") == "pulumi:pulumi:Stack"
