"""Roles that may do little, and clients of somebody who has taken one on."""

import json
from collections.abc import Callable, Sequence
from typing import Any

ANYBODY = {"AWS": "arn:aws:iam::000000000000:root"}


def role(shop: Any, name: str, trusted: dict[str, str]) -> str:
    """The ARN of a role that may do nothing yet."""
    trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    made = shop.cloud.target.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
    return str(made["Role"]["Arn"])


def allow(shop: Any, name: str, *actions: str, resource: str = "*", also: Sequence[Any] = ()) -> None:
    """Let a role do exactly this, and what other statements allow."""
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed, *also]})
    shop.cloud.target.client("iam").put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)


def clients_of(shop: Any, role: str) -> Callable[[str], Any]:
    """A service → its client for somebody who has taken on the role."""
    target = shop.cloud.target
    given = target.client("sts").assume_role(RoleArn=role, RoleSessionName="clerk")["Credentials"]
    session = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    return lambda service: target.client(service, role=session)
