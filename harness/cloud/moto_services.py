"""The services that ministack lacks, from moto in this process. This file alone touches moto.

moto is imported with the first call of such a service, so a cloud that needs none pays nothing. It keeps the state of
the API and nothing more: no event leaves it, nothing executes. IAM is asked by `permissions/beside.py`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from harness.cloud.asgi import REQUEST, Receive, Scope, Send, read_body, respond
from harness.cloud.homes import MOTO
from harness.cloud.identify import Request
from harness.cloud.models import Models
from harness.cloud.wire_errors import wire_error

_ACCOUNT_HEADER = "x-moto-account-id"  # moto's own way to be told whose call it is
_DROPPED = frozenset({"host", "content-length", "transfer-encoding", _ACCOUNT_HEADER})


class MotoService:
    """One service of moto as an ASGI application; `host` is shared by all of them."""

    def __init__(self, service: str, host: MotoHost) -> None:
        self._service = service
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        body = await read_body(receive)
        if body is not None:
            await self._host.answer(self._service, scope, body, send)


class MotoHost:
    """moto's state and the one thread that touches it: moto is not made for several."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="moto")
        self._asked: set[str] = set()

    def services(self) -> dict[str, MotoService]:
        """An application for each service of `homes.MOTO`."""
        return {name: MotoService(name, self) for name in MOTO}

    async def answer(self, service: str, scope: Scope, body: bytes, send: Send) -> None:
        """Ask moto, in its thread; what it has not implemented is refused in the service's own wire form."""
        call: Request = scope[REQUEST]
        loop = asyncio.get_running_loop()
        status, headers, text = await loop.run_in_executor(self._thread, self._ask, service, call, scope, body)
        if status == 501:
            error = wire_error(
                self._models,
                service,
                call.protocol,
                code="NotImplemented",
                status=501,
                message=f"the embedded cloud lacks {call.operation or scope['path']} of {service}",
            )
            await respond(send, error.status, error.body, error.content_type, error.headers)
            return
        kind = headers.pop("content-type", "application/json")
        await respond(send, status, text, kind, tuple(headers.items()))

    async def reset(self) -> None:
        """Forget every resource."""
        if self._asked:
            await asyncio.get_running_loop().run_in_executor(self._thread, _reset)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _ask(self, service: str, call: Request, scope: Scope, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers by lower-case name, body; 501 for what moto does not implement."""
        if service not in self._asked:
            self._asked.add(service)
            _FIRST.get(service, lambda: None)()
        from moto.core.request import Request as MotoRequest
        from werkzeug.exceptions import HTTPException

        url = self._url(service, call.region, scope)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        kept = {name: value for name, value in headers.items() if name not in _DROPPED}
        request = MotoRequest.from_primitives(scope["method"], url, {**kept, _ACCOUNT_HEADER: call.account}, body)
        try:
            status, found, text = _handler(MOTO[service], url)(request, request.raw_url, request.headers)
        except HTTPException as error:
            status, found, text = error.code or 500, dict(error.get_headers()), error.get_body()
        except NotImplementedError:
            return 501, {}, b""
        return int(status), dict(_header_pairs(found)), text.encode() if isinstance(text, str) else text

    def _url(self, service: str, region: str, scope: Scope) -> str:
        """The address that the call has on AWS: moto finds its handlers by it."""
        prefix = self._models.get(service)["metadata"]["endpointPrefix"]
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        query = scope.get("query_string", b"").decode("latin-1")
        return f"https://{prefix}.{region}.amazonaws.com{path}" + (f"?{query}" if query else "")


def _handler(backend: str, url: str) -> Any:  # moto's handlers take (request, url, headers)
    """What answers `url`.

    Raises:
        NotImplementedError: nothing does.
    """
    from moto.backends import get_backend
    from moto.core import DEFAULT_ACCOUNT_ID

    regions = get_backend(backend)[DEFAULT_ACCOUNT_ID]
    bare = url.partition("?")[0]
    instance = regions["us-east-1" if "us-east-1" in regions else "aws"]  # any: only its routes are read
    for pattern, handler in instance.urls.items():
        if re.match(pattern, bare):
            return handler
    raise NotImplementedError(bare)


def _header_pairs(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in found.items():
        if name.lower() not in {"content-length", "server", "connection", "status"}:
            yield name.lower(), value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _reset() -> None:
    from moto.core.base_backend import BackendDict
    from moto.core.model_instances import reset_model_data

    BackendDict.reset()
    reset_model_data()


def _targets_of_any_service() -> None:
    """Moto would ask its own ECS whether the service of a scalable target exists: it lives on ministack."""
    from moto.applicationautoscaling.models import ApplicationAutoscalingBackend

    ApplicationAutoscalingBackend._ecs_service_exists_for_target = lambda *_: True  # noqa: SLF001


def _pipelines_of_any_role() -> None:
    """Moto would ask its own IAM for the pipeline's role: it lives on ministack."""
    from moto.codepipeline.models import CodePipelineBackend

    CodePipelineBackend.iam_backend = property(lambda _self: _AnyRole())


class _AnyRole:
    """Stands in for moto's IAM: a role that CodePipeline may assume."""

    assume_role_policy_document = '{"Statement":[{"Principal":{"Service":"codepipeline.amazonaws.com"}}]}'

    def get_role_by_arn(self, arn: str) -> _AnyRole:
        """Whatever the ARN."""
        del arn
        return self


_FIRST: Mapping[str, Callable[[], None]] = {
    "application-autoscaling": _targets_of_any_service,
    "codepipeline": _pipelines_of_any_role,
}
"""Done before a service's first call; pinned by `tests/integration/cloud/test_moto_services.py`."""
