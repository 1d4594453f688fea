"""A red verdict is possible, and a kill in the middle of it leaves nothing in force."""

import signal
import time
from typing import Any


def test_a_stack_pinned_to_the_lost_zone_fails_and_a_killed_drill_is_healed(project: Any) -> None:
    code, said = project.run("up", "--detach", "--set", "orders:zones=b", "--set", "orders:parts=none")
    assert code == 0, said

    code, said = project.run("drill", "zone-loss")
    project.skip_where_too_busy(code, said)
    assert code == 1, said
    assert "FAIL" in said
    assert "only once" in said  # good answers came back with the power, not before

    with project.start("drill", "zone-loss") as drill:
        _wait_for_a_dark_zone(project)
        drill.send_signal(signal.SIGKILL)
        drill.communicate()
    code, said = project.run("heal")
    assert code == 0, said
    left = project.json("status")["data"]
    assert (left["faults"], left["dark_zones"], left["experiments"]) == ([], [], [])
    assert not [process for process in left["processes"] if process["role"] == "prober"]


def _wait_for_a_dark_zone(project: Any) -> None:
    from pathlib import Path

    from harness.cloud.control_client import ControlClient
    from harness.stack import load

    control = ControlClient(load(Path(project.folder) / ".blackstart" / "stack.json").target)
    until_s = time.monotonic() + 60
    while all(zone["powered"] for zone in control.zones()):
        assert time.monotonic() < until_s, "the drill never cut the power"
        time.sleep(0.1)
