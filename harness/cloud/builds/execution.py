"""One execution of a pipeline: what is asked of it, how far it is, and what CodePipeline tells of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.sessions import Client

Record = dict[str, Any]
SUPERSEDED = "SUPERSEDED"


class EndedError(Exception):
    """The execution goes no further; `status` says why."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


@dataclass(slots=True, kw_only=True)
class Execution:
    """One run of a pipeline. What readers see of an action is replaced as a whole."""

    id: str
    pipeline: Record
    client: Client
    trigger: str
    started_s: float = field(default_factory=time.time)
    updated_s: float = field(default_factory=time.time)
    status: str = "InProgress"
    ending: str = ""
    """What becomes of it at its next step: Stopped or Superseded; '' while it goes on."""
    actions: dict[tuple[str, str], Record] = field(default_factory=dict)
    """By stage and action: what ListActionExecutions tells."""
    answers: dict[tuple[str, str], Record] = field(default_factory=dict)
    """Somebody's word on what waits for it."""
    artifacts: dict[str, str] = field(default_factory=dict)

    @property
    def mode(self) -> str:
        """SUPERSEDED, QUEUED or PARALLEL."""
        return str(self.pipeline.get("executionMode") or SUPERSEDED)

    def go_on(self) -> None:
        """Return, unless it was stopped or superseded.

        Raises:
            EndedError: it was.
        """
        if self.ending:
            raise EndedError(self.ending)

    def summary(self) -> Record:
        """As ListPipelineExecutions tells it."""
        return {
            "pipelineExecutionId": self.id,
            "executionMode": self.mode,
            "status": self.status,
            "startTime": self.started_s,
            "lastUpdateTime": self.updated_s,
            "sourceRevisions": [],
            "trigger": {"triggerType": self.trigger, "triggerDetail": ""},
        }
