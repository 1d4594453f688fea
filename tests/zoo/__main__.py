"""`make zoo`: every mistake is released onto a running stack and drilled; the table says what was found.

Names of animals, or `healthy/DRILL`, choose some of them; `--clouds N` says in how many clouds they are visited, side
by side. Exits with the number of those that were missed. What a drill could not tell, because this machine had too
much to do, is drilled again, at the end once more in a cloud alone, and told as `open` when that does not help: it
counts as missed, except to the tests. Without names each answer is kept in `.blackstart/zoo.jsonl`, so that an
interrupted `make zoo` goes on where it stopped on the same commit; `--afresh` begins anew.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from drills import DRILLS, write_drill
from variants import VARIANTS, Variant, release

from chaos.drill import run_drill
from chaos.drill_file import load_drill
from chaos.repeats import Repeats
from harness.deploy.api import DeployRequest, up
from harness.environment import environment
from harness.measure.figures import DrillRecord, DrillRunFigures, ObjectiveVerdict
from harness.stack import RunningStack
from harness.target import Target, TargetChoice
from harness.workspace import open_workspace
from tests.kept import answers, commit, keep

ROOT = Path(__file__).parents[2]
HEALTHY = "healthy/"
PAGE = """# The zoo

Written by `make zoo` (tests/zoo/README.md): healthy stacks with one realistic mistake each, the drill that fits, the
objective that it found missed, and what it showed; and the healthy stacks in the same drills.

"""
CLOUDS = 4
KEPT = ROOT / ".blackstart" / "zoo.jsonl"
ATTEMPTS = 3
GOOD = frozenset({"found", "green"})
KINDS = {
    "lost": ("lost",),
    "duplicates": ("duplicate", "miscount"),
    "phantom": ("phantom", "stray"),
    "unfulfilled": ("unfulfilled", "partial", "miscount"),
    "staleness": ("unseen",),
    "wrong": ("wrong",),
}
"""The kinds of findings that are the evidence of an objective."""
LONGEST_FIRST = ("given-up-tells", "alarm-tells", "table-restored")
HEADER = "| animal | drill | breaks | objectives missed | verdict | evidence | seconds | |\n" + 8 * "|---" + "|"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the drill said about one animal."""

    name: str
    drill: str
    expected: str
    missed: tuple[str, ...]
    verdict: str
    evidence: str
    took_s: float

    @property
    def mark(self) -> str:
        """Found by the objective that it breaks; or healthy, and green; or nobody could tell."""
        if self.expected and self.expected in self.missed:
            return "found"
        if not self.expected and self.verdict == "pass":
            return "green"
        return "open" if self.verdict == "inconclusive" else "MISSED"

    def line(self) -> str:
        """One row of the table."""
        missed = ", ".join(self.missed) or "-"
        cells = (self.name, self.drill, self.expected or "-", missed, self.verdict, self.evidence)
        return f"| {' | '.join(cells)} | {self.took_s:.0f} | {self.mark} |"


Standing = dict[str, tuple[Variant | None, RunningStack]]
"""What is deployed in a cloud, by stack: a healthy one need not be deployed again for the next drill."""


def drilled(name: str, folder: Path, target: Target, standing: Standing) -> Found:
    """Release one animal and drill it, again as long as the drill cannot tell."""
    variant = None if name.startswith(HEALTHY) else VARIANTS[name]
    drill_name = name.removeprefix(HEALTHY) if variant is None else variant.drill
    began_s = time.monotonic()
    stack = deployed(variant, DRILLS[drill_name].stack, folder, target, standing)
    drill = load_drill(str(write_drill(drill_name, folder / "drills")), folder, policy={})
    for attempt in range(1, ATTEMPTS + 1):
        own = folder / "runs" / f"{name.replace('/', '-')}-{attempt}"
        record = run_drill(stack, drill, Repeats(seed=attempt), folder=own)
        found = Found(
            name=name,
            drill=drill_name,
            expected=variant.breaks if variant is not None else "",
            missed=tuple(o.name for o in record.objectives if o.verdict == "fail"),
            verdict=record.verdict,
            evidence=evidence(record, variant.breaks if variant is not None else ""),
            took_s=time.monotonic() - began_s,
        )
        if found.mark != "open":
            break
    return found


def deployed(variant: Variant | None, stack: str, folder: Path, target: Target, standing: Standing) -> RunningStack:
    """The stack, updated in place, unless it stands already."""
    known = standing.pop(stack, None)
    if known is not None and known[0] is variant:
        standing[stack] = known
        return known[1]
    program = folder / stack
    release(variant, program, stack)
    config = {"orders:parts": "none"} if stack == "orders" else {}
    config |= (variant.config if variant is not None else None) or {}
    wanted = DeployRequest(
        program=program, stack="zoo", target=target, state_dir=folder / f"{stack}-state", config=config
    )
    running = RunningStack(name="zoo", target=target, outputs=up(wanted).outputs)
    standing[stack] = (variant, running)
    return running


def evidence(record: DrillRecord, broken: str) -> str:
    """What the drill shows of the objective that an animal breaks: keys and instants; or why it could not tell."""
    if not record.runs:
        return record.reason
    run = record.runs[0]
    asked = sorted(record.objectives, key=lambda one: (one.name != broken, one.verdict == "pass"))
    if record.verdict == "inconclusive":
        return next(iter(run.doubts), "") or next((o.reason for o in asked if o.verdict == "inconclusive"), "")
    if record.verdict == "pass":
        return _served(run)
    objective = asked[0]
    shown = [one for one in run.findings if one.kind in KINDS.get(objective.name, ())]
    if shown:
        first = shown[0]
        at = f" at {first.at_s:.2f} s" if first.at_s is not None else ""
        return f"{len(shown)} keys, first {first.kind} `{first.key}`{at}: {first.detail}"
    if objective.name == "static_stability" and run.control_plane_calls:
        call = run.control_plane_calls[0]
        return f"{call.get('service')}:{call.get('operation')} at {call['at_s']:.2f} s"
    fault = "" if run.fault_s is None else f"fault at {run.fault_s:.2f} s: "
    return f"{fault}{_figure(objective)}; {_served(run)}"


def _figure(objective: ObjectiveVerdict) -> str:
    """The figure of an objective beside its limit."""
    value, sign = objective.measured, ""
    if value is None:
        value, sign = objective.above, "> "
    told = "unknown" if value is None else f"{sign}{value:.3g}"
    reason = f" ({objective.reason})" if objective.reason else ""
    return f"{objective.name} {told} where {objective.limit:g} was asked{reason}"


def _served(run: DrillRunFigures) -> str:
    available = None if run.availability_in_fault is None else f"{run.availability_in_fault:.1%} good in the fault"
    rto = "not back" if run.rto_s is None else f"RTO {run.rto_s:.2f} s"
    return ", ".join(filter(None, (rto, available)))


def kept(here: str) -> list[Found]:
    """What was found or green on this commit before; a changed tree is another each time."""
    told = [] if here.endswith("dirty") else answers(KEPT)
    found = {one["name"]: Found(**one) for name, one in told if name == here}
    return [one for one in found.values() if one.mark in GOOD]


def visit() -> None:
    """Visit the animals named on standard input, one a line, in one cloud; tell each on standard output."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        workspace = open_workspace(Path(__file__).with_name("blackstart.toml"))
        standing: Standing = {}
        with environment(workspace, TargetChoice(), folder=folder / "cloud") as ready:
            print(json.dumps("ready"), flush=True)
            for name in iter(lambda: sys.stdin.readline().strip(), ""):
                try:
                    found = drilled(name, folder, ready.target, standing)
                except Exception as error:  # noqa: BLE001 - one that cannot be shown must not end the visit
                    traceback.print_exc()
                    found = Found(
                        name=name, drill="", expected="?", missed=(), verdict="", evidence=str(error)[:80], took_s=0
                    )
                print(json.dumps(asdict(found)), flush=True)


def visit_side_by_side(names: list[str], clouds: int, tell: Callable[[Found], None]) -> list[Found]:
    """The animals in several clouds, each a process of its own that takes the next when it is done with one."""
    waiting: SimpleQueue[str] = SimpleQueue()
    for name in names:
        waiting.put(name)
    found: list[Found] = []

    def guide() -> None:
        command = [sys.executable, str(Path(__file__).parent), "--visit"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as cloud:
            assert cloud.stdin is not None and cloud.stdout is not None  # noqa: PT018 - pipes were asked for
            told = iter(cloud.stdout)
            next(told, None)
            while True:
                try:
                    name = waiting.get_nowait()
                except Empty:
                    break
                cloud.stdin.write(f"{name}\n")
                cloud.stdin.flush()
                one = Found(**json.loads(next(told)))
                found.append(one)
                tell(one)
            cloud.stdin.close()

    guides = [threading.Thread(target=guide) for _ in range(min(clouds, len(names)))]
    for one in guides:
        one.start()
    for one in guides:
        one.join()
    return found


def main(arguments: list[str]) -> int:
    """Visit the animals named, or all of them and the healthy stack in every drill."""
    everything = [*VARIANTS, *(HEALTHY + drill for drill in DRILLS)]
    parser = argparse.ArgumentParser(prog="tests/zoo", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="ANIMAL")
    parser.add_argument("--clouds", type=int, default=CLOUDS)
    parser.add_argument("--afresh", action="store_true", help="forget what an earlier one has found")
    parser.add_argument("--visit", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.visit:
        visit()
        return 0
    unknown = [name for name in given.names if name not in everything]
    if unknown:
        print(f"no such animal: {', '.join(unknown)}; there are {', '.join(everything)}")
        return 2
    if given.afresh:
        KEPT.unlink(missing_ok=True)
    began_s, here = time.monotonic(), commit()
    found = [] if given.names else kept(here)
    done = {one.name for one in found}
    names = [name for name in sorted(given.names or everything, key=_shortest_last) if name not in done]
    if done:
        print(f"{len(done)} were visited before on {here}; --afresh visits them again", flush=True)
    print(HEADER, flush=True)

    def tell(one: Found) -> None:
        print(one.line(), flush=True)
        if not given.names:
            keep(KEPT, [here, asdict(one)])

    found += visit_side_by_side(names, given.clouds, tell)
    still_open = [one.name for one in found if one.mark == "open"]
    if still_open and given.clouds > 1:  # the machine may have been too busy with the others
        found = [one for one in found if one.mark != "open"] + visit_side_by_side(still_open, 1, tell)
    return summed_up(found, took_s=time.monotonic() - began_s, whole=not given.names)


def summed_up(found: list[Found], *, took_s: float, whole: bool) -> int:
    """Tell how it went, and write docs/zoo.md of a whole visit; how many were missed."""
    missed = [one for one in found if one.mark not in GOOD]
    animals = sum(bool(one.expected) for one in found)
    told = ", ".join(f"{one.mark} {one.name}" for one in missed) if missed else "every one as expected"
    print(f"\n{animals} animals and {len(found) - animals} healthy stacks in {took_s:.0f} s: {told}")
    if whole:
        rows = "".join(f"{one.line()}\n" for one in sorted(found, key=lambda one: (not one.expected, one.name)))
        how_many = f"{animals} animals and {len(found) - animals} healthy stacks: {told}.\n\n"
        (ROOT / "docs" / "zoo.md").write_text(f"{PAGE}{how_many}{HEADER}\n{rows}")
    return len(missed)


def _shortest_last(name: str) -> bool:
    drill = name.removeprefix(HEALTHY) if name.startswith(HEALTHY) else VARIANTS[name].drill
    return drill not in LONGEST_FIRST


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
