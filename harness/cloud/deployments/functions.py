"""A deployment to Lambda: an alias whose weights move from one version to another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.cloud.deployments.appspec import AppSpec
from harness.cloud.deployments.refusals import DeploymentError
from harness.cloud.sessions import Client


@dataclass(slots=True, kw_only=True)
class FunctionTraffic:
    """`weight` is the share of the new version in percent; `exists` tells whether a function has a version."""

    appspec: AppSpec
    client: Client
    exists: Callable[[str, str], bool]
    weight: int = 0
    stages: tuple[str, ...] = ("BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic")

    @property
    def id(self) -> str:
        """Of the target: `function:alias`."""
        return f"{self.appspec.properties['Name']}:{self.appspec.properties['Alias']}"

    def check(self) -> None:
        """See that the alias is where the AppSpec says, and that the target version exists.

        Raises:
            DeploymentError: it is not.
        """
        wanted = self.appspec.properties
        at = self.client("lambda").get_alias(FunctionName=wanted["Name"], Name=str(wanted["Alias"]))[
            "FunctionVersion"
        ]
        if at != str(wanted["CurrentVersion"]):
            said = f"{self.id} is at version {at}, not at the AppSpec's CurrentVersion {wanted['CurrentVersion']}"
            raise DeploymentError("INVALID_LAMBDA_CONFIGURATION", said)
        if not self.exists(str(wanted["Name"]), str(wanted["TargetVersion"])):
            said = f"function {wanted['Name']} has no version {wanted['TargetVersion']}"
            raise DeploymentError("INVALID_LAMBDA_FUNCTION", said)

    def work(self, stage: str, until: Callable[[Callable[[], bool], float], bool]) -> None:
        """There is nothing to install."""

    def shift(self, percent: int) -> None:
        """Give the new version so many percent; at 100 the alias is the new version's."""
        old, new = (str(self.appspec.properties[name]) for name in ("CurrentVersion", "TargetVersion"))
        self._point(new if percent == 100 else old, {} if percent in {0, 100} or old == new else {new: percent / 100})
        self.weight = percent

    def restore(self) -> None:
        """All traffic to the version from before."""
        self.shift(0)

    def finish(self) -> float:
        """Minutes that the old version is kept; then `clean` ends it."""
        return 0.0

    def clean(self) -> None:
        """Versions stay."""

    def _point(self, version: str, weights: dict[str, float]) -> None:
        wanted = self.appspec.properties
        self.client("lambda").update_alias(
            FunctionName=wanted["Name"],
            Name=str(wanted["Alias"]),
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": weights},
        )

    def shown(self) -> dict[str, Any]:
        """What a deployment target tells of it."""
        wanted = self.appspec.properties
        return {
            "deploymentTargetType": "LambdaTarget",
            "lambdaTarget": {
                "lambdaFunctionInfo": {
                    "functionName": wanted["Name"],
                    "functionAlias": str(wanted["Alias"]),
                    "currentVersion": str(wanted["CurrentVersion"]),
                    "targetVersion": str(wanted["TargetVersion"]),
                    "targetVersionWeight": float(self.weight),
                }
            },
        }
