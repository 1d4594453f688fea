"""Drill files: what is wrong is said with file, line and the nearest valid name, before anything starts."""

import json
import re
import shutil
from pathlib import Path

import pytest

from chaos.drill_file import drill_names, load_drill
from harness.errors import ConfigError

CHAOS = Path(__file__).parents[3] / "chaos"


@pytest.fixture
def drills(tmp_path: Path) -> Path:
    """A copy of the project's drills and experiments, to be broken."""
    for name in ("drills", "experiments", "workloads"):
        shutil.copytree(CHAOS / name, tmp_path / name)
    return tmp_path / "drills"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("name", drill_names(CHAOS / "drills"))
def test_the_drills_of_the_project_can_be_read(name: str, drills: Path) -> None:
    drill = load_drill(name, drills, policy={})
    assert drill.name == name
    assert drill.template["actions"]


def test_a_misspelt_drill_gets_the_nearest_name(drills: Path) -> None:
    with pytest.raises(ConfigError, match="no drill 'zone-los'") as caught:
        load_drill("zone-los", drills, policy={})
    assert "zone-loss" in caught.value.hint


@pytest.mark.parametrize(
    ("file", "old", "new", "said", "hint"),
    [
        ("drills/zone-loss.toml", "[workload]", "[workload]\nrat = 50.0", "unknown key 'workload.rat'", "rate"),
        ("drills/zone-loss.toml", "[workload]", "[workload]\nrate = 0", "workload.rate", ""),
        ("drills/zone-loss.toml", "[workload]", "[workload]\noperations = [{}]", "either operations or a file", ""),
        ("drills/zone-loss.toml", 'deadline = "30s"', 'deadline = "soon"', "method.deadline", ""),
        ("drills/zone-loss.toml", 'rto = "8s"', 'rtoo = "8s"', "unknown objective 'rtoo'", "rto"),
        ("workloads/orders.toml", "rate = 50.0", "rat = 50.0", "unknown key 'rat'", "rate"),
        ("workloads/orders.toml", 'kind = "read_order"', 'kindd = "read_order"', "kindd", "kind"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_its_line(
    drills: Path, file: str, old: str, new: str, said: str, hint: str
) -> None:
    edit(drills.parent / file, old, new)
    with pytest.raises(ConfigError) as caught:
        load_drill("zone-loss", drills, policy={})
    assert said in caught.value.what
    assert hint in caught.value.hint
    line = re.search(rf"{file.rsplit('/', maxsplit=1)[-1]}:(\d+)", caught.value.where)
    assert line is not None, caught.value.where


def test_a_shared_workload_holds_where_the_drill_says_nothing(drills: Path) -> None:
    plain = load_drill("zone-loss", drills, policy={})
    assert (plain.rate, [operation.kind for operation in plain.operations]) == (50.0, ["place_order", "read_order"])
    assert plain.verification is not None
    edit(drills / "zone-loss.toml", "[workload]", "[workload]\nrate = 7.0")
    assert load_drill("zone-loss", drills, policy={}).rate == 7.0
    edit(drills / "zone-loss.toml", "orders.toml", "orders.tml")
    with pytest.raises(ConfigError, match="orders.tml"):
        load_drill("zone-loss", drills, policy={})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"actionId"', '"actionID"', "actionID"),
        ("blackstart:az:interrupt-power", "blackstart:az:interupt-power", "blackstart:az:interrupt-power"),
        ('"availabilityZoneIdentifier"', '"availabilityZone"', "availabilityZoneIdentifier"),
        ('"PT1M"', '"1 minute"', "1 minute"),
        ('"stopConditions": [{"source": "none"}],', "", "stopConditions"),
        ("{", "", "not JSON"),
    ],
)
def test_a_wrong_template_is_refused_before_anything_starts(drills: Path, old: str, new: str, said: str) -> None:
    template = drills.parent / "experiments" / "zone-loss.json"
    edit(template, old, new)
    with pytest.raises(ConfigError) as caught:
        load_drill("zone-loss", drills, policy={})
    assert said in caught.value.what
    assert "zone-loss.json" in caught.value.where


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"execute-api", "operations"', '"execute-apy", "operations"', "did you mean 'execute-api'?"),
        ('"Invoke"', '"Invke"', "did you mean 'Invoke'?"),
    ],
)
def test_a_service_that_is_none_is_told_with_its_line(drills: Path, old: str, new: str, said: str) -> None:
    template = drills.parent / "experiments" / "api-unavailable.json"
    line = next(n for n, text in enumerate(template.read_text().splitlines(), 1) if old in text)
    edit(template, old, new)
    with pytest.raises(ConfigError) as caught:
        load_drill("api-unavailable", drills, policy={})
    assert said in caught.value.what
    assert caught.value.where.endswith(f"api-unavailable.json:{line}")
    edit(template, new, old)
    edit(drills / "api-unavailable.toml", "[workload]", '[experiment.parameters]\nservice = "s33"\n\n[workload]')
    with pytest.raises(ConfigError, match=r"api-unavailable.toml:\d+ experiment.parameters.service(?s:.)*'s3'"):
        load_drill("api-unavailable", drills, policy={})


def test_a_template_that_is_no_object_is_refused(drills: Path) -> None:
    (drills.parent / "experiments" / "zone-loss.json").write_text(json.dumps(["actions"]))
    with pytest.raises(ConfigError, match="not an experiment template"):
        load_drill("zone-loss", drills, policy={})


WARM = "region-loss-warm-standby"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("warm_standby:fail_over", "warm_standbi:fail_over", "no module 'chaos.procedures.warm_standbi'"),
        ("chaos.procedures.warm_standby:fail_over", "no-such-program --now", "no program 'no-such-program'"),
        ('timeout = "60s"', 'after = "5s"', "a procedure needs either after or alarm"),
        ("[failover]", "[failove]", "unknown key 'failove'"),
        ("[standby.config]", "[standby.confi]", "unknown key 'standby.confi'"),
    ],
)
def test_a_failover_that_cannot_be_is_refused_before_anything_starts(
    drills: Path, old: str, new: str, said: str
) -> None:
    edit(drills / f"{WARM}.toml", old, new)
    with pytest.raises(ConfigError, match=re.escape(said)):
        load_drill(WARM, drills, policy={})
