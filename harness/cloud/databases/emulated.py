"""What the databases use of ministack: its RDS, ElastiCache and Data API answer, and keep their records.

With `ministack_hooks.py` and its like one of the few files that import ministack. Contract tests:
`tests/contract/test_ministack_databases.py`.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCall:
    """A request to one of ministack's services, past signature and policy checks."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, Any]  # as ministack parses it: name → list of values


ServiceAnswer = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""

Proceed = Callable[[ServiceCall], Awaitable[ServiceAnswer]]
"""Lets ministack answer a call."""

Around = Callable[[ServiceCall, Proceed], Awaitable[ServiceAnswer]]
"""Answers a call, most often by letting ministack answer it. Runs under the caller's account and region."""


def wrap_service(module: str, around: Around) -> Callable[[], None]:
    """Let `around` answer every call to `ministack.services.<module>`; returns what undoes it.

    ministack looks `handle_request` up in its module at each call.
    """
    service: Any = importlib.import_module(f"ministack.services.{module}")
    builtin = service.handle_request

    async def handle_request(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> ServiceAnswer:
        return await around(ServiceCall(method=method, path=path, headers=headers, body=body, query=query), proceed)

    async def proceed(call: ServiceCall) -> ServiceAnswer:
        answer: ServiceAnswer = await builtin(call.method, call.path, call.headers, call.body, call.query)
        return answer

    def restore() -> None:
        service.handle_request = builtin

    service.handle_request = handle_request
    return restore


def one_at_a_time(module: str, lock: AbstractContextManager[object]) -> Callable[[], None]:
    """Let `ministack.services.<module>` read and write its records under `lock` only; returns what undoes it.

    Whoever holds it too while records are changed shows nobody half a state.
    """
    service: Any = importlib.import_module(f"ministack.services.{module}")
    # RDS answers on a thread; ElastiCache at once on the loop, its coroutine never waits.
    name = "_handle_request_sync" if hasattr(service, "_handle_request_sync") else "handle_request"
    builtin = getattr(service, name)

    def locked(*request: Any) -> Any:
        with lock:
            return builtin(*request)

    async def locked_here(*request: Any) -> Any:
        with lock:
            return await builtin(*request)

    setattr(service, name, locked_here if name == "handle_request" else locked)
    return lambda: setattr(service, name, builtin)


def without_containers(module: str) -> Callable[[], None]:
    """Keep `ministack.services.<module>` from containers where a Docker engine runs; returns what undoes it."""
    service: Any = importlib.import_module(f"ministack.services.{module}")
    builtin = service._get_docker  # noqa: SLF001

    def restore() -> None:
        service._get_docker = builtin  # noqa: SLF001

    service._get_docker = lambda: None  # noqa: SLF001
    return restore


def caller_scope() -> tuple[str, str]:
    """The account and region of the call that is being answered."""
    from ministack.core import responses

    return str(responses.get_account_id()), str(responses.get_region())


Record = dict[str, Any]
"""A resource as ministack keeps it, in the names of AWS's API; changing it changes what Describe* says."""


def database_records(kind: str) -> dict[str, Record]:
    """Records of RDS by identifier, in the caller's account and region.

    `kind` is `clusters`, `instances`, `subnet_groups`, `snapshots`, `db_cluster_snapshots` or `global_clusters`.
    """
    from ministack.services import rds

    return dict(getattr(rds, f"_{kind}").items())


def cache_records(kind: str) -> dict[str, Record]:
    """Records of ElastiCache by identifier, in the caller's account and region.

    `kind` is `clusters`, `replication_groups` or `subnet_groups`.
    """
    from ministack.services import elasticache

    return dict(getattr(elasticache, f"_{kind}").items())


def data_api_credentials(secret: str) -> tuple[str, str, tuple[str, str] | None]:
    """User and password in a secret, or the code and message of the RDS Data API's error instead."""
    from ministack.services import rds_data

    user, password, refused = rds_data._require_secret_credentials(secret)  # noqa: SLF001
    if refused is None:
        return str(user or ""), str(password), None
    said = json.loads(refused[2])
    return "", "", (str(said.get("__type", "SecretsErrorException")), str(said.get("message", "")))


def may_not_read(call: ServiceCall, secret: str) -> str:
    """What AWS tells a caller whose policies do not let it read a secret; '' where they do, or are not asked."""
    from ministack import app
    from ministack.core import iam_evaluator
    from ministack.core.iam_actions import identity_denial_message
    from ministack.core.router import extract_access_key_id

    if not app.AUTH:
        return ""
    action, key = "secretsmanager:GetSecretValue", extract_access_key_id(dict(call.headers), dict(call.query))
    denied = iam_evaluator.enforce(key, action, "secretsmanager", caller_scope()[1], resource_arn=secret)
    if denied is None:
        return ""
    caller = getattr(denied, "principal_arn", "")  # credentials that are not in order have none
    return str(identity_denial_message(action, caller, secret, getattr(denied, "decision", "") == "Deny"))


def may_connect(scope: tuple[str, str], host: str, query: Mapping[str, list[str]], arn: str) -> bool:
    """Whether a token, by its host and the parameters of its query, is signed by somebody who may log in to `arn`.

    It is a presigned GET of the service `rds-db`, good for 15 minutes; ministack checks it as any other request.
    """
    from ministack.core import iam_evaluator, sigv4
    from ministack.core.responses import request_scope
    from ministack.core.router import extract_access_key_id

    sigv4._FIFTEEN_MINUTE_SERVICES |= {"rds-db"}  # noqa: SLF001 - it gives all but a few services five
    if query.get("X-Amz-Credential", [""])[0].split("/")[3:4] != ["rds-db"]:
        return False
    with request_scope(*scope):
        iam_evaluator.pin_signed_request("GET", "/", dict(query), [(b"host", host.encode())])
        key = extract_access_key_id({}, dict(query))
        return iam_evaluator.enforce(key, "rds-db:connect", "rds-db", scope[1], resource_arn=arn) is None
