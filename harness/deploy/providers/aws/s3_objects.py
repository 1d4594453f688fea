"""S3: objects as resources."""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.engine.values import Archive, Asset
from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.tags import BY_ARN
from harness.deploy.providers.resource import CheckError, Context, Properties

_MEMBERS: Mapping[str, str] = {
    "acl": "ACL", "cacheControl": "CacheControl", "contentDisposition": "ContentDisposition",
    "contentEncoding": "ContentEncoding", "contentLanguage": "ContentLanguage", "contentType": "ContentType",
    "metadata": "Metadata", "serverSideEncryption": "ServerSideEncryption", "storageClass": "StorageClass",
    "kmsKeyId": "SSEKMSKeyId", "bucketKeyEnabled": "BucketKeyEnabled", "websiteRedirect": "WebsiteRedirectLocation",
    "objectLockMode": "ObjectLockMode", "objectLockRetainUntilDate": "ObjectLockRetainUntilDate",
    "objectLockLegalHoldStatus": "ObjectLockLegalHoldStatus", "checksumAlgorithm": "ChecksumAlgorithm",
}  # fmt: skip


class _Object(AwsType):
    """An object; the id is the key. Whatever changes, it is put again; tags alone are not."""

    service: ClassVar[str] = "s3"
    parts: ClassVar = ("key",)
    defaults: ClassVar[Mapping[str, Any]] = {"forceDestroy": False}
    replace_on: ClassVar[frozenset[str]] = frozenset({"bucket", "key"})

    def put(self, context: Context, inputs: Properties, request: dict[str, Any]) -> None:
        """Put it, with the members and tags in `request`."""
        raise NotImplementedError

    def make(self, context: Context, inputs: Properties) -> str:
        """Put it."""
        request = {member: inputs[name] for name, member in _MEMBERS.items() if inputs.get(name) is not None}
        if inputs.get("kmsKeyId") and "ServerSideEncryption" not in request:
            request["ServerSideEncryption"] = "aws:kms"
        tags = self.tags(context, inputs)
        if tags:
            request["Tagging"] = urllib.parse.urlencode(tags)
        self.put(context, inputs, {"Bucket": inputs["bucket"], "Key": inputs["key"], **request})
        return str(inputs["key"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """What a HEAD says."""
        bucket, key = (inputs["bucket"], inputs["key"]) if inputs else resource_id.split("/", 1)
        head = self.client(context).head_object(Bucket=bucket, Key=key)
        version = head.get("VersionId")
        return {
            "arn": f"arn:aws:s3:::{bucket}/{key}",
            "etag": inputs.get("etag") or head["ETag"].strip('"'),
            "versionId": "" if version in {None, "null"} else version,
            "contentType": head.get("ContentType", ""),
            "storageClass": head.get("StorageClass") or "STANDARD",
            **({"metadata": head["Metadata"]} if inputs.get("metadata") else {}),
            **({"cacheControl": head.get("CacheControl", "")} if inputs.get("cacheControl") else {}),
        }

    def told_tags(self, context: Context, resource_id: str, state: Properties) -> Mapping[str, str] | None:
        """Its tags."""
        answer = self.client(context).get_object_tagging(Bucket=state["bucket"], Key=state["key"])
        return BY_ARN.found({"tags": answer["TagSet"]})

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it again."""
        if roots(olds, news) - {"tags", "tagsAll", "forceDestroy"}:
            self.make(context, news)
        elif "tags" in roots(olds, news):
            tags = [{"Key": key, "Value": value} for key, value in self.tags(context, news).items()]
            self.client(context).put_object_tagging(Bucket=news["bucket"], Key=news["key"], Tagging={"TagSet": tags})

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it, with all its versions where it has some."""
        client, key = self.client(context), state["key"]
        pages = client.get_paginator("list_object_versions").paginate(Bucket=state["bucket"], Prefix=key)
        for page in pages:
            for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                if one["Key"] == key:
                    client.delete_object(Bucket=state["bucket"], Key=key, VersionId=one["VersionId"])
        client.delete_object(Bucket=state["bucket"], Key=key)

    def _outputs(self, context: Context, inputs: Properties, found: Properties) -> Properties:
        return {**super()._outputs(context, inputs, found), "tagsAll": self.tags(context, inputs)}


class BucketObjectV2(_Object):
    """aws:s3/bucketObjectv2:BucketObjectv2: a file, a text, or base64."""

    token: ClassVar = "aws:s3/bucketObjectv2:BucketObjectv2"

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """The key is the resource's name where the program leaves it open; content has one source."""
        given = [name for name in ("content", "contentBase64", "source") if inputs.get(name) is not None]
        if len(given) > 1:
            raise CheckError([(given[1], f"cannot be given together with {given[0]}")])
        return super().check(
            context, {**inputs, "key": context.name if inputs.get("key") in (None, "") else inputs["key"]}, olds
        )

    def put(self, context: Context, inputs: Properties, request: dict[str, Any]) -> None:
        """Put the content."""
        request.setdefault("ContentType", "application/octet-stream")
        self.client(context).put_object(Body=_content(context, inputs), **request)


class BucketObject(BucketObjectV2):
    """aws:s3/bucketObject:BucketObject, the older name."""

    token: ClassVar = "aws:s3/bucketObject:BucketObject"


def _content(context: Context, inputs: Properties) -> bytes:
    source = inputs.get("source")
    if isinstance(source, Asset):
        return context.file_bytes(source)
    if isinstance(source, Archive):
        return context.zip_bytes(source)
    if isinstance(source, str):
        return (context.folder / source).read_bytes()
    if inputs.get("contentBase64") is not None:
        return base64.b64decode(inputs["contentBase64"])
    return str(inputs.get("content") or "").encode()


class ObjectCopy(_Object):
    """aws:s3/objectCopy:ObjectCopy; `source` is `bucket/key`."""

    token: ClassVar = "aws:s3/objectCopy:ObjectCopy"
    secret_outputs: ClassVar = frozenset({"customerKey", "kmsEncryptionContext", "kmsKeyId", "sourceCustomerKey"})

    def put(self, context: Context, inputs: Properties, request: dict[str, Any]) -> None:
        """Copy it."""
        for name in ("metadataDirective", "taggingDirective"):
            if inputs.get(name):
                request[name[0].upper() + name[1:]] = inputs[name]
        if "Tagging" in request:
            request.setdefault("TaggingDirective", "REPLACE")
        self.client(context).copy_object(CopySource=urllib.parse.unquote(str(inputs["source"])), **request)


RESOURCES = (BucketObjectV2(), BucketObject(), ObjectCopy())
