"""FIS's own errors, with the codes and statuses of its service model.

FisError
├── ValidationException            400   the request cannot be accepted
├── SerializationException         400   the request cannot even be read
├── ResourceNotFoundException      404   there is no such template, experiment, action or type
├── ConflictException              409   the request contradicts an earlier one
└── ServiceQuotaExceededException  402   more than the account may have
"""

from __future__ import annotations


class FisError(Exception):
    """An error as the API answers it."""

    code = "InternalFailure"
    status = 500


class ValidationException(FisError):  # noqa: N818 - the name that AWS gives
    """The request cannot be accepted."""

    code = "ValidationException"
    status = 400


class SerializationException(FisError):  # noqa: N818
    """The body is no JSON, or a member has another type than the model says."""

    code = "SerializationException"
    status = 400


class ResourceNotFoundException(FisError):  # noqa: N818
    """There is no such template, experiment, action or type."""

    code = "ResourceNotFoundException"
    status = 404


class ConflictException(FisError):  # noqa: N818
    """The request contradicts an earlier one."""

    code = "ConflictException"
    status = 409


class ServiceQuotaExceededException(FisError):  # noqa: N818
    """More than the account may have."""

    code = "ServiceQuotaExceededException"
    status = 402


class ActionError(Exception):
    """An experiment cannot do what it should; it fails with `code`. Never an answer of the API itself.

    Codes: https://docs.aws.amazon.com/fis/latest/APIReference/API_ExperimentError.html
    """

    def __init__(self, message: str, code: str = "ConfigurationFailure") -> None:
        super().__init__(message)
        self.code = code
