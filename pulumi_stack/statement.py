"""One statement of a policy."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True)
class Statement:
    """One permission: these actions on these resources."""

    actions: Sequence[str]
    resources: Sequence[pulumi.Input[str]]


def document(statements: Sequence[Statement]) -> dict[str, object]:
    """A policy that allows them; its resources may be outputs still."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": list(one.actions), "Resource": list(one.resources)} for one in statements
        ],
    }
