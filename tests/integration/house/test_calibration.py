"""Calibration with real processes: a service whose outages are known, and the prober that every drill uses."""

from pathlib import Path

from harness import processes
from harness.load.calibration import Trial, calibrate
from harness.measure.journal import read_journal


def test_a_known_outage_is_measured_to_a_probe_interval(tmp_path: Path) -> None:
    found = calibrate(Trial(outages=1, outage_s=0.3, seed=5), folder=tmp_path)
    assert 0.0 <= found.late_p50_ms <= found.late_p99_ms
    assert len(read_journal(tmp_path / "calibration.jsonl").operations) > 80
    assert processes.records(tmp_path / "processes") == []
