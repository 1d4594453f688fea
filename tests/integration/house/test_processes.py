"""Processes of ours: own group, recorded, reaped when the owner is gone."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness import processes
from harness.cloud.client import CloudSettings, RunningCloud
from tests.waiting import until

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
PARENT = """
import sys, time
from pathlib import Path
from harness import processes
sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
child = processes.spawn(sleeper, role="child", registry=Path(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(60)
"""


def gone(pid: int) -> bool:
    def ended() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except FileNotFoundError:
            return True

    return until(ended)


def test_a_process_leads_its_own_group_and_is_recorded_until_stopped(tmp_path: Path) -> None:
    child = processes.spawn(SLEEPER, role="sleeper", registry=tmp_path)
    assert os.getpgid(child.pid) == child.pid
    assert [(r.pid, r.role, r.alive, r.orphaned) for r in processes.records(tmp_path)] == [
        (child.pid, "sleeper", True, False)
    ]
    assert processes.stop(child, registry=tmp_path) == -signal.SIGTERM
    assert processes.records(tmp_path) == []


def test_the_family_of_a_process_is_that_of_psutil_and_whoever_is_gone_has_none(tmp_path: Path) -> None:
    child = processes.spawn(["sh", "-c", "sh -c 'sleep 60 & sleep 60; :'; :"], role="x", registry=tmp_path)
    assert until(lambda: len(psutil.Process(child.pid).children(recursive=True)) == 3)
    descendants = {child.pid, *(one.pid for one in psutil.Process(child.pid).children(recursive=True))}
    found = [one.pid for one in processes.family(child.pid)]
    assert (found[0], set(found), len(found)) == (child.pid, descendants, 4)
    processes.stop(child, registry=tmp_path)
    with pytest.raises(psutil.NoSuchProcess):
        processes.family(child.pid)


def test_a_process_that_ignores_sigterm_is_killed_with_its_children(tmp_path: Path) -> None:
    stubborn = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "c = subprocess.Popen([sys.executable, '-c', 'import signal, time;"
        " signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)'])\n"
        "print(c.pid, flush=True); time.sleep(60)\n"
    )
    child = processes.spawn([sys.executable, "-c", stubborn], role="x", registry=tmp_path, stdout=subprocess.PIPE)
    assert child.stdout is not None
    grandchild = int(child.stdout.readline())
    assert processes.stop(child, registry=tmp_path, grace_s=0.3) == -signal.SIGKILL
    child.stdout.close()
    assert gone(grandchild)


def test_a_process_whose_owner_was_killed_is_reaped(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        child = int(owner.stdout.readline())
        assert processes.reap(tmp_path) == []  # the owner lives: nothing to do
        owner.kill()
        owner.wait()
    assert [record.pid for record in processes.reap(tmp_path)] == [child]
    assert gone(child)
    assert processes.records(tmp_path) == []


def test_a_detached_process_outlives_its_owner_and_ends_when_everything_does(tmp_path: Path) -> None:
    source = PARENT.replace('role="child",', 'role="child", detached=True,').replace("time.sleep(60)\n", "", -1)
    with subprocess.Popen([sys.executable, "-c", source, str(tmp_path)], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        child = int(owner.stdout.readline())
        owner.kill()
    assert processes.reap(tmp_path) == []
    assert processes.is_running(child, processes.records(tmp_path)[0].started)
    assert [record.pid for record in processes.reap(tmp_path, everything=True)] == [child]
    assert gone(child)


def test_a_recycled_process_id_is_not_ours(tmp_path: Path) -> None:
    child = processes.spawn(SLEEPER, role="sleeper", registry=tmp_path)
    assert not processes.is_running(child.pid, processes.records(tmp_path)[0].started - 100)
    processes.stop(child, registry=tmp_path)


def test_what_a_killed_cloud_ran_ends_with_it(tmp_path: Path) -> None:
    registry = tmp_path / "databases" / "processes"
    server = subprocess.Popen([sys.executable, "-c", PARENT, str(registry)], stdout=subprocess.PIPE)
    assert server.stdout is not None
    child = int(server.stdout.readline())
    server.kill()
    server.wait()
    server.stdout.close()
    nobody: Any = None
    cloud = RunningCloud(
        settings=CloudSettings(state_dir=tmp_path), target=nobody, pid=server.pid, control=nobody, _process=server
    )
    cloud.stop()
    assert gone(child)
    assert processes.records(registry) == []
