"""S3: buckets, what is configured on them, objects."""

import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

S3 = "aws:s3/"
ROLE = "arn:aws:iam::000000000000:role/replicate"


def policy(action: str) -> str:
    root = {"AWS": "arn:aws:iam::000000000000:root"}
    statement = {"Effect": "Allow", "Principal": root, "Action": action, "Resource": "arn:aws:s3:::shop-files/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def replicate(prefix: str) -> list[dict[str, Any]]:
    return [{
        "id": "all", "status": "Enabled", "priority": 1, "filter": {"prefix": prefix},
        "deleteMarkerReplication": {"status": "Enabled"},
        "destination": {"bucket": "arn:aws:s3:::shop-copy", "storageClass": "STANDARD"}}]  # fmt: skip


ROWS = {
    "bucket": (S3 + "bucket:Bucket", {"bucket": "shop-files", "forceDestroy": True, "tags": {"a": "b"}}),
    "copy": (S3 + "bucketV2:BucketV2", {
        "bucket": "shop-copy", "forceDestroy": True, "versionings": [{"enabled": True}],
        "lifecycleRules": [{"id": "old", "enabled": True, "expirations": [{"days": 9}]}]}),
    "locked": (S3 + "bucket:Bucket", {"bucket": "shop-locked", "objectLockEnabled": True}),
    "versions": (S3 + "bucketVersioning:BucketVersioning", {
        "bucket": "${bucket}", "versioningConfiguration": {"status": "Enabled"}}),
    "block": (S3 + "bucketPublicAccessBlock:BucketPublicAccessBlock", {
        "bucket": "${bucket}", "blockPublicAcls": True, "ignorePublicAcls": True}),
    "owners": (S3 + "bucketOwnershipControls:BucketOwnershipControls", {
        "bucket": "${bucket}", "rule": {"objectOwnership": "BucketOwnerPreferred"}}),
    "acl": (S3 + "bucketAcl:BucketAcl", {"bucket": "${bucket}", "acl": "private"}),
    "policy": (S3 + "bucketPolicy:BucketPolicy", {"bucket": "${bucket}", "policy": policy("s3:GetObject")}),
    "encryption": (S3 + "bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", {
        "bucket": "${bucket}", "rules": [
            {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "alias/x"},
             "bucketKeyEnabled": True}]}),
    "lifecycle": (S3 + "bucketLifecycleConfiguration:BucketLifecycleConfiguration", {
        "bucket": "${bucket}", "rules": [
            {"id": "logs", "status": "Enabled", "filter": {"prefix": "logs/"}, "expiration": {"days": 30},
             "transitions": [{"days": 7, "storageClass": "GLACIER"}],
             "noncurrentVersionExpiration": {"noncurrentDays": 5},
             "abortIncompleteMultipartUpload": {"daysAfterInitiation": 2}},
            {"id": "all", "status": "Disabled", "expiration": {"days": 300}}]}),
    "cors": (S3 + "bucketCorsConfiguration:BucketCorsConfiguration", {
        "bucket": "${bucket}", "corsRules": [
            {"allowedMethods": ["GET"], "allowedOrigins": ["*"], "allowedHeaders": ["*"], "maxAgeSeconds": 30}]}),
    "website": (S3 + "bucketWebsiteConfiguration:BucketWebsiteConfiguration", {
        "bucket": "${bucket}", "indexDocument": {"suffix": "index.html"}, "errorDocument": {"key": "error.html"},
        "routingRules": [
            {"condition": {"keyPrefixEquals": "old/"}, "redirect": {"replaceKeyPrefixWith": "new/"}}]}),
    "logging": (S3 + "bucketLogging:BucketLogging", {
        "bucket": "${bucket}", "targetBucket": "${copy}", "targetPrefix": "log/"}),
    "payment": (S3 + "bucketRequestPaymentConfiguration:BucketRequestPaymentConfiguration", {
        "bucket": "${bucket}", "payer": "Requester"}),
    "accelerate": (S3 + "bucketAccelerateConfiguration:BucketAccelerateConfiguration", {
        "bucket": "${bucket}", "status": "Enabled"}),
    "lock": (S3 + "bucketObjectLockConfiguration:BucketObjectLockConfiguration", {
        "bucket": "${locked}", "rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 1}}}),
    "replication": (S3 + "bucketReplicationConfig:BucketReplicationConfig", {
        "bucket": "${bucket}", "role": ROLE, "rules": replicate("a/")}),
    "queue": ("aws:sqs/queue:Queue", {"name": "files"}),
    "allowed": ("aws:sqs/queuePolicy:QueuePolicy", {"queueUrl": "${queue.url}", "policy": json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage",
             "Resource": "*"}]})}),
    "notification": (S3 + "bucketNotification:BucketNotification", {
        "bucket": "${bucket}", "eventbridge": True, "queues": [
            {"queueArn": "${queue.arn}", "events": ["s3:ObjectCreated:*"], "filterPrefix": "in/", "id": "in"}]}),
    "text": (S3 + "bucketObjectv2:BucketObjectv2", {
        "bucket": "${copy}", "key": "a/b.txt", "content": "hello", "contentType": "text/plain",
        "metadata": {"x": "1"}, "tags": {"a": "b"}}),
    "binary": (S3 + "bucketObject:BucketObject", {
        "bucket": "${copy}", "contentBase64": base64.b64encode(b"\x00\x01").decode()}),
    "copied": (S3 + "objectCopy:ObjectCopy", {
        "bucket": "${copy}", "key": "c.txt", "source": "${copy}/a/b.txt"}),
    "account": (S3 + "accountPublicAccessBlock:AccountPublicAccessBlock", {"blockPublicAcls": True}),
    "metric": (S3 + "bucketMetric:BucketMetric", {"bucket": "${bucket}", "name": "all"}),
    "tiers": (S3 + "bucketIntelligentTieringConfiguration:BucketIntelligentTieringConfiguration", {
        "bucket": "${bucket}", "name": "cold", "tierings": [{"accessTier": "ARCHIVE_ACCESS", "days": 125}]}),
    "inventory": (S3 + "inventory:Inventory", {
        "bucket": "${bucket}", "name": "daily", "includedObjectVersions": "All", "schedule": {"frequency": "Daily"},
        "destination": {"bucket": {"bucketArn": "arn:aws:s3:::elsewhere", "format": "CSV"}}}),
    "analytics": (S3 + "analyticsConfiguration:AnalyticsConfiguration", {"bucket": "${bucket}", "name": "use"}),
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "bucket": {"tags": {"c": "d"}},
    "copy": {"tags": {"c": "d"}},
    "block": {"blockPublicAcls": False, "restrictPublicBuckets": True},
    "owners": {"rule": {"objectOwnership": "ObjectWriter"}},
    "acl": {"acl": "public-read"},
    "policy": {"policy": policy("s3:PutObject")},
    "encryption": {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
    "lifecycle": {"rules": [{"id": "logs", "status": "Disabled", "expiration": {"days": 31}}]},
    "cors": {"corsRules": [{"allowedMethods": ["GET", "PUT"], "allowedOrigins": ["https://example.com"]}]},
    "website": {"indexDocument": {"suffix": "home.html"}},
    "logging": {"targetPrefix": "logs/"},
    "payment": {"payer": "BucketOwner"},
    "accelerate": {"status": "Suspended"},
    "lock": {"rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 2}}},
    "replication": {"rules": replicate("b/")},
    "versions": {"versioningConfiguration": {"status": "Suspended"}},
    "notification": {"eventbridge": False, "queues": [
        {"queueArn": "${queue.arn}", "events": ["s3:ObjectRemoved:*"], "filterSuffix": ".txt", "id": "in"}]},
    "text": {"content": "bye", "contentType": "text/html", "metadata": {"x": "2"}},
    "binary": {"tags": {"c": "d"}},
    "copied": {"storageClass": "STANDARD_IA"},
}  # fmt: skip


def test_buckets_settings_objects(lives: Any) -> None:
    lives.run(ROWS, CHANGES, blind=("acl",), lacking=("account",))


INLINE = {
    "versioning": {"enabled": True},
    "lifecycleRules": [{
        "id": "old", "enabled": True, "prefix": "a/", "expiration": {"days": 30},
        "noncurrentVersionExpiration": {"days": 3}, "abortIncompleteMultipartUploadDays": 2}],
    "serverSideEncryptionConfiguration": {
        "rule": {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}},
    "acl": "private",
    "policy": policy("s3:GetObject"),
    "logging": {"targetBucket": "shop-logs"},
    "corsRules": [{"allowedMethods": ["GET"], "allowedOrigins": ["*"]}],
    "website": {"indexDocument": "index.html", "errorDocument": "error.html"},
    "requestPayer": "Requester",
    "tags": {"a": "b"},
}  # fmt: skip


def test_what_is_configured_inside_a_bucket_is_applied_changed_and_taken_away(lives: Any, cloud: Any) -> None:
    lives.create("logs", S3 + "bucket:Bucket", {"bucket": "shop-logs"})
    made = lives.create("files", S3 + "bucket:Bucket", {"bucket": "shop-files", **INLINE})
    client = cloud.target.client("s3")
    place = {"Bucket": "shop-files"}
    assert client.get_bucket_versioning(**place)["Status"] == "Enabled"
    (rule,) = client.get_bucket_lifecycle_configuration(**place)["Rules"]
    assert (rule["Status"], rule["Expiration"]["Days"], rule["Filter"]["Prefix"]) == ("Enabled", 30, "a/")
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 3}
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    (encryption,) = client.get_bucket_encryption(**place)["ServerSideEncryptionConfiguration"]["Rules"]
    assert encryption["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert json.loads(client.get_bucket_policy(**place)["Policy"]) == json.loads(INLINE["policy"])
    assert client.get_bucket_logging(**place)["LoggingEnabled"]["TargetBucket"] == "shop-logs"
    assert client.get_bucket_cors(**place)["CORSRules"][0]["AllowedMethods"] == ["GET"]
    assert client.get_bucket_website(**place)["IndexDocument"] == {"Suffix": "index.html"}
    assert client.get_bucket_tagging(**place)["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert made.outputs["websiteEndpoint"] == "shop-files.s3-website-us-east-1.amazonaws.com"
    lives.change("files", {name: None for name in INLINE if name != "acl"}, seen=False)
    assert client.get_bucket_versioning(**place)["Status"] == "Suspended"
    assert "LoggingEnabled" not in client.get_bucket_logging(**place)
    for gone in ("lifecycle_configuration", "policy", "cors", "website", "tagging"):
        with lives.refused("NoSuch"):
            getattr(client, f"get_bucket_{gone}")(**place)
    lives.delete("files")
    lives.delete("logs")


def test_a_part_of_a_bucket_that_this_cloud_does_not_know_leaves_the_bucket_alone(cloud: Any) -> None:
    s3 = cloud.target.client("s3")
    s3.create_bucket(Bucket="dear")
    s3.put_object(Bucket="dear", Key="a", Body=b"mine")
    with pytest.raises(ClientError, match="NoSuchConfiguration"):
        s3.delete_bucket_metrics_configuration(Bucket="dear", Id="all")
    for name in ("b", "a"):
        s3.put_bucket_metrics_configuration(Bucket="dear", Id=name, MetricsConfiguration={"Id": name})
    listed = s3.list_bucket_metrics_configurations(Bucket="dear")
    assert [one["Id"] for one in listed["MetricsConfigurationList"]] == ["a", "b"]
    for call in (
        lambda: s3.delete_bucket_metadata_table_configuration(Bucket="dear"),
        lambda: s3.get_bucket_policy_status(Bucket="dear"),
        lambda: s3.rename_object(Bucket="dear", Key="b", RenameSource="/dear/a"),
        lambda: s3.get_object_torrent(Bucket="dear", Key="a"),
    ):
        with pytest.raises(ClientError, match="NotImplemented"):
            call()
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="dear")["Contents"]] == ["a"]
    assert s3.get_object(Bucket="dear", Key="a")["Body"].read() == b"mine"
