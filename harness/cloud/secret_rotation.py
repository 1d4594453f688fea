"""RotateSecret as Secrets Manager does it: the rotation function is called for each step.

ministack copies the old value and calls nobody. A version labelled AWSPENDING waits for the function's value; what
was current stays current until the last step, and for good when a step fails. Source:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

from __future__ import annotations

import contextvars
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from harness.cloud.ministack_hooks import before_first_call

Answer = Any
"""ministack's answer: status, headers, body."""

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


def install() -> None:
    """Let rotations call their functions. Call it before Secrets Manager is used."""
    before_first_call("secretsmanager", _complete)


def _complete() -> None:
    from ministack.services import secretsmanager

    builtin, read = secretsmanager._rotate_secret, secretsmanager._get_secret_value  # noqa: SLF001
    secretsmanager._rotate_secret = lambda data: _rotate(data, builtin)  # noqa: SLF001
    secretsmanager._get_secret_value = lambda data: _read(data, read)  # noqa: SLF001
    handle = secretsmanager.handle_request

    async def and_cancel(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> Answer:
        if headers.get("x-amz-target", "").endswith(".CancelRotateSecret"):
            return _cancel(json.loads(body or b"{}"))
        return await handle(method, path, headers, body, query)

    secretsmanager.handle_request = and_cancel


def _rotate(data: Mapping[str, Any], builtin: Callable[[Any], Answer]) -> Answer:
    from ministack.core.responses import error_response_json, json_response
    from ministack.services import lambda_svc, secretsmanager

    _, secret = secretsmanager._resolve(data.get("SecretId"))  # noqa: SLF001
    function = data.get("RotationLambdaARN") or (secret or {}).get("RotationLambdaARN")
    if not secret or secret.get("DeletedDate") or not function:
        return builtin(data)
    record, config, _ = lambda_svc._get_func_record_for_ref(function)  # noqa: SLF001
    if record is None:
        words = (
            "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants "
            "access to the principal secretsmanager.amazonaws.com."
        )
        return error_response_json("AccessDeniedException", words, 400)
    if any("AWSPENDING" in v["Stages"] and "AWSCURRENT" not in v["Stages"] for v in secret["Versions"].values()):
        words = "A previous rotation isn't complete. That rotation will be reattempted."
        return error_response_json("InvalidRequestException", words, 400)
    token = data.get("ClientRequestToken") or str(uuid.uuid4())
    secret |= {"RotationLambdaARN": function, "RotationEnabled": True}
    secret["RotationRules"] = data.get("RotationRules") or secret.get("RotationRules")
    if data.get("RotateImmediately", True):
        # The label is one version's; it has stayed with the one that was rotated last.
        for version in secret["Versions"].values():
            version["Stages"] = [stage for stage in version["Stages"] if stage != "AWSPENDING"]
        pending = {
            "SecretString": None,
            "SecretBinary": None,
            "CreatedDate": int(time.time()),
            "Stages": ["AWSPENDING"],
        }
        secret["Versions"][token] = pending
        run = lambda_svc._execution_record_for_config(record, config)  # noqa: SLF001
        context = contextvars.copy_context()
        arguments = (_steps, secret, token, run)
        threading.Thread(target=context.run, args=arguments, name="secret-rotation", daemon=True).start()
    return json_response({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token})


def _cancel(data: Mapping[str, Any]) -> Answer:
    """It rotates no more; a version that waits for its value keeps its label, as on AWS.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CancelRotateSecret.html
    """
    from ministack.core.responses import error_response_json, json_response
    from ministack.services import secretsmanager

    _, secret = secretsmanager._resolve(data.get("SecretId"))  # noqa: SLF001
    if not secret:
        words = "Secrets Manager can't find the specified secret."
        return error_response_json("ResourceNotFoundException", words, 400)
    if secret.get("DeletedDate"):
        words = "You can't perform this operation on the secret because it was marked for deletion."
        return error_response_json("InvalidRequestException", words, 400)
    secret["RotationEnabled"] = False
    pending = next(
        (name for name, version in secret["Versions"].items() if version["Stages"] == ["AWSPENDING"]), None
    )
    told = {"ARN": secret["ARN"], "Name": secret["Name"]}
    return json_response({**told, "VersionId": pending} if pending else told)


def _steps(secret: dict[str, Any], token: str, run: Mapping[str, Any]) -> None:
    """Call the function for every step; one that fails ends the rotation and leaves the current value in place."""
    from ministack.services import lambda_svc

    for step in STEPS:
        event = {"Step": step, "SecretId": secret["ARN"], "ClientRequestToken": token}
        result = lambda_svc._execute_function_with_config_scope(run, event)  # noqa: SLF001
        if result.get("error"):
            said = json.dumps(result.get("body"))
            logging.getLogger(__name__).warning("rotation of %s ended at %s: %s", secret["Name"], step, said)
            if secret["Versions"].get(token, {}).get("Stages") == ["AWSPENDING"]:
                del secret["Versions"][token]
            return
    secret["LastRotatedDate"] = secret["LastChangedDate"] = int(time.time())


def _read(data: Mapping[str, Any], builtin: Callable[[Any], Answer]) -> Answer:
    """A version that has no value yet is not found, which is how a rotation function knows that it must make one."""
    from ministack.core.responses import error_response_json

    answer = builtin(data)
    if answer[0] == 200 and not {"SecretString", "SecretBinary"} & json.loads(answer[2]).keys():
        label = data.get("VersionStage") or data.get("VersionId")
        words = f"Secrets Manager can't find the specified secret value for staging label: {label}"
        return error_response_json("ResourceNotFoundException", words, 400)
    return answer
