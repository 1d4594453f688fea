"""Journals written from a script, for tests: a service that is down, slow or forgetful from here to there.

Nothing here observes anything. Tests of the measures, of the reports and of a user's own objectives use it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from harness.measure.journal import (
    BASELINE_ENDED,
    BASELINE_STARTED,
    CLOUD_EVENT,
    CPU,
    DRILL_ENDED,
    DRILL_STARTED,
    EVIDENCE,
    EXPERIMENT_ENDED,
    EXPERIMENT_STARTED,
    FAULT_FIRED,
    FAULT_HEALED,
    OBSERVATION_ENDED,
    ROLLBACK,
    VERIFICATION_ENDED,
    VERIFICATION_STARTED,
    Event,
    Journal,
    Operation,
    Outcome,
    Reading,
    Record,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Operations scheduled in [start_s, end_s) have this outcome, with probability `share`, after `latency_s`."""

    start_s: float
    end_s: float
    outcome: Outcome = "unknown"
    status: int = 503
    latency_s: float = 0.02
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One drill: a baseline from 0, the fault at `fault_s`, healed at `healed_s`, watched until `ended_s`.

    Instants are seconds on the journal's clock. Even operations write, odd ones read. `lost_keys`,
    `double_keys` and `open_keys` name writes that verification finds absent, with two effects, or unsettled.
    """

    rate: float = 50.0
    fault_s: float | None = 12.0
    healed_s: float = 24.0
    ended_s: float = 40.0
    outages: tuple[Outage, ...] = ()
    lost_keys: frozenset[str] = frozenset()
    double_keys: frozenset[str] = frozenset()
    open_keys: frozenset[str] = frozenset()
    fired: int = 25
    rollback_left: tuple[str, ...] = ()
    seed: int = 7
    latency_s: float = 0.012
    extra: tuple[Event, ...] = field(default=())


def play(script: Script) -> Journal:
    """The finished journal of the script; the same script gives the same journal."""
    records = [*_operations(script), *_events(script), *script.extra]
    operations = tuple(record for record in records if isinstance(record, Operation))
    return Journal(
        operations=operations,
        events=tuple(sorted((r for r in records if isinstance(r, Event)), key=lambda event: event.at_s)),
        readings=tuple(_readings(script, operations)),
    )


def records_of(journal: Journal) -> list[Record]:
    """Every record of the journal in the order in which a drill would have written it."""
    timed: list[tuple[float, Record]] = [(operation.ended_s, operation) for operation in journal.operations]
    timed += [(event.at_s, event) for event in journal.events]
    timed += [(reading.at_s, reading) for reading in journal.readings]
    return [record for _, record in sorted(timed, key=lambda pair: pair[0])]


def _operations(script: Script) -> list[Operation]:
    chance = random.Random(script.seed)  # noqa: S311 - a script, not a secret
    return [_operation(script, number, chance) for number in range(round(script.ended_s * script.rate))]


def _operation(script: Script, number: int, chance: random.Random) -> Operation:
    due_s = number / script.rate
    write = number % 2 == 0
    outage = next((o for o in script.outages if o.start_s <= due_s < o.end_s and chance.random() < o.share), None)
    latency_s = (script.latency_s if outage is None else outage.latency_s) * chance.lognormvariate(0.0, 0.25)
    return Operation(
        id=number,
        kind="place_order" if write else "read_order",
        key=f"order-{number:05d}" if write else "",
        scheduled_s=due_s,
        started_s=due_s + 0.0003,
        ended_s=due_s + latency_s,
        outcome="ok" if outage is None else outage.outcome,
        status=(201 if write else 200) if outage is None else outage.status,
        write=write,
        sequence=number if write else None,
    )


def _events(script: Script) -> list[Event]:
    told: list[tuple[float, str, dict[str, object]]] = [
        (0.0, DRILL_STARTED, {"drill": "zone-loss", "seed": script.seed}),
        (0.0, BASELINE_STARTED, {}),
        (11.0, BASELINE_ENDED, {"probes_hold": True}),
        (11.0, CPU, {"percent": 41.0}),
        (script.ended_s, OBSERVATION_ENDED, {}),
        (script.ended_s + 1.0, VERIFICATION_STARTED, {}),
        (script.ended_s + 3.0, VERIFICATION_ENDED, {}),
        (script.ended_s + 3.5, ROLLBACK, {"clean": not script.rollback_left, "left": list(script.rollback_left)}),
        (script.ended_s + 4.0, DRILL_ENDED, {}),
    ]
    if script.fault_s is not None:
        told += [
            (script.fault_s - 0.5, EXPERIMENT_STARTED, {"experiment_id": "EXPscripted00000000000000"}),
            (script.fault_s, FAULT_FIRED, {"zone": "use1-az2"}),
            (script.fault_s + 0.004, CLOUD_EVENT, {"kind": "power_loss_applied", "processes_killed": 3}),
            (script.healed_s, FAULT_HEALED, {}),
            (script.healed_s + 0.2, EXPERIMENT_ENDED, {"state": "completed"}),
        ]
        told += [(script.ended_s, EVIDENCE, {"matched": 2 * script.fired, "fired": script.fired})]
    return [Event(at_s=at_s, name=name, detail=detail) for at_s, name, detail in told]


def _readings(script: Script, operations: tuple[Operation, ...]) -> list[Reading]:
    written = [operation for operation in operations if operation.write]
    return [
        Reading(
            at_s=script.ended_s + 1.0 + number,
            pass_number=number,
            key=operation.key,
            present=operation.outcome == "ok" and operation.key not in script.lost_keys,
            effects=2 if operation.key in script.double_keys else 1 if operation.outcome == "ok" else 0,
            settled=operation.key not in script.open_keys,
        )
        for number in (1, 2)
        for operation in written
    ]
