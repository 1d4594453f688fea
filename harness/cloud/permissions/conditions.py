"""Condition keys that the emulator leaves absent, read from the call when a policy asks for one.

An absent key makes `...IfExists`, `ForAllValues` and negated operators true: a call that AWS refuses would pass.
Which keys a service has is in the service authorization reference. Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from harness.cloud.permissions import items
from harness.cloud.permissions.calls import Call, call_of

Found = str | list[str] | None
"""A value, several, or None where the key is absent."""


def install() -> None:
    """Let them be found. Call it before the emulator serves."""
    from ministack.core import iam_evaluator

    resolve = iam_evaluator._resolve_condition_key  # noqa: SLF001 - this file is a seam into ministack

    def resolved(key: str, context: Any) -> Any:
        name = key.lower()
        found = _of_any_call(name, context) or _of_the_call(name, context)
        return resolve(key, context) if found is None else found

    iam_evaluator._resolve_condition_key = resolved  # noqa: SLF001
    # Tags are looked up when a condition asks; each call's policies were searched for such a condition beforehand.
    iam_evaluator._names_condition_key = lambda *_: False  # noqa: SLF001


def _of_any_call(name: str, context: Any) -> Found:
    """What is known of each. SDKs use TLS at AWS, as they cannot here."""
    if name == "aws:securetransport":
        return "true"
    if name == "aws:principalisawsservice":
        return str(context.principal_type == "Service").lower()
    if name == "aws:viaawsservice":
        return str("kms:viaservice" in context.service_context).lower()
    return _tag_of(context.resource_arn, name.partition("/")[2]) if name.startswith("aws:resourcetag/") else None


def _tag_of(arn: str, name: str) -> Found:
    """A tag of the resource: roles and limits are asked for it too, not policies of callers only."""
    from ministack.services import tagging

    service = [*arn.split(":"), "", "", ""][2]
    tags = tagging.resource_tags(arn)
    if tags is None and service in tagging._COLLECTORS:  # noqa: SLF001
        found = (each for candidate, each in tagging._COLLECTORS[service]() if candidate == arn)  # noqa: SLF001
        tags = {str(one["Key"]): str(one["Value"]) for each in found for one in each}
    return next((value for key, value in (tags or {}).items() if key.lower() == name), None)


def _of_the_call(name: str, context: Any) -> Found:
    prefix = name.partition(":")[0]
    call = call_of(_SERVICES.get(prefix, prefix))
    if call is None or not context.action.startswith(f"{prefix}:"):
        return None
    if prefix == "dynamodb":
        return items.condition(name, call.document, context)
    if prefix == "kms":
        return _of_key(name, call)
    if prefix == "s3":
        return _of_object(name, call)
    if name in _MEMBERS:
        found = list(dict.fromkeys(one for member in _MEMBERS[name] for one in call.values(member)))
        return found if len(found) > 1 else next(iter(found), None)
    return None


_SERVICES: Final = {"cloudwatch": "monitoring"}
"""What IAM calls a service → ministack's name of it, where they differ."""

_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "cloudwatch:namespace": ("Namespace",),
    "ecs:cluster": ("cluster",),
    "ecs:task-definition": ("taskDefinition",),
    "ecs:enable-execute-command": ("enableExecuteCommand",),
    "events:source": ("Entries.Source",),
    "events:detail-type": ("Entries.DetailType",),
    "events:targetarn": ("Targets.Arn",),
    "iam:permissionsboundary": ("PermissionsBoundary",),
    "iam:policyarn": ("PolicyArn",),
    "iam:awsservicename": ("AWSServiceName",),
    "lambda:functionarn": ("FunctionName",),
    "lambda:functionurlauthtype": ("AuthType", "FunctionUrlAuthType"),
    "lambda:principal": ("Principal",),
    "lambda:layer": ("Layers",),
    "lambda:subnetids": ("VpcConfig.SubnetIds",),
    "lambda:securitygroupids": ("VpcConfig.SecurityGroupIds",),
    "secretsmanager:name": ("Name",),
    "secretsmanager:versionid": ("VersionId",),
    "secretsmanager:versionstage": ("VersionStage",),
    "secretsmanager:kmskeyid": ("KmsKeyId",),
    "sns:protocol": ("Protocol",),
    "sns:endpoint": ("Endpoint",),
    "ssm:overwrite": ("Overwrite",),
    "ssm:recursive": ("Recursive",),
    "sts:externalid": ("ExternalId",),
    "sts:rolesessionname": ("RoleSessionName",),
}
"""A condition key → where a call says it."""


def _of_key(name: str, call: Call) -> Found:
    """https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html."""
    asked = call.document
    encryption: Mapping[str, Any] = asked.get("EncryptionContext") or {}
    if name.startswith("kms:encryptioncontext:"):
        wanted = name.removeprefix("kms:encryptioncontext:")
        return next((str(value) for key, value in encryption.items() if key.lower() == wanted), None)
    constraints = next(iter(asked.get("Constraints") or {}), None)
    known: dict[str, Any] = {
        "kms:encryptioncontextkeys": list(encryption) or None,
        "kms:granteeprincipal": asked.get("GranteePrincipal"),
        "kms:retiringprincipal": asked.get("RetiringPrincipal"),
        "kms:grantoperations": asked.get("Operations"),
        "kms:grantconstrainttype": constraints,
        "kms:requestalias": asked.get("KeyId") if str(asked.get("KeyId")).startswith("alias/") else None,
        "kms:grantisforawsresource": "false" if "GranteePrincipal" in asked else None,
    }
    found: Found = known.get(name)
    return found


def _of_object(name: str, call: Call) -> Found:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html."""
    header = name.removeprefix("s3:")
    if header in _S3_HEADERS:
        found = call.headers.get(header)
        return found or ("STANDARD" if header == "x-amz-storage-class" else None)
    tags = dict(parse_qsl(call.headers.get("x-amz-tagging", "")))
    if name == "s3:requestobjecttagkeys":
        return list(tags) or None
    if name.startswith("s3:requestobjecttag/"):
        return next((value for key, value in tags.items() if key.lower() == header.partition("/")[2]), None)
    if name == "s3:versionid":
        return call.param("versionId") or None
    return _S3_ALWAYS.get(name)


_S3_HEADERS: Final = frozenset(
    ("x-amz-copy-source", "x-amz-metadata-directive", "x-amz-storage-class", "x-amz-content-sha256")
) | {"x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-customer-algorithm"}
_S3_ALWAYS: Final = {"s3:tlsversion": "1.3", "s3:signatureversion": "AWS4-HMAC-SHA256"}
