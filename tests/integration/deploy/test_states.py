"""State commands: export, import, list, show, delete, rename, unprotect; stack outputs."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness import cli
from harness.deploy import embedded
from harness.deploy.engine import state_edit
from harness.deploy.states import StackState
from harness.errors import StateError, UsageError
from tests.contract.deployment_schema import require_valid
from tests.integration.deploy.conftest import Stack, Things, registry_of

PROGRAM = (
    "q = aws.sqs.Queue('orders', delay_seconds=1, opts=pulumi.ResourceOptions(protect={}))\n"
    "aws.sns.Topic('news', display_name=q.arn, opts=pulumi.ResourceOptions(depends_on=[q]))\n"
    "aws.sqs.Queue('word', policy=pulumi.Output.secret('hunter2'))\n"
    "pulumi.export('arn', q.arn)\npulumi.export('word', pulumi.Output.secret({{'a': ['hunter2']}}))\n"
)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The checkpoint of a stack of three resources, one of them protected: deployed once for all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "registry", lambda: registry_of(Things()))
        stack = Stack(tmp_path_factory.mktemp("sample")).program(PROGRAM.format(True))
        stack.up()
        return stack.request.state.read_text()


@pytest.fixture
def state(sample: str, tmp_path: Path) -> StackState:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "dev.json").write_text(sample)
    return StackState(folder=tmp_path / "state", stack="dev", project="shop")


@pytest.fixture
def deployed(stack: Any, things: Any) -> Any:
    """The same stack with its cloud, for what a deployment makes of an edited state."""
    stack.program(PROGRAM.format(True)).up()
    return stack


def _of(stack: Any) -> StackState:
    return StackState(folder=stack.request.state_dir, stack="dev", project="shop")


def _names(state: StackState) -> list[str]:
    return [r.name for r in state.resources() if r.custom and not r.is_provider]


def test_an_export_can_be_imported_again(deployed: Any, things: Any) -> None:
    state = _of(deployed)
    text = json.dumps(state.export())
    assert len(require_valid(text).resources) == 5
    assert "hunter2" not in text
    kept = state.take(text, where="x.json")
    assert kept is not None
    assert kept.is_file()
    assert deployed.up().changes == {"same": 3}


def test_outputs_are_masked_unless_they_are_to_be_seen(state: StackState) -> None:
    assert state.outputs()["word"] == "[secret]"
    assert state.outputs()["arn"].startswith("arn:aws:thing:")
    assert state.output("word", show_secrets=True) == {"a": ["hunter2"]}
    with pytest.raises(UsageError, match="no output 'wrod'") as refused:
        state.output("wrod")
    assert refused.value.hint == "did you mean 'word'?"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _d: "not json", "cannot be read"),
        (lambda d: json.dumps(d | {"version": 4}), "deployment version 4"),
        (lambda _d: json.dumps({"version": 3}), "cannot be read"),
        (lambda d: json.dumps(d)[: len(json.dumps(d)) // 2], "cannot be read"),
        (lambda d: json.dumps(d).replace("urn:pulumi:dev::", "urn:pulumi:prod::"), "of the stack prod"),
        (lambda d: json.dumps(_reversed(d)), "not sound"),
        (lambda d: json.dumps(_twice(d)), "stands there twice"),
    ],
)
def test_a_bad_import_changes_nothing(state: StackState, change: Any, message: str) -> None:
    before = state.path.read_text()
    with pytest.raises(StateError, match=message) as refused:
        state.take(change(state.export()), where="x.json")
    assert refused.value.where == "x.json"
    assert "nothing was changed" in refused.value.hint
    assert state.path.read_text() == before
    assert list(state.folder.glob("*.before-*")) == []


def test_another_passphrase_is_noticed(state: StackState) -> None:
    document = json.dumps(state.export())
    other = StackState(folder=state.folder, stack="dev", project="shop", passphrase="another")
    with pytest.raises(StateError, match="passphrase|decrypted"):
        other.take(document, where="x.json")


def test_force_takes_over_another_stacks_state(state: StackState, tmp_path: Path) -> None:
    other = StackState(folder=tmp_path / "other", stack="prod")
    other.take(json.dumps(state.export()), where="x.json", force=True)
    urns = [r.urn for r in other.resources()]
    assert "urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod" in urns
    assert all(urn.startswith("urn:pulumi:prod::") for urn in urns)
    assert "urn:pulumi:dev::" not in other.path.read_text()


def test_rename_reaches_every_mention(deployed: Any, things: Any) -> None:
    state = _of(deployed)
    state.edit(lambda found: state_edit.renamed(found, state_edit.find_one(found, "orders"), "sales"))
    assert "::orders" not in state.path.read_text()
    things.calls.clear()
    deployed.program(PROGRAM.format(True).replace("'orders'", "'sales'")).up()
    assert things.operations() == []
    with pytest.raises(UsageError, match="already"):
        state.edit(lambda found: state_edit.renamed(found, state_edit.find_one(found, "sales"), "word"))


def test_delete_refuses_what_is_needed_or_protected(state: StackState) -> None:
    def delete(name: str, **options: bool) -> None:
        defaults = {"force": False, "dependents": False}
        state.edit(lambda found: state_edit.without(found, state_edit.find_one(found, name), **(defaults | options)))

    with pytest.raises(UsageError, match="news need it"):
        delete("orders")
    with pytest.raises(UsageError, match="protected"):
        delete("orders", dependents=True)
    assert set(_names(state)) == {"orders", "news", "word"}
    delete("orders", dependents=True, force=True)
    assert _names(state) == ["word"]


def test_unprotect_lets_a_destroy_through(deployed: Any, things: Any) -> None:
    state = _of(deployed)
    state.edit(lambda found: state_edit.unprotected(found, [state_edit.find_one(found, "orders")]))
    deployed.destroy()
    assert things.existing == {}


def test_a_pattern_must_name_one(state: StackState) -> None:
    with pytest.raises(UsageError, match="names 3 resources"):
        state.one("aws:*::*")
    with pytest.raises(UsageError) as refused:
        state.one("nwes")
    assert refused.value.hint == "did you mean 'news'?"
    assert state.one("aws:sns/topic:Topic::news").name == "news"


def test_an_unknown_stack_names_those_that_there_are(state: StackState) -> None:
    with pytest.raises(UsageError, match="no stack 'prod'") as refused:
        StackState(folder=state.folder, stack="prod").resources()
    assert refused.value.hint == "stacks: dev"


def test_what_the_real_providers_note_down_is_read_and_written(state: StackState) -> None:
    document = state.export()
    queue = next(r for r in document["deployment"]["resources"] if r["urn"].endswith("::orders"))
    assert queue["inputs"]["__defaults"] == ["name"]
    queue["inputs"]["tags"] = {"__defaults": []}
    state.take(json.dumps(document), where="x.json")
    assert "__defaults" not in state.one("orders").inputs
    assert state.one("orders").inputs["tags"] == {}
    assert state.one("orders").defaulted == ["name"]


def _reversed(document: dict[str, Any]) -> dict[str, Any]:
    document["deployment"]["resources"].reverse()
    return document


def _twice(document: dict[str, Any]) -> dict[str, Any]:
    resources = document["deployment"]["resources"]
    resources.append(resources[-1])
    return document


@pytest.fixture
def run(state: StackState, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    """One command line in a workspace with that state: exit code, stdout, stderr. Nothing runs there."""
    root = state.folder.parent
    (root / ".blackstart").mkdir()
    state.folder.rename(root / ".blackstart" / "state")
    (root / "program").mkdir()
    (root / "program" / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (root / "blackstart.toml").write_text('[project]\nprogram = "program"\n')
    monkeypatch.chdir(root)

    def execute(*words: str) -> tuple[int, str, str]:
        return (cli._execute(list(words)), *capfd.readouterr())

    return execute


def test_the_commands_show_and_edit(run: Any) -> None:
    _, listed, _ = run("state", "list")
    assert listed.splitlines()[0].split() == ["pulumi:pulumi:Stack", "shop-dev"]
    assert "protected" in next(line for line in listed.splitlines() if " orders " in line)
    code, shown, _ = run("state", "show", "word")
    assert (code, json.loads(shown)["inputs"]["policy"]) == (0, "[secret]")
    assert json.loads(run("state", "show", "word", "--show-secrets")[1])["inputs"]["policy"] == "hunter2"
    assert run("stack", "output", "arn")[1].startswith("arn:aws:thing:")
    assert json.loads(run("stack", "output", "--json")[1])["data"]["word"] == "[secret]"
    assert run("state", "unprotect", "--all")[1].strip().endswith("::orders")
    assert run("state", "delete", "word")[0] == 0
    assert " word " not in run("state", "list")[1]
    code, _, error = run("state", "delete", "ordesr")
    assert (code, "did you mean" in error, "Traceback" in error) == (2, True, False)


def test_the_commands_export_and_import(run: Any, tmp_path: Path) -> None:
    assert run("state", "export", "--file", "x.json")[0] == 0
    document = json.loads((tmp_path / "x.json").read_text())
    assert document["version"] == 3
    urns = [resource["urn"] for resource in json.loads(run("state", "export")[1])["deployment"]["resources"]]
    assert urns == [resource["urn"] for resource in document["deployment"]["resources"]]
    code, out, _ = run("state", "import", "x.json")
    assert (code, "put aside" in out) == (0, True)
    (tmp_path / "bad.json").write_text("{")
    code, _, error = run("state", "import", "bad.json")
    assert (code, "nothing was changed" in error) == (4, True)
    code, _, error = run("state", "import", "none.json")
    assert (code, "none.json" in error) == (2, True)
