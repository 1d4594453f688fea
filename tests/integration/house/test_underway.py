"""Commands that take things down look first who is at work."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import NotReadyError, RefusedError
from harness.underway import at_work, commands, make_way
from harness.workspace import Workspace, open_workspace
from tests.waiting import awaited

DRILL = """
import sys
from pathlib import Path
from harness.underway import at_work
from harness.workspace import open_workspace

with at_work(open_workspace(Path(sys.argv[1])), "drill"):
    sys.stdin.read()
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "blackstart.toml").write_text("")
    return open_workspace(tmp_path / "blackstart.toml")


def test_a_command_is_no_hindrance_to_itself_and_gone_when_it_ends(workspace: Workspace) -> None:
    with at_work(workspace, "run"):
        assert [path.stem for path in workspace.commands.iterdir()] == [str(os.getpid())]
        make_way(workspace, {"run"}, consent=False, tell=pytest.fail)
    assert not list(workspace.commands.iterdir())


def test_what_takes_down_refuses_beside_a_drill_and_ends_it_with_consent(workspace: Workspace) -> None:
    argv = [sys.executable, "-c", DRILL, str(workspace.file)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as drill:
        assert awaited(lambda: [one.role for one in commands(workspace)]) == ["drill"]
        make_way(workspace, {"run"}, consent=False, tell=pytest.fail)
        with pytest.raises(RefusedError, match=rf"at work here: drill \(pid {drill.pid}\)(?s:.)*kill {drill.pid}"):
            make_way(workspace, {"drill"}, consent=False, tell=pytest.fail)
        assert drill.poll() is None
        told: list[str] = []
        make_way(workspace, {"drill"}, consent=True, tell=told.append)
        assert told == [f"ending drill (pid {drill.pid}): it rolls back first, which may take 120 s"]
        assert drill.wait() != 0
    assert commands(workspace) == []  # its file was left by the kill, and counts for nothing
    assert not list(workspace.commands.iterdir())


def test_nothing_is_taken_down_below_a_command_that_does_not_end(workspace: Workspace) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + DRILL
    with subprocess.Popen([sys.executable, "-c", deaf, str(workspace.file)], stdin=subprocess.PIPE) as drill:
        assert awaited(lambda: commands(workspace))
        with pytest.raises(NotReadyError, match=rf"drill \(pid {drill.pid}\)(?s:.)*kill -9 {drill.pid}"):
            make_way(workspace, {"drill"}, consent=True, tell=lambda _text: None, patience_s=0.0)
        assert drill.poll() is None
