"""Experiment reports, as state: what AWS says about one while it is made.

The embedded FIS draws no dashboards. A report ends `failed` with the reason, never `completed` without a document.
Source: https://docs.aws.amazon.com/fis/latest/userguide/experiment-report-configuration.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chaos.fis.region import Members

if TYPE_CHECKING:
    from chaos.fis.experiment import Experiment

_NONE = "The embedded FIS renders no dashboards; blackstart report shows what a drill measured."


@dataclass(slots=True)
class Report:
    """The report of one experiment; none for a run that skips all actions, as on AWS."""

    configuration: Members | None
    skipped: bool = False
    status: str = "pending"
    reason: str = "The report is written after the experiment."

    def begin(self, experiment: Experiment) -> None:
        """The experiment has ended."""
        if experiment.status == "cancelled":
            self.status, self.reason = "cancelled", "The experiment was cancelled."
        else:
            self.status, self.reason = "failed", _NONE

    def shown(self) -> Members | None:
        """As GetExperiment shows it; None where no report was asked for."""
        if not self.configuration or self.skipped:
            return None
        state: Members = {"status": self.status, "reason": self.reason}
        if self.status == "failed":
            state["error"] = {"code": "DependentServiceFailure"}
        return {"state": state, "s3Reports": []}
