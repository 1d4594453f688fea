"""`make mutate`: breaks each measure in every small way and says which test went red.

Works on copies, `--jobs` of them side by side. Names of modules choose some; without any, docs/mutation.md gets the
summary. What was found is kept in `.blackstart/mutation.jsonl` by the mutant and the text of the test that noticed it
(of all its tests, when none did), so that an interrupted `make mutate` goes on where it stopped and a second tries
only what has changed; `--afresh` tries all.
Exits with the number of mutants that no test noticed, less those that equivalents.txt explains.
"""

import argparse
import ast
import hashlib
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path

import hypothesis  # noqa: F401 - imported once, for every fork
import pytest
from mutants import Mutant, mutants_of

from tests.kept import answers, keep

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".blackstart" / "mutation.jsonl"
LONGEST_S = 120.0
MEASURE, CHAOS = "tests/unit/measure", "tests/unit/chaos"
JUDGING = ("verdict", "figures", "fooled", "false_greens", "edges")
MEASURES = {
    "recovery": ("recovery", *JUDGING),
    "history": ("history", *JUDGING),
    "loss": ("history", *JUDGING),
    "staleness": ("figures", "edges"),
    "availability": ("figures", "verdict", "edges"),
    "statistics": ("edges", "statistics", "figures", "verdict"),
    "pacing": ("figures", "false_greens"),
    "clocks": ("edges", "false_greens"),
    "phases": ("taking", *JUDGING),
    "doubts": ("taking", *JUDGING),
    "judging": JUDGING,
    **dict.fromkeys(("taking", "data", "service", "detection", "probes", "stores"), ("taking", "failover", *JUDGING)),
    "failover": ("failover",),
    "verdict": ("machine", "taking", *JUDGING),
    "figures": JUDGING,
    "evidence": ("taking", *JUDGING),
    "effects": ("taking", *JUDGING, f"{CHAOS}/test_reading_back.py"),
    "objectives": ("taking", *JUDGING),
    "method": ("taking", *JUDGING),
    "journal": ("journal", *JUDGING),
    "load_limits": ("taking",),
    "comparison": ("edges", "comparison"),
    "calibration": ("calibration",),
    "machine": ("machine",),
    "awaited": ("machine",),
    **{f"checkers/{name}": ("checkers", "brute_force", "edges") for name in
       ("register", "append_only", "counter", "unique", "versions", "queue", "fan_out", "bank", "exactly_once")},
    "checkers/linearizable": ("edges", "linearizable"),
    "chaos/verification.py": (f"{CHAOS}/test_reading_back.py", f"{CHAOS}/test_settling.py"),
    "chaos/steady_probes.py": (f"{CHAOS}/test_steady_probes.py",),
}  # fmt: skip
"""Each module, below `harness/measure` unless it is a path, and the test files that must notice when it is wrong.

`costs` and `traces` are not among them: no verdict rests on a bill or on a picture.
"""

_WARNINGS = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
"""Of what is imported before the fork no assertion is rewritten; none of ours is."""

TABLE = "| where | was | became | noticed by |\n|---|---|---|---|\n"
_SURVIVED, _EQUIVALENT = "SURVIVED", "equivalent:"

_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?)(?:::(\S+))?(?: |$)", re.MULTILINE)


def path_of(module: str) -> str:
    """Where a module is, from the root."""
    return module if module.endswith(".py") else f"harness/measure/{module}.py"


def tests_of(module: str) -> list[str]:
    """The test files that must notice."""
    return [name if name.endswith(".py") else f"{MEASURE}/test_{name}.py" for name in MEASURES[module]]


def copied(folder: Path) -> Path:
    """The parts that the tests need."""
    for name in ("harness", "chaos", MEASURE, CHAOS, "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def red(folder: Path, tests: list[str]) -> tuple[str, str]:
    """The first test that fails, and its file; '' when all pass; in a fork, which has what everybody imports."""
    said = folder / "said.txt"
    child = os.fork()
    if not child:
        _run(folder, tests, said)
    until_s = time.monotonic() + LONGEST_S
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > until_s:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "it never ended", ""
        time.sleep(0.02)
    if ended[1] == 0:
        return "", ""
    found = _FAILED.search(said.read_text(errors="replace"))
    return (found[2] or found[1], found[1]) if found else (f"exit {os.waitstatus_to_exitcode(ended[1])}", "")


def _run(folder: Path, tests: list[str], said: Path) -> None:
    """In the fork: never returns."""
    output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(folder)
    sys.path[:0] = [str(folder)]
    os.environ |= {"PYTHONPATH": str(folder), "HYPOTHESIS_PROFILE": "quick"}
    code = 1
    try:
        code = int(
            pytest.main(["-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", *_WARNINGS, *tests])
        )
    except BaseException:  # noqa: BLE001 - a fork that must not come back
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def explained() -> dict[tuple[str, str, str], str]:
    """Mutants that behave as the original does, by module, was and became: the reason why."""
    lines = (Path(__file__).with_name("equivalents.txt")).read_text().splitlines()
    told = [line.split(" | ") for line in lines if line and not line.startswith("#")]
    return {(module, was, became): why for module, was, became, why in told}


def kept() -> dict[str, str]:
    """What earlier runs have found that still holds: the mutant → the test that noticed it."""
    return {key: said for key, said, tests, print_of in answers(KEPT) if print_of == fingerprint(said, tests)}


def fingerprint(said: str, tests: list[str]) -> str:
    """Another one when the test that noticed changes, or a file of tests where none did."""
    return _fingerprint(said.partition("[")[0], tuple((ROOT / test).read_text() for test in tests))


@cache
def _fingerprint(noticed: str, texts: tuple[str, ...]) -> str:
    return _hash(*(test_alone(text, noticed) or text for text in texts))


def test_alone(text: str, name: str) -> str:
    """One test of a file with what it needs of that file; '' when there is no such test."""
    named: dict[str, ast.stmt] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            named[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            named |= {one.id: node for one in ast.walk(node) if isinstance(one, ast.Name) and _stored(one)}
    needed, more = set(), {name} & named.keys()
    while more:
        needed |= more
        used = {one.id for wanted in more for one in ast.walk(named[wanted]) if isinstance(one, ast.Name)}
        more = (used & named.keys()) - needed
    return "\n".join(ast.unparse(named[one]) for one in sorted(needed))


def _stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def key_of(module: str, mutant: Mutant) -> str:
    """The mutant as it is."""
    return _hash(module, mutant.source)


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]


def own_copy(parent: str) -> None:
    """Where a worker breaks things."""
    os.chdir(copied(Path(tempfile.mkdtemp(dir=parent))))


def judged(module: str, source: str) -> tuple[str, str]:
    """Which test noticed the mutant, and its file; in a worker, in its own copy."""
    path = Path(path_of(module))
    original = path.read_text()
    _put(path, source)
    try:
        return red(Path.cwd(), tests_of(module))
    finally:
        _put(path, original)


def _put(path: Path, source: str) -> None:
    """Write a module; its bytecode is told apart by the second and the size, and two mutants may have both."""
    path.write_text(source)
    Path(cache_from_source(str(path))).unlink(missing_ok=True)


def row(module: str, mutant: Mutant, said: str) -> str:
    """One line of the table."""
    return f"| {module}:{mutant.line} | `{mutant.was}` | `{mutant.became}` | {said} |".replace("||", "\\|\\|")


def page(rows: list[str]) -> str:
    """docs/mutation.md: how many were noticed, one of each module, and all that were not."""
    by_module: dict[str, list[str]] = {}
    for line in rows:
        by_module.setdefault(line.removeprefix("| ").partition(":")[0], []).append(line)
    same = [line for line in rows if _EQUIVALENT in line]
    open_ones = [line for line in rows if _SURVIVED in line]
    modules = "".join(f"{_summary(module, lines)}\n" for module, lines in by_module.items())
    told = "".join(f"{line}\n" for line in (*open_ones, *same))
    return f"""# Mutation of the measures

Written by `make mutate`: each measure of `harness/measure`, and what `chaos` judges, is broken in every small way (a
comparison moved by its edge, a term dropped, a bound swapped, a case negated), one at a time, and its tests are run.
Of {len(rows)} mutants of {len(by_module)} modules {len(rows) - len(same) - len(open_ones)} were noticed,
{len(same)} make no difference for the reason beside them, {len(open_ones)} were not noticed. The table of all, with
the test that noticed each, is written to `.blackstart/mutation.md`.

| module | mutants | noticed | the same | not noticed | one of them: was | became | noticed by |
|---|---|---|---|---|---|---|---|
{modules}
## Those that make no difference, and those not noticed

{TABLE}{told}"""


def _summary(module: str, lines: list[str]) -> str:
    """A module's counts, and the noticed mutant in its middle."""
    open_ones, same = (sum(mark in line for line in lines) for mark in (_SURVIVED, _EQUIVALENT))
    noticed = [line for line in lines if _SURVIVED not in line and _EQUIVALENT not in line]
    example = noticed[len(noticed) // 2].split(" | ", 1)[1] if noticed else "- | - | - |"
    return f"| {module} | {len(lines)} | {len(noticed)} | {same} | {open_ones} | {example}"


def tried(modules: list[str], pool: Executor) -> Iterator[str]:
    """A row for each mutant, in order."""
    equivalent, known = explained(), kept()
    work = [(module, mutant) for module in modules for mutant in mutants_of((ROOT / path_of(module)).read_text())]
    keys = [key_of(*one) for one in work]
    futures = [
        None if key in known else pool.submit(judged, module, mutant.source)
        for key, (module, mutant) in zip(keys, work, strict=True)
    ]
    for key, (module, mutant), future in zip(keys, work, futures, strict=True):
        if future is not None:
            known[key], file = future.result()
            tests = [file] if file else tests_of(module)
            keep(KEPT, [key, known[key], tests, fingerprint(known[key], tests)])
        why = equivalent.get((module, mutant.was, mutant.became))
        yield row(module, mutant, known[key] or (f"{_EQUIVALENT} {why}" if why else _SURVIVED))


def main(arguments: list[str]) -> int:
    """Every mutant of the modules named, or of every measure."""
    parser = argparse.ArgumentParser(prog="tests/mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--afresh", action="store_true", help="forget what was found before")
    given = parser.parse_args(arguments)
    if given.afresh:
        KEPT.unlink(missing_ok=True)
    rows, began_s = [], time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        whole = copied(Path(name) / "whole")
        failing, _ = red(whole, sorted({test for module in MEASURES for test in tests_of(module)}))
        if failing:
            print(f"the tests are red without any mutant: {failing}", (whole / "said.txt").read_text()[-3000:])
            return 1
        with ProcessPoolExecutor(given.jobs, initializer=own_copy, initargs=(name,)) as pool:
            for line in tried(given.modules or list(MEASURES), pool):
                rows.append(line)
                print(line, flush=True)
    survived = sum(_SURVIVED in line for line in rows)
    print(f"\n{len(rows)} mutants in {time.monotonic() - began_s:.0f} s, {survived} that no test noticed")
    if not given.modules:
        (ROOT / "docs" / "mutation.md").write_text(page(rows))
        KEPT.with_suffix(".md").write_text(TABLE + "".join(f"{line}\n" for line in rows))
    return min(survived, 100)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
