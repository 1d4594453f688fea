"""The experiment's role: FIS must be able to assume it.

Source: https://docs.aws.amazon.com/fis/latest/userguide/getting-started-iam-service-role.html
"""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.fis.clients import Clients
from chaos.fis.errors import ActionError
from harness.target import Target

SERVICE = "fis.amazonaws.com"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}],
}


def check_role(clients: Clients, arn: str) -> None:
    """Refuse a role that does not exist or does not trust FIS.

    Raises:
        ActionError: with AWS's code, `AuthorizationFailure`.
    """
    name = arn.rpartition("/")[2]
    try:
        role = clients.get("iam").get_role(RoleName=name)["Role"]
    except (ClientError, BotoCoreError) as error:
        raise ActionError(f"Unable to assume role {arn}: {error}", "AuthorizationFailure") from error
    trust = role["AssumeRolePolicyDocument"]
    if role["Arn"] != arn or not _trusts(json.loads(trust) if isinstance(trust, str) else trust):
        raise ActionError(
            f"Unable to assume role {arn}: its trust policy does not let {SERVICE} assume it",
            "AuthorizationFailure",
        )


def stand_in(target: Target, arn: str) -> None:
    """Make the role that a template names where there is none: a template written for an account runs here as it is.

    For the embedded cloud and emulators only; a role that exists is left as it is.
    """
    if target.kind == "aws" or not arn.startswith(f"arn:aws:iam::{target.account_id}:role/"):
        return
    iam, name = target.client("iam"), arn.rpartition("/")[2]
    try:
        iam.get_role(RoleName=name)
    except ClientError:
        path = arn.partition(":role")[2].removesuffix(name)
        iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(TRUST))


def _trusts(policy: Any) -> bool:  # a policy document
    statements = policy.get("Statement") or []
    for one in statements if isinstance(statements, list) else [statements]:
        principal = one.get("Principal")
        services = principal.get("Service") if isinstance(principal, dict) else principal
        actions = one.get("Action")
        allowed = one.get("Effect") == "Allow" and SERVICE in _listed(services)
        if allowed and {"sts:AssumeRole", "sts:*", "*"} & set(_listed(actions)):
            return True
    return False


def _listed(value: Any) -> list[str]:  # one or many, as policies write it
    return value if isinstance(value, list) else [str(value)]
