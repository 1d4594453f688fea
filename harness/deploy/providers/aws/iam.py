"""IAM: roles, policies and how they are attached."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.tags import POLICIES, PROFILES, ROLES
from harness.deploy.providers.resource import Context, Properties


class Role(AwsType):
    """aws:iam/role:Role; the id is the name."""

    token: ClassVar = "aws:iam/role:Role"
    service: ClassVar = "iam"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    defaults: ClassVar = {"path": "/", "maxSessionDuration": 3600, "forceDetachPolicies": False}
    tagging: ClassVar = ROLES
    json_keys: ClassVar = frozenset({"assumeRolePolicy"})
    replace_on: ClassVar = frozenset({"name", "namePrefix", "path"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then put what hangs on it."""
        name = str(inputs["name"])
        optional = {
            "Description": inputs.get("description"),
            "PermissionsBoundary": inputs.get("permissionsBoundary"),
        }
        self.client(context).create_role(
            RoleName=name,
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            Path=inputs["path"],
            MaxSessionDuration=int(inputs["maxSessionDuration"]),
            Tags=self.wire_tags(context, inputs),
            **{key: value for key, value in optional.items() if value},
        )
        self._hang(context, name, {}, inputs)
        return name

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """ARN, unique id."""
        del inputs
        role = self.client(context).get_role(RoleName=resource_id)["Role"]
        return {
            "name": resource_id,
            "arn": role["Arn"],
            "uniqueId": role["RoleId"],
            "createDate": role["CreateDate"].isoformat(),
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Trust, description, session length, policies."""
        client, changed = self.client(context), roots(olds, news)
        if "assumeRolePolicy" in changed:
            client.update_assume_role_policy(RoleName=resource_id, PolicyDocument=news["assumeRolePolicy"])
        if changed & {"description", "maxSessionDuration"}:
            client.update_role(
                RoleName=resource_id,
                Description=news.get("description", ""),
                MaxSessionDuration=int(news["maxSessionDuration"]),
            )
        self._hang(context, resource_id, olds, news)

    def tag_target(self, resource_id: str, state: Properties) -> str:
        """Roles are tagged by name."""
        del state
        return resource_id

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Detach and delete what hangs on it, then the role."""
        del state
        client = self.client(context)
        for name in client.list_role_policies(RoleName=resource_id)["PolicyNames"]:
            client.delete_role_policy(RoleName=resource_id, PolicyName=name)
        for policy in client.list_attached_role_policies(RoleName=resource_id)["AttachedPolicies"]:
            client.detach_role_policy(RoleName=resource_id, PolicyArn=policy["PolicyArn"])
        client.delete_role(RoleName=resource_id)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name."""
        return str(inputs["name"]) if self.read(context, str(inputs["name"]), inputs) else None

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


class RolePolicy(AwsType):
    """aws:iam/rolePolicy:RolePolicy; the id is `role:name`."""

    token: ClassVar = "aws:iam/rolePolicy:RolePolicy"
    service: ClassVar = "iam"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    json_keys: ClassVar = frozenset({"policy"})
    replace_on: ClassVar = frozenset({"role", "name", "namePrefix"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Put it."""
        self.change(context, "", {}, inputs)
        return f"{inputs['role']}:{inputs['name']}"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """There, or an error."""
        del inputs
        role, _, name = resource_id.partition(":")
        self.client(context).get_role_policy(RoleName=role, PolicyName=name)
        return {"role": role, "name": name}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it (again)."""
        del resource_id, olds
        self.client(context).put_role_policy(
            RoleName=news["role"], PolicyName=news["name"], PolicyDocument=news["policy"]
        )

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        del state
        role, _, name = resource_id.partition(":")
        self.client(context).delete_role_policy(RoleName=role, PolicyName=name)


class Policy(AwsType):
    """aws:iam/policy:Policy; the id is the ARN."""

    token: ClassVar = "aws:iam/policy:Policy"
    service: ClassVar = "iam"
    named: ClassVar = "name"
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
        """ARN, id, attachments."""
        del inputs
        policy = self.client(context).get_policy(PolicyArn=resource_id)["Policy"]
        return {
            "arn": resource_id,
            "policyId": policy["PolicyId"],
            "attachmentCount": policy.get("AttachmentCount", 0),
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
        del state
        self._drop_versions(context, resource_id, keep=0)
        self.client(context).delete_policy(PolicyArn=resource_id)

    def _drop_versions(self, context: Context, arn: str, *, keep: int) -> None:
        client = self.client(context)
        others = [v for v in client.list_policy_versions(PolicyArn=arn)["Versions"] if not v["IsDefaultVersion"]]
        others.sort(key=lambda version: version["CreateDate"])
        for version in others[: max(0, len(others) + 1 - keep)] if keep else others:
            client.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])


class RolePolicyAttachment(AwsType):
    """aws:iam/rolePolicyAttachment:RolePolicyAttachment; the id is `role/arn`."""

    token: ClassVar = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    service: ClassVar = "iam"
    replace_on: ClassVar = frozenset({"role", "policyArn"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Attach it."""
        self.client(context).attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        return f"{inputs['role']}/{inputs['policyArn']}"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Attached, or not."""
        del inputs
        role, _, arn = resource_id.partition("/")
        attached = self.client(context).list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        return {"role": role, "policyArn": arn} if any(p["PolicyArn"] == arn for p in attached) else None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Nothing can change."""

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Detach it."""
        del state
        role, _, arn = resource_id.partition("/")
        self.client(context).detach_role_policy(RoleName=role, PolicyArn=arn)


class InstanceProfile(AwsType):
    """aws:iam/instanceProfile:InstanceProfile; the id is the name."""

    token: ClassVar = "aws:iam/instanceProfile:InstanceProfile"
    service: ClassVar = "iam"
    named: ClassVar = "name"
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
        """ARN, unique id."""
        del inputs
        found = self.client(context).get_instance_profile(InstanceProfileName=resource_id)["InstanceProfile"]
        created = found["CreateDate"].isoformat()
        return {"arn": found["Arn"], "uniqueId": found["InstanceProfileId"], "createDate": created}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Another role."""
        if olds.get("role") == news.get("role"):
            return
        client = self.client(context)
        if olds.get("role"):
            client.remove_role_from_instance_profile(InstanceProfileName=resource_id, RoleName=olds["role"])
        if news.get("role"):
            client.add_role_to_instance_profile(InstanceProfileName=resource_id, RoleName=news["role"])

    def tag_target(self, resource_id: str, state: Properties) -> str:
        """Profiles are tagged by name."""
        del state
        return resource_id

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Its role first."""
        self.change(context, resource_id, state, {})
        self.client(context).delete_instance_profile(InstanceProfileName=resource_id)


def policy_document(arguments: Properties) -> str:
    """The JSON of `aws.iam.get_policy_document`: one element lists become plain values, as the provider does."""
    statements = []
    for statement in arguments.get("statements") or ():
        body: dict[str, Any] = {"Effect": statement.get("effect") or "Allow"}
        if statement.get("sid"):
            body = {"Sid": statement["sid"], **body}
        for key, member in (
            ("actions", "Action"),
            ("notActions", "NotAction"),
            ("resources", "Resource"),
            ("notResources", "NotResource"),
        ):
            if statement.get(key):
                body[member] = _one_or_many(statement[key])
        for key, member in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
            if statement.get(key):
                body[member] = _principals(statement[key])
        conditions: dict[str, dict[str, Any]] = {}
        for condition in statement.get("conditions") or ():
            conditions.setdefault(condition["test"], {})[condition["variable"]] = _one_or_many(condition["values"])
        statements.append(body | ({"Condition": conditions} if conditions else {}))
    return json.dumps({"Version": arguments.get("version") or "2012-10-17", "Statement": statements}, indent=2)


def _one_or_many(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _principals(given: list[Properties]) -> Any:
    if any(p["type"] == "*" for p in given):
        return "*"
    return {p["type"]: _one_or_many(p["identifiers"]) for p in given}


RESOURCES = (Role(), RolePolicy(), Policy(), RolePolicyAttachment(), InstanceProfile())
