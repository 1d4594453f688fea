"""Organizations: the organization, units, policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Invoke, Properties

_TAGGING = Tagging(resource="ResourceId")


def described(client: Any) -> Properties:
    """The organization with its roots and accounts, in Pulumi's names."""
    found = client.describe_organization()["Organization"]
    pages = client.get_paginator("list_accounts").paginate()
    accounts = [_account(one) for page in pages for one in page["Accounts"]]
    roots = [
        {
            "arn": root["Arn"], "id": root["Id"], "name": root["Name"],
            "policyTypes": [{"status": one["Status"], "type": one["Type"]} for one in root.get("PolicyTypes", ())],
        }
        for root in client.list_roots()["Roots"]
    ]  # fmt: skip
    master = found["MasterAccountId"]
    return {
        "arn": found["Arn"], "featureSet": found["FeatureSet"], "masterAccountArn": found["MasterAccountArn"],
        "masterAccountEmail": found["MasterAccountEmail"], "masterAccountId": master, "roots": roots,
        "masterAccountName": next((one["name"] for one in accounts if one["id"] == master), ""),
        "accounts": accounts, "nonMasterAccounts": [one for one in accounts if one["id"] != master],
        "id": found["Id"],
    }  # fmt: skip


def _account(one: Mapping[str, Any]) -> Properties:
    joined = one.get("JoinedTimestamp")
    return {
        "arn": one["Arn"], "email": one.get("Email", ""), "id": one["Id"], "name": one.get("Name", ""),
        "status": one.get("Status", ""), "state": one.get("State") or one.get("Status", ""),
        "joinedMethod": one.get("JoinedMethod", ""), "joinedTimestamp": joined.isoformat() if joined else "",
    }  # fmt: skip


class Organization(AwsType):
    """aws:organizations/organization:Organization."""

    token: ClassVar = "aws:organizations/organization:Organization"
    defaults: ClassVar = {"featureSet": "ALL"}

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it; policy types and trusted services follow."""
        client = self.client(context)
        made = client.create_organization(FeatureSet=inputs["featureSet"])["Organization"]
        self.change(context, made["Id"], {"featureSet": inputs["featureSet"]}, inputs)
        return str(made["Id"])

    def find(self, context: Context, inputs: Properties) -> str | None:
        """An account has one."""
        found = self.read(context, "", inputs)
        return str(described(self.client(context))["id"]) if found is not None else None

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Roots and accounts."""
        client = self.client(context)
        try:
            found = described(client)
        except client.exceptions.AWSOrganizationsNotInUseException:
            return None
        enabled = {
            one["type"] for root in found["roots"] for one in root["policyTypes"] if one["status"] == "ENABLED"
        }
        given = list(inputs.get("enabledPolicyTypes") or ())
        types = given if set(given) == enabled else sorted(enabled)
        return {
            **{key: found[key] for key in found if key != "id"},
            **({"enabledPolicyTypes": types} if given else {}),
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Policy types on the root, trusted services."""
        client = self.client(context)
        root = client.list_roots()["Roots"][0]["Id"]
        before, after = (set(state.get("enabledPolicyTypes") or ()) for state in (olds, news))
        for kind in sorted(after - before):
            client.enable_policy_type(RootId=root, PolicyType=kind)
        for kind in sorted(before - after):
            client.disable_policy_type(RootId=root, PolicyType=kind)
        before, after = (set(state.get("awsServiceAccessPrincipals") or ()) for state in (olds, news))
        for principal in sorted(after - before):
            client.enable_aws_service_access(ServicePrincipal=principal)
        for principal in sorted(before - after):
            client.disable_aws_service_access(ServicePrincipal=principal)
        if olds.get("featureSet") != news.get("featureSet"):
            client.enable_all_features()

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        client = self.client(context)
        if self.look(context, resource_id, state) is not None:
            client.delete_organization()


class OrganizationalUnit(Declared, noun="OrganizationalUnit", verbs="Create Describe Update Delete"):
    """aws:organizations/organizationalUnit:OrganizationalUnit."""

    token: ClassVar = "aws:organizations/organizationalUnit:OrganizationalUnit"
    lists: ClassVar = "ListOrganizationalUnitsForParent"
    asks: ClassVar = {"ParentId": "parentId"}
    key: ClassVar = {"OrganizationalUnitId": "id"}
    id_from: ClassVar = "OrganizationalUnit.Id"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    body: ClassVar = "OrganizationalUnit"
    tagging: ClassVar = _TAGGING
    replace_on: ClassVar = frozenset({"parentId"})

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The accounts in it."""
        found = self.client(context).list_accounts_for_parent(ParentId=resource_id)["Accounts"]
        return {"accounts": [{key: _account(one)[key] for key in ("arn", "email", "id", "name")} for one in found]}

    def tag_target(self, resource_id: str, state: Properties) -> str:
        """By id."""
        return resource_id


class Policy(Declared, noun="Policy", verbs="Create Describe Update Delete"):
    """aws:organizations/policy:Policy."""

    token: ClassVar = "aws:organizations/policy:Policy"
    key: ClassVar = {"PolicyId": "id"}
    id_from: ClassVar = "Policy.PolicySummary.Id"
    asks: ClassVar = {"Filter": "type"}
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    defaults: ClassVar = {"type": "SERVICE_CONTROL_POLICY", "skipDestroy": False, "description": ""}
    tagging: ClassVar = _TAGGING
    json_keys: ClassVar = frozenset({"content"})
    replace_on: ClassVar = frozenset({"type"})

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """Its content and what is about it."""
        answer = super().ask(context, resource_id, inputs) or {}
        policy = answer.get("Policy") or {}
        return {**policy.get("PolicySummary", {}), "Content": policy.get("Content")} if policy else None

    def tag_target(self, resource_id: str, state: Properties) -> str:
        """By id."""
        return resource_id

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it, unless it is to be kept."""
        if not state.get("skipDestroy"):
            super().remove(context, resource_id, state)


class PolicyAttachment(AwsType):
    """aws:organizations/policyAttachment:PolicyAttachment; the id is `target:policy`."""

    token: ClassVar = "aws:organizations/policyAttachment:PolicyAttachment"
    parts: ClassVar = ("targetId", "policyId")
    separator: ClassVar = ":"
    replace_on: ClassVar = frozenset({"policyId", "targetId"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Attach it."""
        self.client(context).attach_policy(PolicyId=inputs["policyId"], TargetId=inputs["targetId"])
        return f"{inputs['targetId']}:{inputs['policyId']}"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Attached, or not."""
        target, _, policy = resource_id.partition(":")
        found = self.client(context).list_targets_for_policy(PolicyId=policy)["Targets"]
        attached = any(one["TargetId"] == target for one in found)
        return {"policyId": policy, "targetId": target} if attached else None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Only whether it is kept."""

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Detach it, unless it is to be kept."""
        target, _, policy = resource_id.partition(":")
        if not state.get("skipDestroy"):
            self.client(context).detach_policy(PolicyId=policy, TargetId=target)


def get_organization(context: Context, arguments: Properties) -> Properties:
    """The organization that the account is in."""
    return {**arguments, **described(context.client("organizations"))}


RESOURCES = (Organization(), OrganizationalUnit(), Policy(), PolicyAttachment())
INVOKES: Mapping[str, Invoke] = {"aws:organizations/getOrganization:getOrganization": get_organization}
