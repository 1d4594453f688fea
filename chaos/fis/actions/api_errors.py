"""aws:fis:inject-api-internal-error, -throttle-error, -unavailable-error.

AWS has these for EC2 and Kinesis only, aimed at IAM roles. Here `service` may be any that the gate knows; with a
target, only calls that the target roles sign are hit, and without one every caller is. Source:
https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#fis-actions-reference-fis
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, Parameter, RuleAction, Work
from chaos.fis.actions.values import check_percentage, listed
from chaos.fis.errors import ValidationException
from chaos.fis.finding import Resource
from harness.cloud.faults import ApiError, Dose, Selector
from harness.cloud.service_names import operations, services, suggestion
from harness.errors import nearest

ON_AWS = ("ec2", "kinesis")
Codes = Mapping[str, tuple[str, int]]  # service → the code on the wire and the HTTP status; '' for all others


class _ApiErrorAction(RuleAction):
    codes: ClassVar[Codes]
    capability: ClassVar[str] = "faults"
    targets: ClassVar[Mapping[str, str]] = {"Roles": "aws:iam:role"}
    optional_targets: ClassVar[frozenset[str]] = frozenset({"Roles"})
    difference: ClassVar[str] = (
        "`service` may be any service, on AWS only ec2 and kinesis; without `Roles` every caller is hit, on AWS a "
        "role must be named; a role is known by its session, or by the calling function where IAM is not enforced"
    )
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "duration": DURATION,
        "service": Parameter("The service's name in its endpoint, for example ec2 or dynamodb."),
        "operations": Parameter("Operations, comma separated, for example PutItem,GetItem."),
        "percentage": Parameter("The share of calls that fail, 1 to 100."),
    }

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration, share, and operations that the service has."""
        super().check(parameters)
        check_percentage(parameters["percentage"])
        check_operations(parameters)

    def inject(self, work: Work) -> None:
        """One rule for each operation and role."""
        service = work.parameters["service"]
        code, status = self.codes.get(service, self.codes[""])
        dose = Dose(probability=check_percentage(work.parameters["percentage"]))
        for role in callers(work):
            for operation in listed(work.parameters["operations"], "operations"):
                selector = Selector(service=service, operation=operation, caller_role=role)
                work.put(f"{role}/{operation}", selector, ApiError(code=code, status=status), dose)


def check_operations(parameters: Mapping[str, str]) -> None:
    """Refuse a service that is none, and operations that it does not have.

    Raises:
        ValidationException: names the nearest one.
    """
    service = parameters["service"]
    if service not in services():
        raise ValidationException(f"Invalid value '{service[:80]}' for service: {suggestion(service)}")
    known = operations(service)
    for name in listed(parameters["operations"], "operations"):
        if not fnmatch.filter(known, name):
            raise ValidationException(f"Service {service} has no operation '{name}'; {nearest(name, known)}")


def callers(work: Work) -> list[str]:
    """The target roles as the gate knows them, without their path; [''] for every caller."""
    return [pathless(role) for role in work.resources.get("Roles", ())] or [""]


def pathless(role: Resource) -> str:
    """`arn:aws:iam::000000000000:role/orders` of a role, whatever its path."""
    return f"{role.arn.partition(':role/')[0]}:role/{role.name}"


class InjectApiInternalError(_ApiErrorAction):
    """Internal errors."""

    id: ClassVar = "aws:fis:inject-api-internal-error"
    description: ClassVar = "Injects internal errors into API requests made by the target IAM role."
    codes: ClassVar = {
        "": ("InternalFailure", 500),
        "ec2": ("InternalError", 500),
        "s3": ("InternalError", 500),
        "dynamodb": ("InternalServerError", 500),
        "lambda": ("ServiceException", 500),
        "sns": ("InternalErrorException", 500),
    }


class InjectApiThrottleError(_ApiErrorAction):
    """Throttling errors."""

    id: ClassVar = "aws:fis:inject-api-throttle-error"
    description: ClassVar = "Injects throttling errors into API requests made by the target IAM role."
    codes: ClassVar = {
        "": ("ThrottlingException", 400),
        "ec2": ("RequestLimitExceeded", 503),
        "s3": ("SlowDown", 503),
        "lambda": ("TooManyRequestsException", 429),
        "sns": ("ThrottledException", 429),
    }


class InjectApiUnavailableError(_ApiErrorAction):
    """Unavailable errors."""

    id: ClassVar = "aws:fis:inject-api-unavailable-error"
    description: ClassVar = "Injects unavailable errors into API requests made by the target IAM role."
    codes: ClassVar = {"": ("ServiceUnavailable", 503), "ec2": ("Unavailable", 503)}
