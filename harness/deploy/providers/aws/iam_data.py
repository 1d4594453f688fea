"""IAM's data sources: what is there already, by name or ARN."""

from __future__ import annotations

import json
from typing import Any

from harness.deploy.providers.resource import Context, Invoke, Properties
from harness.errors import ProviderError


def _tags(found: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}


def get_role(context: Context, arguments: Properties) -> Properties:
    """A role by name."""
    role = context.client("iam").get_role(RoleName=arguments["name"])["Role"]
    return {
        **arguments, "id": role["RoleName"], "arn": role["Arn"], "uniqueId": role["RoleId"], "path": role["Path"],
        "assumeRolePolicy": json.dumps(role["AssumeRolePolicyDocument"]),
        "createDate": role["CreateDate"].isoformat(), "description": role.get("Description", ""),
        "maxSessionDuration": role.get("MaxSessionDuration", 3600),
        "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
        "roleLastUseds": [], "tags": _tags(role),
    }  # fmt: skip


def get_roles(context: Context, arguments: Properties) -> Properties:
    """Roles whose name matches and whose path begins so."""
    return {**arguments, **_listed(context, arguments, "role"), "id": context.region}


def get_users(context: Context, arguments: Properties) -> Properties:
    """Users whose name matches and whose path begins so."""
    return {**arguments, **_listed(context, arguments, "user"), "id": context.region}


def _listed(context: Context, arguments: Properties, kind: str) -> Properties:
    import re

    pattern, prefix = re.compile(arguments.get("nameRegex") or ""), arguments.get("pathPrefix") or "/"
    pages = context.client("iam").get_paginator(f"list_{kind}s").paginate(PathPrefix=prefix)
    found = [one for page in pages for one in page[f"{kind.capitalize()}s"]]
    chosen = [one for one in found if pattern.search(one[f"{kind.capitalize()}Name"])]
    return {"arns": [one["Arn"] for one in chosen], "names": [one[f"{kind.capitalize()}Name"] for one in chosen]}


def get_user(context: Context, arguments: Properties) -> Properties:
    """A user by name."""
    user = context.client("iam").get_user(UserName=arguments["userName"])["User"]
    boundary = user.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
    return {
        **arguments, "id": user["UserId"], "arn": user["Arn"], "path": user["Path"], "userId": user["UserId"],
        "permissionsBoundary": boundary, "tags": _tags(user),
    }  # fmt: skip


def get_group(context: Context, arguments: Properties) -> Properties:
    """A group with its users."""
    found = context.client("iam").get_group(GroupName=arguments["groupName"])
    group = found["Group"]
    users = [
        {"arn": user["Arn"], "path": user["Path"], "userId": user["UserId"], "userName": user["UserName"]}
        for user in found["Users"]
    ]
    told = {"id": group["GroupId"], "arn": group["Arn"], "groupId": group["GroupId"], "path": group["Path"]}
    return {**arguments, **told, "users": users}


def get_policy(context: Context, arguments: Properties) -> Properties:
    """A policy by ARN, or by name and path; AWS's own as well.

    Raises:
        ProviderError: there is none of this name.
    """
    client = context.client("iam")
    arn = arguments.get("arn") or _policy_arn(client, arguments)
    policy = client.get_policy(PolicyArn=arn)["Policy"]
    version = client.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    return {
        **arguments, "id": arn, "arn": arn, "name": policy["PolicyName"], "path": policy["Path"],
        "description": policy.get("Description", ""), "policyId": policy["PolicyId"],
        "policy": json.dumps(version["Document"]), "attachmentCount": policy.get("AttachmentCount", 0),
        "tags": _tags(policy),
    }  # fmt: skip


def _policy_arn(client: Any, arguments: Properties) -> str:
    prefix = arguments.get("pathPrefix") or "/"
    for page in client.get_paginator("list_policies").paginate(PathPrefix=prefix):
        for policy in page["Policies"]:
            if policy["PolicyName"] == arguments.get("name"):
                return str(policy["Arn"])
    raise ProviderError(f"no IAM policy is named {arguments.get('name')!r}", hint="AWS's own are found by arn")


def get_instance_profile(context: Context, arguments: Properties) -> Properties:
    """An instance profile with its role."""
    found = context.client("iam").get_instance_profile(InstanceProfileName=arguments["name"])["InstanceProfile"]
    role = found["Roles"][0] if found.get("Roles") else {}
    return {
        **arguments, "id": found["InstanceProfileId"], "arn": found["Arn"], "path": found["Path"],
        "createDate": found["CreateDate"].isoformat(), "roleArn": role.get("Arn", ""),
        "roleId": role.get("RoleId", ""), "roleName": role.get("RoleName", ""),
    }  # fmt: skip


def get_account_alias(context: Context, arguments: Properties) -> Properties:
    """The account's alias.

    Raises:
        ProviderError: it has none.
    """
    aliases = context.client("iam").list_account_aliases()["AccountAliases"]
    if not aliases:
        raise ProviderError("the account has no alias", hint="create an aws.iam.AccountAlias first")
    return {**arguments, "id": aliases[0], "accountAlias": aliases[0]}


def get_open_id_connect_provider(context: Context, arguments: Properties) -> Properties:
    """An identity provider by ARN or URL."""
    url = str(arguments.get("url") or "").removeprefix("https://")
    arn = arguments.get("arn") or f"arn:aws:iam::{context.account_id}:oidc-provider/{url}"
    found = context.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    return {
        **arguments, "id": arn, "arn": arn, "url": found["Url"].removeprefix("https://"),
        "clientIdLists": found["ClientIDList"], "thumbprintLists": found["ThumbprintList"], "tags": _tags(found),
    }  # fmt: skip


def get_session_context(context: Context, arguments: Properties) -> Properties:
    """The role behind an assumed role's ARN; the ARN itself for anybody else."""
    arn = str(arguments["arn"])
    told = {"id": arn, "issuerArn": arn, "issuerId": "", "issuerName": "", "sessionName": ""}
    if ":assumed-role/" not in arn:
        return {**arguments, **told}
    _, name, session = arn.split(":", 5)[5].split("/", 2)
    role = context.client("iam").get_role(RoleName=name)["Role"]
    told |= {"issuerArn": role["Arn"], "issuerId": role["RoleId"], "issuerName": name, "sessionName": session}
    return {**arguments, **told}


INVOKES: dict[str, Invoke] = {
    "aws:iam/getRole:getRole": get_role,
    "aws:iam/getRoles:getRoles": get_roles,
    "aws:iam/getUser:getUser": get_user,
    "aws:iam/getUsers:getUsers": get_users,
    "aws:iam/getGroup:getGroup": get_group,
    "aws:iam/getPolicy:getPolicy": get_policy,
    "aws:iam/getInstanceProfile:getInstanceProfile": get_instance_profile,
    "aws:iam/getAccountAlias:getAccountAlias": get_account_alias,
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": get_open_id_connect_provider,
    "aws:iam/getSessionContext:getSessionContext": get_session_context,
}
