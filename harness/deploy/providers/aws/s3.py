"""S3: buckets and what is configured on them."""

from __future__ import annotations

from typing import Any, ClassVar

from botocore.exceptions import ClientError

from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.calls import is_gone
from harness.deploy.providers.resource import Context, Properties

_HOSTED_ZONE = "Z3AQBSTGFYJSTF"  # of us-east-1; https://docs.aws.amazon.com/general/latest/gr/s3.html


class Bucket(AwsType):
    """aws:s3/bucket:Bucket, and its older name."""

    token: ClassVar = "aws:s3/bucket:Bucket"
    aliases: ClassVar = ("aws:s3/bucketV2:BucketV2",)
    service: ClassVar = "s3"
    named: ClassVar = "bucket"
    name_rules: ClassVar = {"limit": 63, "lower": True}
    defaults: ClassVar = {"forceDestroy": False}
    replace_on: ClassVar = frozenset({"bucket", "bucketPrefix", "objectLockEnabled"})

    def make(self, context: Context, inputs: Properties) -> str:
        """The id is the name."""
        name = str(inputs["bucket"])
        extra: dict[str, Any] = {}
        if context.region != "us-east-1":
            extra["CreateBucketConfiguration"] = {"LocationConstraint": context.region}
        if inputs.get("objectLockEnabled"):
            extra["ObjectLockEnabledForBucket"] = True
        self.client(context).create_bucket(Bucket=name, **extra)
        self._tag(context, name, inputs)
        return name

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """Names and domains."""
        del inputs
        self.client(context).head_bucket(Bucket=resource_id)
        return {
            "bucket": resource_id,
            "arn": f"arn:aws:s3:::{resource_id}",
            "bucketDomainName": f"{resource_id}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{resource_id}.s3.{context.region}.amazonaws.com",
            "bucketRegion": context.region,
            "hostedZoneId": _HOSTED_ZONE,
            "tagsAll": {},
        }

    def _outputs(self, context: Context, inputs: Properties, found: Properties) -> Properties:
        return {**super()._outputs(context, inputs, found), "tagsAll": self.tags(context, inputs)}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Only tags can change."""
        if "tags" in roots(olds, news):
            self._tag(context, resource_id, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Empty it first where the program allows."""
        client = self.client(context)
        if state.get("forceDestroy"):
            for page in client.get_paginator("list_object_versions").paginate(Bucket=resource_id):
                found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
                keys = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
                if keys:
                    client.delete_objects(Bucket=resource_id, Delete={"Objects": keys, "Quiet": True})
        client.delete_bucket(Bucket=resource_id)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name."""
        try:
            self.client(context).head_bucket(Bucket=inputs["bucket"])
        except ClientError as error:
            if is_gone(error):
                return None
            raise
        return str(inputs["bucket"])

    def _tag(self, context: Context, name: str, inputs: Properties) -> None:
        tags = [{"Key": key, "Value": value} for key, value in self.tags(context, inputs).items()]
        if tags:
            self.client(context).put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
        else:
            self.client(context).delete_bucket_tagging(Bucket=name)


class _OnBucket(AwsType):
    """Something that is put on a bucket as a whole; its id is the bucket's name."""

    service: ClassVar[str] = "s3"
    replace_on: ClassVar[frozenset[str]] = frozenset({"bucket"})

    def put(self, context: Context, bucket: str, inputs: Properties) -> None:
        """Put the configuration."""
        raise NotImplementedError

    def make(self, context: Context, inputs: Properties) -> str:
        """Put it."""
        self.put(context, str(inputs["bucket"]), inputs)
        return str(inputs["bucket"])

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it again."""
        del olds
        self.put(context, resource_id, news)

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """It is there as long as the bucket is."""
        del inputs
        self.client(context).head_bucket(Bucket=resource_id)
        return {"bucket": resource_id}


class BucketVersioning(_OnBucket):
    """Versions kept, or no longer."""

    token: ClassVar = "aws:s3/bucketVersioning:BucketVersioning"
    aliases: ClassVar = ("aws:s3/bucketVersioningV2:BucketVersioningV2",)

    def put(self, context: Context, bucket: str, inputs: Properties) -> None:
        """Enabled, Suspended; Disabled is how a bucket begins."""
        status = inputs["versioningConfiguration"].get("status", "Disabled")
        if status != "Disabled":
            self.client(context).put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Versioning cannot be taken away, only suspended."""
        del state
        self.client(context).put_bucket_versioning(
            Bucket=resource_id, VersioningConfiguration={"Status": "Suspended"}
        )


class BucketPublicAccessBlock(_OnBucket):
    """No public access."""

    token: ClassVar = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"

    def put(self, context: Context, bucket: str, inputs: Properties) -> None:
        """All four switches."""
        names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        switches = {name: bool(inputs.get(name[0].lower() + name[1:])) for name in names}
        self.client(context).put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=switches)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete the configuration."""
        del state
        self.client(context).delete_public_access_block(Bucket=resource_id)


class BucketPolicy(_OnBucket):
    """A resource policy."""

    token: ClassVar = "aws:s3/bucketPolicy:BucketPolicy"
    json_keys: ClassVar = frozenset({"policy"})

    def put(self, context: Context, bucket: str, inputs: Properties) -> None:
        """The whole document."""
        self.client(context).put_bucket_policy(Bucket=bucket, Policy=inputs["policy"])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete the document."""
        del state
        self.client(context).delete_bucket_policy(Bucket=resource_id)


class BucketNotification(_OnBucket):
    """Who is told about objects."""

    token: ClassVar = "aws:s3/bucketNotification:BucketNotification"

    def put(self, context: Context, bucket: str, inputs: Properties) -> None:
        """Functions, queues, topics and EventBridge."""
        kinds = (
            ("lambdaFunctions", "lambdaFunctionArn", "LambdaFunctionConfigurations", "LambdaFunctionArn"),
            ("queues", "queueArn", "QueueConfigurations", "QueueArn"),
            ("topics", "topicArn", "TopicConfigurations", "TopicArn"),
        )
        wanted: dict[str, Any] = {
            member: [_notification(one, arn, wire) for one in inputs.get(key) or ()]
            for key, arn, member, wire in kinds
        }
        if inputs.get("eventbridge"):
            wanted["EventBridgeConfiguration"] = {}
        self.client(context).put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Tell nobody."""
        del state
        self.client(context).put_bucket_notification_configuration(Bucket=resource_id, NotificationConfiguration={})


def _notification(one: Properties, arn: str, wire: str) -> dict[str, Any]:
    rules = [
        {"Name": name, "Value": one[key]}
        for key, name in (("filterPrefix", "prefix"), ("filterSuffix", "suffix"))
        if one.get(key)
    ]
    body = {wire: one[arn], "Events": one["events"], **({"Id": one["id"]} if one.get("id") else {})}
    return body | ({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})


RESOURCES = (Bucket(), BucketVersioning(), BucketPublicAccessBlock(), BucketPolicy(), BucketNotification())
