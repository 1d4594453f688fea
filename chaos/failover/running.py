"""A failover while it runs: waits for its trigger, runs the procedure and times each step, and watches the names.

Appends to the journal only; what it means is in `harness.measure.failover`.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.failover.parts import function_of
from chaos.failover.runbook import STEP, Runbook, write_runbook
from harness import processes
from harness.clock import Clock
from harness.measure import journal as names
from harness.measure.journal import JournalWriter

_LAST_WORDS = 300
_READ_S = 5.0


@dataclass(slots=True, kw_only=True)
class Procedure:
    """One procedure: `start` it, `look` at it, `stop` it. `what` is `failover`, or `protect` before the fault."""

    procedure: str
    what: str
    runbook: Runbook
    folder: Path
    """Of the drill file."""
    work: Path
    journal: JournalWriter
    clock: Clock
    timeout_s: float
    ended: bool = False
    error: str = ""
    """Why it failed."""
    _process: subprocess.Popen[bytes] | None = None
    _reader: threading.Thread | None = None
    _began_s: float = 0.0

    @property
    def running(self) -> bool:
        """Started and not ended."""
        return self._process is not None and not self.ended

    def start(self, why: str) -> None:
        """Begin; `why` is what triggered it."""
        path = self.work / f"{self.what}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_runbook(path, self.runbook)
        self._note(names.PROCEDURE_STARTED, why=why)
        self._began_s = self.clock.now_s()
        stack_file = {"BLACKSTART_STACK_FILE": str(path.with_suffix(".stack.json"))}
        with path.with_suffix(".log").open("wb") as log:
            try:
                self._process = processes.spawn(
                    self._command(path),
                    role="procedure",
                    registry=self.work / "processes",
                    env={
                        **os.environ,
                        **self.runbook.stack.target.environment,
                        **stack_file,
                        "PYTHONUNBUFFERED": "1",
                    },
                    stdout=subprocess.PIPE,
                    stderr=log,
                )
            except OSError as error:
                self._end(-1, f"it could not be started: {error}")
                return
        self._reader = threading.Thread(target=self._read, name="procedure", daemon=True)
        self._reader.start()

    def look(self) -> None:
        """Note its end; end it when it takes too long."""
        if not self.running or self._process is None:
            return
        if self._process.poll() is None:
            if self.clock.now_s() - self._began_s < self.timeout_s:
                return
            processes.stop(self._process, registry=self.work / "processes", grace_s=1.0)
            self._end(-1, f"it was not done within {self.timeout_s:g} s")
            return
        processes.forget(self.work / "processes", self._process.pid)
        code = self._process.returncode
        self._end(code, "" if code == 0 else self._last_words())

    def stop(self) -> None:
        """End it, whatever it does."""
        if self.running and self._process is not None:
            processes.stop(self._process, registry=self.work / "processes", grace_s=1.0)
            self._end(-1, "the drill was over before it was done")

    def end_unbegun(self, why: str) -> None:
        """It will never begin."""
        self._end(-1, why)

    def _end(self, code: int, error: str) -> None:
        if self._reader is not None:
            self._reader.join(_READ_S)
        self.error, self.ended = error, True
        self._note(names.PROCEDURE_ENDED, code=code, error=error)

    def _command(self, path: Path) -> list[str]:
        if function_of(self.procedure) is None:
            return shlex.split(self.procedure)
        return [sys.executable, "-m", "chaos.failover.host", str(path), self.procedure, str(self.folder)]

    def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None  # noqa: S101, PT018 - a pipe was asked for
        with self._process.stdout as told:
            for line in told:
                text = line.decode(errors="replace").strip()
                if text.startswith(STEP) and not self.ended:
                    self._note(names.PROCEDURE_STEP, step=text.removeprefix(STEP))

    def _last_words(self) -> str:
        lines = (self.work / f"{self.what}.log").read_text(errors="replace").strip().splitlines()
        return (lines[-1] if lines else "it said nothing")[:_LAST_WORDS]

    def _note(self, name: str, /, **detail: Any) -> None:
        self.journal.event(name, self.clock.now_s(), what=self.what, procedure=self.procedure, **detail)


@dataclass(slots=True, kw_only=True)
class Failover:
    """What happens once the fault is there. `procedure` None: nothing needs to be done.

    Args:
        after_s: how long after the start of the experiment the procedure begins; None waits for `alarm`.
        cloudwatch: boto3's, of the surviving region.
        answer: where the front door's name leads now.
    """

    procedure: Procedure | None
    after_s: float | None
    alarm: str
    cloudwatch: Any
    answer: Callable[[], str]
    protect: Procedure | None = None
    journal: JournalWriter
    clock: Clock
    _since_s: float = 0.0
    _answers: set[str] = field(default_factory=set)
    _answer: str = ""

    @property
    def done(self) -> bool:
        """True when no procedure is still to be waited for."""
        return self.procedure is None or self.procedure.ended

    def begin(self) -> None:
        """The experiment starts now."""
        self._since_s = self.clock.now_s()

    def look(self) -> None:
        """Look at names, trigger and procedure once."""
        answer = self.answer()
        if answer != self._answer:
            self._answer = answer
            self.journal.event(names.NAME_ANSWERED, self.clock.now_s(), answer=answer)
        if self.procedure is None or self.procedure.ended or not self._since_s:
            return
        if self.procedure.running:
            self.procedure.look()
        elif why := self._why():
            self.procedure.start(why)

    def stop(self) -> None:
        """End what may still run; says when nothing ever did."""
        for one in filter(None, (self.protect, self.procedure)):
            one.stop()
        if self.procedure is not None and self._since_s and not self.procedure.ended:
            self.procedure.end_unbegun(f"it was not begun: {self.alarm or 'the time'} never told of the fault")

    def _why(self) -> str:
        """What triggers it now; '' for nothing."""
        if self.after_s is not None:
            late = self.clock.now_s() - self._since_s >= self.after_s
            return f"{self.after_s:g} s after the experiment began" if late else ""
        try:
            alarms = self.cloudwatch.describe_alarms(AlarmNames=[self.alarm])
        except (ClientError, BotoCoreError):
            return ""
        rings = any(one["StateValue"] == "ALARM" for one in alarms.get("MetricAlarms", ()))
        return f"alarm {self.alarm}" if rings else ""
