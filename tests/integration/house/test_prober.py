"""The prober as a process, against a service that is down when it says so."""

import itertools
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec

from harness.load.known_outage import KnownOutages, spawn_service
from harness.load.workload import HttpOperation, ProberSpec
from harness.measure.journal import Operation, read_journal


def probed(folder: Path, port: int, *, attempts: int = 1, lasts_s: float = 1.0) -> list[Operation]:
    ask = HttpOperation(kind="ask", method="GET", url=f"http://127.0.0.1:{port}/", write=True, attempts=attempts)
    spec = ProberSpec(
        operations=[ask],
        outputs={},
        journal=str(folder / "j.jsonl"),
        rate=40.0,
        duration_s=lasts_s,
        run="r",
        seed=3,
        timeout_s=60.0,
    )
    path = folder / "spec.json"
    path.write_bytes(msgspec.json.encode(spec))
    done = subprocess.run(
        [sys.executable, "-m", "harness.load.prober", str(path)], check=False, timeout=240, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return list(read_journal(folder / "j.jsonl").operations)


def test_an_unknown_outcome_is_sent_again_under_its_key_and_each_attempt_is_told(tmp_path: Path) -> None:
    until_s = time.monotonic() + 300.0
    with spawn_service(KnownOutages(outages=[(0.0, until_s)], ends_s=until_s), tmp_path) as port:
        operations = probed(tmp_path, port, attempts=3)
    assert {operation.outcome for operation in operations} == {"unknown"}
    assert set(Counter(operation.key for operation in operations).values()) == {3}
    first = [operation for operation in operations if operation.key == "r-0000000"]
    assert all(later.started_s >= earlier.ended_s for earlier, later in itertools.pairwise(first))


def test_what_was_answered_is_not_sent_again_and_requests_are_due_at_their_rate(tmp_path: Path) -> None:
    with spawn_service(KnownOutages(outages=[], ends_s=time.monotonic() + 300.0), tmp_path) as port:
        operations = probed(tmp_path, port, attempts=3)
    assert [operation.key for operation in operations] == [f"r-{number:07d}" for number in range(40)]
    due = [operation.scheduled_s - operations[0].scheduled_s for operation in operations]
    assert all(abs(at_s - number / 40.0) < 1e-6 for number, at_s in enumerate(due))
