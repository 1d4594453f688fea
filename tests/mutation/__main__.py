"""`make mutate`: breaks each measure in every small way and says which test went red.

Works on a copy: nothing in this tree is touched. Names of modules below `harness/measure` choose some. Exits with the
number of mutants that no test noticed, less those that equivalents.txt explains.
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


def explained() -> set[tuple[str, str, str]]:
    """Mutants that behave as the original does, with the reason why: module, was, became."""
    lines = (Path(__file__).with_name("equivalents.txt")).read_text().splitlines()
    told = [line.split(" | ") for line in lines if line and not line.startswith("#")]
    return {(module, was, became) for module, was, became, _why in told}


def judged(module: str, mutant: Mutant, folder: Path) -> str:
    """Which test noticed the mutant."""
    path = folder / "harness" / "measure" / f"{module}.py"
    path.write_text(mutant.source)
    try:
        return red(folder, MEASURES[module])
    except subprocess.TimeoutExpired:
        return "it never ended"


def main(modules: list[str]) -> int:
    """Every mutant of the modules named, or of every measure."""
    equivalent, survived, count, began_s = explained(), 0, 0, time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = copied(Path(name))
        if failing := red(folder, sorted({test for tests in MEASURES.values() for test in tests})):
            print(f"the tests are red without any mutant: {failing}")
            return 1
        for module in modules or MEASURES:
            original = (folder / "harness" / "measure" / f"{module}.py").read_text()
            for mutant in mutants_of(original):
                count += 1
                test = judged(module, mutant, folder)
                same = (module, mutant.was, mutant.became) in equivalent
                survived += not test and not same
                said = test or ("equivalent" if same else "SURVIVED")
                print(f"| {module}:{mutant.line} | `{mutant.was}` | `{mutant.became}` | {said} |", flush=True)
            (folder / "harness" / "measure" / f"{module}.py").write_text(original)
    print(f"\n{count} mutants in {time.monotonic() - began_s:.0f} s, {survived} that no test noticed")
    return min(survived, 100)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
