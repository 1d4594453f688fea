"""`make test`: every test, in two parts; what failed is looked at once more, alone.

A test that fails beside others and passes alone is unsteady. It is named, and it is to be mended: the races behind
such tests were faults of the product more often than not. More than a few are a failure; so is one that fails again.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAST_FAILED = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"

BESIDE_EACH_OTHER = ("-n", "2", "--dist", "loadfile", "tests/unit", "tests/contract", "tests/integration")
ALONE = ("tests/e2e", "tests/zoo")
"""Whole jobs measure, so each has the machine to itself."""

FEW = 3
"""In so many files tests may be unsteady before it is the part that is broken."""

TESTS_FAILED = 1
"""https://docs.pytest.org/en/stable/reference/exit-codes.html"""


def pytest(*arguments: str) -> int:
    """Its exit code."""
    return subprocess.run([sys.executable, "-m", "pytest", "-q", *arguments], cwd=ROOT, check=False).returncode


def say(line: str) -> None:
    """A line among pytest's own, in order."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def failed(part: Sequence[str]) -> list[str]:
    """The node ids of the part's tests that failed when last run."""
    if not LAST_FAILED.exists():
        return []
    folders = tuple(f"{one}/" for one in part if one.startswith("tests/"))
    return [one for one in json.loads(LAST_FAILED.read_text()) if one.startswith(folders)]


def passes(part: Sequence[str]) -> bool:
    """Whether every test of the part passed, with a second look at a few that did not."""
    code = pytest(*part)
    again = failed(part) if code == TESTS_FAILED else []
    if code and not 0 < len({name.partition("::")[0] for name in again}) <= FEW:
        return False
    if code:
        say(f"a second look, alone, at what failed: {len(again)}")
        code = pytest(*again)
    for name in again if code == 0 else ():
        say(f"UNSTEADY, to be mended: {name} failed beside others and passed alone")
    return code == 0


if __name__ == "__main__":
    sys.exit(0 if passes(BESIDE_EACH_OTHER) and passes(ALONE) else 1)
