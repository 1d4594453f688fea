"""A buildspec is read, or refused by what it asks for; artifacts are chosen as CodeBuild chooses them."""

import subprocess
from pathlib import Path

import pytest

from harness.cloud.builds.buildspec import Artifacts, BuildspecError, read_buildspec
from harness.cloud.builds.files import chosen
from harness.cloud.builds.script import script_of

WHOLE = """
version: 0.2
env:
  variables: {STAGE: test, COUNT: 3}
  parameter-store: {LIMIT: /shop/limit}
  secrets-manager: {TOKEN: "shop:token"}
  exported-variables: [STAGE]
phases:
  build:
    on-failure: CONTINUE
    commands: [make, make check]
    finally: [make clean]
artifacts:
  files: ["**/*"]
  base-directory: out
  discard-paths: yes
"""


def test_all_of_a_buildspec_is_read() -> None:
    spec = read_buildspec(WHOLE)
    build = spec.phases["build"]
    assert (build.commands, build.cleanup, build.goes_on) == (("make", "make check"), ("make clean",), True)
    assert spec.variables == {"STAGE": "test", "COUNT": "3"}
    assert (spec.parameters, spec.secrets) == ({"LIMIT": "/shop/limit"}, {"TOKEN": "shop:token"})
    assert spec.artifacts == Artifacts(files=("**/*",), base="out", flat=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version: 0.1\nphases: {build: {commands: [ls]}}", "version must be 0.2"),
        ("version: 0.2", "phases is missing"),
        ("version: 0.2\nphases: {build: {commands: [ls]}}\nreports: {}", "reports is not supported"),
        ("version: 0.2\nphases: {deploy: {}}", "phases/deploy is not supported"),
        ("version: 0.2\nphases: {build: {run-as: root}}", "phases/build/run-as is not supported"),
        ("version: 0.2\nenv: {shell: powershell.exe}\nphases: {build: {}}", "powershell.exe is not supported"),
        ("version: [", "YAML_FILE_ERROR"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(text: str, words: str) -> None:
    with pytest.raises(BuildspecError, match=words):
        read_buildspec(text)


def test_artifacts_are_chosen_by_glob_below_their_base(tmp_path: Path) -> None:
    for name in ("out/a.txt", "out/b.log", "out/deep/c.txt", "d.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)

    def names(**given: object) -> list[str]:
        return sorted(name for name, _ in chosen(Artifacts(base="out", **given), tmp_path))  # type: ignore[arg-type]

    assert names(files=("**/*",)) == ["a.txt", "b.log", "deep/c.txt"]
    assert names(files=("*.txt",)) == ["a.txt"]
    assert names(files=("**/*",), excluded=("*.log",), flat=True) == ["a.txt", "c.txt"]
    for given in (Artifacts(files=("*.no",)), Artifacts(files=("*",), base="../x")):
        with pytest.raises(BuildspecError, match="no matching"):
            list(chosen(given, tmp_path))


def test_commands_share_folder_and_variables_and_the_first_failure_ends_them(tmp_path: Path) -> None:
    kept = tmp_path / "ada's käse" / "state"  # whatever the folder of the project is called
    kept.parent.mkdir()

    def run(*commands: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-c", script_of(commands, kept)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        return done.returncode, done.stdout

    assert run("mkdir -p sub && cd sub", "export WHO='ada b'")[0] == 0
    code, said = run('echo "$WHO in $(basename "$PWD")"', "exit 3", "echo never")
    assert code == 3
    assert "ada b in sub" in said
    code, said = run("false", "echo never")
    assert code == 1
    assert "Command did not exit successfully false exit status 1" in said
    assert "never\n" not in said
