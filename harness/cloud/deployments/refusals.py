"""How CodeDeploy says no: to a call, and to a deployment that is under way."""

from __future__ import annotations


class CodeDeployError(Exception):
    """A call is refused, in CodeDeploy's own words."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status


class DeploymentError(Exception):
    """A deployment fails; `code` is one of CodeDeploy's ErrorCode."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class AlarmedError(DeploymentError):
    """An alarm of the deployment group rings."""


class StoppedError(DeploymentError):
    """Somebody called StopDeployment. `roll_back` is what they asked for."""

    def __init__(self, *, roll_back: bool) -> None:
        super().__init__("MANUAL_STOP", "The deployment was stopped on request.")
        self.roll_back = roll_back
