"""A red verdict is possible, and a kill in the middle of it leaves nothing in force."""

import signal
import subprocess
from typing import Any

import pytest

from tests.waiting import awaited

LONGEST_S = 600.0
"""Until a drill cuts the power: it measures its own error and a baseline before."""


def test_a_stack_pinned_to_the_lost_zone_fails_and_a_killed_drill_is_healed(project: Any) -> None:
    code, said = project.run("up", "--detach", "--set", "orders:zones=b", "--set", "orders:parts=none")
    assert code == 0, said

    code, said = project.run("drill", "zone-loss")
    project.skip_where_too_busy(code, said)
    assert code == 1, said
    assert "FAIL" in said
    assert "only once" in said  # good answers came back with the power, not before

    with project.start("drill", "zone-loss") as drill:
        _wait_for_a_dark_zone(project, drill)
        drill.send_signal(signal.SIGKILL)
        drill.communicate()
    code, said = project.run("heal")
    assert code == 0, said
    left = project.json("status")["data"]
    assert (left["faults"], left["dark_zones"], left["experiments"]) == ([], [], [])
    assert not [process for process in left["processes"] if process["role"] == "prober"]


def _wait_for_a_dark_zone(project: Any, drill: subprocess.Popen[str]) -> None:
    from pathlib import Path

    from harness.cloud.control_client import ControlClient
    from harness.stack import load

    control = ControlClient(load(Path(project.folder) / ".blackstart" / "stack.json").target)

    def seen() -> str:
        dark = any(not zone["powered"] for zone in control.zones())
        return "dark" if dark else "ended" if drill.poll() is not None else ""

    if awaited(seen, LONGEST_S) == "ended":
        out, err = drill.communicate()
        project.skip_where_too_busy(drill.returncode, out + err)
        pytest.fail(f"the drill never cut the power: {out + err}")
