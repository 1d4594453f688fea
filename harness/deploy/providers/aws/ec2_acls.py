"""EC2's network ACLs, with rules inline or as resources of their own."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.ec2_type import Ec2, filters, given
from harness.deploy.providers.aws.tags import EC2
from harness.deploy.providers.resource import Context, Properties

_WAYS = ("ingress", "egress")
_NUMBERS = {"tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58", "all": "-1"}
"""Protocols as network ACLs tell them. https://www.iana.org/assignments/protocol-numbers/"""


class NetworkAcl(Ec2):
    """A subnet's packet filter; its inline rules are all the rules it has."""

    token: ClassVar = "aws:ec2/networkAcl:NetworkAcl"
    noun: ClassVar = "NetworkAcl"
    kind: ClassVar = "network-acl"
    renames: ClassVar = {"ingress": "", "egress": "", "subnetIds": ""}
    replace_on: ClassVar = frozenset({"vpcId"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then its rules, then give it to its subnets."""
        acl = super().make(context, inputs)
        self.change(context, acl, {}, inputs)
        return acl

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its subnets, and the rules it was given as far as they are in force."""
        del resource_id
        told: Properties = {"ownerId": body.get("OwnerId", context.account_id)}
        now = {(entry["Egress"], entry["RuleNumber"]): entry for entry in body.get("Entries", ())}
        for way in _WAYS:
            if inputs.get(way) is not None:
                told[way] = [
                    rule
                    for rule in inputs[way]
                    if _says(now.get((way == "egress", int(rule["ruleNo"]))), _entry(rule, way == "egress"))
                ]
        subnets = [one["SubnetId"] for one in body.get("Associations", ())]
        wanted = inputs.get("subnetIds")
        return {**told, "subnetIds": wanted if wanted and set(wanted) == set(subnets) else sorted(subnets)}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Rules by number; subnets that are no longer given go back to the default ACL."""
        client = self.client(context)
        for way in _WAYS:
            before = {int(rule["ruleNo"]): _entry(rule, way == "egress") for rule in olds.get(way) or ()}
            after = {int(rule["ruleNo"]): _entry(rule, way == "egress") for rule in news.get(way) or ()}
            for number in before.keys() - after.keys():
                client.delete_network_acl_entry(NetworkAclId=resource_id, RuleNumber=number, Egress=way == "egress")
            for number, entry in after.items():
                if before.get(number) != entry:
                    verb = "replace" if number in before else "create"
                    getattr(client, f"{verb}_network_acl_entry")(NetworkAclId=resource_id, **entry)
        old, new = set(olds.get("subnetIds") or ()), set(news.get("subnetIds") or ())
        for subnet in sorted(new - old):
            give_acl(client, resource_id, subnet)
        for subnet in sorted(old - new):
            give_acl(client, _default_acl(client, subnet), subnet)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Give its subnets back, then delete it."""
        self.change(context, resource_id, {"subnetIds": state.get("subnetIds")}, {})
        super().remove(context, resource_id, state)


class DefaultNetworkAcl(NetworkAcl):
    """A VPC's default ACL, taken over: its rules become those that are written here."""

    token: ClassVar = "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl"
    id_from: ClassVar = ""
    parts: ClassVar = ("defaultNetworkAclId",)
    replace_on: ClassVar = frozenset({"defaultNetworkAclId"})
    outlives: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> str:
        """Empty it, then give it the rules and tags."""
        acl, client = str(inputs["defaultNetworkAclId"]), self.client(context)
        for entry in client.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]:
            if entry["RuleNumber"] != 32767:  # the last one, which EC2 keeps
                client.delete_network_acl_entry(
                    NetworkAclId=acl, RuleNumber=entry["RuleNumber"], Egress=entry["Egress"]
                )
        self.change(context, acl, {}, inputs)
        EC2.change(client, [acl], old={}, new=self.tags(context, inputs))
        return acl

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Nothing: it goes with its VPC."""


class NetworkAclRule(Ec2):
    """One rule of an ACL; the id is a hash of it, as the real provider's."""

    token: ClassVar = "aws:ec2/networkAclRule:NetworkAclRule"
    parts: ClassVar = ("networkAclId", "ruleNumber", "egress", "protocol")
    defaults: ClassVar = {"egress": False}
    replace_on: ClassVar = frozenset(
        {"networkAclId", "ruleNumber", "egress", "protocol", "ruleAction", "cidrBlock", "ipv6CidrBlock", "fromPort",
         "toPort", "icmpType", "icmpCode"}
    )  # fmt: skip
    delete_before_replace: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        entry = _entry({**inputs, "ruleNo": inputs["ruleNumber"], "action": inputs["ruleAction"]}, inputs["egress"])
        self.client(context).create_network_acl_entry(NetworkAclId=inputs["networkAclId"], **entry)
        return self.joined(inputs)

    def joined(self, inputs: Properties) -> str:
        """A hash."""
        text = f"{inputs['networkAclId']}-{inputs['ruleNumber']}-{inputs['egress']}-{inputs['protocol']}-"
        return f"nacl-{zlib.crc32(text.encode())}"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """By number and direction."""
        del resource_id
        acls = self.client(context).describe_network_acls(NetworkAclIds=[inputs["networkAclId"]])["NetworkAcls"]
        wanted = (bool(inputs["egress"]), int(inputs["ruleNumber"]))
        found = [one for acl in acls for one in acl["Entries"] if (one["Egress"], one["RuleNumber"]) == wanted]
        return {"ruleAction": found[0]["RuleAction"]} if found else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        del resource_id
        self.send(context, "DeleteNetworkAclEntry", given(state, "networkAclId", "ruleNumber", "egress"))


class NetworkAclAssociation(Ec2):
    """Which ACL a subnet has; the default one again at the end."""

    token: ClassVar = "aws:ec2/networkAclAssociation:NetworkAclAssociation"
    replace_on: ClassVar = frozenset({"networkAclId", "subnetId"})
    delete_before_replace: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> str:
        """Give it."""
        return give_acl(self.client(context), str(inputs["networkAclId"]), str(inputs["subnetId"]))

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """There as long as the association is."""
        del inputs
        for acl in self.client(context).describe_network_acls()["NetworkAcls"]:
            for one in acl.get("Associations", ()):
                if one["NetworkAclAssociationId"] == resource_id:
                    return {"networkAclId": acl["NetworkAclId"], "subnetId": one["SubnetId"]}
        return None

    def find(self, context: Context, inputs: Properties) -> str | None:
        """The subnet's, when it is with this ACL."""
        wanted = filters(association__subnet_id=str(inputs["subnetId"]))
        for acl in self.client(context).describe_network_acls(Filters=wanted)["NetworkAcls"]:
            for one in acl["Associations"] if acl["NetworkAclId"] == inputs["networkAclId"] else ():
                if one["SubnetId"] == inputs["subnetId"]:
                    return str(one["NetworkAclAssociationId"])
        return None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Back to the default one."""
        client = self.client(context)
        if self.look(context, resource_id, state) is not None:
            give_acl(client, _default_acl(client, str(state["subnetId"])), str(state["subnetId"]))


def give_acl(client: Any, acl: str, subnet: str) -> str:
    """Let `subnet` have `acl`; returns the association's id."""
    wanted = filters(association__subnet_id=subnet)
    held = [
        one for found in client.describe_network_acls(Filters=wanted)["NetworkAcls"] for one in found["Associations"]
    ]
    now = next(one["NetworkAclAssociationId"] for one in held if one["SubnetId"] == subnet)
    answer = client.replace_network_acl_association(AssociationId=now, NetworkAclId=acl)
    return str(answer["NewAssociationId"])


def _default_acl(client: Any, subnet: str) -> str:
    vpc = client.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
    wanted = filters(vpc_id=vpc, default="true")
    return str(client.describe_network_acls(Filters=wanted)["NetworkAcls"][0]["NetworkAclId"])


def _entry(rule: Properties, egress: Any) -> dict[str, Any]:
    """One rule in EC2's form."""
    number = _NUMBERS.get(str(rule["protocol"]).lower(), str(rule["protocol"]))
    entry: dict[str, Any] = {
        "RuleNumber": int(rule["ruleNo"]),
        "Protocol": number,
        "RuleAction": rule["action"].lower(),
    }
    entry |= {"Egress": bool(egress)}
    entry |= {member: rule[name] for name, member in (("cidrBlock", "CidrBlock"), ("ipv6CidrBlock", "Ipv6CidrBlock"))
              if rule.get(name)}  # fmt: skip
    if number in {"6", "17"}:
        entry["PortRange"] = {"From": int(rule.get("fromPort") or 0), "To": int(rule.get("toPort") or 0)}
    if number in {"1", "58"}:
        entry["IcmpTypeCode"] = {"Type": int(rule.get("icmpType") or -1), "Code": int(rule.get("icmpCode") or -1)}
    return entry


def _says(found: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    return found is not None and all(found.get(name, value) == value for name, value in wanted.items())


RESOURCES = (NetworkAcl(), DefaultNetworkAcl(), NetworkAclRule(), NetworkAclAssociation())
