"""IAM: policies inside or attached to roles, users and groups, and who is in which group.

The three kinds of principals have the same operations under their own names, so each type here is written once and
made for each kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType
from harness.deploy.providers.aws.iam import told_json
from harness.deploy.providers.resource import Context, Properties


class _OfPrincipal(AwsType):
    """Something of one role, user or group; `kind` says which."""

    service: ClassVar[str] = "iam"
    kind: ClassVar[str]

    def on(self, context: Context, operation: str) -> Callable[..., Any]:
        """The client's method, `put_{}_policy` for `put_role_policy`."""
        method: Callable[..., Any] = getattr(self.client(context), operation.format(self.kind))
        return method

    def who(self, name: Any) -> dict[str, str]:
        """The member that names the principal."""
        return {f"{self.kind.capitalize()}Name": str(name)}

    def attached(self, context: Context, name: Any) -> list[str]:
        """The ARNs of the policies attached to the principal."""
        pages = self.client(context).get_paginator(f"list_attached_{self.kind}_policies").paginate(**self.who(name))
        return [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]

    def inline(self, context: Context, name: Any) -> list[str]:
        """The names of the policies inside the principal."""
        pages = self.client(context).get_paginator(f"list_{self.kind}_policies").paginate(**self.who(name))
        return [policy for page in pages for policy in page["PolicyNames"]]


class _InlinePolicy(_OfPrincipal):
    """A policy inside a principal; the id is `principal:name`."""

    named: ClassVar[str] = "name"
    name_rules: ClassVar = {"limit": 128}
    json_keys: ClassVar = frozenset({"policy"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Put it."""
        self.change(context, "", {}, inputs)
        return self.joined(inputs)

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """Its document, or an error."""
        principal, _, name = resource_id.partition(":")
        found = self.on(context, "get_{}_policy")(**self.who(principal), PolicyName=name)["PolicyDocument"]
        return {self.kind: principal, "name": name, "policy": told_json(inputs.get("policy"), found)}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it (again)."""
        put = self.on(context, "put_{}_policy")
        put(**self.who(news[self.kind]), PolicyName=news["name"], PolicyDocument=news["policy"])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        principal, _, name = resource_id.partition(":")
        self.on(context, "delete_{}_policy")(**self.who(principal), PolicyName=name)


class _Attachment(_OfPrincipal):
    """A policy attached to a principal; the id is `principal/arn`."""

    def make(self, context: Context, inputs: Properties) -> str:
        """Attach it."""
        self.on(context, "attach_{}_policy")(**self.who(inputs[self.kind]), PolicyArn=inputs["policyArn"])
        return self.joined(inputs)

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Attached, or not."""
        principal, _, arn = resource_id.partition("/")
        return {self.kind: principal, "policyArn": arn} if arn in self.attached(context, principal) else None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Nothing can change."""

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Detach it."""
        principal, _, arn = resource_id.partition("/")
        self.on(context, "detach_{}_policy")(**self.who(principal), PolicyArn=arn)


class _Exclusive(_OfPrincipal):
    """A principal's policies, these and no others; the id is its name. Its end leaves the policies alone."""

    outlives: ClassVar = True
    many: ClassVar[str]

    def make(self, context: Context, inputs: Properties) -> str:
        """Take away what is not listed."""
        principal = str(inputs[f"{self.kind}Name"])
        self.change(context, principal, {}, inputs)
        return principal

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """The policies there are, in the order given where they are the same."""
        found, given = self.there(context, resource_id), list(inputs.get(self.many) or ())
        same = sorted(found) == sorted(given)
        return {f"{self.kind}Name": resource_id, self.many: given if same else sorted(found)}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Take away what is not listed, attach what is."""
        wanted, found = set(news[self.many]), set(self.there(context, resource_id))
        for gone in sorted(found - wanted):
            self.take(context, resource_id, gone)
        for fresh in sorted(wanted - found):
            self.give(context, resource_id, fresh)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Nothing: only the watch over the policies ends."""

    def there(self, context: Context, principal: str) -> list[str]:
        """What the principal has."""
        raise NotImplementedError

    def give(self, context: Context, principal: str, policy: str) -> None:
        """Add one."""
        raise NotImplementedError

    def take(self, context: Context, principal: str, policy: str) -> None:
        """Take one away."""
        raise NotImplementedError


class _AttachmentsExclusive(_Exclusive):
    """Attached policies, by ARN."""

    many: ClassVar = "policyArns"

    def there(self, context: Context, principal: str) -> list[str]:
        """Attached ARNs."""
        return self.attached(context, principal)

    def give(self, context: Context, principal: str, policy: str) -> None:
        """Attach one."""
        self.on(context, "attach_{}_policy")(**self.who(principal), PolicyArn=policy)

    def take(self, context: Context, principal: str, policy: str) -> None:
        """Detach one."""
        self.on(context, "detach_{}_policy")(**self.who(principal), PolicyArn=policy)


class _PoliciesExclusive(_Exclusive):
    """Inline policies, by name."""

    many: ClassVar = "policyNames"

    def there(self, context: Context, principal: str) -> list[str]:
        """Their names."""
        return self.inline(context, principal)

    def give(self, context: Context, principal: str, policy: str) -> None:
        """A name alone makes no policy: the program's inline policy of that name comes by itself."""

    def take(self, context: Context, principal: str, policy: str) -> None:
        """Delete one."""
        self.on(context, "delete_{}_policy")(**self.who(principal), PolicyName=policy)


def _for_each_principal() -> tuple[AwsType, ...]:
    """Every type above for roles, users and groups: `rolePolicy`, `userPolicyAttachment` and so on."""
    made: list[AwsType] = []
    forms: tuple[tuple[type[_OfPrincipal], str, str, frozenset[str]], ...] = (
        (_InlinePolicy, "Policy", "{%s}:{name}", frozenset({"name", "namePrefix"})),
        (_Attachment, "PolicyAttachment", "{%s}/{policyArn}", frozenset({"policyArn"})),
        (_AttachmentsExclusive, "PolicyAttachmentsExclusive", "{%sName}", frozenset()),
        (_PoliciesExclusive, "PoliciesExclusive", "{%sName}", frozenset()),
    )
    for kind in ("role", "user", "group"):
        for form, name, id_format, replace_on in forms:
            whole = kind.capitalize() + name
            attributes = {
                "__doc__": form.__doc__,
                "kind": kind,
                "id_format": id_format % kind,
                "token": f"aws:iam/{kind}{name}:{whole}",
                "replace_on": replace_on | {kind, f"{kind}Name"},
            }
            made.append(type(whole, (form,), attributes)())
    return tuple(made)


class PolicyAttachment(AwsType):
    """aws:iam/policyAttachment:PolicyAttachment: who has a policy, these and no others; the id is the name."""

    token: ClassVar = "aws:iam/policyAttachment:PolicyAttachment"
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    replace_on: ClassVar = frozenset({"name", "policyArn"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Attach it to each."""
        self.change(context, "", {}, inputs)
        return str(inputs["name"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Who has it; None when nobody has."""
        if not inputs.get("policyArn"):
            return None
        found = {}
        for kind, names in self._has(context, str(inputs["policyArn"])).items():
            given = list(inputs.get(kind) or ())
            found[kind] = given if sorted(given) == sorted(names) else names or None
        return {key: found.get(key) for key in found} if any(found.values()) else None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Attach it to the new ones, detach it from all others."""
        client, arn = self.client(context), str(news["policyArn"])
        for kind, names in self._has(context, arn).items():
            one, member = kind[:-1], f"{kind[:-1].capitalize()}Name"
            wanted = set(news.get(kind) or ())
            for name in sorted(wanted - set(names)):
                getattr(client, f"attach_{one}_policy")(**{member: name}, PolicyArn=arn)
            for name in sorted(set(names) - wanted):
                getattr(client, f"detach_{one}_policy")(**{member: name}, PolicyArn=arn)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Detach it from all."""
        self.change(context, resource_id, state, {"policyArn": state["policyArn"]})

    def _has(self, context: Context, arn: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {"roles": [], "users": [], "groups": []}
        for page in self.client(context).get_paginator("list_entities_for_policy").paginate(PolicyArn=arn):
            for kind, names in found.items():
                one = kind[:-1].capitalize()
                names += [entity[f"{one}Name"] for entity in page[f"Policy{one}s"]]
        return found


class GroupMembership(AwsType):
    """aws:iam/groupMembership:GroupMembership: a group's members, these and no others; the id is the name."""

    token: ClassVar = "aws:iam/groupMembership:GroupMembership"
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    replace_on: ClassVar = frozenset({"name", "group"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Add them."""
        self.change(context, "", {}, inputs)
        return str(inputs["name"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Who is in it; None when nobody is."""
        names = self._in(context, str(inputs["group"])) if inputs.get("group") else []
        given = list(inputs.get("users") or ())
        return {"users": given if sorted(given) == sorted(names) else names} if names else None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Add and take out."""
        client, group = self.client(context), str(news["group"])
        wanted, found = set(news.get("users") or ()), set(self._in(context, group))
        for name in sorted(wanted - found):
            client.add_user_to_group(GroupName=group, UserName=name)
        for name in sorted(found - wanted):
            client.remove_user_from_group(GroupName=group, UserName=name)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Take all out."""
        self.change(context, resource_id, state, {"group": state["group"]})

    def _in(self, context: Context, group: str) -> list[str]:
        pages = self.client(context).get_paginator("get_group").paginate(GroupName=group)
        return [user["UserName"] for page in pages for user in page["Users"]]


class UserGroupMembership(AwsType):
    """aws:iam/userGroupMembership:UserGroupMembership: some of a user's groups; the id is `user/group/group`."""

    token: ClassVar = "aws:iam/userGroupMembership:UserGroupMembership"
    parts: ClassVar = ("user", "groups")
    replace_on: ClassVar = frozenset({"user"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Add the user to each."""
        self.change(context, "", {}, inputs)
        return self.joined(inputs)

    def joined(self, inputs: Properties) -> str:
        """User and groups."""
        return "/".join([str(inputs["user"]), *map(str, inputs["groups"])])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Those of its groups that are given here."""
        user, *groups = resource_id.split("/")
        given = list(inputs.get("groups") or groups)
        found = {group["GroupName"] for group in self.client(context).list_groups_for_user(UserName=user)["Groups"]}
        left = [group for group in given if group in found]
        return {"user": user, "groups": left} if left else None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Into the new ones, out of those no longer given."""
        client, before, after = self.client(context), set(olds.get("groups") or ()), set(news.get("groups") or ())
        for group in sorted(after - before):
            client.add_user_to_group(GroupName=group, UserName=news["user"])
        for group in sorted(before - after):
            client.remove_user_from_group(GroupName=group, UserName=news["user"])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Out of each."""
        self.change(context, resource_id, state, {"user": state["user"]})


RESOURCES = (*_for_each_principal(), PolicyAttachment(), GroupMembership(), UserGroupMembership())
