"""blackstart.toml: strict, with file, line and the nearest valid key."""

from pathlib import Path

import pytest

from harness.config import Config, load_config
from harness.errors import ConfigError

REPOSITORY = Path(__file__).parents[3]


def written(folder: Path, text: str) -> Path:
    path = folder / "blackstart.toml"
    path.write_text(text)
    return path


def test_a_missing_file_is_every_default(tmp_path: Path) -> None:
    assert load_config(tmp_path / "blackstart.toml") == Config()


def test_the_projects_own_file_is_valid_and_read() -> None:
    config = load_config(REPOSITORY / "blackstart.toml")
    assert config.policy["AZ"].rto == "30s"
    assert config.embedded.regions == ("us-east-1", "us-west-2")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[embedded]\nzones_per_region = 3\nprt = 1\n", 3, "did you mean 'port'?"),
        ('[embedded]\nregions = "us-east-1"\n', 2, "a list is wanted (got 'us-east-1')"),
        ('[policy.AS]\nrto = "3s"\n', 1, "valid names: AZ, Hardware, Region, Software"),
        ('\n\n[policy.AZ]\nrtu = "3s"\n', 4, "did you mean 'rto'?"),
        ('[policy.AZ]\nrto = "3 parsecs"\n', 2, "is not a duration"),
        ('[images]\n"web" = { dir = "x", comand = ["y"] }\n', 2, "did you mean 'command'?"),
        ('[aws]\nallowed_accounts = ["12"]\n', 2, "String should match pattern"),
        ("[embedded]\nport = 70000\n", 2, "less than or equal to 65535"),
        ("[embedded\n", 1, "not TOML"),
    ],
)
def test_a_mistake_names_line_and_remedy(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert caught.value.where == f"{path}:{line}"
    assert says in str(caught.value)
    assert caught.value.exit_code == 2
