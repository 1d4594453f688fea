"""Customer managed keys: who reads or writes what one encrypts must be allowed to use the key.

ministack keeps which key encrypts what, and asks nobody. AWS's own keys (`alias/aws/…`) are open to the account.
Sources:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
https://docs.aws.amazon.com/systems-manager/latest/userguide/secure-string-parameter-kms-encryption.html
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from harness.cloud.ministack_hooks import before_first_call
from harness.cloud.permissions.calls import Call, call_of

_DECRYPT, _GENERATE = "kms:Decrypt", "kms:GenerateDataKey"
_TABLE = ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem")
_PARAMETERS = ("GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory")

USES: Final[Mapping[str, tuple[str, ...]]] = {
    "secretsmanager:GetSecretValue": (_DECRYPT,),
    "secretsmanager:PutSecretValue": (_GENERATE, _DECRYPT),
    "secretsmanager:UpdateSecret": (_GENERATE, _DECRYPT),
    "sqs:SendMessage": (_GENERATE, _DECRYPT),
    "sqs:ReceiveMessage": (_DECRYPT,),
    "sns:Publish": (_GENERATE, _DECRYPT),
    "s3:GetObject": (_DECRYPT,),
    "s3:PutObject": (_GENERATE,),
    "kinesis:PutRecord": (_GENERATE,),
    "kinesis:PutRecords": (_GENERATE,),
    "kinesis:GetRecords": (_DECRYPT,),
    "ssm:PutParameter": ("kms:Encrypt",),
    **{f"ssm:{call}": (_DECRYPT,) for call in _PARAMETERS},
    "lambda:CreateFunction": ("kms:Encrypt", "kms:CreateGrant"),
    "lambda:UpdateFunctionConfiguration": ("kms:Encrypt", "kms:CreateGrant"),
    **{f"dynamodb:{call}": (_DECRYPT,) for call in _TABLE},
}
"""An action → what it does with the key that encrypts its resource."""

_S3, _S3_SSE = "arn:aws:s3:::", "x-amz-server-side-encryption"
_S3_KEY = f"{_S3_SSE}-aws-kms-key-id"
NOT_FOR_LOGS: Final = "The specified KMS key does not exist or is not allowed to be used with Arn '{group}'"
CODES: Final = {"sqs": "KMS.AccessDeniedException", "sns": "KMSAccessDenied"}
"""Services with an error code of their own for a key that refuses."""

_CONTEXTS: Final[Mapping[str, str]] = {
    "s3": "aws:s3:arn",
    "sqs": "aws:sqs:arn",
    "sns": "aws:sns:topicArn",
    "kinesis": "aws:kinesis:arn",
    "secretsmanager": "SecretARN",
    "ssm": "PARAMETER_ARN",
    "lambda": "aws:lambda:FunctionArn",
}
"""A service → the key of the encryption context in which it names the resource."""


def install() -> None:
    """Let services that deliver to queues be asked, too. Call it before the emulator serves."""
    before_first_call("sqs", _ask_for_deliveries)


def context_of_use(service: str, resource: str) -> dict[str, Any]:
    """The condition keys of KMS that tell what the service encrypts."""
    name = _CONTEXTS.get(service)
    if name is None:
        return {}
    return {f"kms:EncryptionContext:{name}": resource, "kms:EncryptionContextKeys": [name]}


def _ask_for_deliveries() -> None:
    """A service that sends to an encrypted queue must be named by the key's policy; else nothing arrives."""
    from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
    from ministack.services import kms, sqs

    allows = sqs.queue_policy_allows

    def allowed(queue_arn: str, service: str, source_arn: str, source_account: str) -> bool:
        if not allows(queue_arn, service, source_arn, source_account):
            return False
        for use, key in uses_of_keys("sqs:SendMessage", queue_arn):
            context = EvalContext(
                principal_arn="*",
                principal_type="Service",
                principal_account="",
                action=use,
                resource_arn=key,
                region=queue_arn.split(":")[3],
                service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": source_account},
            )
            policy, _owner = kms.key_policy_for_arn(key)
            if evaluate_resource_policy(policy, context, service=service).decision != "Allow":
                return False
        return True

    sqs.queue_policy_allows = allowed


def uses_of_keys(action: str, resource: str) -> list[tuple[str, str]]:
    """What an action on a resource does with a customer managed key: KMS's action and the key's ARN.

    Needs the resource's account and region in the emulator's context.
    """
    uses = USES.get(action)
    if not uses or not resource.startswith("arn:"):
        return []
    named = _KEYS[action if action in _KEYS else action.partition(":")[0]](resource)
    if not named:
        return []
    from ministack.services import kms

    if action == "s3:PutObject" and _in_parts():
        uses = (*uses, _DECRYPT)
    keys = [kms._resolve_key(one) for one in ([named] if isinstance(named, str) else named)]  # noqa: SLF001 - a seam
    return [(use, str(key["Arn"])) for key in keys if key and key.get("KeyManager") != "AWS" for use in uses]


def log_group_without_key(call: Call) -> str:
    """The ARN of the log group that the call gives a key which CloudWatch Logs may not use; '' if all is well."""
    from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import kms

    named, group = str(call.document.get("kmsKeyId") or ""), str(call.document.get("logGroupName") or "")
    arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}"
    key = kms._resolve_key(named) if named else None  # noqa: SLF001
    if not named or not group:
        return ""
    if key is None:
        return arn
    context = EvalContext(
        principal_arn="",
        principal_type="Service",
        principal_account="",
        action="kms:Encrypt",
        resource_arn=str(key["Arn"]),
        region=get_region(),
        service_context={"kms:encryptioncontext:aws:logs:arn": arn, "aws:sourceaccount": get_account_id()},
    )
    names = (f"logs.{get_region()}.amazonaws.com", "logs.amazonaws.com")
    policy = kms.key_policy_for_arn(str(key["Arn"]))[0]
    allowed = (evaluate_resource_policy(policy, context, service=name).decision == "Allow" for name in names)
    return "" if any(allowed) else arn


def _of_secret(arn: str) -> str:
    from ministack.services import secretsmanager

    return str((secretsmanager._resolve(arn)[1] or {}).get("KmsKeyId") or "")  # noqa: SLF001


def _of_queue(arn: str) -> str:
    from ministack.services import sqs

    queue = sqs._queue_by_arn(arn)  # noqa: SLF001
    return str((queue or {}).get("attributes", {}).get("KmsMasterKeyId") or "")


def _of_topic(arn: str) -> str:
    from ministack.services import sns

    return str((sns._topics.get(arn) or {}).get("attributes", {}).get("KmsMasterKeyId") or "")  # noqa: SLF001


def _of_table(arn: str) -> str:
    from ministack.services import dynamodb

    table = dynamodb._tables.get(arn.split("/")[1] if "/" in arn else "")  # noqa: SLF001
    return str(((table or {}).get("SSEDescription") or {}).get("KMSMasterKeyArn") or "")


def _of_stream(arn: str) -> str:
    from ministack.services import kinesis

    return str((kinesis._streams.get(arn.rpartition("/")[2]) or {}).get("KeyId") or "")  # noqa: SLF001


def _of_object(arn: str) -> str:
    from ministack.services import s3

    bucket, _, name = arn.removeprefix(_S3).partition("/")
    stored = (s3._buckets.get(bucket) or {}).get("objects", {}).get(name) or {}  # noqa: SLF001
    return str(s3._stored_sse_headers(stored).get(_S3_KEY) or "")  # noqa: SLF001


def _of_new_object(arn: str) -> str:
    """The one that the request or its upload in parts names; else that of the bucket's default encryption."""
    from ministack.services import s3

    call = call_of("s3")
    upload = s3._multipart_uploads.get(call.param("uploadId")) if call else None  # noqa: SLF001
    if upload:
        return str(upload["preserved_headers"].get(_S3_KEY) or "")
    if call and _S3_SSE in call.headers:
        return str(call.headers.get(_S3_KEY) or "")
    bucket = arn.removeprefix(_S3).partition("/")[0]
    return str(s3._bucket_default_sse_headers(bucket).get(_S3_KEY) or "")  # noqa: SLF001


def _in_parts() -> bool:
    """Whether it is written in parts: S3 reads them to put them together.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
    """
    call = call_of("s3")
    return call is not None and not {"uploads", "uploadId"}.isdisjoint(call.params)


def _of_parameter(arn: str) -> str | set[str]:
    """Those of the secure strings that are to be decrypted: one, or all below a path."""
    from ministack.services import ssm

    call = call_of("ssm")
    if call is None or not call.document.get("WithDecryption"):
        return ""
    if "Path" in call.document:
        above = "/" + arn.partition(":parameter/")[2]
        secure = [one for one in ssm._parameters.values() if one["Name"].startswith(above)]  # noqa: SLF001
    else:
        _name, found = ssm._lookup_parameter(arn)  # noqa: SLF001
        secure = [found] if found else []
    return {one["KeyId"] for one in secure if one["Type"] == "SecureString"}


def _of_new_parameter(_arn: str) -> str:
    call = call_of("ssm")
    secure = call is not None and call.document.get("Type") == "SecureString"
    return str(call.document.get("KeyId") or "") if call and secure else ""


def _of_new_function(_arn: str) -> str:
    call = call_of("lambda")
    return str(call.document.get("KMSKeyArn") or "") if call else ""


_KEYS: Final[Mapping[str, Callable[[str], str | set[str]]]] = {
    "secretsmanager": _of_secret,
    "sqs": _of_queue,
    "sns": _of_topic,
    "dynamodb": _of_table,
    "kinesis": _of_stream,
    "s3": _of_object,
    "s3:PutObject": _of_new_object,
    "ssm": _of_parameter,
    "ssm:PutParameter": _of_new_parameter,
    "lambda": _of_new_function,
}
"""A service, or one of its actions → the key that encrypts a resource, as it was named; '' for AWS's own or none."""
