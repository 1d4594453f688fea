"""One run of a drill: steady state → experiment under workload → recovery → reading back, and healing always.

Everything is only appended to a journal; the verdict is drawn from the finished journal.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from botocore.exceptions import BotoCoreError, ClientError

from chaos.drill_experiment import DrillExperiment
from chaos.drill_file import Drill
from chaos.failover.drilled import Failover, failover_of, front_door
from chaos.failover.standby import Standby
from chaos.fis.watching import ENDED
from chaos.fis_witness import FisWitness
from chaos.machine_watch import watched
from chaos.marked import Marked
from chaos.observation import Observation
from chaos.probing import probing
from chaos.reading_back import ReadingBack
from chaos.repeats import Repeats
from chaos.replica_watch import LOOK_EVERY_S
from chaos.steady_probes import Phase, SteadyProbes
from chaos.stores.beside import Beside
from chaos.witness import Witness
from chaos.witnesses import witness_of
from harness.clock import Clock, SystemClock
from harness.errors import BlackstartError
from harness.load.workload import ProberSpec, fill, output_names
from harness.measure import journal as names
from harness.measure.journal import Journal, JournalWriter, read_journal
from harness.measure.phases import phases_of
from harness.measure.recovery import unsteady
from harness.measure.taking import samples_of
from harness.stack import RunningStack

_POLL_S = 0.2
_FIS_POLL_S = 1.0
"""Where every look is a call to AWS."""

_RAMP_S = 2.0
"""The first seconds, in which functions start cold, belong to no baseline."""

_LONGEST_S = 1800.0
Tell = Callable[[str], None]


@dataclass(slots=True)
class DrillRun:
    """One run of a drill: appends to the journal, and judges nothing but whether to inject at all."""

    stack: RunningStack
    drill: Drill
    repeats: Repeats
    number: int
    folder: Path
    journal: JournalWriter
    tell: Tell
    standby: Standby | None = None
    clock: Clock = field(default_factory=SystemClock)
    witness: Witness | FisWitness = field(init=False)
    probes: SteadyProbes = field(init=False)
    experiment: DrillExperiment = field(init=False)
    observation: Observation = field(init=False)
    failover: Failover | None = None
    back: ReadingBack | None = None

    def __post_init__(self) -> None:
        target, region = self.stack.target, self._filled(self.drill.region) or None
        fis = target.client("fis", region=region)
        self.experiment = DrillExperiment(
            fis=fis, target=target, drill=self.drill, filled=self._filled, mark=self._mark
        )
        self.witness = witness_of(
            target, self.drill, fis=fis, region=region, filled=self._filled, journal=self.journal, clock=self.clock
        )
        self.observation = Observation(
            drill=self.drill, clock=self.clock, read=self._read, watch=self._watch, tell=self.tell
        )
        self.probes = SteadyProbes(
            probes=self.drill.probes,
            target=self.stack.target,
            filled=self._filled,
            journal=self.journal,
            clock=self.clock,
        )
        if self.drill.verification is not None:
            self.back = ReadingBack(
                stack=self.stack,
                part=self.drill.verification,
                journal=self.journal,
                clock=self.clock,
                tell=self.tell,
                prefix=self._key_prefix,
                copy=self._mark,
            )
        if self.standby is not None:
            self.failover = failover_of(self.drill, self.standby, self.journal, self.clock)

    def _stores(self) -> Beside:
        """Workloads of single stores, with names of their own in the target."""
        return Beside(
            target=self.stack.target,
            stores=self.drill.stores,
            prefix=self._mark.lower().replace("_", "-"),
            seed=self.seed,
            journal=self.journal,
            clock=self.clock,
        )

    def _filled(self, text: str) -> str:
        return str(fill(text, output_names(self.stack.outputs)))

    @property
    def seed(self) -> int:
        """This run's own seed."""
        return self.repeats.seed + self.number - 1

    @property
    def _mark(self) -> str:
        """The name of what this run makes for itself in the target."""
        return f"blackstart-{self.folder.name}-{self.number}"

    def _marked(self) -> Marked:
        part = self.drill.verification
        restored_in = self._filled(part.region) if part is not None and part.restore else None
        return Marked(mark=self._mark, region=self._filled(self.drill.region), table_region=restored_in)

    @property
    def _key_prefix(self) -> str:
        """What every key that this run writes begins with."""
        return self.repeats.key_prefix(self.drill.name, self.number, self.folder)

    def run(self) -> None:
        """Make it; whatever happens, every fault is healed at the end."""
        with self._marked().noted(self.journal.path):
            self._run()

    def _run(self) -> None:
        self._note(names.DRILL_STARTED, drill=self.drill.name, seed=self.seed, run=self.number)
        self._mark_clock()
        self.witness.alarms.begin()
        try:
            if self.back is not None:
                self.back.look_before()
            with watched(self.journal, self.clock):
                with self._stores().running(), self._prober():
                    if self._steady():
                        self._inject()
                        self._observe()
                        self.probes.look("after", now=True)
                    self._mark_clock()
                    self._note(names.OBSERVATION_ENDED)
                self._sum_up()
                self._verify()
        finally:
            self._roll_back()
        self._mark_clock()
        self._note(names.DRILL_ENDED)

    def _mark_clock(self) -> None:
        """Both clocks at once: `measure.clocks` compares them."""
        self._note(names.CLOCK, wall_s=time.time())

    # -- workload --------------------------------------------------------------------------------------------

    def _prober(self) -> AbstractContextManager[None]:
        spec = ProberSpec(
            operations=list(self.drill.operations),
            outputs={k: v for k, v in self.stack.outputs.items() if isinstance(v, str | int | float)},
            journal=str(self.journal.path),
            rate=self.drill.rate,
            duration_s=_LONGEST_S,
            timeout_s=self.drill.timeout_s,
            seed=self.seed,
            run=self._key_prefix,
            remote=self.stack.target.kind == "aws",
            front_door=front_door(self.stack.target) if self.drill.front_door else "",
        )
        registry = self.folder / "processes"
        return probing(spec, self.journal, read=self._read, registry=registry, clock=self.clock)

    # -- steady state ----------------------------------------------------------------------------------------

    def _steady(self) -> bool:
        """Watch the baseline; False, with nothing injected, when it is not steady."""
        self.tell("waiting for steady state")
        time.sleep(_RAMP_S)
        psutil.cpu_percent(None)
        started_s = self.clock.now_s()
        self._note(names.BASELINE_STARTED)
        self._protect()
        until_s = started_s + self.drill.method.baseline_s + 0.5
        broken = self._watch(until_s, "before") or self.probes.look("before", now=True)
        broken = broken or self._protected()
        ended_s = self.clock.now_s()
        self._note(names.CPU, percent=psutil.cpu_percent(None))
        self._note(names.BASELINE_ENDED, probes_hold=not broken, reason=broken)
        self._mark_clock()
        self.witness.note_workload(started_s)
        samples = samples_of(self._read(), self.drill.method)
        # What was sent in the last moments may not be answered yet.
        reason = unsteady(samples, start_s=started_s, end_s=ended_s - 0.3, method=self.drill.method) or broken
        if reason:
            self.tell(f"not steady, nothing is injected: {reason}")
            return False
        return True

    # -- experiment ------------------------------------------------------------------------------------------

    def _inject(self) -> None:
        """Start the experiment and follow it to its end."""
        experiment = self.experiment
        experiment.start(seed=self.seed)
        self._note(names.EXPERIMENT_STARTED, experiment_id=experiment.id, lasts_s=experiment.lasts_s)
        if self.failover is not None:
            self.failover.begin()
            return  # what survives is looked at while the rest is dark: the rollback ends the experiment
        until_s = self.clock.now_s() + experiment.longest_s
        while True:
            self.witness.take(experiment.id)
            self.witness.look()
            self.probes.look("during")
            status, reason = experiment.state()
            self.tell(f"experiment {experiment.id} {status}")
            if status in ENDED:
                break
            if self.clock.now_s() > until_s:
                self._note(names.CHECK_FAILED, check="experiment", error="it did not end in time")
                break
            time.sleep(_POLL_S if self.stack.target.control_url else _FIS_POLL_S)
        self.witness.take(experiment.id)
        self._note(names.EXPERIMENT_ENDED, state=status)
        if status != "completed":
            self._note(names.CHECK_FAILED, check="experiment", error=reason)

    def _observe(self) -> None:
        """Watch on for the hold after healing, then for as long as something is still to come."""
        self.tell("watching the recovery")
        self._watch(self.clock.now_s() + self.observation.least_s)
        self.witness.take(self.experiment.id)
        fault_s = phases_of(self._read()).fault_s
        if fault_s is not None:
            self.observation.await_recovery(fault_s, failed_over=self._failed_over)
            self.observation.await_alarm(fault_s)

    def _protect(self) -> None:
        if self.failover is not None and self.failover.protect is not None:
            self.failover.protect.start("the baseline begins")

    def _protected(self) -> str:
        """Wait for the end of what protects the data; why it failed, or ''."""
        protect = self.failover.protect if self.failover is not None else None
        while protect is not None and not protect.ended:
            self._watch(self.clock.now_s() + _POLL_S, "before")
            protect.look()
        error = protect.error if protect is not None else ""
        return f"the data was not protected: {error}" if error else ""

    def _watch(self, until_s: float, phase: Phase = "during") -> str:
        """Look around until then; the first reason why a steady-state probe did not hold, or ''."""
        broken = ""
        while (left_s := until_s - self.clock.now_s()) > 0:
            self._look_at_failover()
            self.witness.look()
            broken = self.probes.look(phase) or broken
            time.sleep(min(left_s, _POLL_S))
        return broken

    def _look_at_failover(self) -> None:
        if self.failover is not None:
            self.failover.look()
            if self.experiment.id:
                self.witness.take(self.experiment.id)

    def _failed_over(self) -> bool:
        return self.failover is None or self.failover.done

    def _sum_up(self) -> None:
        since_s = self._read().instant(names.EXPERIMENT_STARTED)
        if since_s is not None:
            self.witness.sum_up(self.experiment.id, since_s)

    # -- verification and rollback ---------------------------------------------------------------------------

    def _verify(self) -> None:
        if self.back is not None:
            journal = self._read()
            self.back.verify(journal, meanwhile=self.witness.look, last=lambda: self._look_for_the_last(journal))

    def _look_for_the_last(self, journal: Journal) -> None:
        """The last writes may be as stale as the objective allows before it is missed."""
        limit_s = self.drill.objectives.staleness_s
        if self.witness.replica is not None and limit_s is not None:
            acked = (one.key for one in journal.operations if one.write and one.outcome == "ok")
            since_s = self.clock.now_s()
            self.witness.replica.look_for(
                acked, patient=lambda: self.observation.patient(since_s, limit_s + LOOK_EVERY_S)
            )

    def _roll_back(self) -> None:
        """Stop what may still run, and look whether anything of ours is left. Runs whatever happened before."""
        left: list[str] = []
        if self.failover is not None:
            self.failover.stop()
        try:
            if self.experiment.id:
                self.experiment.stop()
                left += self.witness.left_in_force(self.experiment.id)
            self.experiment.forget()
        except (ClientError, BotoCoreError, BlackstartError) as error:
            left.append(f"could not roll back: {error}")
        if self.standby is not None:
            self.tell("taking the standby down")
            left += self.standby.take_down()
        self._note(names.ROLLBACK, clean=not left, left=left)

    def _read(self) -> Journal:
        self.journal.flush()
        return read_journal(self.journal.path)

    def _note(self, name: str, /, **detail: Any) -> None:
        self.journal.event(name, self.clock.now_s(), **detail)
