"""Start, end and death of the cloud's process: ready means it answers, and nothing outlives it."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from harness import processes
from harness.cloud.client import CloudSettings, start_cloud
from harness.errors import NotReadyError
from tests.waiting import until

OWNER = """
import sys, time
from pathlib import Path
from harness.cloud.client import CloudSettings, start_cloud
cloud = start_cloud(CloudSettings(state_dir=Path(sys.argv[1])))
print(cloud.pid, flush=True)
time.sleep(600)
"""


def gone(pid: int) -> bool:
    return until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_a_taken_port_is_named_with_what_to_do(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(NotReadyError) as caught:
            start_cloud(CloudSettings(state_dir=folder, port=port))
    assert str(port) in f"{caught.value.what} {caught.value.where}"
    assert caught.value.hint
    assert caught.value.exit_code == 4
    assert processes.records(folder / "processes") == []


def test_a_cloud_answers_as_soon_as_it_is_ready_and_is_gone_when_stopped(folder: Path) -> None:
    cloud = start_cloud(CloudSettings(state_dir=folder))
    assert cloud.target.client("sts").get_caller_identity()["Account"] == "000000000000"
    cloud.stop()
    assert gone(cloud.pid)
    assert processes.records(folder / "processes") == []
    assert not cloud.control.alive()


def test_a_killed_owner_takes_the_cloud_along(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.send_signal(signal.SIGKILL)
    assert gone(pid)


def test_a_killed_cloud_leaves_nothing_that_the_next_command_does_not_end(folder: Path) -> None:
    cloud = start_cloud(CloudSettings(state_dir=folder, enforce_iam=False))
    function = cloud.target.client("lambda")
    function.create_function(
        FunctionName="sleepy",
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="index.handler",
        Code={"ZipFile": _zip("def handler(event, context):\n    return 1\n")},
    )
    function.invoke(FunctionName="sleepy")
    (environment,) = cloud.control.environments()
    os.kill(cloud.pid, signal.SIGKILL)
    assert gone(cloud.pid)
    processes.reap(folder / "environments")
    assert gone(environment["pid"])
    cloud.stop()


def _zip(code: str) -> bytes:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", code)
    return buffer.getvalue()
