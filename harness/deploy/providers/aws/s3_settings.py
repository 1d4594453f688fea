"""S3: what is configured on a bucket, each as a resource of its own; its id is the bucket's name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.resource import Context, Properties

_DASHED = frozenset({
    "us-east-1", "us-west-1", "us-west-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "eu-west-1",
    "sa-east-1",
})  # fmt: skip


def website_domain(region: str) -> str:
    """Where a region serves websites from; https://docs.aws.amazon.com/general/latest/gr/s3.html."""
    return f"s3-website{'-' if region in _DASHED else '.'}{region}.amazonaws.com"


class _OnBucket(Declared):
    """A configuration that is put as a whole. `noun` names the operations: `PutBucket<noun>`."""

    service: ClassVar[str] = "s3"
    replace_on: ClassVar[frozenset[str]] = frozenset({"bucket", "expectedBucketOwner"})
    key: ClassVar[Mapping[str, str]] = {"Bucket": "bucket"}
    parts: ClassVar[tuple[str, ...]] = ("bucket",)
    off: ClassVar[Mapping[str, Any]] = {}  # what is put instead of a deletion, where S3 has none

    def __init_subclass__(cls, *, noun: str, deletes: str = "", wraps: str = "", body: str | None = None) -> None:
        """The operations from the noun; reads answer in the same wrapping where `body` says nothing else."""
        cls.creates = cls.updates = f"Put{noun}"
        cls.reads, cls.deletes = f"Get{noun}", deletes
        cls.wraps = wraps
        cls.body = wraps if body is None else body

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it, or put what a new bucket has."""
        if self.deletes:
            super().remove(context, resource_id, state)
        else:
            self.send(context, self.updates, {**self.keys(resource_id, state), **self.off})


class BucketVersioning(_OnBucket, noun="BucketVersioning"):
    """Versions kept, or no longer. `Disabled` is how a bucket begins; afterwards it can only be suspended."""

    token: ClassVar = "aws:s3/bucketVersioning:BucketVersioning"
    aliases: ClassVar = ("aws:s3/bucketVersioningV2:BucketVersioningV2",)
    outlives: ClassVar = True
    off: ClassVar = {"versioningConfiguration": {"status": "Suspended"}}

    def make(self, context: Context, inputs: Properties) -> str:
        """Nothing to do for a bucket that shall be as it is."""
        if inputs["versioningConfiguration"].get("status") != "Disabled":
            return super().make(context, inputs)
        return str(inputs["bucket"])

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """A bucket that was never versioned answers nothing."""
        found = super().ask(context, resource_id, inputs) or {}
        return {"VersioningConfiguration": {"Status": "Disabled", **found}}


class BucketPublicAccessBlock(
    _OnBucket, noun="PublicAccessBlock", deletes="DeletePublicAccessBlock", wraps="PublicAccessBlockConfiguration"
):
    """No public access."""

    token: ClassVar = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    replace_on: ClassVar = frozenset({"bucket"})
    defaults: ClassVar = {
        "blockPublicAcls": False, "blockPublicPolicy": False, "ignorePublicAcls": False,
        "restrictPublicBuckets": False,
    }  # fmt: skip


class BucketPolicy(_OnBucket, noun="BucketPolicy", deletes="DeleteBucketPolicy"):
    """A resource policy."""

    token: ClassVar = "aws:s3/bucketPolicy:BucketPolicy"
    json_keys: ClassVar = frozenset({"policy"})


class BucketServerSideEncryptionConfiguration(
    _OnBucket, noun="BucketEncryption", deletes="DeleteBucketEncryption", wraps="ServerSideEncryptionConfiguration"
):
    """How objects are encrypted."""

    token: ClassVar = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    aliases: ClassVar = (
        "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
    )


class BucketLifecycleConfiguration(
    _OnBucket,
    noun="BucketLifecycleConfiguration",
    deletes="DeleteBucketLifecycle",
    wraps="LifecycleConfiguration",
    body="",
):
    """When objects move or go."""

    token: ClassVar = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    aliases: ClassVar = ("aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",)
    defaults: ClassVar = {"transitionDefaultMinimumObjectSize": "all_storage_classes_128K"}

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """A rule for everything needs an empty prefix."""
        rules = [
            {**rule, "filter": {"prefix": ""}} if not rule.get("filter") and rule.get("prefix") is None else rule
            for rule in inputs.get("rules") or ()
        ]
        return {**inputs, "rules": rules}


class BucketCorsConfiguration(
    _OnBucket, noun="BucketCors", deletes="DeleteBucketCors", wraps="CORSConfiguration", body=""
):
    """Which pages of other origins may ask."""

    token: ClassVar = "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration"
    aliases: ClassVar = ("aws:s3/bucketCorsConfigurationV2:BucketCorsConfigurationV2",)


class BucketWebsiteConfiguration(
    _OnBucket, noun="BucketWebsite", deletes="DeleteBucketWebsite", wraps="WebsiteConfiguration", body=""
):
    """The bucket as a website. `routingRuleDetails` are the rules as JSON, in AWS's names."""

    token: ClassVar = "aws:s3/bucketWebsiteConfiguration:BucketWebsiteConfiguration"
    aliases: ClassVar = ("aws:s3/bucketWebsiteConfigurationV2:BucketWebsiteConfigurationV2",)
    json_keys: ClassVar = frozenset({"routingRuleDetails"})

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """The rules out of their text."""
        text = inputs.get("routingRuleDetails")
        return {**inputs, "routingRules": json.loads(text)} if text else inputs

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Where the site is."""
        domain = website_domain(context.region)
        return {"websiteDomain": domain, "websiteEndpoint": f"{resource_id}.{domain}"}


class BucketReplicationConfig(
    _OnBucket, noun="BucketReplication", deletes="DeleteBucketReplication", wraps="ReplicationConfiguration"
):
    """Which objects are copied where."""

    token: ClassVar = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
    replace_on: ClassVar = frozenset({"bucket"})
    secret_outputs: ClassVar = frozenset({"token"})


class BucketOwnershipControls(
    _OnBucket, noun="BucketOwnershipControls", deletes="DeleteBucketOwnershipControls", wraps="OwnershipControls"
):
    """Who owns what others put."""

    token: ClassVar = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    renames: ClassVar = {"rule": "Rules"}


class BucketObjectLockConfiguration(_OnBucket, noun="ObjectLockConfiguration", wraps="ObjectLockConfiguration"):
    """How long versions cannot be deleted. It can be loosened, not taken away."""

    token: ClassVar = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
    aliases: ClassVar = ("aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2",)
    defaults: ClassVar = {"objectLockEnabled": "Enabled"}
    secret_outputs: ClassVar = frozenset({"token"})
    outlives: ClassVar = True
    off: ClassVar = {"objectLockEnabled": "Enabled"}


class BucketRequestPaymentConfiguration(
    _OnBucket, noun="BucketRequestPayment", wraps="RequestPaymentConfiguration", body=""
):
    """Who pays for requests."""

    token: ClassVar = "aws:s3/bucketRequestPaymentConfiguration:BucketRequestPaymentConfiguration"
    aliases: ClassVar = ("aws:s3/bucketRequestPaymentConfigurationV2:BucketRequestPaymentConfigurationV2",)
    outlives: ClassVar = True
    off: ClassVar = {"payer": "BucketOwner"}


class BucketAccelerateConfiguration(
    _OnBucket, noun="BucketAccelerateConfiguration", wraps="AccelerateConfiguration", body=""
):
    """Transfer by edge locations."""

    token: ClassVar = "aws:s3/bucketAccelerateConfiguration:BucketAccelerateConfiguration"
    aliases: ClassVar = ("aws:s3/bucketAccelerateConfigurationV2:BucketAccelerateConfigurationV2",)
    outlives: ClassVar = True
    off: ClassVar = {"status": "Suspended"}


class BucketLogging(_OnBucket, noun="BucketLogging", wraps="BucketLoggingStatus", body="LoggingEnabled"):
    """Where access logs go."""

    token: ClassVar = "aws:s3/bucketLogging:BucketLogging"
    aliases: ClassVar = ("aws:s3/bucketLoggingV2:BucketLoggingV2",)

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """One level deeper."""
        return {"bucket": inputs["bucket"], "loggingEnabled": inputs}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """An empty status is none."""
        self.send(context, self.updates, {}, Bucket=resource_id, BucketLoggingStatus={})


class BucketAcl(_OnBucket, noun="BucketAcl"):
    """Who may, the old way; the id is `bucket[,owner],acl`. It cannot be taken away, only put anew."""

    token: ClassVar = "aws:s3/bucketAcl:BucketAcl"
    aliases: ClassVar = ("aws:s3/bucketAclV2:BucketAclV2",)
    outlives: ClassVar = True
    separator: ClassVar = ","
    parts: ClassVar = ("bucket", "acl")

    def joined(self, inputs: Properties) -> str:
        """With what was given."""
        names = ("bucket", "expectedBucketOwner", "acl")
        return ",".join(str(inputs[name]) for name in names if inputs.get(name))

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """The policy that is in force; a canned one is not told by AWS."""
        body = self.ask(context, resource_id, inputs) or {}
        if inputs.get("accessControlPolicy"):
            return {}
        grants = [{"grantee": _grantee(one["Grantee"]), "permission": one["Permission"]} for one in body["Grants"]]
        owner = {"id": body["Owner"]["ID"], "displayName": body["Owner"].get("DisplayName", "")}
        return {"accessControlPolicy": {"grants": grants, "owner": owner}}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """It goes with the bucket."""


def _grantee(body: Mapping[str, Any]) -> Properties:
    names = {"ID": "id", "Type": "type", "URI": "uri", "DisplayName": "displayName", "EmailAddress": "emailAddress"}
    return {names[name]: value for name, value in body.items() if name in names}


class BucketNotification(_OnBucket, noun="BucketNotificationConfiguration", wraps="NotificationConfiguration"):
    """Who is told about objects: functions, queues, topics and EventBridge."""

    token: ClassVar = "aws:s3/bucketNotification:BucketNotification"
    replace_on: ClassVar = frozenset({"bucket"})

    kinds: ClassVar = (
        ("lambdaFunctions", "lambdaFunctionArn", "LambdaFunctionConfigurations", "LambdaFunctionArn"),
        ("queues", "queueArn", "QueueConfigurations", "QueueArn"),
        ("topics", "topicArn", "TopicConfigurations", "TopicArn"),
    )

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """In AWS's lists."""
        wanted: Properties = {"bucket": inputs["bucket"]}
        for name, arn, member, wire in self.kinds:
            wanted[member] = [_notification(one, arn, wire) for one in inputs.get(name) or ()]
        if inputs.get("eventbridge"):
            wanted["EventBridgeConfiguration"] = {}
        return wanted

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """In Pulumi's lists; None when nobody is told."""
        body = self.send(context, self.reads, {}, Bucket=resource_id)
        found: Properties = {"eventbridge": True} if "EventBridgeConfiguration" in body else {}
        for name, arn, member, wire in self.kinds:
            if body.get(member):
                found[name] = [_told(one, arn, wire) for one in body[member]]
        if not found:
            return None
        asked = {name: value for name, value in found.items() if inputs.get(name) or not inputs}
        return {name: self.seen(inputs.get(name), value, None) for name, value in asked.items()}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Tell nobody."""
        self.send(context, self.updates, {}, Bucket=resource_id, NotificationConfiguration={})


def _notification(one: Properties, arn: str, wire: str) -> dict[str, Any]:
    rules = [
        {"Name": name, "Value": one[key]}
        for key, name in (("filterPrefix", "prefix"), ("filterSuffix", "suffix"))
        if one.get(key)
    ]
    body = {wire: one[arn], "Events": one["events"], **({"Id": one["id"]} if one.get("id") else {})}
    return body | ({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})


def _told(one: Mapping[str, Any], arn: str, wire: str) -> Properties:
    rules = ((one.get("Filter") or {}).get("Key") or {}).get("FilterRules") or ()
    filters = {f"filter{rule['Name'].capitalize()}": rule["Value"] for rule in rules}
    return {arn: one[wire], "events": one["Events"], "id": one.get("Id", ""), **filters}


class _Numbered(Declared):
    """One of several configurations of a kind; the id is `bucket:name`."""

    service: ClassVar[str] = "s3"
    named: ClassVar[str] = "name"
    replace_on: ClassVar[frozenset[str]] = frozenset({"bucket", "name"})
    key: ClassVar[Mapping[str, str]] = {"Bucket": "bucket", "Id": "name"}
    parts: ClassVar[tuple[str, ...]] = ("bucket", "name")
    separator: ClassVar[str] = ":"
    renames: ClassVar[Mapping[str, str]] = {"name": "Id"}

    def __init_subclass__(cls, *, noun: str) -> None:
        """The operations from the noun."""
        operation = f"Bucket{noun}Configuration"
        cls.creates = cls.updates = f"Put{operation}"
        cls.reads, cls.deletes = f"Get{operation}", f"Delete{operation}"
        cls.wraps = cls.body = f"{noun}Configuration"

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """Only what carries the id: an emulator may answer with a list of the bucket's objects."""
        found = super().ask(context, resource_id, inputs)
        return found if found and found.get("Id") == self.known(resource_id, inputs)["name"] else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it if it is there: an emulator may take the deletion for the bucket's own."""
        if self.ask(context, resource_id, state) is not None:
            super().remove(context, resource_id, state)

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """A filter of several parts is joined by And."""
        given = inputs.get("filter") or {}
        tags = [{"Key": key, "Value": value} for key, value in (given.get("tags") or {}).items()]
        rest = {name: value for name, value in given.items() if name != "tags"}
        if len(tags) + len(rest) > 1:
            return {**inputs, "filter": {"and": {**rest, "tags": tags}}}
        return {**inputs, "filter": {**rest, **({"tag": tags[0]} if tags else {})}} if given else inputs


class BucketMetric(_Numbered, noun="Metrics"):
    """Request metrics of a part of a bucket."""

    token: ClassVar = "aws:s3/bucketMetric:BucketMetric"


class AnalyticsConfiguration(_Numbered, noun="Analytics"):
    """How a part of a bucket is used."""

    token: ClassVar = "aws:s3/analyticsConfiguration:AnalyticsConfiguration"
    defaults: ClassVar = {"storageClassAnalysis": {}}


class BucketIntelligentTieringConfiguration(_Numbered, noun="IntelligentTiering"):
    """When objects move to the archive tiers."""

    token: ClassVar = "aws:s3/bucketIntelligentTieringConfiguration:BucketIntelligentTieringConfiguration"
    defaults: ClassVar = {"status": "Enabled"}


class Inventory(_Numbered, noun="Inventory"):
    """A list of a bucket's objects, day by day."""

    token: ClassVar = "aws:s3/inventory:Inventory"
    defaults: ClassVar = {"enabled": True}
    renames: ClassVar = {
        "name": "Id", "enabled": "IsEnabled", "bucketArn": "Bucket", "keyId": "KeyId", "accountId": "AccountId",
    }  # fmt: skip

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """The destination one level deeper."""
        block = inputs["destination"]
        given = (block[0] if isinstance(block, list) else block)["bucket"]
        target = given[0] if isinstance(given, list) else given
        return {**super().arrange(context, inputs), "destination": {"s3BucketDestination": target}}

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """The destination as it was given."""
        found = super().look(context, resource_id, inputs)
        return found and {name: value for name, value in found.items() if name != "destination"}


RESOURCES = (
    BucketVersioning(), BucketPublicAccessBlock(), BucketPolicy(), BucketServerSideEncryptionConfiguration(),
    BucketLifecycleConfiguration(), BucketCorsConfiguration(), BucketWebsiteConfiguration(),
    BucketReplicationConfig(), BucketOwnershipControls(), BucketObjectLockConfiguration(),
    BucketRequestPaymentConfiguration(), BucketAccelerateConfiguration(), BucketLogging(), BucketAcl(),
    BucketNotification(), BucketMetric(), AnalyticsConfiguration(), BucketIntelligentTieringConfiguration(),
    Inventory(),
)  # fmt: skip
