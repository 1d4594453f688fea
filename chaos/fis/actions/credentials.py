"""blackstart:iam:expire-credentials: what signs as a role is told that its token has expired. Ours; AWS has none.

On AWS the sessions of a role can only be revoked by a policy, which no FIS action does. Error codes:
https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html and, for S3,
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, Parameter, RuleAction, Work
from chaos.fis.actions.api_errors import callers
from chaos.fis.actions.values import check_percentage
from harness.cloud.faults import ApiError, Dose, Selector

_MESSAGE = "The security token included in the request is expired"


class ExpireCredentials(RuleAction):
    """Calls of the target roles are refused as expired."""

    id: ClassVar = "blackstart:iam:expire-credentials"
    description: ClassVar = "Refuses calls signed by the target IAM roles as expired (embedded cloud only)."
    parameters: ClassVar = {
        "duration": DURATION,
        "percentage": Parameter("The share of calls that are refused, 1 to 100."),
    }
    targets: ClassVar[Mapping[str, str]] = {"Roles": "aws:iam:role"}
    capability: ClassVar = "faults"
    difference: ClassVar = "does not exist on AWS"

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration and share."""
        super().check(parameters)
        check_percentage(parameters["percentage"])

    def inject(self, work: Work) -> None:
        """Two rules for each role: S3 has a code of its own."""
        dose = Dose(probability=check_percentage(work.parameters["percentage"]))
        for role in callers(work):
            for code, selector in (
                ("ExpiredToken", Selector(service="s3", caller_role=role)),
                ("ExpiredTokenException", Selector(except_services=("s3",), caller_role=role)),
            ):
                work.put(f"{role}/{code}", selector, ApiError(code=code, status=400, message=_MESSAGE), dose)
