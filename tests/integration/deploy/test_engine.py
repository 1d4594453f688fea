"""The engine with real Pulumi programs and a cloud in memory: Pulumi's own semantics."""

import json
import os
from typing import Any

import pytest

from harness.deploy.engine.lock import locked
from harness.errors import ProgramError, ProviderError, StateError, UsageError

QUEUE = "q = aws.sqs.Queue('orders')\npulumi.export('arn', q.arn)\n"


def test_a_resource_is_created_once_and_then_left_alone(stack: Any, things: Any) -> None:
    first = stack.program(QUEUE).up()
    again = stack.up()
    assert things.operations() == ["create orders"]
    assert first.changes == {"create": 1}
    assert again.changes == {"same": 1}
    assert first.resources == again.resources == 1
    assert first.outputs == again.outputs
    assert first.outputs["arn"].startswith("arn:aws:thing:us-east-1:000000000000:orders-")


def test_both_runs_of_a_program_start_afresh_in_forks_of_one_process(stack: Any, things: Any) -> None:
    note = "print(os.getppid(), os.getpid(), hasattr(sys, 'seen'), file=open('runs', 'a'))\nsys.seen = True\n"
    stack.program("import os, sys\n" + note + QUEUE).up()
    runs = [line.split() for line in (stack.folder / "program" / "runs").read_text().splitlines()]
    assert [seen for _, _, seen in runs] == ["False", "False"]
    assert len({parent for parent, _, _ in runs}) == 1
    assert len({own for _, own, _ in runs}) == 2
    assert things.operations() == ["create orders"]


def test_a_changed_input_updates_and_a_changed_name_replaces_new_before_old(stack: Any, things: Any) -> None:
    stack.program("aws.sqs.Queue('q', name='one', delay_seconds=1)").up()
    assert stack.program("aws.sqs.Queue('q', name='one', delay_seconds=2)").up().changes == {"update": 1}
    assert stack.program("aws.sqs.Queue('q', name='two', delay_seconds=2)").up().changes == {
        "replace": 1,
        "delete": 1,
    }
    assert things.operations() == ["create q", "update q", "create q", "delete q"]
    assert [found["name"] for found in things.existing.values()] == ["two"]


def test_delete_before_replace_takes_dependents_along(stack: Any, things: Any) -> None:
    text = (
        "q = aws.sqs.Queue('q', name='{}', opts=pulumi.ResourceOptions(delete_before_replace=True))\n"
        "aws.sns.Topic('t', name=q.arn)\n"
    )
    stack.program(text.format("one")).up()
    things.calls.clear()
    stack.program(text.format("two")).up()
    assert things.operations() == ["delete t", "delete q", "create q", "create t"]


def test_what_the_program_no_longer_has_is_deleted_dependents_first(stack: Any, things: Any) -> None:
    stack.program("q = aws.sqs.Queue('q')\nt = aws.sns.Topic('t', display_name=q.arn)\naws.sqs.Queue('kept')").up()
    things.calls.clear()
    stack.program("aws.sqs.Queue('kept')").up()
    assert things.operations() == ["delete t", "delete q"]
    stack.destroy()
    assert things.existing == {}
    assert json.loads(stack.request.state.read_text())["deployment"]["resources"] == []


def test_options_are_obeyed(stack: Any, things: Any) -> None:
    text = (
        "a = aws.sqs.Queue('a', delay_seconds={0}, opts=pulumi.ResourceOptions(ignore_changes=['delaySeconds']))\n"
        "aws.sqs.Queue('b', delay_seconds={0}, opts=pulumi.ResourceOptions(replace_on_changes=['delaySeconds']))\n"
        "aws.sqs.Queue('c', opts=pulumi.ResourceOptions(depends_on=[a]))\n"
    )
    stack.program(text.format(1)).up()
    assert things.operations().index("create a") < things.operations().index("create c")
    things.calls.clear()
    stack.program(text.format(2)).up()
    assert things.operations() == ["create b", "delete b"]


def test_a_protected_resource_is_not_deleted(stack: Any, things: Any) -> None:
    stack.program("aws.sqs.Queue('q', opts=pulumi.ResourceOptions(protect=True))").up()
    with pytest.raises(ProgramError, match="protected"):
        stack.destroy()
    assert len(things.existing) == 1
    stack.program("aws.sqs.Queue('q', opts=pulumi.ResourceOptions(protect=False))").up()
    stack.destroy()
    assert things.existing == {}


def test_components_and_explicit_providers_of_two_regions(stack: Any, things: Any) -> None:
    text = """
class Pair(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__('shop:index:Pair', name, None, opts)
        self.q = aws.sqs.Queue(f'{name}-q', opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({'arn': self.q.arn})
west = aws.Provider('west', region='us-west-2', access_key='AKIAREAL', secret_key='x')
pair = Pair('pair', opts=pulumi.ResourceOptions(provider=west))
other = aws.sqs.Queue('other', region='us-west-2')
pulumi.export('pair', pair.q.arn)
pulumi.export('other', other.arn)
"""
    outputs = stack.program(text).up().outputs
    assert outputs["pair"].split(":")[3] == "us-west-2"
    assert outputs["other"].split(":")[3] == "us-west-2"
    urns = [r["urn"] for r in json.loads(stack.request.state.read_text())["deployment"]["resources"]]
    assert "urn:pulumi:dev::shop::shop:index:Pair$aws:sqs/queue:Queue::pair-q" in urns


def test_an_alias_keeps_the_resource(stack: Any, things: Any) -> None:
    stack.program("aws.sqs.Queue('old', name='fixed')").up()
    text = "aws.sqs.Queue('new', name='fixed', opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name='old')]))"
    assert stack.program(text).up().changes == {"same": 1}
    assert stack.up().changes == {"same": 1}
    assert things.operations() == ["create old"]


def test_secrets_are_nowhere_in_the_clear(stack: Any, things: Any) -> None:
    stack.config = {"shop:password": "hunter2-from-config"}
    text = (
        "t = aws.sns.Topic('t', display_name=pulumi.Output.secret('hunter2'))\n"
        "pulumi.export('shown', t.display_name)\npulumi.export('arn', t.arn)\n"
    )
    result = stack.program(text).up()
    assert next(iter(things.existing.values()))["displayName"] == "hunter2"
    assert result.outputs["shown"] == "[secret]"
    assert '"hunter2"' not in stack.request.state.read_text()
    assert "hunter2" not in repr(stack.events)
    assert stack.up().changes == {"same": 1}


def test_invokes_answer_for_the_default_providers_region(stack: Any, things: Any) -> None:
    assert stack.program("pulumi.export('r', aws.get_region().region)").up().outputs == {"r": "us-east-1"}


def test_a_preview_changes_nothing_and_leaves_unknown_outputs_out(stack: Any, things: Any) -> None:
    result = stack.program("q = aws.sqs.Queue('q')\naws.sns.Topic('t', display_name=q.arn)").preview()
    assert result.changes == {"create": 2}
    assert things.calls == []
    assert not stack.request.state.exists()


def test_every_unsupported_type_is_named_before_anything_is_created(stack: Any, things: Any) -> None:
    text = (
        "aws.sqs.Queue('q')\naws.ec2.Vpc('v', cidr_block='10.0.0.0/16')\naws.glue.Job('j', role_arn='r', command={})"
    )
    with pytest.raises(ProgramError) as caught:
        stack.program(text).up()
    assert "aws:ec2/vpc:Vpc" in str(caught.value)
    assert "aws:glue/job:Job" in str(caught.value)
    assert things.calls == []


def test_a_bad_input_is_refused_before_anything_is_created(stack: Any, things: Any) -> None:
    with pytest.raises(ProgramError, match="delaySeconds must not be negative") as caught:
        stack.program("aws.sqs.Queue('fine')\naws.sqs.Queue('q', delay_seconds=-1)").up()
    assert "urn:pulumi:dev::shop::aws:sqs/queue:Queue::q" in caught.value.where
    assert things.calls == []


def test_a_refusal_by_the_provider_names_the_resource_and_keeps_what_was_made(stack: Any, things: Any) -> None:
    text = "a = aws.sqs.Queue('a')\naws.sqs.Queue('b', delay_seconds={}, opts=pulumi.ResourceOptions(depends_on=[a]))"
    with pytest.raises(ProviderError, match="99 is too long") as caught:
        stack.program(text.format(99)).up()
    assert "Queue::b" in caught.value.where
    assert things.operations() == ["create a"]
    assert stack.program(text.format(1)).up().changes == {"same": 1, "create": 1}


def test_a_broken_program_shows_its_own_traceback_only(stack: Any, things: Any) -> None:
    with pytest.raises(ProgramError) as caught:
        stack.program("def helper():\n    raise KeyError('no such thing')\nhelper()").up()
    text = str(caught.value)
    assert "KeyError: 'no such thing'" in text
    assert "__main__.py" in text
    assert "line 4, in helper" in text
    assert "runpy" not in text
    assert "site-packages" not in text


def test_a_syntax_error_names_file_and_line(stack: Any, things: Any) -> None:
    with pytest.raises(ProgramError, match=r"__main__.py.*line 3") as caught:
        stack.program("def (:").up()
    assert "SyntaxError" in str(caught.value)


def test_a_folder_without_a_program_says_so(stack: Any, things: Any) -> None:
    (stack.folder / "program").mkdir()
    with pytest.raises(UsageError, match="no Pulumi.yaml"):
        stack.up()


def test_a_locked_state_names_its_owner_and_what_a_dead_owner_left_does_not_lock(stack: Any, things: Any) -> None:
    stack.program(QUEUE)
    with (
        locked(stack.request.state),
        pytest.raises(StateError, match=rf"locked by process {os.getpid()} since"),
    ):
        stack.up()
    lock = stack.request.state.with_suffix(".lock")
    assert not lock.exists()
    lock.write_text(json.dumps({"pid": os.getpid(), "started": 1.0, "since": 0.0}))
    assert stack.up().changes == {"create": 1}
    assert not lock.exists()


@pytest.mark.parametrize(
    "text", ["{", '{"version":3}', '{"version":9,"deployment":{}}', '{"version":3,"deployment":{"resources":[{}]}}']
)
def test_a_damaged_or_newer_state_is_left_untouched(stack: Any, things: Any, text: str) -> None:
    stack.program(QUEUE)
    stack.request.state.parent.mkdir()
    stack.request.state.write_text(text)
    with pytest.raises(StateError):
        stack.up()
    assert stack.request.state.read_text() == text
    assert things.calls == []
