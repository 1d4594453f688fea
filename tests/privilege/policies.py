"""The roles of a deployed stack, the statements of their own policies, and a policy without one of them."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

SETTLES_S = 3.0
"""How long a change of a policy takes to count: what a service may do under a role is looked at each second."""

_SUFFIX = re.compile(r"-[0-9a-f]{7}(?![0-9a-z])")
"""What Pulumi adds to a name."""

_MADE = {
    "secretsmanager": (re.compile(r"-\w{6}$"),),
    "execute-api": (re.compile(r"^\w+/"),),
    "dynamodb": (re.compile(r"(?<=/stream)/.*"),),
}
"""What a service adds to a name, or names itself."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """One statement of a role's own policy: the `number`-th.

    `label` is the role's name in the program, `handler` the module of the function that has the role, '' for others.
    """

    label: str
    role: str
    policy: str
    number: int
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    handler: str = ""

    @property
    def said(self) -> str:
        """What it allows, the same in each deployment."""
        return f"{', '.join(self.actions)} on {', '.join(_short(one) for one in self.resources)}"


def granted(iam: Any, functions: Any) -> Iterator[Granted]:
    """Each statement of each policy that a role of this cloud has of its own; not AWS's managed ones."""
    pages = functions.get_paginator("list_functions").paginate()
    handlers = {one["Role"]: one["Handler"].partition(".")[0] for page in pages for one in page["Functions"]}
    for page in iam.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            for policy in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
                document = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=policy)["PolicyDocument"]
                for number, statement in enumerate(document["Statement"]):
                    yield Granted(
                        label=_SUFFIX.sub("", role["RoleName"]),
                        role=role["RoleName"],
                        policy=policy,
                        number=number,
                        actions=_listed(statement["Action"]),
                        resources=_listed(statement["Resource"]),
                        handler=handlers.get(role["Arn"], ""),
                    )


@contextmanager
def without(iam: Any, taken: Granted) -> Iterator[None]:
    """The role's policy without one of its statements."""
    whole: Mapping[str, Any] = iam.get_role_policy(RoleName=taken.role, PolicyName=taken.policy)["PolicyDocument"]
    left = [one for index, one in enumerate(whole["Statement"]) if index != taken.number]
    nothing = {"Effect": "Deny", "Action": "none:None", "Resource": "*"}
    _put(iam, taken, {**whole, "Statement": left or [nothing]})
    try:
        yield
    finally:
        _put(iam, taken, whole)


def _put(iam: Any, taken: Granted, document: Mapping[str, Any]) -> None:
    iam.put_role_policy(RoleName=taken.role, PolicyName=taken.policy, PolicyDocument=json.dumps(document))
    time.sleep(SETTLES_S)


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _short(resource: str) -> str:
    """`arn:aws:sqs:us-east-1:000000000000:orders-0a1b2c3` → `sqs:orders`."""
    if not resource.startswith("arn:"):
        return resource
    _, _, service, _, _, name = resource.split(":", 5)
    for made in (_SUFFIX, *_MADE.get(service, ())):
        name = made.sub("", name)
    return f"{service}:{_UUID.sub('ID', name)}"
