"""Requests as botocore sends them, for every protocol, without a network: serialized, signed and caught."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.model import ListShape, MapShape, Shape, StructureShape

REGION = "eu-west-3"
ACCOUNT = "111122223333"


@cache
def client(service: str) -> Any:
    """A client that signs as account 111122223333 in eu-west-3; nothing is ever sent."""
    session = botocore.session.Session()
    session.set_credentials(ACCOUNT, "secret")
    return session.create_client(
        service,
        region_name=REGION,
        endpoint_url="http://127.0.0.1:4566",
        config=Config(
            s3={"addressing_style": "path"},
            inject_host_prefix=False,
            retries={"mode": "standard", "total_max_attempts": 1},
            parameter_validation=False,
        ),
    )


def scope_of(service: str, operation: str) -> tuple[dict[str, Any], bytes]:
    """The ASGI scope and body of `operation` with the least input its model asks for."""
    caught: list[Any] = []
    made = client(service)
    shape = made.meta.service_model.operation_model(operation).input_shape

    def catch(request: Any, **_: Any) -> AWSResponse:
        caught.append(request)
        return AWSResponse(request.url, 200, {}, _Nothing())

    name = next(python for python, api in made.meta.method_to_api_mapping.items() if api == operation)
    made.meta.events.register_last("before-send.*.*", catch, unique_id="catch")
    try:
        getattr(made, name)(**(_least(shape) if shape is not None else {}))
    except Exception:
        if not caught:
            raise
    finally:
        made.meta.events.unregister("before-send.*.*", unique_id="catch")
    request = caught[0]
    return scope(request.method, request.url, dict(request.headers.items())), _body(request.body)


def scope(method: str, url: str, headers: Mapping[str, Any]) -> dict[str, Any]:
    """An ASGI scope as uvicorn makes it."""
    parts = urlsplit(url)
    path = parts.path or "/"
    return {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": parts.query.encode(),
        "headers": [(name.lower().encode(), _bytes(value)) for name, value in headers.items()],
    }


def _least(shape: Shape, depth: int = 0) -> Any:
    if isinstance(shape, StructureShape):
        chosen = shape.required_members or (
            list(shape.members)[:1] if getattr(shape, "is_tagged_union", False) else []
        )
        return {name: _least(shape.members[name], depth + 1) for name in chosen if depth < 8}
    if isinstance(shape, ListShape):
        return [_least(shape.member, depth + 1)]
    if isinstance(shape, MapShape):
        return {"key": _least(shape.value, depth + 1)}
    if getattr(shape, "enum", None):
        return shape.enum[0]
    return _SCALARS.get(shape.type_name, "name-1")


_SCALARS = {"integer": 1, "long": 1, "float": 1.0, "double": 1.0, "boolean": True, "blob": b"x", "timestamp": 1}


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _body(body: Any) -> bytes:
    if body is None:
        return b""
    if hasattr(body, "read"):
        return bytes(body.read())
    return body if isinstance(body, bytes) else str(body).encode()


class _Nothing:
    """An empty body."""

    def stream(self, *_: Any, **__: Any) -> list[bytes]:
        return [b""]

    def read(self, *_: Any, **__: Any) -> bytes:
        return b""


class JumpingClock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def now_s(self) -> float:
        return self.at_s

    async def sleep(self, duration_s: float) -> None:
        self.at_s += duration_s


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def sent() -> Callable[[str, str], tuple[dict[str, Any], bytes]]:
    """Service and operation → ASGI scope and body, as botocore sends them."""
    return scope_of
