"""One run of a drill: steady state → experiment under workload → recovery → reading back, and healing always.

Everything is only appended to a journal; the verdict is drawn from the finished journal.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from botocore.exceptions import BotoCoreError, ClientError

from chaos.alarm_watch import AlarmWatch
from chaos.drill_file import Drill
from chaos.failover.drilled import Failover, failover_of, front_door
from chaos.failover.standby import Standby
from chaos.fis.role import stand_in
from chaos.fis.watching import ENDED
from chaos.fis_witness import STOP_WAIT_S, FisWitness
from chaos.machine_watch import watched
from chaos.probing import probing
from chaos.repeats import Repeats
from chaos.replica_watch import LOOK_EVERY_S, ReplicaWatch
from chaos.restoring import restored
from chaos.steady_probes import Phase, SteadyProbes
from chaos.stores.beside import Beside
from chaos.verification import Before, Store, settle, verify
from chaos.witness import Witness
from harness.clock import Clock, SystemClock, parse_duration_s
from harness.cloud.control_client import ControlClient
from harness.cloud.identify import OBSERVER_APP_ID
from harness.errors import BlackstartError, NotReadyError
from harness.load.workload import ProberSpec, fill, output_names
from harness.measure import journal as names
from harness.measure.journal import Journal, JournalWriter, read_journal
from harness.measure.machine import quiet_s
from harness.measure.phases import phases_of
from harness.measure.recovery import recovery, unsteady
from harness.measure.taking import first_alarm, has_cleared, samples_of
from harness.stack import RunningStack
from harness.target import EMULATOR_ACCOUNT

_POLL_S = 0.2
_FIS_POLL_S = 1.0
"""Where every look is a call to AWS."""

_RAMP_S = 2.0
"""The first seconds, in which functions start cold, belong to no baseline."""

_LOOK_S = 1.0
_MOST_PATIENCE = 4.0
"""So many times its limit something is waited for on a crowded machine; what is missed by then stays open."""

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
    _fis: Any = None  # a boto3 client
    _template: str = ""
    _experiment: str = ""
    failover: Failover | None = None

    def __post_init__(self) -> None:
        region = self._filled(self.drill.region) or None
        self._fis = self.stack.target.client("fis", region=region)
        seen: dict[str, Any] = {
            "journal": self.journal,
            "clock": self.clock,
            "alarms": AlarmWatch(
                client=self.stack.target.client("cloudwatch", region=region, user_agent_appid=OBSERVER_APP_ID),
                journal=self.journal,
                clock=self.clock,
                wanted=[self._filled(name) for name in self.drill.alarms],
            ),
            "replica": self._replica(),
        }
        if self.stack.target.control_url:
            self.witness = Witness(control=ControlClient(self.stack.target), **seen)
        else:
            self.witness = FisWitness(fis=self._fis, **seen)
        self.probes = SteadyProbes(
            probes=self.drill.probes,
            target=self.stack.target,
            filled=self._filled,
            journal=self.journal,
            clock=self.clock,
        )

        if self.standby is not None:
            self.failover = failover_of(self.drill, self.standby, self.journal, self.clock)

    def _replica(self) -> ReplicaWatch | None:
        part = self.drill.verification
        if part is None or not part.replica:
            return None
        return ReplicaWatch(
            client=self.stack.target.client(
                "dynamodb", region=self._filled(part.replica), user_agent_appid=OBSERVER_APP_ID
            ),
            table=self._filled(part.table),
            key=part.key,
            journal=self.journal,
            clock=self.clock,
        )

    def _stores(self) -> Beside:
        """Workloads of single stores, with names of their own in the target."""
        return Beside(
            target=self.stack.target,
            stores=self.drill.stores,
            prefix=f"blackstart-{self.folder.name}-{self.number}".lower().replace("_", "-"),
            seed=self.seed,
            journal=self.journal,
            clock=self.clock,
        )

    def _filled(self, text: str) -> str:
        return str(fill(text, output_names(self.stack.outputs)))

    @property
    def _patience_s(self) -> float:
        """How much longer than its actions an experiment may take: FIS undoes what it did before it ends."""
        return 30.0 if self.stack.target.control_url else STOP_WAIT_S

    @property
    def seed(self) -> int:
        """This run's own seed."""
        return self.repeats.seed + self.number - 1

    def run(self) -> None:
        """Make it; whatever happens, every fault is healed at the end."""
        self._note(names.DRILL_STARTED, drill=self.drill.name, seed=self.seed, run=self.number)
        self._mark_clock()
        self.witness.alarms.begin()
        try:
            before = self._look_before()
            with watched(self.journal, self.clock):
                with self._stores().running(), self._prober():
                    if self._steady():
                        self._inject()
                        self._observe()
                        self.probes.look("after", now=True)
                    self._mark_clock()
                    self._note(names.OBSERVATION_ENDED)
                self._sum_up()
                self._verify(before)
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
            run=self.repeats.key_prefix(self.drill.name, self.number, self.folder),
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
        template = self._template_here()
        stand_in(self.stack.target, template["roleArn"])
        created = self._fis.create_experiment_template(**template, tags={"blackstart:drill": self.drill.name})
        self._template = created["experimentTemplate"]["id"]
        started = self._fis.start_experiment(
            experimentTemplateId=self._template, tags={"blackstart:seed": str(self.seed)}
        )
        self._experiment = started["experiment"]["id"]
        self._note(
            names.EXPERIMENT_STARTED,
            experiment_id=self._experiment,
            lasts_s=max(_lengths_s(template, "duration"), default=0.0),
        )
        if self.failover is not None:
            self.failover.begin()
            return  # what survives is looked at while the rest is dark: the rollback ends the experiment
        until_s = self.clock.now_s() + _longest_s(template) + self._patience_s
        while True:
            self.witness.take(self._experiment)
            self.witness.look()
            self.probes.look("during")
            experiment = self._fis.get_experiment(id=self._experiment)["experiment"]
            status = experiment["state"]["status"]
            self.tell(f"experiment {self._experiment} {status}")
            if status in ENDED:
                break
            if self.clock.now_s() > until_s:
                self._note(names.CHECK_FAILED, check="experiment", error="it did not end in time")
                break
            time.sleep(_POLL_S if self.stack.target.control_url else _FIS_POLL_S)
        self.witness.take(self._experiment)
        self._note(names.EXPERIMENT_ENDED, state=status)
        if status != "completed":
            self._note(names.CHECK_FAILED, check="experiment", error=experiment["state"].get("reason", status))

    def _template_here(self) -> dict[str, Any]:
        """The template for this account; on the embedded cloud with the drill's own duration."""
        target, drill = self.stack.target, self.drill
        text = json.dumps(drill.template).replace(f":{EMULATOR_ACCOUNT}:", f":{target.account_id}:")
        template: dict[str, Any] = json.loads(text)
        if drill.role and target.kind == "aws":
            template["roleArn"] = self._filled(drill.role)
        if drill.duration is not None and target.kind != "aws":
            seconds = parse_duration_s(drill.duration)
            for action in template["actions"].values():
                if "duration" in action.get("parameters", {}):
                    action["parameters"]["duration"] = f"PT{seconds:g}S"
        return template

    def _observe(self) -> None:
        """Watch on for the hold after healing; when it is not back by then, up to the deadline and a hold.

        Where somebody has to be told, it lasts until they are, or until it is too late.
        """
        self.tell("watching the recovery")
        method = self.drill.method
        least_s = method.hold_s + method.window_s
        self._watch(self.clock.now_s() + least_s)
        self.witness.take(self._experiment)
        fault_s = phases_of(self._read()).fault_s
        if fault_s is None:
            return
        until_s = fault_s + method.deadline_s + least_s
        while self.clock.now_s() < until_s and not (self._failed_over() and self._recovered(fault_s)):
            self._watch(self.clock.now_s() + 1.0)
        detect_s = self.drill.objectives.detect_s or 0.0
        while self._patient(fault_s, detect_s) and first_alarm(self._read(), fault_s) is None:
            self._watch(self.clock.now_s() + _LOOK_S)
        self._await_clear(fault_s)

    def _patient(self, since_s: float, limit_s: float) -> bool:
        """Whether it is too early to say that nothing came within the limit: a crowded machine takes longer."""
        waited_s = self.clock.now_s() - since_s
        if waited_s >= _MOST_PATIENCE * limit_s:
            return False
        return waited_s < limit_s or quiet_s(self._read(), since_s, since_s + waited_s) <= limit_s

    def _await_clear(self, fault_s: float) -> None:
        """Where the drill asks for it, watch until the alarm that told is OK again, or it is too late for that."""
        until_s, told = self.clock.now_s() + self.drill.clears_within_s, first_alarm(self._read(), fault_s)
        while told is not None and self.clock.now_s() < until_s and not has_cleared(self._read(), told):
            self.tell(f"waiting for {told.detail.get('alarm')} to be OK again")
            self._watch(min(until_s, self.clock.now_s() + 1.0))

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
            if self._experiment:
                self.witness.take(self._experiment)

    def _failed_over(self) -> bool:
        return self.failover is None or self.failover.done

    def _recovered(self, fault_s: float) -> bool:
        """Whether what was answered until now shows a recovery that held."""
        end_s = self.clock.now_s() - self.drill.timeout_s
        samples = samples_of(self._read(), self.drill.method)
        return recovery(samples, fault_s=fault_s, end_s=end_s, method=self.drill.method).recovered_s is not None

    def _sum_up(self) -> None:
        since_s = self._read().instant(names.EXPERIMENT_STARTED)
        if since_s is not None:
            self.witness.sum_up(self._experiment, since_s)

    # -- verification and rollback ---------------------------------------------------------------------------

    def _look_before(self) -> Before:
        """What earlier writes have caused: what comes beside it is this drill's."""
        if self.drill.verification is None:
            return Before()
        try:
            return Store(self.stack, self.drill.verification).look_before()
        except (ClientError, BotoCoreError, NotReadyError, KeyError) as error:
            self._note(names.CHECK_FAILED, check="verification", error=f"{type(error).__name__}: {error}")
            return Before()

    def _verify(self, before: Before) -> None:
        if self.drill.verification is None:
            return
        store = Store(self.stack, self.drill.verification, before=before)
        journal = self._read()
        self.tell("waiting for what was begun to end")
        try:
            if waiting := settle(store, journal, self.clock, meanwhile=self.witness.look):
                self._note(names.QUEUES_WAITING, messages=waiting)
            self._look_for_the_last(journal)
            self._note(names.VERIFICATION_STARTED)
            self.tell("reading everything back, twice")
            prefix = self.repeats.key_prefix(self.drill.name, self.number, self.folder)
            with self._recovery_target(store) as target:
                verify(target, journal, self.journal, self.clock, prefix=f"{prefix}-")
        except (ClientError, BotoCoreError, NotReadyError, KeyError) as error:
            self._note(names.CHECK_FAILED, check="verification", error=f"{type(error).__name__}: {error}")
        self._note(names.VERIFICATION_ENDED)

    def _look_for_the_last(self, journal: Journal) -> None:
        """The last writes may be as stale as the objective allows before it is missed."""
        limit_s = self.drill.objectives.staleness_s
        if self.witness.replica is not None and limit_s is not None:
            acked = (one.key for one in journal.operations if one.write and one.outcome == "ok")
            since_s = self.clock.now_s()
            self.witness.replica.look_for(acked, patient=lambda: self._patient(since_s, limit_s + LOOK_EVERY_S))

    def _recovery_target(self, store: Store) -> AbstractContextManager[Store]:
        if not store.part.restore:
            return nullcontext(store)
        self.tell("restoring the table")
        return restored(store, f"blackstart-{self.folder.name}-{self.number}", self.journal, self.clock)

    def _roll_back(self) -> None:
        """Stop what may still run, and look whether anything of ours is left. Runs whatever happened before."""
        left: list[str] = []
        if self.failover is not None:
            self.failover.stop()
        try:
            if self._experiment:
                self._stop()
                left += self.witness.left_in_force(self._experiment)
            if self._template:
                self._fis.delete_experiment_template(id=self._template)
        except (ClientError, BotoCoreError, BlackstartError) as error:
            left.append(f"could not roll back: {error}")
        if self.standby is not None:
            self.tell("taking the standby down")
            left += self.standby.take_down()
        self._note(names.ROLLBACK, clean=not left, left=left)

    def _stop(self) -> None:
        """Stop the experiment unless it has ended by itself: FIS may refuse to stop that."""
        state = self._fis.get_experiment(id=self._experiment)["experiment"]["state"]["status"]
        if state not in ENDED:
            self._fis.stop_experiment(id=self._experiment)

    def _read(self) -> Journal:
        self.journal.flush()
        return read_journal(self.journal.path)

    def _note(self, name: str, /, **detail: Any) -> None:
        self.journal.event(name, self.clock.now_s(), **detail)


def _longest_s(template: Mapping[str, Any]) -> float:
    """How long an experiment takes at the most: one action after the other."""
    return sum(_lengths_s(template, "duration", "maxDuration"))


def _lengths_s(template: Mapping[str, Any], *names: str) -> list[float]:
    """How long each action that lasts is in force, by these parameters."""
    given = [action.get("parameters", {}) for action in template["actions"].values()]
    return [parse_duration_s(one[name]) for one in given for name in names if one.get(name)]
