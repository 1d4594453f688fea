"""CloudFront: distributions, what gives them access to buckets, functions, policies."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore import xform_name

from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.cloudfront_wire import distribution_config, to_cloudfront
from harness.deploy.providers.aws.described import agrees
from harness.deploy.providers.aws.tags import Tagging, Tags
from harness.deploy.providers.resource import Context, Invoke, Properties
from harness.errors import ProviderError

HOSTED_ZONE_ID = "Z2FDTNDATAQYW2"
"""Of every distribution. Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html"""


class EdgeTagging(Tagging):
    """CloudFront wraps tags and keys in `Items`."""

    def wire(self, tags: Tags) -> Any:
        """As CloudFront takes them."""
        return {"Items": [{"Key": name, "Value": text} for name, text in tags.items()]}

    def change(self, client: Any, resource: Any, *, old: Tags, new: Tags) -> None:
        """Make `resource` carry `new` instead of `old`."""
        gone = sorted(set(old) - set(new))
        fresh = {name: text for name, text in new.items() if old.get(name) != text}
        if gone:
            client.untag_resource(Resource=resource, TagKeys={"Items": gone})
        if fresh:
            client.tag_resource(Resource=resource, Tags=self.wire(fresh))


class _Edge(AwsType):
    """A type with a configuration that is replaced as a whole, guarded by an ETag.

    Attributes:
        noun: `CachePolicy` gives CreateCachePolicy (`CachePolicyConfig`), GetCachePolicy, …
        settings_member: the configuration's member in requests and answers.
        arn_kind: what its ARN calls it; '' for a type without an ARN.
    """

    service: ClassVar[str] = "cloudfront"
    noun: ClassVar[str]
    settings_member: ClassVar[str]
    arn_kind: ClassVar[str] = ""
    listed: ClassVar[str] = "Id"

    def __init_subclass__(cls) -> None:
        """Spell out what follows from the noun."""
        super().__init_subclass__()
        cls.creates = f"Create{cls.noun}"

    def config(self, context: Context, inputs: Properties, reference: str) -> dict[str, Any]:
        """The configuration in AWS's form; `reference` is the caller's, where there is one."""
        shape = self._shape(context)
        known = {name: value for name, value in inputs.items() if name not in {"tags", "region"}}
        made: dict[str, Any] = to_cloudfront(shape, {**known, "callerReference": reference}, self.renames)
        return made

    def tell(self, context: Context, resource_id: str, found: Mapping[str, Any], inputs: Properties) -> Properties:
        """More outputs, from what a read finds."""
        return {}

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        config = self.config(context, inputs, f"{context.name}-{secrets.token_hex(8)}")
        answer = self._ask(context, f"Create{self.noun}", **{self.settings_member: config})
        return str(answer[self.noun]["Id"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """ETag, ARN, and the inputs as they were given when AWS still says the same."""
        answer = self._ask(context, f"Get{self.noun}", Id=resource_id)
        found = answer[self.noun]
        told: Properties = {"etag": answer.get("ETag", ""), **self.tell(context, resource_id, found, inputs)}
        if self.arn_kind:
            told["arn"] = f"arn:aws:cloudfront::{context.account_id}:{self.arn_kind}/{resource_id}"
        now = found.get(self.settings_member) or found
        shape = self._shape(context)
        known = {name: value for name, value in inputs.items() if name not in {"tags", "region"}}
        for name, value in known.items():
            wire = self.config_of(context, {**known}, name, shape)
            if wire:
                told[name] = value if agrees(wire, now) else _told(wire, now)
        return told

    def config_of(self, context: Context, known: Properties, name: str, shape: Any) -> dict[str, Any]:
        """What one input alone is in AWS's form; empty for those that AWS is not told."""
        made: dict[str, Any] = to_cloudfront(shape, {name: known[name]}, self.renames)
        return made

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Replace the configuration."""
        if roots(olds, news) - {"tags"}:
            self.replace(context, resource_id, news)

    def replace(self, context: Context, resource_id: str, inputs: Properties) -> None:
        """Put a configuration over the present one."""
        answer = self._ask(context, f"Get{self.noun}", Id=resource_id)
        now = answer[self.noun].get(self.settings_member) or {}
        config = self.config(context, inputs, now.get("CallerReference", ""))
        wanted = {self.settings_member: config}
        self._ask(context, f"Update{self.noun}", Id=resource_id, IfMatch=answer["ETag"], **wanted)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        etag = self._ask(context, f"Get{self.noun}", Id=resource_id)["ETag"]
        self._ask(context, f"Delete{self.noun}", Id=resource_id, IfMatch=etag)

    def _ask(self, context: Context, operation: str, **request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self.client(context), xform_name(operation))(**request)
        return answer

    def _shape(self, context: Context) -> Any:
        model = self.client(context).meta.service_model.operation_model(f"Create{self.noun}")
        return model.input_shape.members[self.settings_member]


class Distribution(_Edge):
    """Content at the edge; an origin's answers are cached near those who ask."""

    token: ClassVar = "aws:cloudfront/distribution:Distribution"
    noun: ClassVar = "Distribution"
    settings_member: ClassVar = "DistributionConfig"
    arn_kind: ClassVar = "distribution"
    tagging: ClassVar = EdgeTagging()
    defaults: ClassVar = {
        "httpVersion": "http2",
        "isIpv6Enabled": False,
        "priceClass": "PriceClass_All",
        "retainOnDelete": False,
        "staging": False,
        "waitForDeployment": True,
    }
    replace_on: ClassVar = frozenset({"staging"})

    def config(self, context: Context, inputs: Properties, reference: str) -> dict[str, Any]:
        """All of it."""
        return distribution_config(self._shape(context), inputs, reference)

    def config_of(self, context: Context, known: Properties, name: str, shape: Any) -> dict[str, Any]:
        """The members that one input makes."""
        if name in {"retainOnDelete", "waitForDeployment"}:
            return {}
        members = {"orderedCacheBehaviors": "CacheBehaviors", "loggingConfig": "Logging", "webAclId": "WebACLId",
                   "isIpv6Enabled": "IsIPV6Enabled"}  # fmt: skip
        whole, member = self.config(context, known, ""), members.get(name, f"{name[0].upper()}{name[1:]}")
        return {member: whole[member]} if member in whole else {}

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it with its tags, and wait until it is deployed."""
        config = self.config(context, inputs, f"{context.name}-{secrets.token_hex(8)}")
        tags = self.tags(context, inputs)
        if tags:
            wanted = {"DistributionConfig": config, "Tags": EdgeTagging().wire(tags)}
            answer = self._ask(context, "CreateDistributionWithTags", DistributionConfigWithTags=wanted)
        else:
            answer = self._ask(context, "CreateDistribution", DistributionConfig=config)
        distribution = str(answer["Distribution"]["Id"])
        if inputs["waitForDeployment"]:
            self._deployed(context, distribution)
        return distribution

    def tell(self, context: Context, resource_id: str, found: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its name, and how far it is."""
        config = found.get("DistributionConfig") or {}
        modified: Any = found.get("LastModifiedTime")
        return {
            "domainName": found["DomainName"],
            "status": found["Status"],
            "hostedZoneId": HOSTED_ZONE_ID,
            "callerReference": config.get("CallerReference"),
            "inProgressValidationBatches": int(found.get("InProgressInvalidationBatches") or 0),
            "lastModifiedTime": modified.isoformat() if hasattr(modified, "isoformat") else modified,
            "loggingV1Enabled": bool((config.get("Logging") or {}).get("Enabled")),
            "trustedSigners": [{"enabled": False, "items": []}],
            "trustedKeyGroups": [{"enabled": False, "items": []}],
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Replace the configuration, and wait until it is deployed."""
        if roots(olds, news) - {"tags", "retainOnDelete", "waitForDeployment"}:
            self.replace(context, resource_id, news)
            if news["waitForDeployment"]:
                self._deployed(context, resource_id)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Disable it, wait, then delete it, unless it is to be left disabled."""
        answer = self._ask(context, "GetDistribution", Id=resource_id)
        config = answer["Distribution"]["DistributionConfig"]
        if config["Enabled"]:
            disabled = {**config, "Enabled": False}
            self._ask(
                context, "UpdateDistribution", Id=resource_id, IfMatch=answer["ETag"], DistributionConfig=disabled
            )
            self._deployed(context, resource_id)
        if not state.get("retainOnDelete"):
            super().remove(context, resource_id, state)

    def _deployed(self, context: Context, distribution: str) -> None:
        client = self.client(context)
        context.wait_until(
            lambda: client.get_distribution(Id=distribution)["Distribution"]["Status"] == "Deployed",
            f"distribution {distribution}",
        )


class OriginAccessControl(_Edge):
    """How a distribution signs its requests to an origin."""

    token: ClassVar = "aws:cloudfront/originAccessControl:OriginAccessControl"
    noun: ClassVar = "OriginAccessControl"
    settings_member: ClassVar = "OriginAccessControlConfig"
    arn_kind: ClassVar = "origin-access-control"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    defaults: ClassVar = {"description": "Managed by Pulumi"}
    replace_on: ClassVar = frozenset({"name"})


class OriginAccessIdentity(_Edge):
    """Who a distribution is for a bucket, in the old way."""

    token: ClassVar = "aws:cloudfront/originAccessIdentity:OriginAccessIdentity"
    noun: ClassVar = "CloudFrontOriginAccessIdentity"
    settings_member: ClassVar = "CloudFrontOriginAccessIdentityConfig"

    def config(self, context: Context, inputs: Properties, reference: str) -> dict[str, Any]:
        """A comment, at least an empty one."""
        return {"CallerReference": reference, "Comment": inputs.get("comment") or ""}

    def tell(self, context: Context, resource_id: str, found: Mapping[str, Any], inputs: Properties) -> Properties:
        """What bucket policies and distributions name it by."""
        identity = f"CloudFront Origin Access Identity {resource_id}"
        return {
            "cloudfrontAccessIdentityPath": f"origin-access-identity/cloudfront/{resource_id}",
            "iamArn": f"arn:aws:iam::cloudfront:user/{identity}",
            "s3CanonicalUserId": found["S3CanonicalUserId"],
            "arn": f"arn:aws:cloudfront::{context.account_id}:origin-access-identity/{resource_id}",
        }


class CachePolicy(_Edge):
    """What a cache's keys are made of, and how long they live."""

    token: ClassVar = "aws:cloudfront/cachePolicy:CachePolicy"
    noun: ClassVar = "CachePolicy"
    settings_member: ClassVar = "CachePolicyConfig"
    arn_kind: ClassVar = "cache-policy"
    named: ClassVar = "name"
    defaults: ClassVar = {"defaultTtl": 86_400, "maxTtl": 31_536_000, "minTtl": 0}
    renames: ClassVar = {
        "headerBehavior": "HeaderBehavior",
        "enableAcceptEncodingGzip": "EnableAcceptEncodingGzip",
    }
    replace_on: ClassVar = frozenset({"name"})


class OriginRequestPolicy(_Edge):
    """What of a request goes to the origin."""

    token: ClassVar = "aws:cloudfront/originRequestPolicy:OriginRequestPolicy"
    noun: ClassVar = "OriginRequestPolicy"
    settings_member: ClassVar = "OriginRequestPolicyConfig"
    arn_kind: ClassVar = "origin-request-policy"
    named: ClassVar = "name"
    replace_on: ClassVar = frozenset({"name"})


class ResponseHeadersPolicy(_Edge):
    """What headers answers get."""

    token: ClassVar = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"
    noun: ClassVar = "ResponseHeadersPolicy"
    settings_member: ClassVar = "ResponseHeadersPolicyConfig"
    arn_kind: ClassVar = "response-headers-policy"
    named: ClassVar = "name"
    renames: ClassVar = {"accessControlMaxAgeSec": "AccessControlMaxAgeSec", "xssProtection": "XSSProtection"}
    replace_on: ClassVar = frozenset({"name"})


class Function(AwsType):
    """Code that runs at the edge; the id is its name."""

    token: ClassVar = "aws:cloudfront/function:Function"
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    defaults: ClassVar = {"publish": True}
    replace_on: ClassVar = frozenset({"name"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, and publish it when that is asked for."""
        client, name = self.client(context), str(inputs["name"])
        code = str(inputs["code"]).encode()
        answer = client.create_function(Name=name, FunctionConfig=_function(inputs), FunctionCode=code)
        if inputs["publish"]:
            client.publish_function(Name=name, IfMatch=answer["ETag"])
        return name

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """ETags of both stages; the code as it is."""
        client = self.client(context)
        answer = client.describe_function(Name=resource_id, Stage="DEVELOPMENT")
        found = answer["FunctionSummary"]
        code = client.get_function(Name=resource_id, Stage="DEVELOPMENT")["FunctionCode"]
        text = code.read() if hasattr(code, "read") else code
        config = found["FunctionConfig"]
        return {
            "arn": found["FunctionMetadata"]["FunctionARN"],
            "etag": answer["ETag"],
            "liveStageEtag": answer["ETag"] if inputs.get("publish") else "",
            "status": found.get("Status", ""),
            "name": resource_id,
            "code": text.decode() if isinstance(text, bytes) else text,
            "runtime": config["Runtime"],
            "comment": config.get("Comment", ""),
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Update and publish it."""
        client = self.client(context)
        etag = client.describe_function(Name=resource_id, Stage="DEVELOPMENT")["ETag"]
        if roots(olds, news) & {"code", "comment", "runtime", "keyValueStoreAssociations"}:
            code = str(news["code"]).encode()
            wanted = {"FunctionConfig": _function(news), "FunctionCode": code}
            client.update_function(Name=resource_id, IfMatch=etag, **wanted)
            etag = client.describe_function(Name=resource_id, Stage="DEVELOPMENT")["ETag"]
        if news["publish"]:
            client.publish_function(Name=resource_id, IfMatch=etag)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        client = self.client(context)
        etag = client.describe_function(Name=resource_id, Stage="DEVELOPMENT")["ETag"]
        client.delete_function(Name=resource_id, IfMatch=etag)


class PublicKey(_Edge):
    """A key that signed URLs are checked with."""

    token: ClassVar = "aws:cloudfront/publicKey:PublicKey"
    noun: ClassVar = "PublicKey"
    settings_member: ClassVar = "PublicKeyConfig"
    named: ClassVar = "name"
    replace_on: ClassVar = frozenset({"name", "namePrefix", "encodedKey"})

    def tell(self, context: Context, resource_id: str, found: Mapping[str, Any], inputs: Properties) -> Properties:
        """What it was created under."""
        return {"callerReference": (found.get("PublicKeyConfig") or {}).get("CallerReference")}


class KeyGroup(_Edge):
    """Keys that a distribution trusts."""

    token: ClassVar = "aws:cloudfront/keyGroup:KeyGroup"
    noun: ClassVar = "KeyGroup"
    settings_member: ClassVar = "KeyGroupConfig"
    named: ClassVar = "name"


def _function(inputs: Properties) -> dict[str, Any]:
    stores = inputs.get("keyValueStoreAssociations") or []
    told = {"KeyValueStoreAssociations": {"Quantity": len(stores), "Items": [
        {"KeyValueStoreARN": arn} for arn in stores]}} if stores else {}  # fmt: skip
    return {"Comment": inputs.get("comment") or "", "Runtime": inputs["runtime"], **told}


def _told(wire: Mapping[str, Any], now: Mapping[str, Any]) -> Any:
    """What AWS says instead, plainly: a scalar as it is, a list of items as a list."""
    member = next(iter(wire))
    found = now.get(member)
    if isinstance(found, Mapping) and "Quantity" in found:
        return found.get("Items", [])
    return found


def policy_by_name(kind: str) -> Invoke:
    """A data source that finds a policy by id or name; AWS's own ones are among them."""

    def find(context: Context, arguments: Properties) -> Properties:
        client = context.client("cloudfront")
        list_member, operation = f"{kind}List", f"list_{xform_name(kind)[:-1]}ies"
        found = getattr(client, operation)()[list_member].get("Items", [])
        for one in found:
            policy = one[kind]
            name = policy[f"{kind}Config"]["Name"]
            if policy["Id"] == arguments.get("id") or name == arguments.get("name"):
                return {**arguments, "id": policy["Id"], "name": name, "etag": "",
                        "comment": policy[f"{kind}Config"].get("Comment", "")}  # fmt: skip
        raise ProviderError(f"no {kind} matches {arguments.get('name') or arguments.get('id')}", where=kind)

    return find


RESOURCES = (
    Distribution(), OriginAccessControl(), OriginAccessIdentity(), CachePolicy(), OriginRequestPolicy(),
    ResponseHeadersPolicy(), Function(), PublicKey(), KeyGroup(),
)  # fmt: skip
INVOKES: dict[str, Invoke] = {
    "aws:cloudfront/getCachePolicy:getCachePolicy": policy_by_name("CachePolicy"),
    "aws:cloudfront/getOriginRequestPolicy:getOriginRequestPolicy": policy_by_name("OriginRequestPolicy"),
    "aws:cloudfront/getResponseHeadersPolicy:getResponseHeadersPolicy": policy_by_name("ResponseHeadersPolicy"),
}
