"""aws:fis:inject-api-internal-error, -throttle-error, -unavailable-error.

AWS has these for EC2 and Kinesis only, aimed at IAM roles. Here `service` may be any that the gate knows, and
no target is needed: every caller is hit. Source:
https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#fis-actions-reference-fis
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, Action, Parameter, Work, check_percentage
from chaos.fis.errors import ValidationException
from harness.cloud.faults import ApiError, Dose, Selector


class _ApiErrorAction(Action):
    code: ClassVar[str]
    status: ClassVar[int]
    capability: ClassVar[str] = "faults"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "duration": DURATION,
        "service": Parameter("The service's name in its endpoint, for example ec2 or dynamodb."),
        "operations": Parameter("Operations, comma separated, for example PutItem,GetItem."),
        "percentage": Parameter("The share of calls that fail, 1 to 100."),
    }

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration, share, and operations that are named."""
        super().check(parameters)
        check_percentage(parameters["percentage"], "percentage")
        if not _operations(parameters):
            raise ValidationException("operations must name at least one operation")

    def inject(self, work: Work) -> None:
        """One rule for each operation."""
        share = int(work.parameters["percentage"]) / 100
        for operation in _operations(work.parameters):
            selector = Selector(service=work.parameters["service"], operation=operation)
            work.put(operation, selector, ApiError(code=self.code, status=self.status), Dose(probability=share))

    def heal(self, work: Work) -> None:
        """End the rules."""
        work.remove_rules()


def _operations(parameters: Mapping[str, str]) -> list[str]:
    return [name.strip() for name in parameters["operations"].split(",") if name.strip()]


class InjectApiInternalError(_ApiErrorAction):
    """Internal errors."""

    id: ClassVar = "aws:fis:inject-api-internal-error"
    description: ClassVar = "Injects internal errors into API requests."
    code: ClassVar = "InternalServerError"
    status: ClassVar = 500


class InjectApiThrottleError(_ApiErrorAction):
    """Throttling errors."""

    id: ClassVar = "aws:fis:inject-api-throttle-error"
    description: ClassVar = "Injects throttling errors into API requests."
    code: ClassVar = "ThrottlingException"
    status: ClassVar = 400


class InjectApiUnavailableError(_ApiErrorAction):
    """Unavailable errors."""

    id: ClassVar = "aws:fis:inject-api-unavailable-error"
    description: ClassVar = "Injects unavailable errors into API requests."
    code: ClassVar = "ServiceUnavailable"
    status: ClassVar = 503
