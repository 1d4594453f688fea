"""IAM: roles, users, groups, policies and instance profiles. Attachments: `iam_attachments.py`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

from harness.deploy.engine.diff import same_json
from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.tags import POLICIES, PROFILES, ROLES, USERS
from harness.deploy.providers.resource import Context, Properties

_DETACH_S = 20.0  # how long a deletion waits for attachments that are being taken away beside it


def told_json(given: Any, found: Any) -> str:
    """A policy as IAM has it; in the words in which it was given where it means the same."""
    return str(given) if given and same_json(given, found) else json.dumps(found)


class _Named(AwsType):
    """A principal or a policy; IAM tags most by name, the policy by its ARN: the id in either case."""

    service: ClassVar[str] = "iam"
    parts: ClassVar[tuple[str, ...]] = ("name",)
    named: ClassVar[str] = "name"

    def tag_target(self, resource_id: str, state: Properties) -> str:
        """The id."""
        return resource_id


class Role(_Named):
    """aws:iam/role:Role; the id is the name."""

    token: ClassVar = "aws:iam/role:Role"
    name_rules: ClassVar = {"limit": 64}
    defaults: ClassVar = {"path": "/", "maxSessionDuration": 3600, "forceDetachPolicies": False}
    tagging: ClassVar = ROLES
    json_keys: ClassVar = frozenset({"assumeRolePolicy"})
    replace_on: ClassVar = frozenset({"name", "namePrefix", "path"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then put what hangs on it."""
        self.call(
            context,
            "CreateRole",
            {key: value for key, value in inputs.items() if key != "tags"},
            RoleName=inputs["name"],
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            Tags=self.wire_tags(context, inputs),
        )
        self._hang(context, str(inputs["name"]), {}, inputs)
        return str(inputs["name"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """Everything that IAM knows; inline policies only where they were given here."""
        client = self.client(context)
        role = client.get_role(RoleName=resource_id)["Role"]
        attached = {p["PolicyArn"] for p in _attached(client, "role", resource_id)}
        given = [str(arn) for arn in inputs.get("managedPolicyArns") or ()]
        return {
            "name": resource_id,
            "arn": role["Arn"],
            "uniqueId": role["RoleId"],
            "createDate": role["CreateDate"].isoformat(),
            "path": role["Path"],
            "description": role.get("Description", ""),
            "maxSessionDuration": role.get("MaxSessionDuration", 3600),
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            "assumeRolePolicy": told_json(inputs.get("assumeRolePolicy"), role["AssumeRolePolicyDocument"]),
            "managedPolicyArns": given if set(given) == attached else sorted(attached),
            **self._inline(client, resource_id, inputs),
        }

    def _inline(self, client: Any, name: str, inputs: Properties) -> Properties:
        given = inputs.get("inlinePolicies")
        if not given or given == [{}]:
            return {}
        found = []
        for policy in given:
            with contextlib.suppress(client.exceptions.NoSuchEntityException):
                answer = client.get_role_policy(RoleName=name, PolicyName=policy["name"])
                found.append({**policy, "policy": told_json(policy.get("policy"), answer["PolicyDocument"])})
        return {"inlinePolicies": found}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Trust, description, session length, boundary, policies."""
        client, changed = self.client(context), roots(olds, news)
        if "assumeRolePolicy" in changed:
            client.update_assume_role_policy(RoleName=resource_id, PolicyDocument=news["assumeRolePolicy"])
        if changed & {"description", "maxSessionDuration"}:
            duration = int(news["maxSessionDuration"])
            description = news.get("description") or ""
            client.update_role(RoleName=resource_id, Description=description, MaxSessionDuration=duration)
        if "permissionsBoundary" in changed:
            _bound(client, "role", resource_id, news)
        self._hang(context, resource_id, olds, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Its policies go with it; those that others gave it, only where it has such itself or is forced."""
        client, everything = self.client(context), state.get("forceDetachPolicies")
        if everything or any(policy.get("name") for policy in state.get("inlinePolicies") or ()):
            for name in client.list_role_policies(RoleName=resource_id)["PolicyNames"]:
                client.delete_role_policy(RoleName=resource_id, PolicyName=name)
        if everything or state.get("managedPolicyArns"):
            for policy in _attached(client, "role", resource_id):
                client.detach_role_policy(RoleName=resource_id, PolicyArn=policy["PolicyArn"])
        for profile in client.list_instance_profiles_for_role(RoleName=resource_id)["InstanceProfiles"]:
            client.remove_role_from_instance_profile(
                InstanceProfileName=profile["InstanceProfileName"], RoleName=resource_id
            )
        delete_once_free(context, client, f"role {resource_id}", lambda: client.delete_role(RoleName=resource_id))

    def _hang(self, context: Context, name: str, olds: Properties, news: Properties) -> None:
        client = self.client(context)
        before = {p["name"]: p["policy"] for p in olds.get("inlinePolicies") or () if p.get("name")}
        after = {p["name"]: p["policy"] for p in news.get("inlinePolicies") or () if p.get("name")}
        for gone in before.keys() - after.keys():
            client.delete_role_policy(RoleName=name, PolicyName=gone)
        for policy, document in after.items():
            if before.get(policy) != document:
                client.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)
        old_arns, new_arns = set(olds.get("managedPolicyArns") or ()), set(news.get("managedPolicyArns") or ())
        for arn in sorted(old_arns - new_arns):
            client.detach_role_policy(RoleName=name, PolicyArn=arn)
        for arn in sorted(new_arns - old_arns):
            client.attach_role_policy(RoleName=name, PolicyArn=arn)


def _attached(client: Any, kind: str, name: str) -> Iterator[dict[str, Any]]:
    pages = client.get_paginator(f"list_attached_{kind}_policies").paginate(**{f"{kind.capitalize()}Name": name})
    return (policy for page in pages for policy in page["AttachedPolicies"])


def _bound(client: Any, kind: str, name: str, news: Properties) -> None:
    member = {f"{kind.capitalize()}Name": name}
    if news.get("permissionsBoundary"):
        put = getattr(client, f"put_{kind}_permissions_boundary")
        put(**member, PermissionsBoundary=news["permissionsBoundary"])
    else:
        getattr(client, f"delete_{kind}_permissions_boundary")(**member)


def delete_once_free(context: Context, client: Any, what: str, delete: Callable[[], Any]) -> None:
    """Delete it as soon as nothing is attached any more: attachments may be going at the same moment.

    Raises:
        ProviderError: something is still attached after a while.
    """

    def deleted() -> bool:
        try:
            delete()
        except client.exceptions.DeleteConflictException:
            return False
        return True

    patience = replace(context, timeout_s=min(context.timeout_s, _DETACH_S))
    patience.wait_until(deleted, f"deletion of {what}, to which something is attached,")


class User(_Named):
    """aws:iam/user:User; the id is the name."""

    token: ClassVar = "aws:iam/user:User"
    name_rules: ClassVar = {"limit": 64}
    defaults: ClassVar = {"path": "/", "forceDestroy": False}
    tagging: ClassVar = USERS

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        known = {key: value for key, value in inputs.items() if key != "tags"}
        self.call(context, "CreateUser", known, UserName=inputs["name"], Tags=self.wire_tags(context, inputs))
        return str(inputs["name"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARN, unique id, boundary."""
        user = self.client(context).get_user(UserName=resource_id)["User"]
        boundary = user.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        known = {"name": resource_id, "arn": user["Arn"], "uniqueId": user["UserId"], "path": user["Path"]}
        return {**known, "permissionsBoundary": boundary}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Boundary; another name or path where the cloud has UpdateUser."""
        client, changed = self.client(context), roots(olds, news)
        if "permissionsBoundary" in changed:
            _bound(client, "user", resource_id, news)
        if changed & {"name", "path"}:
            client.update_user(UserName=resource_id, NewUserName=news["name"], NewPath=news["path"])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Out of its groups; its keys and passwords go only with `forceDestroy`."""
        client, member = self.client(context), {"UserName": resource_id}
        for group in client.list_groups_for_user(**member)["Groups"]:
            client.remove_user_from_group(**member, GroupName=group["GroupName"])
        if state.get("forceDestroy"):
            for key in client.list_access_keys(**member)["AccessKeyMetadata"]:
                client.delete_access_key(**member, AccessKeyId=key["AccessKeyId"])
            with contextlib.suppress(client.exceptions.NoSuchEntityException):
                client.delete_login_profile(**member)
        delete_once_free(context, client, f"user {resource_id}", lambda: client.delete_user(**member))


class Group(_Named):
    """aws:iam/group:Group; the id is the name."""

    token: ClassVar = "aws:iam/group:Group"
    name_rules: ClassVar = {"limit": 128}
    defaults: ClassVar = {"path": "/"}

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        self.client(context).create_group(GroupName=inputs["name"], Path=inputs["path"])
        return str(inputs["name"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARN, unique id."""
        group = self.client(context).get_group(GroupName=resource_id)["Group"]
        return {"name": resource_id, "arn": group["Arn"], "uniqueId": group["GroupId"], "path": group["Path"]}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Another name or path where the cloud has UpdateGroup."""
        self.client(context).update_group(GroupName=resource_id, NewGroupName=news["name"], NewPath=news["path"])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        client = self.client(context)
        delete_once_free(context, client, f"group {resource_id}", lambda: client.delete_group(GroupName=resource_id))


class Policy(_Named):
    """aws:iam/policy:Policy; the id is the ARN."""

    token: ClassVar = "aws:iam/policy:Policy"
    id_format: ClassVar = "arn:aws:iam::{account}:policy{path}{name}"
    name_rules: ClassVar = {"limit": 128}
    defaults: ClassVar = {"path": "/"}
    tagging: ClassVar = POLICIES
    json_keys: ClassVar = frozenset({"policy"})
    replace_on: ClassVar = frozenset({"name", "namePrefix", "path", "description"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        answer = self.client(context).create_policy(
            PolicyName=inputs["name"],
            Path=inputs["path"],
            PolicyDocument=inputs["policy"],
            Description=inputs.get("description", ""),
            Tags=self.wire_tags(context, inputs),
        )
        return str(answer["Policy"]["Arn"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARN, id, the document of the default version."""
        client = self.client(context)
        policy = client.get_policy(PolicyArn=resource_id)["Policy"]
        version = client.get_policy_version(PolicyArn=resource_id, VersionId=policy["DefaultVersionId"])
        return {
            "arn": resource_id,
            "name": policy["PolicyName"],
            "path": policy["Path"],
            "description": policy.get("Description", ""),
            "policyId": policy["PolicyId"],
            "attachmentCount": policy.get("AttachmentCount", 0),
            "policy": told_json(inputs.get("policy"), version["PolicyVersion"]["Document"]),
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """A new default version; the oldest goes, because IAM keeps five."""
        if "policy" not in roots(olds, news):
            return
        self._drop_versions(context, resource_id, keep=4)
        self.client(context).create_policy_version(
            PolicyArn=resource_id, PolicyDocument=news["policy"], SetAsDefault=True
        )

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Every other version first."""
        client = self.client(context)
        self._drop_versions(context, resource_id, keep=0)
        delete_once_free(context, client, resource_id, lambda: client.delete_policy(PolicyArn=resource_id))

    def _drop_versions(self, context: Context, arn: str, *, keep: int) -> None:
        client = self.client(context)
        others = [v for v in client.list_policy_versions(PolicyArn=arn)["Versions"] if not v["IsDefaultVersion"]]
        others.sort(key=lambda version: version["CreateDate"])
        for version in others[: max(0, len(others) + 1 - keep)] if keep else others:
            client.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])


class InstanceProfile(_Named):
    """aws:iam/instanceProfile:InstanceProfile; the id is the name."""

    token: ClassVar = "aws:iam/instanceProfile:InstanceProfile"
    name_rules: ClassVar = {"limit": 128}
    defaults: ClassVar = {"path": "/"}
    tagging: ClassVar = PROFILES
    replace_on: ClassVar = frozenset({"name", "namePrefix", "path"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it with its role."""
        client, name = self.client(context), str(inputs["name"])
        client.create_instance_profile(
            InstanceProfileName=name, Path=inputs["path"], Tags=self.wire_tags(context, inputs)
        )
        if inputs.get("role"):
            client.add_role_to_instance_profile(InstanceProfileName=name, RoleName=inputs["role"])
        return name

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARN, unique id, role."""
        found = self.client(context).get_instance_profile(InstanceProfileName=resource_id)["InstanceProfile"]
        role = found["Roles"][0]["RoleName"] if found.get("Roles") else None
        return {
            "name": resource_id, "path": found["Path"], "role": role, "arn": found["Arn"],
            "uniqueId": found["InstanceProfileId"], "createDate": found["CreateDate"].isoformat(),
        }  # fmt: skip

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Another role."""
        if olds.get("role") == news.get("role"):
            return
        client = self.client(context)
        if olds.get("role"):
            client.remove_role_from_instance_profile(InstanceProfileName=resource_id, RoleName=olds["role"])
        if news.get("role"):
            client.add_role_to_instance_profile(InstanceProfileName=resource_id, RoleName=news["role"])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Its role first."""
        client = self.client(context)
        for role in client.get_instance_profile(InstanceProfileName=resource_id)["InstanceProfile"]["Roles"]:
            client.remove_role_from_instance_profile(InstanceProfileName=resource_id, RoleName=role["RoleName"])
        client.delete_instance_profile(InstanceProfileName=resource_id)


RESOURCES = (Role(), User(), Group(), Policy(), InstanceProfile())
