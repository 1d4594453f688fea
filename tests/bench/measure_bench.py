"""Measurement: the prober's lateness with Locust beside it, the journal's and the judge's speed, the RTO's error."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from peers import Table

from harness.load.calibration import Trial, calibrate
from harness.measure.journal import JournalWriter, Record, read_journal
from harness.measure.method import Method
from harness.measure.objectives import DrillObjectives
from harness.measure.scripted import Outage, Script, play, records_of
from harness.measure.verdict import judge

RECORDS_RATE = 12_500.0  # 40 s of it: half a million operations, a quarter of a million keys read back twice
LOCUSTFILE = """
from locust import HttpUser, constant_throughput, task

class Asks(HttpUser):
    wait_time = constant_throughput(10)

    @task
    def ask(self):
        self.client.get("/", timeout=2)
"""


def locust(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Twenty users, ten requests a second each, for 8 s."""
    path = folder / "locustfile.py"
    path.write_text(LOCUSTFILE)
    command = ["-m", "locust", "-f", str(path), "--headless", "-u", "20", "-r", "20", "-t", "8s", "--only-summary"]
    return subprocess.Popen(
        [sys.executable, *command, "--host", f"http://127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def prober(table: Table, folder: Path) -> None:
    """At 500 a second, with Locust at 200 a second on the other core."""
    from harness.load.known_outage import KnownOutages, spawn_service

    until_s = time.monotonic() + 20.0
    with spawn_service(KnownOutages(outages=[], ends_s=until_s), folder) as port, locust(folder, port) as beside:
        time.sleep(2.5)
        found = calibrate(Trial(rate=500.0, outage_s=3.0, outages=1), folder=folder / "prober")
        beside.terminate()
    table.limit("prober at 500/s beside Locust, late p50", found.late_p50_ms, "ms", at_most=2.0)
    table.limit("prober at 500/s beside Locust, late p99", found.late_p99_ms, "ms", at_most=5.0)


def known_outage(table: Table, folder: Path) -> None:
    """A known outage of 3.000 s, asked 50 times a second: an interval of 20 ms and 20 ms more."""
    found = calibrate(Trial(outage_s=3.0, outages=1), folder=folder / "known")
    table.limit("error of RTO on a known outage of 3.000 s", found.error_ms, "ms", at_most=40.0)


def journal(table: Table, path: Path) -> None:
    """To the disk itself; the best of three, since others may want the disk."""
    records = records_of(play(Script(rate=RECORDS_RATE, outages=(Outage(start_s=12.0, end_s=15.0),))))
    took_s = min(_written(records, path) for _ in range(3))
    rate = len(records) / took_s
    table.limit("journal: microseconds a record, to disk", 1e6 / rate, "us", at_most=10.0)
    print(f"  {rate:,.0f} records a second; {len(records):,} records, {path.stat().st_size / 2**20:.0f} MiB")


def _written(records: Sequence[Record], path: Path) -> float:
    path.unlink(missing_ok=True)
    began_s = time.perf_counter()
    with JournalWriter(path) as writer:
        for record in records:
            writer.append(record)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return time.perf_counter() - began_s


def judge_alone(path: Path) -> int:
    """In a process of its own, for its memory alone; prints the seconds that it had the processor, and MiB."""
    began_s = time.process_time()
    judged = judge(read_journal(path), DrillObjectives(rto_s=5.0, rpo_s=0.0, lost=0), Method())
    took_s = time.process_time() - began_s
    scale = 2**20 if sys.platform == "darwin" else 2**10
    print(took_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale)
    return judged.verdict != "pass"


def main() -> int:
    table = Table()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prober(table, folder)
        known_outage(table, folder)
        journal(table, folder / "journal.jsonl")
        command = [sys.executable, __file__, str(folder / "journal.jsonl")]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        table.limit("a million records judged", float(said[0]), "s", at_most=6.0)
        table.limit("a million records judged, memory", float(said[1]), "MiB", at_most=600.0)
    return table.missed


if __name__ == "__main__":
    sys.exit(judge_alone(Path(sys.argv[1])) if sys.argv[1:] else main())
