"""FIS's own errors, with the codes and statuses of its service model."""

from __future__ import annotations


class FisError(Exception):
    """An error as the API answers it."""

    code = "InternalFailure"
    status = 500


class ValidationException(FisError):  # noqa: N818 - the name that AWS gives
    """The request cannot be accepted."""

    code = "ValidationException"
    status = 400


class ResourceNotFoundException(FisError):  # noqa: N818
    """There is no such template, experiment, action or type."""

    code = "ResourceNotFoundException"
    status = 404


class ConflictException(FisError):  # noqa: N818
    """The request contradicts an earlier one."""

    code = "ConflictException"
    status = 409
