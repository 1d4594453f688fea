"""What a person may do from the console: take power, start and stop experiments, run a drill, heal everything.

Whatever the console put in force ends with it: its leases run out when it no longer renews them.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from chaos.drill_file import drill_names
from harness import experiments, processes, running
from harness.cloud.control_client import ControlClient
from harness.errors import BlackstartError, UsageError, nearest
from harness.stack import RunningStack
from harness.workspace import Workspace

OWNER = "console"
LEASE_S = 30.0
RENEW_S = 5.0
_LINES = 400
_END_S = 30.0
_COMMAND = "import sys; from harness.cli import main; sys.exit(main())"


@dataclass(slots=True)
class DrillUnderWay:
    """`blackstart drill NAME` in a process of its own, and what it says."""

    name: str
    process: subprocess.Popen[bytes]
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES))

    def shown(self) -> dict[str, Any]:
        """As JSON; `exit_code` is None while it runs."""
        return {"name": self.name, "exit_code": self.process.poll(), "lines": list(self.lines)}

    def listen(self) -> None:
        """Keep what it says until it ends; for a thread."""
        for line in self.process.stdout or ():
            self.lines.append(line.decode(errors="replace").rstrip())
        self.process.wait()


@dataclass(slots=True)
class Levers:
    """The levers of one console. Safe from any thread."""

    workspace: Workspace
    stack: RunningStack
    control: ControlClient = field(init=False)
    drill: DrillUnderWay | None = None
    _held: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.control = ControlClient(self.stack.target)

    def power(self, zone: str, *, on: bool) -> str:
        """Take a zone's power, or give it back; returns what came of it.

        Raises:
            UsageError: there is no such zone.
        """
        if on:
            self._held.discard(zone)
            lit = self.control.restore_power(zone, OWNER)
            return f"{zone} has its power back" if lit else f"{zone} stays dark: somebody else holds its power too"
        killed = self.control.cut_power(zone, OWNER, LEASE_S)
        self._held.add(zone)
        return f"{zone} lost its power: {killed} processes died"

    def renew(self) -> None:
        """Keep in force what the console put in force."""
        if self._held:
            with contextlib.suppress(BlackstartError):
                self.control.renew(OWNER)

    def start_experiment(self, template: str) -> str:
        """Start one from a template's id."""
        return f"{experiments.start(self.workspace, template)['id']} starts"

    def stop_experiment(self, experiment: str) -> str:
        """Stop one; what it broke is healed."""
        return f"{experiments.stop(self.workspace, experiment)['id']} stops"

    def heal(self) -> str:
        """End every fault, whoever put it in force."""
        self._held.clear()
        ended = running.heal(self.workspace)["ended"]
        what = [f"{kind}: {', '.join(map(str, found))}" for kind, found in ended.items() if found]
        return "healed " + "; ".join(what) if what else "nothing was in force"

    def start_drill(self, name: str) -> str:
        """Run `blackstart drill NAME` against the stack; one at a time.

        Raises:
            UsageError: no such drill, or one is under way.
        """
        known = drill_names(self.workspace.drills)
        if name not in known:
            raise UsageError(f"no drill {name!r}", where=str(self.workspace.drills), hint=nearest(name, known))
        with self._lock:
            if self.drill is not None and self.drill.process.poll() is None:
                raise UsageError(f"{self.drill.name} is under way", hint="stop it first, or wait for its verdict")
            process = processes.spawn(
                [sys.executable, "-c", _COMMAND, "drill", name, "--config", str(self.workspace.file)],
                role=f"drill {name}",
                registry=self.workspace.folder / "processes",
                cwd=self.workspace.root,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            self.drill = DrillUnderWay(name, process)
        threading.Thread(target=self.drill.listen, name=f"drill {name}", daemon=True).start()
        return f"{name} begins"

    def stop_drill(self) -> str:
        """Interrupt the drill as Ctrl-C does: it heals and says what it saw."""
        if self.drill is None or self.drill.process.poll() is not None:
            return "no drill is under way"
        self.drill.process.send_signal(signal.SIGINT)
        return f"{self.drill.name} stops"

    def close(self) -> None:
        """Give back every zone's power and end the drill."""
        if self.drill is not None and self.drill.process.poll() is None:
            self.stop_drill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.drill.process.wait(_END_S)
            processes.stop(self.drill.process, registry=self.workspace.folder / "processes")
        for zone in list(self._held):
            with contextlib.suppress(BlackstartError, ClientError):
                self.power(zone, on=True)
