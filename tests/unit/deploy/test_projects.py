"""Pulumi.yaml: which Python runs the program, which settings there are, and programs that would start the CLI."""

import sys
from pathlib import Path

import pytest

from harness.deploy.engine.project import read_project
from harness.errors import ProgramError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "__main__.py").write_text("")
    return tmp_path


def _python(folder: Path, runtime: str, config: dict[str, str] | None = None) -> str:
    (folder / "Pulumi.yaml").write_text(f"name: shop\nruntime: {runtime}\n")
    _, program = read_project(folder, "dev", region="us-east-1", overrides=config or {})
    return program.interpreter


def _environment(at: Path) -> str:
    (at / "bin").mkdir(parents=True)
    (at / "bin" / "python").symlink_to(sys.executable)
    return str(at / "bin" / "python")


def test_pip_takes_the_named_environment_or_ours(folder: Path) -> None:
    assert _python(folder, "python") == sys.executable
    assert _python(folder, "{name: python, options: {toolchain: pip, virtualenv: venv}}") == sys.executable
    there = _environment(folder / "venv")
    assert _python(folder, "{name: python, options: {toolchain: pip, virtualenv: venv}}") == there


def test_uv_has_its_environment_beside_the_lock_file(folder: Path) -> None:
    (folder / "uv.lock").write_text("")
    inner = folder / "infra"
    inner.mkdir()
    (inner / "__main__.py").write_text("")
    with pytest.raises(UsageError, match="toolchain uv: there is no virtual environment at") as caught:
        _python(inner, "{name: python, options: {toolchain: uv}}")
    assert f"run `uv sync` in {inner}" in caught.value.hint
    there = _environment(folder / ".venv")
    assert _python(inner, "{name: python, options: {toolchain: uv}}") == there


def test_poetry_is_asked_where_its_environment_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = folder / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    (tools / "poetry").write_text(f"#!/bin/sh\n[ -d {folder}/away ] && echo {folder}/away\n")
    (tools / "poetry").chmod(0o755)
    with pytest.raises(UsageError, match="toolchain poetry: there is no virtual environment") as caught:
        _python(folder, "{name: python, options: {toolchain: poetry}}")
    assert "poetry install" in caught.value.hint
    away = _environment(folder / "away")
    assert _python(folder, "{name: python, options: {toolchain: poetry}}") == away
    assert _python(folder, "{name: python, options: {toolchain: poetry, virtualenv: away}}") == away
    own = _environment(folder / ".venv")
    assert _python(folder, "{name: python, options: {toolchain: poetry}}") == own


def test_another_toolchain_and_an_unknown_setting_are_refused_by_name(folder: Path) -> None:
    with pytest.raises(UsageError, match="toolchain 'poetri' is not supported") as usage:
        _python(folder, "{name: python, options: {toolchain: poetri}}")
    assert usage.value.hint == "did you mean 'poetry'?"
    with pytest.raises(ProgramError, match="no setting pulumi:autonamin") as program:
        _python(folder, "python", {"pulumi:autonamin": "{}"})
    assert program.value.hint == "did you mean 'pulumi:autonaming'?"


INLINE = """
from pulumi import automation as auto

def program(): ...

stack = auto.create_or_select_stack("dev", project_name="orders", program=program)
stack.up()
"""
LOCAL = """
from pulumi.automation import create_stack
create_stack(stack_name="dev", work_dir="../infra")
"""


@pytest.mark.parametrize("project", [True, False])
@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        (INLINE, "main.py:6 calls pulumi.automation.create_or_select_stack", "imports program and calls it"),
        (INLINE, "starts the pulumi CLI", "`name: orders`"),
        (LOCAL, "main.py:3 calls pulumi.automation.create_stack", "its work_dir (../infra)"),
    ],
)
def test_a_program_that_would_start_the_cli_is_told_what_to_do(
    folder: Path, text: str, what: str, hint: str, *, project: bool
) -> None:
    (folder / "main.py").write_text(text)
    if project:
        (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    with pytest.raises(UsageError) as caught:
        read_project(folder, "dev", region="us-east-1", overrides={})
    assert what in caught.value.what
    assert hint in caught.value.hint


def test_the_word_alone_is_no_call(folder: Path) -> None:
    (folder / "main.py").write_text("# automation: create_stack()\ndef create_stack(): ...\ncreate_stack()\n")
    assert _python(folder, "python") == sys.executable
