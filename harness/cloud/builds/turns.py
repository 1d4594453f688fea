"""Whose turn it is in each stage of a pipeline, by the mode of its executions.

A stage has one execution at a time; others wait before it. In mode SUPERSEDED, the default, one waits, until a newer
one comes to the same place: that takes its turn, and it goes no further. In mode QUEUED all wait, in their order. In
mode PARALLEL nobody waits: each execution has `Turns` of its own.
https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from harness.cloud.builds.execution import SUPERSEDED, Execution

_LOOK_S = 0.1
"""How soon one that waits notices that it was stopped."""


@dataclass(slots=True)
class Turns:
    """Of one pipeline; stages by name. Safe from any thread."""

    _inside: dict[str, Execution] = field(default_factory=dict)
    _waiting: dict[str, list[Execution]] = field(default_factory=dict)
    """Before each stage, the oldest first."""
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def arrive(self, execution: Execution, stage: str) -> None:
        """Let an execution wait before a stage; one that it supersedes does so no longer."""
        with self._changed:
            waiting = self._waiting.setdefault(stage, [])
            if execution.mode == SUPERSEDED:
                for older in waiting:
                    older.ending = older.ending or "Superseded"
                waiting.clear()
            waiting.append(execution)
            self._changed.notify_all()

    def enter(self, execution: Execution, stage: str) -> None:
        """Return once the stage is its own. It has arrived there.

        Raises:
            EndedError: it was stopped or superseded before.
        """
        with self._changed:
            waiting = self._waiting[stage]
            try:
                execution.go_on()
                while stage in self._inside or waiting[0] is not execution:
                    self._changed.wait(_LOOK_S)
                    execution.go_on()
                self._inside[stage] = execution
            finally:
                waiting[:] = [one for one in waiting if one is not execution]

    def leave(self, stage: str) -> None:
        """Let the next one in."""
        with self._changed:
            self._inside.pop(stage, None)
            self._changed.notify_all()
