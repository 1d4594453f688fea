"""Cognito: user pools with all that belongs to them, identity pools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties

_POOLS = Tagging(resource="ResourceArn", key="")
_IN_POOL = {"UserPoolId": "userPoolId"}
_CLOUDFRONT_ZONE = (
    "Z2FDTNDATAQYW2"  # every distribution's; https://docs.aws.amazon.com/general/latest/gr/cf_region.html
)


_CHARACTERS = ("requireLowercase", "requireNumbers", "requireSymbols", "requireUppercase")


class UserPool(Declared, noun="UserPool", verbs="Create Describe Update Delete"):
    """aws:cognito/userPool:UserPool; the id is the pool's."""

    token: ClassVar = "aws:cognito/userPool:UserPool"
    service: ClassVar = "cognito-idp"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    defaults: ClassVar = {"mfaConfiguration": "OFF", "deletionProtection": "INACTIVE"}
    tagging: ClassVar = _POOLS
    replace_on: ClassVar = frozenset({"aliasAttributes", "usernameAttributes", "usernameConfiguration"})
    renames: ClassVar = {
        "fromEmailAddress": "From", "schemas": "Schema",
        "attributesRequireVerificationBeforeUpdates": "AttributesRequireVerificationBeforeUpdate",
    }  # fmt: skip
    key: ClassVar = {"UserPoolId": "id"}
    id_from: ClassVar = "UserPool.Id"
    body: ClassVar = "UserPool"
    computed: ClassVar = {
        "arn": "arn:aws:cognito-idp:{region}:{account}:userpool/{id}",
        "endpoint": "cognito-idp.{region}.amazonaws.com/{id}",
    }

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Policies together; AWS's name of the name. MFA that needs settings is switched on afterwards."""
        policies = {name: inputs[name] for name in ("passwordPolicy", "signInPolicy") if inputs.get(name)}
        if "passwordPolicy" in policies:  # what is not asked for is not required
            policies["passwordPolicy"] = {**dict.fromkeys(_CHARACTERS, False), **policies["passwordPolicy"]}
        wanted: Properties = {**inputs, "poolName": inputs["name"], "policies": policies or None}
        if _needs_mfa_call(inputs):
            wanted["mfaConfiguration"] = "OFF"
        return wanted

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then its second factors."""
        pool = super().make(context, inputs)
        self._factors(context, pool, inputs)
        return pool

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The password policy and the second factors in the program's words."""
        policy = (body.get("Policies") or {}).get("PasswordPolicy") or {}
        given = inputs.get("passwordPolicy")
        told: Properties = {}
        if given:
            told["passwordPolicy"] = {
                name: policy.get(name[0].upper() + name[1:], value) for name, value in given.items()
            }
        if _needs_mfa_call(inputs):
            found = self.client(context).get_user_pool_mfa_config(UserPoolId=resource_id)
            told["mfaConfiguration"] = found.get("MfaConfiguration", "OFF")
            if inputs.get("softwareTokenMfaConfiguration"):
                enabled = (found.get("SoftwareTokenMfaConfiguration") or {}).get("Enabled", False)
                told["softwareTokenMfaConfiguration"] = {"enabled": enabled}
        return told

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Settings; new attributes by a call of their own; second factors."""
        super().change(context, resource_id, olds, news)
        known = {schema["name"] for schema in olds.get("schemas") or ()}
        fresh = [schema for schema in news.get("schemas") or () if schema["name"] not in known]
        if fresh:
            wanted = {"customAttributes": fresh}
            self.send(context, "AddCustomAttributes", wanted, UserPoolId=resource_id)
        if roots(olds, news) & {"mfaConfiguration", "softwareTokenMfaConfiguration", "smsConfiguration"}:
            self._factors(context, resource_id, news)

    def _factors(self, context: Context, pool: str, inputs: Properties) -> None:
        if not _needs_mfa_call(inputs):
            return
        wanted = {
            name: inputs[name] for name in ("softwareTokenMfaConfiguration", "mfaConfiguration") if inputs.get(name)
        }
        if inputs.get("smsConfiguration"):
            message = inputs.get("smsAuthenticationMessage")
            wanted["smsMfaConfiguration"] = {
                "smsConfiguration": inputs["smsConfiguration"],
                **({"smsAuthenticationMessage": message} if message else {}),
            }
        self.send(context, "SetUserPoolMfaConfig", wanted, UserPoolId=pool)


def _needs_mfa_call(inputs: Properties) -> bool:
    return inputs.get("mfaConfiguration", "OFF") != "OFF" or bool(inputs.get("softwareTokenMfaConfiguration"))


class UserPoolClient(Declared, noun="UserPoolClient", verbs="Create Describe Update Delete"):
    """aws:cognito/userPoolClient:UserPoolClient; the id is the client's."""

    token: ClassVar = "aws:cognito/userPoolClient:UserPoolClient"
    service: ClassVar = "cognito-idp"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    secret_outputs: ClassVar = frozenset({"clientSecret"})
    replace_on: ClassVar = frozenset({"userPoolId", "generateSecret"})
    renames: ClassVar = {"name": "ClientName"}
    key: ClassVar = {**_IN_POOL, "ClientId": "id"}
    id_from: ClassVar = "UserPoolClient.ClientId"
    parts: ClassVar = ("userPoolId", "id")
    body: ClassVar = "UserPoolClient"


class UserPoolDomain(Declared, noun="UserPoolDomain", verbs="Create Describe Update Delete"):
    """aws:cognito/userPoolDomain:UserPoolDomain; the id is the domain."""

    token: ClassVar = "aws:cognito/userPoolDomain:UserPoolDomain"
    service: ClassVar = "cognito-idp"
    replace_on: ClassVar = frozenset({"domain", "userPoolId"})
    renames: ClassVar = {"cloudfrontDistribution": "CloudFrontDistribution"}
    key: ClassVar = {"Domain": "domain"}
    parts: ClassVar = ("domain",)
    body: ClassVar = "DomainDescription"

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """A certificate makes it a domain of the user's own."""
        arn = inputs.get("certificateArn")
        return {**inputs, "customDomainConfig": {"certificateArn": arn}} if arn else inputs

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The distribution in front, and its zone for alias records."""
        distribution = body.get("CloudFrontDistribution", "")
        return {"cloudfrontDistributionArn": distribution, "cloudfrontDistributionZoneId": _CLOUDFRONT_ZONE}

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """AWS describes a domain that is not there as an empty one."""
        found = super().ask(context, resource_id, inputs)
        return found if found and found.get("UserPoolId") else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """AWS wants the pool, too."""
        self.send(context, self.deletes, {}, Domain=resource_id, UserPoolId=state["userPoolId"])


class UserGroup(Declared, noun="Group"):
    """aws:cognito/userGroup:UserGroup; the id is `pool/name`."""

    token: ClassVar = "aws:cognito/userGroup:UserGroup"
    service: ClassVar = "cognito-idp"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    replace_on: ClassVar = frozenset({"userPoolId", "name"})
    renames: ClassVar = {"name": "GroupName"}
    key: ClassVar = {**_IN_POOL, "GroupName": "name"}
    parts: ClassVar = ("userPoolId", "name")
    body: ClassVar = "Group"


class User(Declared):
    """aws:cognito/user:User; the id is `pool/username`."""

    token: ClassVar = "aws:cognito/user:User"
    service: ClassVar = "cognito-idp"
    defaults: ClassVar = {"enabled": True}
    secret_outputs: ClassVar = frozenset({"password", "temporaryPassword"})
    replace_on: ClassVar = frozenset({"userPoolId", "username"})
    renames: ClassVar = {
        "attributes": "UserAttributes", "creationDate": "UserCreateDate", "lastModifiedDate": "UserLastModifiedDate",
        "status": "UserStatus", "mfaSettingLists": "UserMFASettingList", "preferredMfaSetting": "PreferredMfaSetting",
    }  # fmt: skip
    creates: ClassVar = "AdminCreateUser"
    reads: ClassVar = "AdminGetUser"
    deletes: ClassVar = "AdminDeleteUser"
    key: ClassVar = {**_IN_POOL, "Username": "username"}
    parts: ClassVar = ("userPoolId", "username")

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Attributes as AWS lists them."""
        listed = {
            name: [{"Name": key, "Value": value} for key, value in inputs[name].items()]
            for name in ("attributes", "validationData")
            if inputs.get(name)
        }
        return {**inputs, **listed}

    def make(self, context: Context, inputs: Properties) -> str:
        """Create the user, with the password that lasts and the switch."""
        resource_id = super().make(context, inputs)
        self._settle_user(context, inputs)
        return resource_id

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Attributes by name. A pool that is entered by e-mail has AWS's names, not the program's."""
        found = {one["Name"]: one["Value"] for one in body.get("UserAttributes") or ()}
        asked = {name: value for name, value in found.items() if name in (inputs.get("attributes") or ())}
        name = inputs.get("username") or body["Username"]
        return {
            "sub": found.get("sub", ""),
            "username": name,
            "attributes": asked if inputs.get("attributes") else None,
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Attributes, password, switch."""
        place, changed = self.keys(resource_id, news), roots(olds, news)
        if "attributes" in changed:
            gone = sorted(set(olds.get("attributes") or ()) - set(news.get("attributes") or ()))
            if gone:
                self.client(context).admin_delete_user_attributes(**place, UserAttributeNames=gone)
            if news.get("attributes"):
                wanted = self.arrange(context, news)["attributes"]
                self.client(context).admin_update_user_attributes(**place, UserAttributes=wanted)
        if changed & {"password", "enabled"}:
            self._settle_user(context, news)

    def _settle_user(self, context: Context, inputs: Properties) -> None:
        client, place = self.client(context), self.keys("", inputs)
        if inputs.get("password"):
            client.admin_set_user_password(**place, Password=inputs["password"], Permanent=True)
        if inputs["enabled"]:
            client.admin_enable_user(**place)
        else:
            client.admin_disable_user(**place)


class UserInGroup(Declared):
    """aws:cognito/userInGroup:UserInGroup; the id is `pool/group/username`."""

    token: ClassVar = "aws:cognito/userInGroup:UserInGroup"
    service: ClassVar = "cognito-idp"
    replace_on: ClassVar = frozenset({"userPoolId", "groupName", "username"})
    creates: ClassVar = "AdminAddUserToGroup"
    deletes: ClassVar = "AdminRemoveUserFromGroup"
    key: ClassVar = {**_IN_POOL, "GroupName": "groupName", "Username": "username"}
    parts: ClassVar = ("userPoolId", "groupName", "username")

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """Among the user's groups."""
        known = self.known(resource_id, inputs)
        place = {"UserPoolId": known["userPoolId"], "Username": known["username"]}
        groups = self.client(context).admin_list_groups_for_user(**place)["Groups"]
        names = {group["GroupName"] for group in groups}
        return {name: known[name] for name in self.parts} if known["groupName"] in names else None


class ResourceServer(Declared, noun="ResourceServer", verbs="Create Describe Update Delete"):
    """aws:cognito/resourceServer:ResourceServer; the id is `pool|identifier`."""

    token: ClassVar = "aws:cognito/resourceServer:ResourceServer"
    service: ClassVar = "cognito-idp"
    named: ClassVar = "name"
    replace_on: ClassVar = frozenset({"userPoolId", "identifier"})
    key: ClassVar = {**_IN_POOL, "Identifier": "identifier"}
    parts: ClassVar = ("userPoolId", "identifier")
    separator: ClassVar = "|"
    body: ClassVar = "ResourceServer"

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The scopes as clients ask for them."""
        scopes = [scope["ScopeName"] for scope in body.get("Scopes") or ()]
        return {"scopeIdentifiers": [f"{body['Identifier']}/{scope}" for scope in scopes]}


class IdentityProvider(Declared, noun="IdentityProvider", verbs="Create Describe Update Delete"):
    """aws:cognito/identityProvider:IdentityProvider; the id is `pool:name`."""

    token: ClassVar = "aws:cognito/identityProvider:IdentityProvider"
    service: ClassVar = "cognito-idp"
    replace_on: ClassVar = frozenset({"userPoolId", "providerName", "providerType"})
    key: ClassVar = {**_IN_POOL, "ProviderName": "providerName"}
    parts: ClassVar = ("userPoolId", "providerName")
    separator: ClassVar = ":"
    body: ClassVar = "IdentityProvider"


class UserPoolUICustomization(Declared, noun="UICustomization", verbs="Set Get Set -"):
    """aws:cognito/userPoolUICustomization:UserPoolUICustomization; the id is `pool,client`."""

    token: ClassVar = "aws:cognito/userPoolUICustomization:UserPoolUICustomization"
    service: ClassVar = "cognito-idp"
    defaults: ClassVar = {"clientId": "ALL"}
    replace_on: ClassVar = frozenset({"userPoolId", "clientId"})
    renames: ClassVar = {"cssVersion": "CSSVersion"}
    key: ClassVar = {**_IN_POOL, "ClientId": "clientId"}
    parts: ClassVar = ("userPoolId", "clientId")
    separator: ClassVar = ","
    body: ClassVar = "UICustomization"
    outlives: ClassVar = True

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Set nothing."""
        self.send(context, self.updates, {}, **self.keys(resource_id, state))


class IdentityPool(Declared, noun="IdentityPool", verbs="Create Describe Update Delete"):
    """aws:cognito/identityPool:IdentityPool; the id is the pool's."""

    token: ClassVar = "aws:cognito/identityPool:IdentityPool"
    service: ClassVar = "cognito-identity"
    defaults: ClassVar = {"allowUnauthenticatedIdentities": False, "allowClassicFlow": False}
    tagging: ClassVar = _POOLS
    replace_on: ClassVar = frozenset({"developerProviderName"})
    key: ClassVar = {"IdentityPoolId": "id"}
    id_from: ClassVar = "IdentityPoolId"
    computed: ClassVar = {"arn": "arn:aws:cognito-identity:{region}:{account}:identitypool/{id}"}


class IdentityPoolRoleAttachment(Declared, noun="IdentityPoolRoles", verbs="Set Get Set -"):
    """aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment; the id is the pool's."""

    token: ClassVar = "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment"
    service: ClassVar = "cognito-identity"
    replace_on: ClassVar = frozenset({"identityPoolId"})
    key: ClassVar = {"IdentityPoolId": "identityPoolId"}
    parts: ClassVar = ("identityPoolId",)

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Mappings by provider, rules one level deeper."""
        mappings = {
            one["identityProvider"]: {
                **one,
                **({"rulesConfiguration": {"rules": one["mappingRules"]}} if one.get("mappingRules") else {}),
            }
            for one in inputs.get("roleMappings") or ()
        }
        return {**inputs, "roleMappings": mappings}

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """The roles; no roles are none."""
        body = self.ask(context, resource_id, inputs) or {}
        return {"roles": body["Roles"]} if body.get("Roles") else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """No roles."""
        self.send(context, self.updates, {}, IdentityPoolId=resource_id, Roles={})


class IdentityPoolProviderPrincipalTag(Declared, noun="PrincipalTagAttributeMap", verbs="Set Get Set -"):
    """aws:cognito/identityPoolProviderPrincipalTag:IdentityPoolProviderPrincipalTag; the id is `pool:provider`."""

    token: ClassVar = "aws:cognito/identityPoolProviderPrincipalTag:IdentityPoolProviderPrincipalTag"
    service: ClassVar = "cognito-identity"
    outlives: ClassVar = True
    replace_on: ClassVar = frozenset({"identityPoolId", "identityProviderName"})
    key: ClassVar = {"IdentityPoolId": "identityPoolId", "IdentityProviderName": "identityProviderName"}
    parts: ClassVar = ("identityPoolId", "identityProviderName")

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Back to AWS's defaults."""
        self.send(context, self.updates, {"useDefaults": True}, **self.keys(resource_id, state), PrincipalTags={})


RESOURCES = (
    UserPool(), UserPoolClient(), UserPoolDomain(), UserGroup(), User(), UserInGroup(), ResourceServer(),
    IdentityProvider(), UserPoolUICustomization(), IdentityPool(), IdentityPoolRoleAttachment(),
    IdentityPoolProviderPrincipalTag(),
)  # fmt: skip


def user_pools(context: Context, arguments: Properties) -> Properties:
    """Pools by name."""
    pages = context.client("cognito-idp").get_paginator("list_user_pools").paginate(MaxResults=60)
    ids = [pool["Id"] for page in pages for pool in page["UserPools"] if pool["Name"] == arguments["name"]]
    arns = [f"arn:aws:cognito-idp:{context.region}:{context.account_id}:userpool/{pool}" for pool in ids]
    return {**arguments, "ids": ids, "arns": arns, "id": arguments["name"]}


def user_pool(context: Context, arguments: Properties) -> Properties:
    """A pool by id."""
    pool = str(arguments["userPoolId"])
    found = UserPool().read(context, pool, None)
    if found is None:
        raise CheckError([("userPoolId", f"there is no user pool {pool}")])
    return {**found, **arguments, "id": pool}


def user_pool_clients(context: Context, arguments: Properties) -> Properties:
    """The clients of a pool."""
    paginator = context.client("cognito-idp").get_paginator("list_user_pool_clients")
    pages = paginator.paginate(UserPoolId=arguments["userPoolId"], MaxResults=60)
    found = [client for page in pages for client in page["UserPoolClients"]]
    ids, names = [one["ClientId"] for one in found], [one["ClientName"] for one in found]
    return {**arguments, "clientIds": ids, "clientNames": names, "id": arguments["userPoolId"]}


INVOKES: dict[str, Invoke] = {
    "aws:cognito/getUserPools:getUserPools": user_pools,
    "aws:cognito/getUserPool:getUserPool": user_pool,
    "aws:cognito/getUserPoolClients:getUserPoolClients": user_pool_clients,
}
