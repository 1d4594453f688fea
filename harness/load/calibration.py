"""The harness's own error: real prober, real HTTP, a service whose outages are known, the measure of every drill.

error(k) = RTO as measured - length of outage k. It contains the probe interval, the prober's lateness and the
machine's load, as a drill's RTO does. The largest of the errors is told beside every run's figures.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness import processes
from harness.errors import InconclusiveError
from harness.load.known_outage import KnownOutages, spawn_service
from harness.load.workload import HttpOperation, ProberSpec
from harness.measure.calibration import Calibration, known_errors
from harness.measure.journal import Journal, JournalWriter, read_journal
from harness.measure.pacing import pacing

_STARTS_S = (1.5, 6.0, 24.0)
"""From the beginning until the prober sends; more where it was not up by then."""

_REST_S = 0.9
"""Good answers before and after each outage; the hold of the measure must fit in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How to calibrate: `rate` requests a second, so many `outages` of `outage_s` each."""

    rate: float = 50.0
    outage_s: float = 0.4
    outages: int = 2
    seed: int = 0


def calibrate(trial: Trial, *, folder: Path) -> Calibration:
    """Measure known outages with the real prober; takes 2.4 s and 1.3 s for each outage, with the defaults.

    Raises:
        InconclusiveError: the outages could not be measured, so that no RTO of this machine can be believed.
    """
    for starts_s in _STARTS_S:
        known = _outages(trial, time.monotonic() + starts_s)
        journal = _probed(trial, known, folder)
        if journal.operations and journal.operations[0].scheduled_s < known.outages[0][0] - _REST_S:
            break
    return _calibration(trial, known, journal)


def _probed(trial: Trial, known: KnownOutages, folder: Path) -> Journal:
    """What the prober saw of the service."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "calibration.jsonl"
    path.unlink(missing_ok=True)
    JournalWriter(path).close()
    registry = folder / "processes"
    with spawn_service(msgspec.structs.replace(known, ends_s=known.ends_s + 5.0), folder) as port:
        spec = _prober_spec(trial, port, path, known, folder)
        prober = processes.spawn(
            [sys.executable, "-m", "harness.load.prober", str(spec)],
            role="calibration",
            registry=registry,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            prober.wait(known.ends_s - time.monotonic() + 10.0)
        except subprocess.TimeoutExpired as error:
            raise InconclusiveError("the prober did not end in time", where="calibration") from error
        finally:
            processes.stop(prober, registry=registry)
    return read_journal(path)


def _calibration(trial: Trial, known: KnownOutages, journal: Journal) -> Calibration:
    late = pacing(journal.operations)
    errors_s = known_errors(journal.operations, known.outages, rest_s=_REST_S)
    if late is None or None in errors_s:
        raise InconclusiveError(
            "a known outage could not be measured on this machine, so no recovery time would be right",
            where="calibration",
            hint="is the machine overloaded? look at calibration.jsonl",
        )
    return Calibration(
        rate=trial.rate,
        outage_s=trial.outage_s,
        errors_ms=[round(error_s * 1000.0, 2) for error_s in errors_s if error_s is not None],
        late_p50_ms=round(late.p50_ms, 3),
        late_p99_ms=round(late.p99_ms, 3),
    )


def _outages(trial: Trial, first_s: float) -> KnownOutages:
    """One outage after each rest; where in a probe interval each begins is drawn from the seed."""
    chance = random.Random(trial.seed)  # noqa: S311 - a seeded schedule
    outages, at_s = [], first_s
    for _ in range(trial.outages):
        down_s = at_s + _REST_S + chance.random() / trial.rate
        outages.append((down_s, down_s + trial.outage_s))
        at_s = down_s + trial.outage_s
    return KnownOutages(outages=outages, ends_s=at_s + _REST_S + 0.1)


def _prober_spec(trial: Trial, port: int, journal: Path, known: KnownOutages, folder: Path) -> Path:
    spec = ProberSpec(
        operations=[HttpOperation(kind="ask", method="GET", url=f"http://127.0.0.1:{port}/")],
        outputs={},
        journal=str(journal),
        rate=trial.rate,
        ends_s=known.ends_s,
        timeout_s=1.0,
        seed=trial.seed,
    )
    path = folder / "calibration.prober.json"
    path.write_bytes(msgspec.json.encode(spec))
    return path
