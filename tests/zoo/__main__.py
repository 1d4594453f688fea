"""`make zoo`: every mistake is released onto a running stack and drilled; the table says what was found.

Names of animals, or `healthy/DRILL`, choose some of them. Exits with the number of those that were missed.
"""

import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from drills import DRILLS, write_drill
from variants import VARIANTS, Variant, release

from chaos.drill import Repeats, run_drill
from chaos.drill_file import load_drill
from harness.deploy.api import DeployRequest, up
from harness.environment import TargetChoice, environment
from harness.measure.figures import DrillRecord
from harness.stack import RunningStack
from harness.target import Target
from harness.workspace import open_workspace

ROOT = Path(__file__).parents[2]
HEALTHY = "healthy/"


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
    def right(self) -> bool:
        """Found by the objective that it breaks; or healthy, and green."""
        return self.expected in self.missed if self.expected else self.verdict == "pass"

    def line(self) -> str:
        """One row of the table."""
        mark = "found" if self.expected and self.right else "green" if self.right else "MISSED"
        missed = ", ".join(self.missed) or "-"
        cells = (self.name, self.drill, self.expected or "-", missed, self.verdict, self.evidence, mark)
        return f"| {' | '.join(cells)} |"


def drilled(name: str, folder: Path, target: Target) -> Found:
    """Release one animal and drill it."""
    variant = None if name.startswith(HEALTHY) else VARIANTS[name]
    drill_name = name.removeprefix(HEALTHY) if variant is None else variant.drill
    began_s = time.monotonic()
    stack = deployed(variant, folder, target)
    drill = load_drill(str(write_drill(drill_name, folder / "drills")), folder, policy={})
    own = folder / "runs" / name.replace("/", "-")
    record = run_drill(stack, drill, Repeats(seed=1), folder=own)
    return Found(
        name=name,
        drill=drill_name,
        expected=variant.breaks if variant is not None else "",
        missed=tuple(o.name for o in record.objectives if o.verdict == "fail"),
        verdict=record.verdict,
        evidence=evidence(record),
        took_s=time.monotonic() - began_s,
    )


def deployed(variant: Variant | None, folder: Path, target: Target) -> RunningStack:
    """The stack, updated in place."""
    program = folder / "program"
    release(variant, program)
    config = {"orders:parts": "none", **((variant.config if variant is not None else None) or {})}
    wanted = DeployRequest(program=program, stack="zoo", target=target, state_dir=folder / "state", config=config)
    return RunningStack(name="zoo", target=target, outputs=up(wanted).outputs)


def evidence(record: DrillRecord) -> str:
    """The first key that the drill shows, or its figures, or why it could not tell."""
    if not record.runs:
        return record.reason
    run = record.runs[0]
    if run.doubts:
        return run.doubts[0]
    if run.findings:
        first = run.findings[0]
        at = f" at {first.at_s:.2f} s" if first.at_s is not None else ""
        return f"{len(run.findings)} keys, first {first.kind} `{first.key}`{at}: {first.detail}"
    if run.control_plane_calls:
        call = run.control_plane_calls[0]
        return f"{call.get('service')}:{call.get('operation')} at {call['at_s']:.2f} s"
    availability = "" if run.availability_in_fault is None else f"{run.availability_in_fault:.1%} good in the fault"
    return f"RTO {run.rto_s:.2f} s, {availability}" if run.rto_s is not None else availability


def visit(names: list[str]) -> list[Found]:
    """Each animal in turn, on one cloud."""
    found = []
    print(
        "| animal | drill | breaks | objectives missed | verdict | evidence | |\n|---|---|---|---|---|---|---|",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        workspace = open_workspace(ROOT / "blackstart.toml")
        with environment(workspace, TargetChoice(), folder=folder / "cloud") as ready:
            for name in names:
                try:
                    found.append(drilled(name, folder, ready.target))
                except Exception as error:  # noqa: BLE001 - one that cannot be shown must not end the visit
                    traceback.print_exc()
                    found.append(
                        Found(
                            name=name,
                            drill="",
                            expected="?",
                            missed=(),
                            verdict="",
                            evidence=str(error)[:80],
                            took_s=0,
                        )
                    )
                print(found[-1].line(), flush=True)
    return found


def main(names: list[str]) -> int:
    """Visit the animals named, or all of them and the healthy stack in every drill."""
    everything = [*VARIANTS, *(HEALTHY + drill for drill in DRILLS)]
    unknown = [name for name in names if name not in everything]
    if unknown:
        print(f"no such animal: {', '.join(unknown)}; there are {', '.join(everything)}")
        return 2
    found = visit(names or everything)
    missed = [one for one in found if not one.right]
    animals = sum(bool(one.expected) for one in found)
    print(
        f"\n{animals} animals and {len(found) - animals} healthy stacks in {sum(f.took_s for f in found):.0f} s: ",
        end="",
    )
    print("missed " + ", ".join(one.name for one in missed) if missed else "every one as expected")
    return len(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
