"""Operations on a part of the stack: --only-resource, --target-dependents, --replace."""

from dataclasses import replace
from typing import Any

import pytest

from harness.deploy import api
from harness.deploy.engine.selection import Selection
from harness.errors import ProgramError, UsageError

TEXT = (
    "a = aws.sqs.Queue('a', name='a', delay_seconds={0})\n"
    "b = aws.sns.Topic('b', name='b', display_name=a.arn.apply(lambda arn: arn + '{0}'))\n"
    "c = aws.sqs.Queue('c', name='c', delay_seconds={0})\n"
    "pulumi.export('c', c.arn)\n"
)


def _request(stack: Any, *only: str, **more: Any) -> api.DeployRequest:
    return replace(stack.request, only=Selection(only), **more)


def test_only_the_selected_resource_changes(stack: Any, things: Any) -> None:
    stack.program(TEXT.format(1)).up()
    things.calls.clear()
    stack.program(TEXT.format(2))
    api.up(_request(stack, "c"))
    assert things.operations() == ["update c"]
    assert stack.up().changes == {"same": 1, "update": 2}


def test_dependents_come_along_when_asked(stack: Any, things: Any) -> None:
    stack.program(TEXT.format(1)).up()
    things.calls.clear()
    stack.program(TEXT.format(2))
    api.up(_request(stack, "aws:sqs/queue:Queue::a", dependents=True))
    assert things.operations() == ["update a", "update b"]


def test_what_does_not_exist_and_is_not_selected_is_not_created(stack: Any, things: Any) -> None:
    stack.program(TEXT.format(1))
    result = api.up(_request(stack, "a"))
    assert things.operations() == ["create a"]
    assert [urn.rsplit("::", 1)[1] for urn in result.left_out] == ["b", "c"]
    assert "c" not in result.outputs
    assert stack.up().changes == {"same": 1, "create": 2}


def test_a_selected_resource_may_not_need_one_that_is_left_out(stack: Any, things: Any) -> None:
    stack.program(TEXT.format(1))
    with pytest.raises(ProgramError, match=r"Topic b needs .*Queue a, which does not exist yet") as refused:
        api.up(_request(stack, "b"))
    assert refused.value.hint == "--only-resource a"
    assert things.existing == {}


def test_a_typo_is_refused_before_anything_is_done(stack: Any, things: Any) -> None:
    stack.program("aws.sqs.Queue('orders')\naws.sqs.Queue('carts')")
    for operation in (api.preview, api.up):
        with pytest.raises(UsageError, match="'ordrs'") as refused:
            operation(_request(stack, "ordrs", "carts"))
        assert refused.value.hint == "did you mean 'orders'?"
    with pytest.raises(UsageError, match="'cart'"):
        api.up(_request(stack, replace=Selection(("cart",))))
    assert things.existing == {}
    stack.up()
    with pytest.raises(UsageError, match="'cart'"):
        api.destroy(_request(stack, "cart"))


def test_destroying_a_part_takes_dependents_only_when_asked(stack: Any, things: Any) -> None:
    stack.program(TEXT.format(1)).up()
    things.calls.clear()
    with pytest.raises(UsageError, match="Topic b would be left without"):
        api.destroy(_request(stack, "a"))
    assert things.calls == []
    api.destroy(_request(stack, "a", dependents=True))
    assert things.operations() == ["delete b", "delete a"]
    assert [found["name"] for found in things.existing.values()] == ["c"]
    assert stack.up().changes == {"create": 2, "same": 1}


def test_only_the_selected_deletion_is_done(stack: Any, things: Any) -> None:
    stack.program("aws.sqs.Queue('x')\naws.sqs.Queue('y')\naws.sqs.Queue('z')").up()
    things.calls.clear()
    stack.program("aws.sqs.Queue('z')")
    api.up(_request(stack, "x"))
    assert things.operations() == ["delete x"]
    assert stack.up().changes == {"same": 1, "delete": 1}


def test_replace_makes_a_resource_anew_though_nothing_changed(stack: Any, things: Any) -> None:
    stack.program("aws.sqs.Queue('q')\naws.sqs.Queue('r')").up()
    before = set(things.existing)
    things.calls.clear()
    request = _request(stack, replace=Selection(("q",)))
    events: list[Any] = []
    api.preview(request, events.append)
    assert [e.reasons for e in events if e.op == "replace" and e.status == "done"] == [("--replace",)]
    assert things.calls == []
    assert api.up(request).changes == {"replace": 1, "delete": 1, "same": 1}
    assert things.operations() == ["create q", "delete q"]
    assert len(set(things.existing) - before) == 1
