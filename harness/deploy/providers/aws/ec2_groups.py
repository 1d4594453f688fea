"""EC2's security groups, with rules inline or as resources of their own."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.ec2_type import Ec2, filters
from harness.deploy.providers.aws.tags import EC2
from harness.deploy.providers.resource import Context, Properties

_WAYS = ("ingress", "egress")
_EVERYTHING = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
_KEPT = ("IpProtocol", "FromPort", "ToPort", "CidrIpv4", "CidrIpv6", "PrefixListId")


class SecurityGroup(Ec2):
    """Who may talk to what; its inline rules are all the rules it has."""

    token: ClassVar = "aws:ec2/securityGroup:SecurityGroup"
    noun: ClassVar = "SecurityGroup"
    kind: ClassVar = "security-group"
    key: ClassVar = {"GroupId": "id"}
    id_from: ClassVar = "GroupId"
    named: ClassVar = "name"
    defaults: ClassVar = {"description": "Managed by Pulumi", "revokeRulesOnDelete": False}
    renames: ClassVar = {"name": "GroupName", "ingress": "", "egress": ""}
    replace_on: ClassVar = frozenset({"name", "namePrefix", "description", "vpcId"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it without EC2's own way out, then with the rules given."""
        group = super().make(context, {**inputs, "groupDescription": inputs["description"]})
        for permission in self._now(context, group)["IpPermissionsEgress"]:
            self.client(context).revoke_security_group_egress(GroupId=group, IpPermissions=[permission])
        self.change(context, group, {}, inputs)
        return group

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The rules it was given, as far as they are in force."""
        told: Properties = {"ownerId": body.get("OwnerId", context.account_id)}
        for way, member in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")):
            if inputs.get(way) is not None:
                force = _atoms(body.get(member, ()))
                told[way] = [rule for rule in inputs[way] if _atoms([permission(rule, resource_id)]) <= force]
        return told

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Revoke what is gone, authorize what is new."""
        client = self.client(context)
        for way in _WAYS:
            before = [permission(rule, resource_id) for rule in olds.get(way) or ()]
            after = [permission(rule, resource_id) for rule in news.get(way) or ()]
            gone = [rule for rule in before if rule not in after]
            new = [rule for rule in after if rule not in before]
            if gone:
                getattr(client, f"revoke_security_group_{way}")(GroupId=resource_id, IpPermissions=gone)
            if new:
                getattr(client, f"authorize_security_group_{way}")(GroupId=resource_id, IpPermissions=new)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it; `revokeRulesOnDelete` cuts groups that point at each other apart."""
        if state.get("revokeRulesOnDelete"):
            revoke_all(self, context, resource_id)
        super().remove(context, resource_id, state)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name, in its VPC."""
        wanted = filters(
            group_name=str(inputs["name"]), **({"vpc_id": inputs["vpcId"]} if inputs.get("vpcId") else {})
        )
        found = self.client(context).describe_security_groups(Filters=wanted)["SecurityGroups"]
        return str(found[0]["GroupId"]) if found else None

    def _now(self, context: Context, group: str) -> Any:  # AWS's answer
        return self.client(context).describe_security_groups(GroupIds=[group])["SecurityGroups"][0]


class DefaultSecurityGroup(SecurityGroup):
    """A VPC's default group, taken over: its rules become those that are written here."""

    token: ClassVar = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    named: ClassVar = ""
    defaults: ClassVar = {"revokeRulesOnDelete": False}
    replace_on: ClassVar = frozenset({"vpcId"})
    outlives: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> str:
        """Empty it, then give it the rules and tags."""
        client = self.client(context)
        vpc = inputs.get("vpcId") or client.describe_vpcs(Filters=filters(is_default="true"))["Vpcs"][0]["VpcId"]
        wanted = filters(group_name="default", vpc_id=str(vpc))
        group = str(client.describe_security_groups(Filters=wanted)["SecurityGroups"][0]["GroupId"])
        revoke_all(self, context, group)
        self.change(context, group, {}, inputs)
        EC2.change(client, [group], old={}, new=self.tags(context, inputs))
        return group

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By the name that AWS gave it."""
        return super().find(context, {**inputs, "name": "default"})

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Nothing: it goes with its VPC."""


class SecurityGroupRule(Ec2):
    """One rule, which may name several ranges; the id is a hash of it, as the real provider's."""

    token: ClassVar = "aws:ec2/securityGroupRule:SecurityGroupRule"
    defaults: ClassVar = {"self": False}
    replace_on: ClassVar = frozenset(
        {"cidrBlocks", "fromPort", "ipv6CidrBlocks", "prefixListIds", "protocol", "securityGroupId", "self",
         "sourceSecurityGroupId", "toPort", "type"}
    )  # fmt: skip

    def make(self, context: Context, inputs: Properties) -> str:
        """Authorize it."""
        self._call(context, "authorize", inputs)
        return f"sgrule-{zlib.crc32(repr(sorted(_atoms([_own(inputs)]))).encode() + inputs['type'].encode())}"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """There as long as all of it is in force."""
        del resource_id
        group = self.client(context).describe_security_groups(GroupIds=[inputs["securityGroupId"]])["SecurityGroups"]
        force = group[0]["IpPermissions" if inputs["type"] == "ingress" else "IpPermissionsEgress"]
        if not _atoms([_own(inputs)]) <= _atoms(force):
            return None
        rules = self.client(context).describe_security_group_rules(
            Filters=filters(group_id=inputs["securityGroupId"])
        )
        own = [rule["SecurityGroupRuleId"] for rule in rules["SecurityGroupRules"] if _is_told(rule, inputs)]
        return {"securityGroupRuleId": own[0]} if len(own) == 1 else {}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Another description, for each of EC2's rules that this one is."""
        del resource_id, olds
        client, group = self.client(context), news["securityGroupId"]
        told = client.describe_security_group_rules(Filters=filters(group_id=group))["SecurityGroupRules"]
        for rule in told:
            if _is_told(rule, news):
                kept = {name: rule[name] for name in _KEPT if rule.get(name) is not None}
                other = (rule.get("ReferencedGroupInfo") or {}).get("GroupId")
                kept |= {
                    "Description": news.get("description") or "",
                    **({"ReferencedGroupId": other} if other else {}),
                }
                changed = {"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "SecurityGroupRule": kept}
                client.modify_security_group_rules(GroupId=group, SecurityGroupRules=[changed])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Revoke it."""
        if self.look(context, resource_id, state) is not None:
            self._call(context, "revoke", state)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """Two rules that say the same cannot be: whatever is in force is this one."""
        resource_id = f"sgrule-{zlib.crc32(repr(sorted(_atoms([_own(inputs)]))).encode() + inputs['type'].encode())}"
        return resource_id if self.read(context, resource_id, inputs) else None

    def _call(self, context: Context, verb: str, inputs: Properties) -> None:
        call = getattr(self.client(context), f"{verb}_security_group_{inputs['type']}")
        call(GroupId=inputs["securityGroupId"], IpPermissions=[_own(inputs)])


class _SingleRule(Ec2):
    """One rule with one range, as EC2 itself counts them."""

    way: ClassVar[str]
    kind: ClassVar[str] = "security-group-rule"
    key: ClassVar[Mapping[str, str]] = {"SecurityGroupRuleId": "id"}
    reads: ClassVar[str] = "DescribeSecurityGroupRules"
    body: ClassVar[str] = "SecurityGroupRules"
    renames: ClassVar[Mapping[str, str]] = {"securityGroupId": "GroupId", "referencedSecurityGroupId": ""}
    replace_on: ClassVar[frozenset[str]] = frozenset({"securityGroupId"})
    lists: ClassVar[str] = "DescribeSecurityGroupRules"
    listed: ClassVar[str] = "SecurityGroupRuleId"
    computed: ClassVar[Mapping[str, str]] = {
        "arn": "arn:aws:ec2:{region}:{account}:security-group-rule/{id}",
        "securityGroupRuleId": "{id}",
    }

    def make(self, context: Context, inputs: Properties) -> str:
        """Authorize it."""
        tags = self.wire_tags(context, inputs)
        specified = {"TagSpecifications": [{"ResourceType": self.kind, "Tags": tags}]} if tags else {}
        answer = getattr(self.client(context), f"authorize_security_group_{self.way}")(
            GroupId=inputs["securityGroupId"], IpPermissions=[_single(inputs)], **specified
        )
        return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The other group; ports that were not asked for are none."""
        del context, resource_id
        other = (body.get("ReferencedGroupInfo") or {}).get("GroupId")
        ports = {name: None for name in ("fromPort", "toPort") if inputs and inputs.get(name) is None}
        return {"referencedSecurityGroupId": other, **ports}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Modify it in place."""
        if {name: value for name, value in olds.items() if name != "tags"} == {**news, "tags": None}:
            return
        rule = {"IpProtocol": news["ipProtocol"], "FromPort": int(news.get("fromPort", -1)),
                "ToPort": int(news.get("toPort", -1)), "Description": news.get("description") or "",
                "CidrIpv4": news.get("cidrIpv4"), "CidrIpv6": news.get("cidrIpv6"),
                "PrefixListId": news.get("prefixListId"),
                "ReferencedGroupId": news.get("referencedSecurityGroupId")}  # fmt: skip
        known = {name: value for name, value in rule.items() if value is not None}
        self.client(context).modify_security_group_rules(
            GroupId=news["securityGroupId"],
            SecurityGroupRules=[{"SecurityGroupRuleId": resource_id, "SecurityGroupRule": known}],
        )

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Revoke it."""
        name = f"revoke_security_group_{self.way}"
        if self.read(context, resource_id, state) is not None:
            group = state["securityGroupId"]
            getattr(self.client(context), name)(GroupId=group, SecurityGroupRuleIds=[resource_id])


class IngressRule(_SingleRule):
    """One way in."""

    token: ClassVar = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    way: ClassVar = "ingress"


class EgressRule(_SingleRule):
    """One way out."""

    token: ClassVar = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    way: ClassVar = "egress"


def permission(rule: Properties, own: str) -> dict[str, Any]:
    """One inline rule in EC2's form; `own` is the group itself."""
    body: dict[str, Any] = {"IpProtocol": str(rule["protocol"]).lower().replace("all", "-1")}
    if body["IpProtocol"] != "-1":
        body |= {"FromPort": int(rule["fromPort"]), "ToPort": int(rule["toPort"])}
    described = {"Description": rule["description"]} if rule.get("description") else {}
    groups = [*(rule.get("securityGroups") or ()), *([own] if rule.get("self") else ())]
    lists = {
        "IpRanges": [{"CidrIp": cidr, **described} for cidr in rule.get("cidrBlocks") or ()],
        "Ipv6Ranges": [{"CidrIpv6": cidr, **described} for cidr in rule.get("ipv6CidrBlocks") or ()],
        "PrefixListIds": [{"PrefixListId": one, **described} for one in rule.get("prefixListIds") or ()],
        "UserIdGroupPairs": [{"GroupId": group, **described} for group in groups],
    }
    return body | {name: items for name, items in lists.items() if items}


def revoke_all(handler: Ec2, context: Context, group: str) -> None:
    """Leave a group without rules."""
    client = handler.client(context)
    now = client.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    for way, member in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")):
        if now[member]:
            getattr(client, f"revoke_security_group_{way}")(GroupId=group, IpPermissions=now[member])


def _own(inputs: Properties) -> dict[str, Any]:
    """A rule resource in EC2's form."""
    source = [inputs["sourceSecurityGroupId"]] if inputs.get("sourceSecurityGroupId") else []
    return permission({**inputs, "securityGroups": source}, str(inputs["securityGroupId"]))


def _single(inputs: Properties) -> dict[str, Any]:
    named = {"cidrBlocks": "cidrIpv4", "ipv6CidrBlocks": "cidrIpv6", "prefixListIds": "prefixListId",
             "securityGroups": "referencedSecurityGroupId"}  # fmt: skip
    lists = {name: [inputs[one]] for name, one in named.items() if inputs.get(one)}
    ports = {"fromPort": inputs.get("fromPort", -1), "toPort": inputs.get("toPort", -1)}
    return permission({**inputs, **ports, **lists, "protocol": inputs["ipProtocol"]}, "")


def _atoms(permissions: Any) -> set[tuple[Any, ...]]:
    """What permissions allow, range by range: groupings differ, what is allowed does not."""
    found = set()
    for one in permissions:
        head = (one["IpProtocol"], one.get("FromPort"), one.get("ToPort")) if one["IpProtocol"] != "-1" else ("-1",)
        for member, name in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"), ("PrefixListIds", "PrefixListId"),
                             ("UserIdGroupPairs", "GroupId")):  # fmt: skip
            found |= {(*head, item[name], item.get("Description") or "") for item in one.get(member, ())}
    return found


def _is_told(rule: Mapping[str, Any], inputs: Properties) -> bool:
    """Whether EC2's rule is (a part of) the one that was asked for."""
    other = (rule.get("ReferencedGroupInfo") or {}).get("GroupId")
    range_ = rule.get("CidrIpv4") or rule.get("CidrIpv6") or rule.get("PrefixListId") or other
    allowed = {atom[-2] for atom in _atoms([_own(inputs)])}
    ports = inputs["protocol"] in {"-1", "all"} or rule.get("FromPort") == int(inputs["fromPort"])
    return rule.get("IsEgress") == (inputs["type"] == "egress") and range_ in allowed and ports


RESOURCES = (
    SecurityGroup(), DefaultSecurityGroup(), SecurityGroupRule(), IngressRule(), EgressRule(),
)  # fmt: skip
