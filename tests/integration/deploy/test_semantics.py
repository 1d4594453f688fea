"""Resource options and the order of steps, as Pulumi documents them, with real programs and a cloud in memory."""

import json
import threading
from typing import Any

import pytest

from harness.deploy import embedded
from harness.deploy.engine.secrets import PassphraseSecrets
from harness.errors import ProgramError, ProviderError
from tests.waiting import awaited


@pytest.fixture(autouse=True)
def _no_preflight(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown here is the deployment; the look ahead would run each program twice."""
    monkeypatch.setattr(embedded, "_preflight", lambda _request, _host, _clients: 0)


def resources(stack: Any) -> dict[str, dict[str, Any]]:
    """Name → entry of the checkpoint."""
    entries = json.loads(stack.request.state.read_text())["deployment"]["resources"]
    return {entry["urn"].split("::", 3)[3]: entry for entry in entries}


def test_independent_resources_are_created_and_deleted_sixteen_at_a_time(stack: Any, things: Any) -> None:
    together = threading.Barrier(16, timeout=60)
    things.on_create = lambda _inputs: together.wait()
    stack.program("for i in range(16): aws.sqs.Queue(f'q{i}')").up()
    things.on_delete = lambda _name: together.wait()
    stack.destroy()
    assert things.existing == {}


def test_an_explicit_name_is_deleted_first_and_an_automatic_one_last(stack: Any, things: Any) -> None:
    text = (
        "aws.dynamodb.Table('fixed', name='t', billing_mode='{0}', attributes=[], hash_key='k')\n"
        "aws.dynamodb.Table('free', billing_mode='{0}', attributes=[], hash_key='k')\n"
    )
    stack.program(text.format("A")).up()
    names = {found["name"] for found in things.existing.values()}
    things.calls.clear()
    stack.program(text.format("B")).up()
    order = things.operations()
    assert order.index("delete fixed") < order.index("create fixed")
    assert order.index("create free") < order.index("delete free")
    assert "t" in names
    assert {found["name"] for found in things.existing.values()} - {"t"} != names - {"t"}


def test_a_protected_dependent_stops_a_replacement_before_anything_is_deleted(stack: Any, things: Any) -> None:
    text = (
        "q = aws.sqs.Queue('q', name='{}', opts=pulumi.ResourceOptions(delete_before_replace=True))\n"
        "aws.sns.Topic('t', name=q.arn, opts=pulumi.ResourceOptions(protect=True))\n"
    )
    stack.program(text.format("one")).up()
    things.calls.clear()
    with pytest.raises(ProgramError, match="protected: aws:sns/topic:Topic t"):
        stack.program(text.format("two")).up()
    assert things.operations() == []


def test_a_protected_resource_is_not_replaced(stack: Any, things: Any) -> None:
    text = "aws.sqs.Queue('q', name='{}', opts=pulumi.ResourceOptions(protect={}))"
    stack.program(text.format("x", True)).up()
    with pytest.raises(ProgramError, match="protected and would be replaced"):
        stack.program(text.format("y", True)).up()
    stack.program(text.format("y", False)).up()
    assert [found["name"] for found in things.existing.values()] == ["y"]


def test_retained_and_deleted_with_are_not_deleted_one_by_one(stack: Any, things: Any) -> None:
    text = """
a = aws.sqs.Queue('a')
aws.sqs.Queue('with-a', opts=pulumi.ResourceOptions(deleted_with=a))
class Box(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__('shop:index:Box', name, None, opts)
        aws.sqs.Queue(f'{name}-q', opts=pulumi.ResourceOptions(parent=self))
Box('kept', opts=pulumi.ResourceOptions(retain_on_delete=True))
"""
    stack.program(text).up()
    things.calls.clear()
    stack.destroy()
    assert things.operations() == ["delete a"]
    assert sorted(name.split("-")[0] for name in (found["name"] for found in things.existing.values())) == [
        "kept",
        "with",
    ]


def test_protect_is_inherited_by_children(stack: Any, things: Any) -> None:
    text = """
class Box(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__('shop:index:Box', name, None, opts)
        aws.sqs.Queue(f'{name}-q', opts=pulumi.ResourceOptions(parent=self))
"""
    stack.program(text + "Box('box', opts=pulumi.ResourceOptions(protect=True))").up()
    with pytest.raises(ProgramError, match="protected: .*box-q"):
        stack.program(text).up()
    assert len(things.existing) == 1


def test_changes_are_ignored_by_path_and_wildcard(stack: Any, things: Any) -> None:
    text = (
        "options = lambda *paths: pulumi.ResourceOptions(ignore_changes=list(paths))\n"
        "aws.sqs.Queue('a', tags={{'x': '{0}', 'y': '{1}'}}, opts=options('tags.x'))\n"
        "aws.sqs.Queue('b', tags={{'x': '{0}', 'y': '{1}'}}, opts=options('tags[*]'))\n"
        "aws.sqs.Queue('c', delay_seconds={2}, opts=options('delay_seconds'))\n"
        "aws.sqs.Queue('d', delay_seconds={2}, opts=pulumi.ResourceOptions(replace_on_changes=['*']))\n"
    )
    stack.program(text.format("1", "1", 1)).up()
    things.calls.clear()
    stack.program(text.format("2", "2", 2)).up()
    assert sorted(things.operations()) == ["create d", "delete d", "update a"]
    by_name = {found["name"].split("-")[0]: found for found in things.existing.values()}
    assert by_name["a"]["tags"] == {"x": "1", "y": "2"}
    assert by_name["b"]["tags"] == {"x": "1", "y": "1"}


def test_children_keep_their_resources_when_the_parent_has_an_alias(stack: Any, things: Any) -> None:
    text = """
class Box(pulumi.ComponentResource):
    def __init__(self, name, kind='shop:index:Box', opts=None):
        super().__init__(kind, name, None, opts)
        self.q = aws.sqs.Queue(f'{name}-q', name='fixed', opts=pulumi.ResourceOptions(parent=self))
        aws.sns.Topic('topic', name=self.q.arn, opts=pulumi.ResourceOptions(parent=self))
"""
    stack.program(text + "Box('old')\naws.sqs.Queue('loose', name='loose')").up()
    things.calls.clear()
    moved = """
was = pulumi.Alias(name='old', type_='shop:index:Box')
box = Box('new', 'shop:index:Crate', opts=pulumi.ResourceOptions(aliases=[was]))
top = pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)
aws.sqs.Queue('loose', name='loose', opts=pulumi.ResourceOptions(parent=box, aliases=[top]))
"""
    assert stack.program(text + moved).up().changes["same"] >= 3
    assert things.operations() == []
    assert "shop:index:Crate" in resources(stack)["new-q"]["urn"]
    assert resources(stack)["topic"]["propertyDependencies"] == {"name": [resources(stack)["new-q"]["urn"]]}
    assert stack.up().changes["same"] >= 3
    assert things.operations() == []


def test_transforms_run_from_the_resource_outwards_to_the_stack(stack: Any, things: Any) -> None:
    text = """
def adds(word):
    def change(args):
        if args.type_ != 'aws:sqs/queue:Queue':
            return None
        tags = {**(args.props.get('tags') or {}), 'order': (args.props.get('tags') or {}).get('order', '') + word}
        return pulumi.ResourceTransformResult({**args.props, 'tags': tags}, pulumi.ResourceOptions.merge(
            args.opts, pulumi.ResourceOptions(protect=word == 'stack')))
    return change
def zone(args):
    return pulumi.InvokeTransformResult({**args.args, 'region': 'us-west-2'}, args.opts)
pulumi.runtime.register_resource_transform(adds('stack'))
pulumi.runtime.register_invoke_transform(zone)
class Box(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__('shop:index:Box', name, None, opts)
        aws.sqs.Queue('q', opts=pulumi.ResourceOptions(parent=self, transforms=[adds('own,')]))
Box('box', opts=pulumi.ResourceOptions(transforms=[adds('parent,')]))
pulumi.export('region', aws.get_region_output().region)
"""
    assert stack.program(text).up().outputs["region"] == "us-west-2"
    (queue,) = things.existing.values()
    assert queue["tags"] == {"order": "own,parent,stack"}
    assert resources(stack)["q"]["protect"] is True


def test_a_transform_that_raises_is_named(stack: Any, things: Any) -> None:
    text = """
def breaks(args):
    raise ValueError('not like this')
aws.sqs.Queue('q', opts=pulumi.ResourceOptions(transforms=[breaks]))
"""
    with pytest.raises(ProgramError, match="a transform of aws:sqs/queue:Queue q failed.*not like this"):
        stack.program(text).up()
    assert things.calls == []


def test_hooks_run_around_their_steps_and_one_before_a_step_can_stop_it(stack: Any, things: Any) -> None:
    text = """
import pathlib
def note(word):
    def run(args):
        with pathlib.Path('hooks.txt').open('a') as file:
            file.write(f'{word} {args.name} {bool(args.id)}\\n')
        if word == 'stop':
            raise ValueError('not today')
    return run
hook = lambda word: pulumi.ResourceHook(word, note(word))
"""
    one = (
        "aws.sqs.Queue('q', opts=pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding("
        "before_create=[hook('before')], after_create=[hook('after')], before_delete=[hook('gone')])))"
    )
    stack.program(text + one).up()
    stack.program(text + "hook('gone')").up()
    told = (stack.folder / "program" / "hooks.txt").read_text().splitlines()
    assert told == ["before q False", "after q True", "gone q True"]
    assert things.existing == {}
    two = (
        "aws.sqs.Queue('r', opts=pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding("
        "before_create=[hook('stop')])))"
    )
    with pytest.raises(ProgramError, match="the hook stop .*not today"):
        stack.program(text + two).up()
    assert things.existing == {}


def test_a_creation_beyond_its_timeout_fails_and_is_taken_up_by_the_next_run(stack: Any, things: Any) -> None:
    text = "aws.sqs.Queue('q', opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create='200ms')))"
    hold = threading.Event()
    things.on_create = lambda _inputs: hold.wait(60)
    with pytest.raises(ProviderError, match=r"not done after 0.2 s.*custom_timeouts") as caught:
        stack.program(text).up()
    assert "Queue::q" in caught.value.where
    hold.set()
    awaited(lambda: things.existing)  # AWS ends what it had begun
    things.calls.clear()
    assert stack.up().changes == {"create": 1}
    assert things.calls == []
    assert len(things.existing) == 1


def test_import_takes_what_exists_and_refuses_what_differs(stack: Any, things: Any) -> None:
    things.existing["id-1"] = {"name": "there", "delaySeconds": 5}
    text = "aws.sqs.Queue('q', name='there', delay_seconds={}, opts=pulumi.ResourceOptions(import_='id-1'))"
    with pytest.raises(ProgramError, match=r"do not match(.|\n)*delaySeconds: the program says 7"):
        stack.program(text.format(7)).up()
    with pytest.raises(ProviderError, match="nothing to import"):
        stack.program("aws.sqs.Queue('q', opts=pulumi.ResourceOptions(import_='id-9'))").up()
    assert stack.program(text.format(5)).up().changes == {"read": 1}
    assert stack.up().changes == {"same": 1}
    assert things.calls == []
    stack.destroy()
    assert things.existing == {}


def test_get_reads_and_never_deletes(stack: Any, things: Any) -> None:
    things.existing["id-1"] = {"name": "there"}
    text = "pulumi.export('arn', aws.sqs.Queue.get('q', '{}').arn)"
    assert stack.program(text.format("id-1")).up().outputs["arn"].endswith(":there")
    with pytest.raises(ProviderError, match="no aws:sqs/queue:Queue with id 'id-9'"):
        stack.program(text.format("id-9")).up()
    stack.destroy()
    assert things.existing == {"id-1": {"name": "there"}}


def test_another_explicit_provider_replaces_and_so_does_another_region(stack: Any, things: Any) -> None:
    text = (
        "east, west = (aws.Provider(n, region=n) for n in ('us-east-1', 'us-west-2'))\n"
        "aws.sqs.Queue('p', opts=pulumi.ResourceOptions(provider={0}))\n"
        "aws.sqs.Queue('r', region='{1}')\n"
    )
    stack.program(text.format("east", "us-east-1")).up()
    things.calls.clear()
    stack.program(text.format("west", "us-west-2")).up()
    assert sorted(things.operations()) == ["create p", "create r", "delete p", "delete r"]


def test_replace_with_and_a_replacement_trigger(stack: Any, things: Any) -> None:
    text = (
        "a = aws.sqs.Queue('a', name='{0}')\n"
        "aws.sqs.Queue('b', opts=pulumi.ResourceOptions(replace_with=[a], depends_on=[a]))\n"
        "aws.sqs.Queue('c', opts=pulumi.ResourceOptions(replacement_trigger='{0}'))\n"
    )
    stack.program(text.format("one")).up()
    things.calls.clear()
    stack.program(text.format("two")).up()
    assert sorted(things.operations()) == [f"{op} {n}" for op in ("create", "delete") for n in "abc"]
    assert stack.up().changes == {"same": 3}


def test_secrets_stay_secret_at_every_depth(stack: Any, things: Any) -> None:
    text = """
config = pulumi.Config()
s = pulumi.Output.secret('deep-secret-1')
q = aws.sqs.Queue('q', tags={'open': 'yes', 'hidden': s}, delay_seconds=1,
                  opts=pulumi.ResourceOptions(additional_secret_outputs=['arn']))
aws.sns.Topic('t', display_name=q.arn, tags={'c': config.require_secret('password')})
pulumi.export('tags', q.tags)
pulumi.export('arn', q.arn)
pulumi.export('nested', {'a': [s]})
print('I print deep-secret-1')
pulumi.log.warn('and warn of deep-secret-1')
"""
    (stack.folder / "program").mkdir()
    (stack.folder / "program" / "Pulumi.dev.yaml").write_text("config:\n  shop:password: config-secret-2\n")
    stack.project = "config:\n  password: {type: string, secret: true}\n"
    result = stack.program(text).up()
    state = stack.request.state.read_text()
    told = repr(stack.events) + repr(result)
    arn = next(found for found in things.existing.values() if "displayName" in found)["displayName"]
    for hidden in ("deep-secret-1", "config-secret-2", arn):
        assert hidden not in state
        assert hidden not in told
    assert '"open": "yes"' in state
    assert result.outputs["arn"] == "[secret]"
    things.on_create = lambda inputs: (_ for _ in ()).throw(ProviderError(f"bad: {inputs.get('tags')}"))
    with pytest.raises(ProviderError) as caught:
        stack.program("aws.sqs.Queue('x', tags={'h': pulumi.Output.secret('told-by-aws-3')})").up()
    assert "told-by-aws-3" not in str(caught.value)


def test_a_stack_reference_gives_outputs_of_another_stack(stack: Any, things: Any) -> None:
    stack.program("pulumi.export('vpc', 'vpc-1')\npulumi.export('key', pulumi.Output.secret('hunter2'))").up()
    text = """
ref = pulumi.StackReference('organization/shop/dev')
pulumi.export('seen', ref.get_output('vpc'))
pulumi.export('hidden', ref.require_output('key'))
aws.sns.Topic('t', display_name=ref.require_output('key'))
"""
    stack.name = "other"
    result = stack.program(text).up()
    assert result.outputs == {"seen": "vpc-1", "hidden": "[secret]"}
    assert "hunter2" not in stack.request.state.read_text()
    assert [found["displayName"] for found in things.existing.values()] == ["hunter2"]
    assert stack.destroy().changes == {"delete": 1}, "a reference is forgotten, not deleted"
    with pytest.raises(ProgramError, match="'organization/net/prod' is not deployed here") as caught:
        stack.program("pulumi.StackReference('organization/net/prod')").up()
    assert "shop/dev" in caught.value.hint


def test_two_projects_with_a_stack_of_the_same_name_leave_each_other_alone(stack: Any, things: Any) -> None:
    stack.program("aws.sqs.Queue('q')\npulumi.export('n', 1)").up()
    first = stack.request.state
    stack.project_name = "bills"
    stack.program(
        "aws.sns.Topic('t')\npulumi.export('seen', pulumi.StackReference('organization/shop/dev').outputs['n'])"
    )
    assert stack.up().outputs == {"seen": 1}
    assert len(things.existing) == 2
    assert stack.request.state != first
    stack.destroy()
    assert [found["name"].split("-")[0] for found in things.existing.values()] == ["q"]


def test_dynamic_providers_of_the_program_run_and_are_diffed_by_themselves(stack: Any, things: Any) -> None:
    text = """
import pathlib
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, UpdateResult
from pulumi.dynamic import Resource, ResourceProvider
def note(word):
    with pathlib.Path('dynamic.txt').open('a') as file:
        file.write(word + '\\n')
class Notes(ResourceProvider):
    def check(self, olds, news):
        return CheckResult(news, [CheckFailure('size', 'is too large')] if news['size'] > 9 else [])
    def create(self, props):
        note('create')
        return CreateResult('n-1', {**props, 'twice': props['size'] * 2})
    def diff(self, id, olds, news):
        return DiffResult(olds['size'] != news['size'], ['kind'] if olds['kind'] != news['kind'] else [])
    def update(self, id, olds, news):
        note(f"update {olds['size']} {news['size']}")
        return UpdateResult({**news, 'twice': news['size'] * 2})
    def delete(self, id, props):
        note('delete')
class Note(Resource):
    twice: pulumi.Output[int]
    def __init__(self, name, size, kind):
        super().__init__(Notes(), name, {'size': size, 'kind': kind, 'twice': None})
"""
    last = "pulumi.export('twice', Note('n', {}, '{}').twice)\n"
    assert stack.program(text + last.format(1, "a")).up().outputs["twice"] == 2
    assert stack.up().changes == {"same": 1}
    assert stack.program(text + last.format(2, "a")).up().outputs["twice"] == 4
    assert stack.program(text + last.format(2, "b")).up().changes == {"replace": 1, "delete": 1}
    with pytest.raises(ProgramError, match="size is too large"):
        stack.program(text + last.format(10, "b")).up()
    stack.destroy()
    told = (stack.folder / "program" / "dynamic.txt").read_text().splitlines()
    assert told == ["create", "update 1.0 2.0", "create", "delete", "delete"]


def test_names_follow_the_projects_autonaming(stack: Any, things: Any) -> None:
    (stack.folder / "program").mkdir()
    (stack.folder / "program" / "Pulumi.dev.yaml").write_text(
        "config:\n  pulumi:autonaming:\n    pattern: ${stack}-${name}-${num(3)}\n    providers: {aws: {resources: {"
        "'aws:sns/topic:Topic': {mode: verbatim}, 'aws:dynamodb/table:Table': {mode: disabled}}}}\n"
    )
    text = "aws.sqs.Queue('q')\naws.sns.Topic('t')\n"
    stack.program(text).up()
    names = sorted(found["name"] for found in things.existing.values())
    assert names[1] == "t"
    assert names[0][:6] == "dev-q-"
    assert names[0][6:].isdigit()
    with pytest.raises(ProgramError, match="autonaming is disabled"):
        stack.program(text + "aws.dynamodb.Table('d', attributes=[], hash_key='k')").up()


def test_secrets_of_the_stacks_file_are_opened_by_the_passphrase(
    stack: Any, things: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = PassphraseSecrets.new("open sesame")
    folder = stack.folder / "program"
    folder.mkdir()
    (folder / "Pulumi.dev.yaml").write_text(
        f"encryptionsalt: {secrets.state()['salt']}\nconfig:\n  shop:key:\n    secure: {secrets.encrypt('hunter2')}\n"
    )
    stack.program("aws.sns.Topic('t', display_name=pulumi.Config().require_secret('key'))")
    with pytest.raises(ProgramError, match="shop:key is encrypted with another passphrase"):
        stack.up()
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "open sesame")
    stack.up()
    assert [found["displayName"] for found in things.existing.values()] == ["hunter2"]
    assert stack.destroy().changes == {"delete": 1}, "a reference is forgotten, not deleted"
    assert "hunter2" not in stack.request.state.read_text()
