"""The zoo is kept: every patch fits the stack, every drill can be read, and some animals are visited for real."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
VISITED = ("receipt-written-again", "ack-without-write")
"""Quick to show, and of both kinds: an effect too many, and one too few. `make zoo` visits all."""


@pytest.fixture
def zoo(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, ModuleType]:
    monkeypatch.syspath_prepend(str(HERE))
    import drills
    import variants

    return variants, drills


def test_every_patch_fits_the_stack_and_leaves_python(zoo, tmp_path: Path) -> None:
    variants, drills = zoo
    assert len(variants.VARIANTS) >= 29
    for name, variant in variants.VARIANTS.items():
        assert variant.patches or variant.config, name
        variants.release(variant, tmp_path / name, drills.DRILLS[variant.drill].stack)
        for source in (tmp_path / name).rglob("*.py"):
            compile(source.read_text(), str(source), "exec")


def test_a_patch_that_no_longer_fits_is_an_error(zoo, tmp_path: Path) -> None:
    variants, _ = zoo
    stale = variants.Variant(
        mistake="", drill="", breaks="", patches=({"file": "app/aws.py", "replace": "no such text", "with": ""},)
    )
    with pytest.raises(ValueError, match="0 times"):
        variants.release(stale, tmp_path)


def test_every_drill_can_be_read_and_asks_for_what_its_animals_break(zoo, tmp_path: Path) -> None:
    from chaos.drill_file import load_drill

    variants, drills = zoo
    asked = {
        name: load_drill(str(drills.write_drill(name, tmp_path)), tmp_path, policy={}).objectives.names
        for name in drills.DRILLS
    }
    for variant in variants.VARIANTS.values():
        assert not variant.breaks or variant.breaks in asked[variant.drill]
    assert {variant.drill for variant in variants.VARIANTS.values()} == set(drills.DRILLS)


def test_some_animals_are_found_with_their_keys() -> None:
    visit = subprocess.run([sys.executable, HERE, *VISITED], capture_output=True, text=True, check=False, timeout=900)
    rows = {
        row[0].removeprefix("| "): row
        for row in (line.split(" | ") for line in visit.stdout.splitlines())
        if row[0].removeprefix("| ") in VISITED
    }
    assert set(rows) == set(VISITED), visit.stdout + visit.stderr
    opened = {name: row[5] for name, row in rows.items() if row[-1].startswith("open")}
    if opened:
        pytest.skip(f"this machine has too much to do to measure anything: {opened}")
    assert visit.returncode == 0, visit.stdout + visit.stderr
    assert {name: row[2] for name, row in rows.items()} == dict(zip(VISITED, ("duplicates", "lost"), strict=True))
    assert all(row[2] in row[3].split(", ") and "keys, first" in row[5] for row in rows.values())
