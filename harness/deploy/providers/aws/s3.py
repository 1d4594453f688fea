"""S3: buckets, and the data sources. What is configured on a bucket is in `s3_settings`, objects in `s3_objects`."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.calls import is_gone
from harness.deploy.providers.aws.s3_inline import apply_inline, inline_settings, singular
from harness.deploy.providers.aws.s3_settings import BucketPublicAccessBlock, website_domain
from harness.deploy.providers.aws.tags import BY_ARN
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties

_HOSTED_ZONES = {
    "us-east-1": "Z3AQBSTGFYJSTF", "us-east-2": "Z2O1EMRO9K5GLX", "us-west-1": "Z2F56UZL2M1ACD",
    "us-west-2": "Z3BJ6K6RIION7M", "ca-central-1": "Z1QDHH18159H29", "eu-central-1": "Z21DNDUVLTQW6Q",
    "eu-west-1": "Z1BKCTXD74EZPE", "eu-west-2": "Z3GKZC51ZF0DB4", "eu-west-3": "Z3R1K369G5AVDG",
    "eu-north-1": "Z3BAZG2TWCNX0D", "ap-south-1": "Z11RGJOFQNVJUP", "ap-southeast-1": "Z3O0J2DXBE1FTB",
    "ap-southeast-2": "Z1WCIGYICN2BYD", "ap-northeast-1": "Z2M4EHUR26P7ZW", "ap-northeast-2": "Z3W03O7B5YMIYP",
    "sa-east-1": "Z7KQH4QJS55SO",
}  # fmt: skip
"""https://docs.aws.amazon.com/general/latest/gr/s3.html"""


class Bucket(AwsType):
    """aws:s3/bucket:Bucket; the id is the name. Configuration inside it is applied as that of its own resources."""

    token: ClassVar = "aws:s3/bucket:Bucket"
    named: ClassVar = "bucket"
    name_rules: ClassVar = {"limit": 63, "lower": True}
    defaults: ClassVar = {"forceDestroy": False}
    json_keys: ClassVar = frozenset({"policy"})
    replace_on: ClassVar = frozenset({"bucket", "bucketPrefix", "objectLockEnabled"})

    def make(self, context: Context, inputs: Properties) -> str:
        """The id is the name."""
        name, wanted = str(inputs["bucket"]), singular(inputs)
        extra: dict[str, Any] = {}
        if context.region != "us-east-1":
            extra["CreateBucketConfiguration"] = {"LocationConstraint": context.region}
        if inputs.get("objectLockEnabled") or inputs.get("objectLockConfiguration"):
            extra["ObjectLockEnabledForBucket"] = True
        if inputs.get("acl"):
            extra["ACL"] = inputs["acl"]
        self.client(context).create_bucket(Bucket=name, **extra)
        if self.tags(context, inputs):
            self._tag(context, name, inputs)
        apply_inline(context, name, {"acl": wanted.get("acl")}, wanted)
        return name

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """Names and domains."""
        self.client(context).head_bucket(Bucket=resource_id)
        domain = website_domain(context.region)
        site = {"websiteDomain": domain, "websiteEndpoint": f"{resource_id}.{domain}"}
        return {
            "bucket": resource_id,
            "arn": f"arn:aws:s3:::{resource_id}",
            "bucketDomainName": f"{resource_id}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{resource_id}.s3.{context.region}.amazonaws.com",
            "bucketRegion": context.region,
            "hostedZoneId": _HOSTED_ZONES.get(context.region, ""),
            **(site if inputs.get("website") or inputs.get("websites") else {}),
        }

    def _outputs(self, context: Context, inputs: Properties, found: Properties) -> Properties:
        return {**super()._outputs(context, inputs, found), "tagsAll": self.tags(context, inputs)}

    def settings(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """What is configured inside it."""
        return inline_settings(context, resource_id, inputs)

    def told_tags(self, context: Context, resource_id: str, state: Properties) -> Mapping[str, str] | None:
        """Its tags; S3 has an error for none."""
        try:
            tags = self.client(context).get_bucket_tagging(Bucket=resource_id)["TagSet"]
        except ClientError as error:
            return {} if is_gone(error) else None
        return BY_ARN.found({"tags": tags})

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Tags, and what is configured inside it."""
        if "tags" in roots(olds, news):
            self._tag(context, resource_id, news)
        apply_inline(context, resource_id, singular(olds), singular(news))

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Empty it first where the program allows."""
        if state.get("forceDestroy"):
            self._empty(context, resource_id)
        self.client(context).delete_bucket(Bucket=resource_id)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name."""
        try:
            self.client(context).head_bucket(Bucket=inputs["bucket"])
        except ClientError as error:
            if is_gone(error):
                return None
            raise
        return str(inputs["bucket"])

    def _empty(self, context: Context, name: str) -> None:
        client = self.client(context)
        for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            keys = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
            if keys:
                client.delete_objects(Bucket=name, Delete={"Objects": keys, "Quiet": True})

    def _tag(self, context: Context, name: str, inputs: Properties) -> None:
        tags = [{"Key": key, "Value": value} for key, value in self.tags(context, inputs).items()]
        if tags:
            self.client(context).put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
        else:
            self.client(context).delete_bucket_tagging(Bucket=name)


class BucketV2(Bucket):
    """aws:s3/bucketV2:BucketV2, the older name, whose blocks are lists."""

    token: ClassVar = "aws:s3/bucketV2:BucketV2"


class AccountPublicAccessBlock(AwsType):
    """aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock; the id is the account's."""

    token: ClassVar = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
    service: ClassVar = "s3control"
    parts: ClassVar = ("accountId",)
    replace_on: ClassVar = frozenset({"accountId"})
    defaults: ClassVar = BucketPublicAccessBlock.defaults

    def client(self, context: Context) -> Any:  # boto3 makes clients at run time
        """Real AWS wants the account in front of the host; before an emulator's address it leads nowhere."""
        client = super().client(context)
        if context.target.endpoint is not None:
            client.meta.events.register("before-send.s3-control", _to_endpoint, unique_id="to-endpoint")
        return client

    def make(self, context: Context, inputs: Properties) -> str:
        """Put all four switches."""
        account = str(inputs.get("accountId") or context.account_id)
        self.change(context, account, {}, inputs)
        return account

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """The switches."""
        found = self.client(context).get_public_access_block(AccountId=resource_id)["PublicAccessBlockConfiguration"]
        return {"accountId": resource_id, **{name[0].lower() + name[1:]: value for name, value in found.items()}}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put all four switches."""
        switches = {name[0].upper() + name[1:]: bool(news.get(name)) for name in self.defaults}
        self.client(context).put_public_access_block(AccountId=resource_id, PublicAccessBlockConfiguration=switches)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete the configuration."""
        self.client(context).delete_public_access_block(AccountId=resource_id)


def _to_endpoint(request: Any, **_event: Any) -> None:  # botocore's AWSPreparedRequest
    parts = urllib.parse.urlsplit(request.url)
    request.url = parts._replace(netloc=parts.netloc.partition(".")[2]).geturl()


RESOURCES = (Bucket(), BucketV2(), AccountPublicAccessBlock())


def bucket(context: Context, arguments: Properties) -> Properties:
    """A bucket by name."""
    name = str(arguments["bucket"])
    found = Bucket().read(context, name, None)
    if found is None:
        raise CheckError([("bucket", f"there is no bucket {name}")])
    return {**arguments, **found, "id": name}


def bucket_policy(context: Context, arguments: Properties) -> Properties:
    """A bucket's policy."""
    name = str(arguments["bucket"])
    return {**arguments, "policy": context.client("s3").get_bucket_policy(Bucket=name)["Policy"], "id": name}


def an_object(context: Context, arguments: Properties) -> Properties:
    """An object: what a HEAD says, and its text when it is one."""
    place = {"Bucket": arguments["bucket"], "Key": arguments["key"]}
    if arguments.get("versionId"):
        place["VersionId"] = arguments["versionId"]
    found = context.client("s3").get_object(**place)
    kind = found.get("ContentType", "")
    readable = kind.startswith("text/") or kind.endswith(("json", "xml", "yaml", "javascript", "x-sh"))
    return {
        **arguments,
        "id": f"{arguments['bucket']}/{arguments['key']}",
        "arn": f"arn:aws:s3:::{arguments['bucket']}/{arguments['key']}",
        "body": found["Body"].read().decode() if readable else "",
        "contentLength": found["ContentLength"],
        "contentType": kind,
        "etag": found["ETag"].strip('"'),
        "lastModified": str(found["LastModified"]),
        "metadata": found["Metadata"],
        "versionId": found.get("VersionId") or "",
        "storageClass": found.get("StorageClass") or "STANDARD",
        "tags": {},
    }


def objects(context: Context, arguments: Properties) -> Properties:
    """Keys of a bucket, with prefix and delimiter."""
    names = (("prefix", "Prefix"), ("delimiter", "Delimiter"))
    given = {name: arguments[key] for key, name in names if arguments.get(key)}
    pages = list(context.client("s3").get_paginator("list_objects_v2").paginate(Bucket=arguments["bucket"], **given))
    limit = int(arguments.get("maxKeys") or 1000)
    keys = [item["Key"] for item in _all(pages, "Contents")][:limit]
    prefixes = [item["Prefix"] for item in _all(pages, "CommonPrefixes")]
    return {**arguments, "id": arguments["bucket"], "keys": keys, "commonPrefixes": prefixes, "owners": []}


def _all(pages: list[dict[str, Any]], member: str) -> Iterator[dict[str, Any]]:
    for page in pages:
        yield from page.get(member, ())


def canonical_user(context: Context, arguments: Properties) -> Properties:
    """Who owns the account's buckets."""
    owner = context.client("s3").list_buckets().get("Owner", {})
    return {**arguments, "id": owner.get("ID", ""), "displayName": owner.get("DisplayName", "")}


INVOKES: dict[str, Invoke] = {
    "aws:s3/getBucket:getBucket": bucket,
    "aws:s3/getBucketPolicy:getBucketPolicy": bucket_policy,
    "aws:s3/getObject:getObject": an_object,
    "aws:s3/getBucketObject:getBucketObject": an_object,
    "aws:s3/getObjects:getObjects": objects,
    "aws:s3/getBucketObjects:getBucketObjects": objects,
    "aws:s3/getCanonicalUserId:getCanonicalUserId": canonical_user,
}
