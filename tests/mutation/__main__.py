"""`make mutate`: breaks each measure in every small way and says which test went red.

Works on a copy. Names of modules below `harness/measure` choose some; without any, docs/mutation.md gets the table.
Exits with the number of mutants that no test noticed, less those that equivalents.txt explains.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from mutants import Mutant, mutants_of

ROOT = Path(__file__).parents[2]
JUDGING = ("edges", "verdict", "false_greens", "figures")
MEASURES = {
    "recovery": ("recovery", *JUDGING),
    "history": ("history", *JUDGING),
    "loss": ("history", *JUDGING),
    "staleness": ("figures", "edges"),
    "availability": ("figures", "verdict", "edges"),
    "statistics": ("edges", "statistics", "figures", "verdict"),
    "pacing": ("figures", "false_greens"),
    "clocks": ("edges", "false_greens"),
    "phases": JUDGING,
    "doubts": JUDGING,
    "judging": JUDGING,
    "comparison": ("edges", "comparison"),
    "calibration": ("calibration",),
    "machine": ("machine",),
    **{f"checkers/{name}": ("edges", "checkers") for name in
       ("register", "append_only", "counter", "unique", "versions", "queue", "fan_out", "bank", "exactly_once")},
    "checkers/linearizable": ("edges", "linearizable"),
}  # fmt: skip
"""Each module below `harness/measure`, and the test files that must notice when it is wrong."""

_FAILED = re.compile(r"^(?:FAILED|ERROR) \S*?::(\S+)|^ERROR (\S+)", re.MULTILINE)


def copied(folder: Path) -> Path:
    """The parts that the tests need."""
    for name in ("harness", "chaos", "tests/unit/measure", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def red(folder: Path, tests: Iterable[str]) -> str:
    """The first test that fails, '' when all pass."""
    files = [f"tests/unit/measure/test_{name}.py" for name in tests]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", *files]
    run = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_PROFILE": "quick"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if run.returncode == 0:
        return ""
    found = _FAILED.search(run.stdout)
    return (found[1] or found[2]) if found else f"exit {run.returncode}"


def explained() -> dict[tuple[str, str, str], str]:
    """Mutants that behave as the original does, by module, was and became: the reason why."""
    lines = (Path(__file__).with_name("equivalents.txt")).read_text().splitlines()
    told = [line.split(" | ") for line in lines if line and not line.startswith("#")]
    return {(module, was, became): why for module, was, became, why in told}


def judged(module: str, mutant: Mutant, folder: Path) -> str:
    """Which test noticed the mutant."""
    path = folder / "harness" / "measure" / f"{module}.py"
    path.write_text(mutant.source)
    try:
        return red(folder, MEASURES[module])
    except subprocess.TimeoutExpired:
        return "it never ended"


def row(module: str, mutant: Mutant, said: str) -> str:
    """One line of the table."""
    return f"| {module}:{mutant.line} | `{mutant.was}` | `{mutant.became}` | {said} |".replace("||", "\\|\\|")


def page(rows: list[str]) -> str:
    """docs/mutation.md: what was broken, and which test went red."""
    modules = sorted({line.split(":")[0].removeprefix("| ") for line in rows})
    same = sum("equivalent:" in line for line in rows)
    open_ones = sum("SURVIVED" in line for line in rows)
    noticed = len(rows) - same - open_ones
    return f"""# Mutation of the measures

Written by `make mutate`: each measure of `harness/measure` is broken in every small way (a comparison moved by its
edge, a term dropped, a bound swapped, a case negated), one at a time, and its tests are run. Of {len(rows)} mutants
of {len(modules)} modules {noticed} were noticed, {same} make no difference for the reason beside them, {open_ones}
were not noticed.

| where | was | became | noticed by |
|---|---|---|---|
""" + "".join(f"{line}\n" for line in rows)


def main(modules: list[str]) -> int:
    """Every mutant of the modules named, or of every measure."""
    equivalent, rows, began_s = explained(), [], time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = copied(Path(name))
        if failing := red(folder, sorted({test for tests in MEASURES.values() for test in tests})):
            print(f"the tests are red without any mutant: {failing}")
            return 1
        for module in modules or MEASURES:
            original = (folder / "harness" / "measure" / f"{module}.py").read_text()
            for mutant in mutants_of(original):
                test = judged(module, mutant, folder)
                why = equivalent.get((module, mutant.was, mutant.became))
                rows.append(row(module, mutant, test or (f"equivalent: {why}" if why else "SURVIVED")))
                print(rows[-1], flush=True)
            (folder / "harness" / "measure" / f"{module}.py").write_text(original)
    survived = sum("SURVIVED" in line for line in rows)
    print(f"\n{len(rows)} mutants in {time.monotonic() - began_s:.0f} s, {survived} that no test noticed")
    if not modules:
        (ROOT / "docs" / "mutation.md").write_text(page(rows))
    return min(survived, 100)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
