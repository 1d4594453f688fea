"""S3: what older programs configure inside the bucket resource itself.

Each property is the same configuration as a resource of `s3_settings`, in older words; it is put into that resource's
words and applied by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from harness.deploy.providers.aws import s3_settings as settings
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.resource import Context, Properties


def apply_inline(context: Context, bucket: str, olds: Properties, news: Properties) -> None:
    """Put what differs between `olds` and `news` on the bucket; both in the words of `aws:s3/bucket:Bucket`."""
    for name, inline in _INLINE.items():
        old, new = (side.get(name) if name.endswith("Rules") else _first(side.get(name)) for side in (olds, news))
        if new == old:
            continue
        if new:
            inline.handler.make(context, {"bucket": bucket, **inline.translate(new)})
        elif name != "acl":
            inline.handler.remove(context, bucket, {"bucket": bucket})
    if news.get("grants") and news["grants"] != olds.get("grants"):
        _grant(context, bucket, news["grants"])


def inline_settings(context: Context, bucket: str, inputs: Properties) -> Properties:
    """What a refresh compares: each block as it was given when the bucket has it so, else as the bucket has it."""
    seen: Properties = {}
    for name, given in inputs.items():
        one = _SINGULAR.get(name, name)
        inline = _INLINE.get(one)
        if inline is None or not given:
            continue
        block = singular(given) if one.endswith("Rules") else _first(singular({name: given})[one])
        asked = {"bucket": bucket, **inline.translate(block)}
        found = inline.handler.observe(context, bucket, asked)
        same = found is not None and {**asked, **found.settings} == asked
        seen[name] = given if same else None if found is None else inline.tell(found.settings)
    return seen


def singular(value: Any) -> Any:
    """The inputs of `aws:s3/bucketV2:BucketV2` in the words of `aws:s3/bucket:Bucket`: blocks are lists of one there.

    >>> singular({"versionings": [{"enabled": True}]})
    {'versioning': {'enabled': True}}
    """
    if isinstance(value, list):
        return [singular(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        _SINGULAR.get(name, name): singular(_first(inner) if name in _SINGULAR else inner)
        for name, inner in value.items()
    }


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


@dataclass(frozen=True, slots=True)
class _Inline:
    handler: Declared
    translate: Callable[[Any], Properties]
    tell: Callable[[Properties], Any] = (
        dict  # the block in the bucket's words; in its own resource's where they differ
    )


def _versioning(block: Properties) -> Properties:
    status = "Enabled" if block.get("enabled") else "Suspended"
    mfa = {"mfaDelete": "Enabled" if block["mfaDelete"] else "Disabled"} if "mfaDelete" in block else {}
    return {"versioningConfiguration": {"status": status, **mfa}}


def _told_versioning(found: Properties) -> Properties:
    return {"enabled": (found.get("versioningConfiguration") or {}).get("status") == "Enabled"}


def _website(block: Properties) -> Properties:
    said: Properties = {}
    if block.get("redirectAllRequestsTo"):
        protocol, _, host = str(block["redirectAllRequestsTo"]).rpartition("://")
        said["redirectAllRequestsTo"] = {"hostName": host, **({"protocol": protocol} if protocol else {})}
    if block.get("indexDocument"):
        said["indexDocument"] = {"suffix": block["indexDocument"]}
    if block.get("errorDocument"):
        said["errorDocument"] = {"key": block["errorDocument"]}
    if block.get("routingRules"):
        said["routingRuleDetails"] = block["routingRules"]
    return said


def _lifecycle(rules: list[Properties]) -> Properties:
    return {"rules": [_lifecycle_rule(position, rule) for position, rule in enumerate(rules)]}


def _lifecycle_rule(position: int, rule: Properties) -> Properties:
    prefix, tags = rule.get("prefix") or "", rule.get("tags")
    made: Properties = {
        "id": rule.get("id") or f"rule-{position}",
        "status": "Enabled" if rule["enabled"] else "Disabled",
        "filter": {"and": {"prefix": prefix, "tags": tags}} if tags else {"prefix": prefix},
        **{name: rule[name] for name in ("expiration", "transitions") if rule.get(name)},
    }
    if rule.get("abortIncompleteMultipartUploadDays"):
        days = rule["abortIncompleteMultipartUploadDays"]
        made["abortIncompleteMultipartUpload"] = {"daysAfterInitiation": days}
    if rule.get("noncurrentVersionExpiration"):
        made["noncurrentVersionExpiration"] = {"noncurrentDays": _first(rule["noncurrentVersionExpiration"])["days"]}
    if rule.get("noncurrentVersionTransitions"):
        made["noncurrentVersionTransitions"] = [
            {"noncurrentDays": one.get("days", 0), "storageClass": one["storageClass"]}
            for one in rule["noncurrentVersionTransitions"]
        ]
    return made


def _encryption(block: Properties) -> Properties:
    rules = block.get("rules") or [block["rule"]]
    return {"rules": rules if isinstance(rules, list) else [rules]}


def _lock(block: Properties) -> Properties:
    rule = _first(block.get("rule") or block.get("rules"))
    return {"objectLockEnabled": block.get("objectLockEnabled", "Enabled"), **({"rule": rule} if rule else {})}


def _replication(block: Properties) -> Properties:
    return {"role": block["role"], "rules": [_replication_rule(rule) for rule in block["rules"]]}


def _replication_rule(rule: Properties) -> Properties:
    given = _first(rule["destination"])
    target: Properties = {name: given[name] for name in ("bucket", "storageClass") if given.get(name)}
    if given.get("accountId"):
        target["account"] = given["accountId"]
    if given.get("accessControlTranslation"):
        target["accessControlTranslation"] = _first(given["accessControlTranslation"])
    if given.get("replicaKmsKeyId"):
        target["encryptionConfiguration"] = {"replicaKmsKeyId": given["replicaKmsKeyId"]}
    for name, inner in (("metrics", "eventThreshold"), ("replicationTime", "time")):
        if given.get(name):
            block = _first(given[name])
            target[name] = {"status": block.get("status", "Enabled"), inner: {"minutes": block.get("minutes", 15)}}
    made = {name: rule[name] for name in ("id", "priority", "status") if rule.get(name) is not None}
    if rule.get("filter"):
        wanted = _first(rule["filter"])
        made["filter"] = {"and": wanted} if wanted.get("tags") else {"prefix": wanted.get("prefix") or ""}
        made["deleteMarkerReplication"] = {"status": rule.get("deleteMarkerReplicationStatus") or "Disabled"}
    else:
        made["prefix"] = rule.get("prefix") or ""
    if rule.get("sourceSelectionCriteria"):
        enabled = _first(_first(rule["sourceSelectionCriteria"])["sseKmsEncryptedObjects"])["enabled"]
        made["sourceSelectionCriteria"] = {"sseKmsEncryptedObjects": {"status": "Enabled" if enabled else "Disabled"}}
    return {**made, "destination": target}


def _grant(context: Context, bucket: str, grants: list[Properties]) -> None:
    owner = context.client("s3").get_bucket_acl(Bucket=bucket)["Owner"]["ID"]
    each = [
        {"permission": permission, "grantee": {name: one[name] for name in ("id", "type", "uri") if one.get(name)}}
        for one in grants
        for permission in one["permissions"]
    ]
    policy = {"grants": each, "owner": {"id": owner}}
    settings.BucketAcl().make(context, {"bucket": bucket, "accessControlPolicy": policy})


_INLINE: Mapping[str, _Inline] = {
    "versioning": _Inline(settings.BucketVersioning(), _versioning, _told_versioning),
    "website": _Inline(settings.BucketWebsiteConfiguration(), _website),
    "lifecycleRules": _Inline(settings.BucketLifecycleConfiguration(), _lifecycle),
    "serverSideEncryptionConfiguration": _Inline(settings.BucketServerSideEncryptionConfiguration(), _encryption),
    "acl": _Inline(settings.BucketAcl(), lambda acl: {"acl": acl}, itemgetter("acl")),
    "policy": _Inline(settings.BucketPolicy(), lambda policy: {"policy": policy}, itemgetter("policy")),
    "logging": _Inline(settings.BucketLogging(), lambda block: {"targetPrefix": "", **block}),
    "corsRules": _Inline(
        settings.BucketCorsConfiguration(), lambda rules: {"corsRules": rules}, itemgetter("corsRules")
    ),
    "objectLockConfiguration": _Inline(settings.BucketObjectLockConfiguration(), _lock),
    "accelerationStatus": _Inline(
        settings.BucketAccelerateConfiguration(), lambda status: {"status": status}, itemgetter("status")
    ),
    "requestPayer": _Inline(
        settings.BucketRequestPaymentConfiguration(), lambda payer: {"payer": payer}, itemgetter("payer")
    ),
    "replicationConfiguration": _Inline(settings.BucketReplicationConfig(), _replication),
}
"""In the order of application: replication needs versions."""

_SINGULAR: Mapping[str, str] = {
    name + "s": name
    for name in (
        "versioning", "logging", "website", "serverSideEncryptionConfiguration", "replicationConfiguration",
        "expiration", "noncurrentVersionExpiration", "applyServerSideEncryptionByDefault", "defaultRetention",
        "destination", "accessControlTranslation", "replicationTime", "filter", "sourceSelectionCriteria",
    )
}  # fmt: skip
