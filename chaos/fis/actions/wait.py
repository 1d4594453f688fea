"""aws:fis:wait."""

from __future__ import annotations

from typing import ClassVar

from chaos.fis.actions.action import DURATION, Action, Work


class Wait(Action):
    """Does nothing for a while; stop conditions stay watched."""

    id: ClassVar = "aws:fis:wait"
    description: ClassVar = "Run the wait action."
    parameters: ClassVar = {"duration": DURATION}

    def inject(self, work: Work) -> None:
        """Nothing to put in force; the experiment waits for the duration."""

    def heal(self, work: Work) -> None:
        """Nothing to take back."""
