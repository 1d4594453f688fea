"""`blackstart init`: files that fit the program, and nothing overwritten."""

import ast
import tomllib
from pathlib import Path

import pytest

from chaos.drill_file import load_drill
from harness.config import load_config
from harness.errors import UsageError
from harness.scaffold import exports_of, scaffold, url_of


def program(folder: Path, text: str) -> None:
    (folder / "infra").mkdir()
    (folder / "infra" / "Pulumi.yaml").write_text("name: notes\nruntime: python\n")
    (folder / "infra" / "__main__.py").write_text(text)


def test_what_is_written_asks_the_url_that_the_program_exports(tmp_path: Path) -> None:
    program(tmp_path, 'import pulumi\nfrom pulumi import export\npulumi.export("bucket", 1)\nexport("siteUrl", 2)\n')
    made = scaffold(tmp_path)
    assert made.url == "siteUrl"
    config = load_config(tmp_path / "blackstart.toml")
    assert config.project.program == "infra"
    drill = load_drill("zone-loss", tmp_path / "drills", policy=config.policy)
    assert [one.url for one in drill.operations] == ["{outputs.siteUrl}"]
    assert drill.objectives.rto_s == 10.0
    for name in ("scenarios/test_stack.py", "scenarios/load/locustfile.py"):
        text = (tmp_path / name).read_text()
        ast.parse(text)
        assert 'outputs["siteUrl"]' in text or '["outputs"]["siteUrl"]' in text


def test_without_a_url_nothing_pretends_to_ask_one(tmp_path: Path) -> None:
    program(tmp_path, 'import pulumi\npulumi.export("bucket", 1)\n')
    assert scaffold(tmp_path).url == ""
    assert not list((tmp_path / "drills").iterdir())
    assert not (tmp_path / "scenarios" / "load").exists()
    assert tomllib.loads((tmp_path / "blackstart.toml").read_text())["project"]["drills"] == "drills"


def test_where_there_is_no_program_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no Pulumi program(?s:.)*blackstart init FOLDER"):
        scaffold(tmp_path / "misspelt")
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    program(tmp_path, 'import pulumi\npulumi.export("url", 1)\n')
    (tmp_path / "drills").mkdir()
    (tmp_path / "drills" / "zone-loss.toml").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        scaffold(tmp_path)
    assert not (tmp_path / "blackstart.toml").exists()
    assert (tmp_path / "drills" / "zone-loss.toml").read_text() == "mine"


def test_a_program_that_cannot_be_read_has_no_exports(tmp_path: Path) -> None:
    program(tmp_path, "import (\n")
    assert list(exports_of(tmp_path / "infra")) == []


@pytest.mark.parametrize(
    ("exports", "url"),
    [(["api_url", "site_url"], "api_url"), (["a_url", "url"], "url"), (["hostedEndpoint"], "hostedEndpoint")],
)
def test_the_likeliest_export_is_the_apis(exports: list[str], url: str) -> None:
    assert url_of(exports) == url


def test_the_drill_in_the_guide_is_one(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "your-own-stack.md").read_text()
    program(tmp_path, 'import pulumi\npulumi.export("url", 1)\n')
    scaffold(tmp_path)
    (tmp_path / "drills" / "zone-loss.toml").write_text(guide.partition("```toml\n")[2].partition("```")[0])
    drill = load_drill("zone-loss", tmp_path / "drills", policy={})
    assert [one.write for one in drill.operations] == [True, False]
    assert drill.verification is not None
    assert (drill.objectives.rto_s, drill.objectives.rpo_s) == (10.0, 0.0)
