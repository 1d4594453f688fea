"""`make steady`: the main job again and again, with a seed of its own each time; the healthy stack must stay green.

Each run leaves a line in `.blackstart/steady.jsonl`, so that an interrupted `make steady` goes on where it stopped,
as long as commit and arguments are the same; `--afresh` begins anew. What is not green ends the row, an inconclusive
run too: it is told, and the count begins again. Arguments after `--` go to `blackstart run`. docs/steady.md gets a
whole row of the job itself, with what was not green before it. Exits 0 once so many runs in a row were green, 1 when
that can no longer be reached within `--most` runs, and with the run's own code where no run could be made at all
(usage, target, machine).
"""

import argparse
import json
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness import processes
from harness.measure.statistics import miss_rate_bound
from tests.kept import answers, commit, keep

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".blackstart" / "steady.jsonl"
PAGE = ROOT / "docs" / "steady.md"
REGISTRY = ROOT / ".blackstart" / "steady-processes"
NOTHING_TOLD = 99
NO_RUN = (2, 3, 4, 130)
"""Exit codes that say nothing of the stack: usage, refused, environment not ready, interrupted."""
HEADER = "| | seed | drills | scenarios | availability | lost, twice | seconds | |\n" + 8 * "|---" + "|"


@dataclass(frozen=True, kw_only=True)
class Said:
    """What one run said; `code` is its exit code, `why` the first reason of what was not green."""

    seed: int
    code: int
    commit: str
    more: list[str]
    took_s: float
    run: str = ""
    drills: str = ""
    scenarios: str = ""
    availability: str = ""
    lost: str = ""
    why: str = ""

    @property
    def green(self) -> bool:
        """Whether everything passed."""
        return self.code == 0

    @property
    def mark(self) -> str:
        """How it went, in words."""
        return "green" if self.green else f"exit {self.code}: {self.why}"

    def row(self, number: int) -> str:
        """One row of the table."""
        cells = (str(number), str(self.seed), self.drills, self.scenarios, self.availability, self.lost)
        return f"| {' | '.join(cells)} | {self.took_s:.0f} | {self.mark} |"


def one(seed: int, commit: str, more: list[str]) -> Said:
    """Run the main job once."""
    began_s = time.monotonic()
    run, stdout, stderr = _recorded(command(seed, more))
    kept: dict[str, Any] = {"seed": seed, "code": run.returncode, "commit": commit, "more": more}
    kept["took_s"] = time.monotonic() - began_s
    told: dict[str, Any] = {}
    try:
        told = json.loads(stdout)
        data = told.get("data") or {}
        return Said(**kept, run=Path(data["folder"]).name, **figures(data["run"]), why=why(told))
    except (ValueError, KeyError, TypeError):  # what told nothing is not green, whatever its exit code
        kept["code"] = kept["code"] or NOTHING_TOLD
        return Said(**kept, why=why(told) or (stderr or stdout).strip()[-300:].replace("\n", " "))


def command(seed: int, more: list[str]) -> list[str]:
    """The main job."""
    return [str(Path(sys.executable).with_name("blackstart")), "run", "--seed", str(seed), "--json", *more]


def _recorded(command: list[str]) -> tuple[subprocess.Popen[bytes], str, str]:
    """Run to the end, recorded: when we are killed the next `make steady` ends what goes on without us."""
    run = processes.spawn(
        command,
        role="steady run",
        registry=REGISTRY,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        stdout, stderr = run.communicate()
    finally:
        processes.stop(run, registry=REGISTRY, grace_s=60.0)
    return run, stdout.decode(), stderr.decode()


def figures(run: dict[str, Any]) -> dict[str, str]:
    """What the table shows of a run.json."""
    scenarios = run.get("scenarios") or {}
    drills = run.get("drills") or []
    runs = [figures for drill in drills for figures in drill["runs"]]
    return {
        "drills": ", ".join(f"{drill['name']} RTO {_rto(drill)}" for drill in drills),
        "scenarios": f"{scenarios.get('passed', 0)} passed, {scenarios.get('failed', 0)} failed",
        "availability": ", ".join(
            f"{one['availability']:.2%}" for one in runs if one.get("availability") is not None
        ),
        "lost": "{}, {} of {}".format(*(sum(r[name] for r in runs) for name in ("lost", "duplicate", "acked"))),
    }


def _rto(drill: dict[str, Any]) -> str:
    found = [one["rto_s"] for one in drill["runs"]]
    return ", ".join("-" if rto_s is None else f"{rto_s:.2f} s" for rto_s in found)


def why(told: dict[str, Any]) -> str:
    """The first reason of what was not green; '' when everything was."""
    run = (told.get("data") or {}).get("run") or {}
    for drill in run.get("drills") or []:
        for objective in drill["objectives"]:
            if objective["verdict"] != "pass":
                return f"{drill['name']} {objective['name']} {objective['verdict']}: {objective.get('reason', '')}"
    problems = run.get("problems") or []
    return str(problems[0] if problems else (told.get("error") or {}).get("message", ""))


def kept(here: str, more: list[str]) -> list[Said]:
    """The runs of this commit with these arguments that an earlier `make steady` made; a changed tree has none."""
    told = [] if here.endswith("dirty") else [Said(**one) for one in answers(KEPT)]
    return [said for said in told if (said.commit, said.more) == (here, more)]


def in_a_row(runs: list[Said]) -> list[Said]:
    """The green runs at the end, none of which was not."""
    bad = max((number for number, said in enumerate(runs) if not said.green), default=-1)
    return runs[bad + 1 :]


def page(row: list[Said], before: list[Said]) -> str:
    """docs/steady.md: the row, and what was not green before it."""
    took_s = sum(said.took_s for said in row)
    lines = "".join(f"{said.row(number)}\n" for number, said in enumerate(row, 1))
    others = "".join(f"- seed {said.seed}: {said.mark}\n" for said in before if not said.green)
    told = f"\nBefore this row {len(before)} runs were made, of which were not green:\n\n{others}" if others else ""
    bound = miss_rate_bound(len(row))
    return (
        f"# Steady\n\nWritten by `make steady`: the job of `make gameday` {len(row)} times in a row, each with its\n"
        f"own seed, {took_s / 60:.0f} minutes, on commit {row[0].commit}. No miss in {len(row)} runs bounds the\n"
        f"share of runs that miss at {bound:.0%} ([measures.md](measures.md), Repeats).\n\n{HEADER}\n{lines}{told}"
    )


def main(arguments: list[str]) -> int:
    """Run until the row is whole."""
    parser = argparse.ArgumentParser(prog="tests/steady", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="so many in a row")
    parser.add_argument("--most", type=int, default=30, help="give up after so many")
    parser.add_argument("--afresh", action="store_true", help="forget what an earlier one has done")
    parser.add_argument("more", nargs="*", help="arguments of `blackstart run`, after --")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what is told to end ends its run first
    if given.afresh:
        KEPT.unlink(missing_ok=True)
    here = commit()
    runs = kept(here, given.more)
    print(f"{len(in_a_row(runs))} of {given.runs} in a row are done on {here}\n{HEADER}", flush=True)
    processes.reap(REGISTRY, grace_s=60.0)  # it heals and takes down what it has made
    while len(row := in_a_row(runs)) < given.runs:
        if len(runs) + given.runs - len(row) > given.most:
            print(f"\n{len(runs)} runs, and no {given.runs} in a row within {given.most}")
            return 1
        said = one(len(runs) + 1, here, given.more)
        if said.code in NO_RUN:
            print(f"\nno run could be made, {said.mark}")
            return said.code
        runs.append(said)
        keep(KEPT, asdict(said))
        print(said.row(len(row) + 1), flush=True)
    print(f"\n{len(row)} in a row are green, {len(runs) - len(row)} before them were not all")
    if not given.more:
        PAGE.write_text(page(row, runs[: len(runs) - len(row)]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
