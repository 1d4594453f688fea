"""Programs that cannot work: each error says what, where in the user's own files, and what to do."""

import errno
import json
import os
from typing import Any

import pytest

from harness.deploy.engine.journal import Journal
from harness.errors import BlackstartError, ProgramError, ProviderError, StateError, UsageError


def refused(stack: Any, kind: type[BlackstartError] = ProgramError) -> BlackstartError:
    with pytest.raises(kind) as caught:
        stack.up()
    return caught.value


def test_missing_configuration_and_missing_modules_say_what_to_do(stack: Any, things: Any) -> None:
    error = refused(stack.program("pulumi.Config().require('size')"))
    assert "'shop:size'" in error.what
    assert "--set shop:size=VALUE" in error.hint
    error = refused(stack.program("import no_such_module_here"))
    assert "line 3" in error.what
    assert "install no_such_module_here" in error.hint
    assert "-m pip install" in error.hint
    assert (error.exit_code, things.calls) == (2, [])


def test_a_missing_sdk_is_installed_where_the_program_looks(stack: Any, things: Any) -> None:
    stack.program("import pulumi_none_such.part")
    assert refused(stack).hint.endswith("-m pip install pulumi-none-such")
    folder = stack.folder / "program"
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: {name: python, options: {virtualenv: venv}}\n")
    (folder / "requirements.txt").write_text("pulumi-none-such\n")
    said = refused(stack).hint
    assert "the virtual environment that Pulumi.yaml names does not exist" in said
    assert f"-m venv {folder / 'venv'} && " in said
    assert f"-r {folder / 'requirements.txt'}" in said
    assert things.calls == []


def test_configuration_that_pulumi_yaml_declares_is_checked(stack: Any, things: Any) -> None:
    stack.project = "config:\n  size: {type: integer}\n  zone: {type: string, default: a}\n  key: {secret: true}\n"
    stack.config = {"shop:size": "many", "shop:key": "hunter2"}
    error = refused(stack.program("pulumi.export('zone', pulumi.Config().require('zone'))"))
    assert "shop:size is 'many', not of type integer" in error.what
    stack.config = {}
    assert "shop:size is missing; shop:key is missing" in refused(stack).what
    stack.config = {"shop:size": "3", "shop:key": "hunter2"}
    assert stack.up().outputs == {"zone": "a"}


def test_the_sdks_own_errors_get_a_place_in_the_program(stack: Any, things: Any) -> None:
    text = "aws.sqs.Queue('fine')\naws.dynamodb.Table('t', hash_key='k', attributes=[{'name': 'k', 'type': ['S']}])"
    error = refused(stack.program(text))
    assert "Unexpected type. Expected 'list'" in error.what
    assert "__main__.py:4" in error.what
    text = """
class Ring(pulumi.ComponentResource):
    def __init__(self):
        super().__init__('x:y:Ring', 'ring')
        aws.sqs.Queue('inner', opts=pulumi.ResourceOptions(parent=self, depends_on=[self]))
aws.sqs.Queue('a')
Ring()
"""
    error = refused(stack.program(text))
    assert "circular dependency" in error.what
    assert "__main__.py:7" in error.what
    assert "site-packages" not in error.what
    assert things.calls == []


def test_a_duplicate_urn_shows_both_places(stack: Any, things: Any) -> None:
    error = refused(stack.program("aws.sqs.Queue('q')\n\naws.sqs.Queue('q')"))
    assert "duplicate URN urn:pulumi:dev::shop::aws:sqs/queue:Queue::q" in error.what
    program = stack.folder / "program" / "__main__.py"
    assert error.where == f"{program}:3 and {program}:5"


def test_an_exception_in_an_apply_shows_its_line_and_what_was_done_before(stack: Any, things: Any) -> None:
    error = refused(stack.program("q = aws.sqs.Queue('q')\npulumi.export('x', q.arn.apply(lambda arn: arn.nothing))"))
    assert "AttributeError: 'str' object has no attribute 'nothing'" in error.what
    assert "line 4, in <lambda>" in error.what
    assert "done before and in the state: 1 create" in error.hint
    assert things.operations() == ["create q"]


def test_a_refusal_names_what_was_done_and_ends_with_4(stack: Any, things: Any) -> None:
    text = "a = aws.sqs.Queue('a')\naws.sqs.Queue('b', delay_seconds=99, opts=pulumi.ResourceOptions(depends_on=[a]))"
    error = refused(stack.program(text), ProviderError)
    assert "Queue::b" in error.where
    assert "done before and in the state: 1 create" in error.hint
    assert error.exit_code == 4


def test_folders_that_are_no_projects_say_why(stack: Any, things: Any) -> None:
    folder = stack.folder / "program"
    folder.mkdir()
    (folder / "main.py").write_text("from pulumi import automation as auto\nauto.create_or_select_stack('dev')\n")
    assert "main.py:2 calls pulumi.automation.create_or_select_stack" in refused(stack, UsageError).what
    (folder / "main.py").unlink()
    stack.project = "main: nowhere\n"
    assert "main: nowhere does not exist" in refused(stack.program(""), UsageError).what
    (folder / "Pulumi.yaml").write_text("name: [shop\n")
    assert "not YAML" in refused(stack).what


def test_a_full_disk_stops_the_deployment_and_leaves_the_last_state(
    stack: Any, things: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.program("aws.sqs.Queue('q')").up()
    before = stack.request.state.read_bytes()

    def full(_journal: Journal, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as disk:
        disk.setattr(Journal, "_append", full)
        error = refused(stack.program("aws.sqs.Queue('q')\naws.sqs.Queue('r')"), StateError)
    assert "No space left on device" in error.what
    assert error.exit_code == 4
    assert things.operations() == ["create q"]
    assert (
        json.loads(before)["deployment"]["resources"]
        == (json.loads(stack.request.state.read_bytes())["deployment"]["resources"])
    )
    assert stack.up().changes == {"same": 1, "create": 1}


def test_default_providers_that_are_turned_off_are_not_used(stack: Any, things: Any) -> None:
    stack.config = {"pulumi:disable-default-providers": '["aws"]'}
    error = refused(stack.program("aws.sqs.Queue('q')"))
    assert "the default provider of aws is turned off" in error.what
    assert things.calls == []
    explicit = "p = aws.Provider('p')\naws.sqs.Queue('q', opts=pulumi.ResourceOptions(provider=p))"
    assert stack.program(explicit).up().changes == {"create": 1}


def test_data_sources_and_files_that_fail_have_a_place_in_the_program(stack: Any, things: Any) -> None:
    error = refused(stack.program("\naws.sqs.Queue('q', name=aws.get_region(name='nowhere').id)"))
    assert error.what == "name: is no region"
    assert error.where == "aws:index/getRegion:getRegion (__main__.py:4)"
    error = refused(stack.program("aws.sns.Topic('t', display_name=pulumi.FileAsset('none.txt'))"))
    assert "none.txt: asset cannot be read" in error.what
    assert "Topic::t" in error.where
    assert "__main__.py:3" in error.where
    assert things.calls == []
