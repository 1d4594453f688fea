"""The query protocol of RDS and ElastiCache, as far as we look into it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from harness.cloud.databases.emulated import ServiceAnswer, ServiceCall
from harness.cloud.models import Models
from harness.cloud.wire_errors import wire_error

_MODELS = Models()


def parameters(call: ServiceCall) -> dict[str, str]:
    """Every parameter of a call by its name, `Action` among them."""
    found = {name: str(value[0] if isinstance(value, list) else value) for name, value in call.query.items() if value}
    found.update(parse_qsl(call.body.decode(errors="replace"), keep_blank_values=True))
    return found


def changed(call: ServiceCall, values: Mapping[str, str]) -> ServiceCall:
    """The same caller's call with other parameters."""
    headers = {
        name: value for name, value in call.headers.items() if name.lower() not in {"content-length", "x-amz-target"}
    }
    body = urlencode(values).encode()
    return ServiceCall(method="POST", path=call.path, headers=headers, body=body, query={})


def flag(values: Mapping[str, str], name: str) -> bool:
    """A boolean parameter."""
    return values.get(name, "").lower() == "true"


def refusal(service: str, code: str, message: str, *, status: int = 0) -> ServiceAnswer:
    """An error as AWS gives it. `status` 0 takes that of the service's model."""
    error = wire_error(_MODELS, service, "query", code=code, status=status, message=message)
    return error.status, {"Content-Type": error.content_type, **dict(error.headers)}, error.body


def element(answer: ServiceAnswer, tag: str) -> str:
    """The first whole `<tag>…</tag>` of an answer, '' when there is none."""
    found = re.search(rf"<{tag}>.*?</{tag}>(?!.*</{tag}>)", answer[2].decode(), re.DOTALL)
    return found.group() if found else ""


def with_element(answer: ServiceAnswer, tag: str, replacement: str) -> ServiceAnswer:
    """The answer with its `<tag>…</tag>` replaced."""
    before = element(answer, tag)
    if not before or not replacement:
        return answer
    body = answer[2].decode().replace(before, replacement).encode()
    headers = {name: value for name, value in answer[1].items() if name.lower() != "content-length"}
    return answer[0], headers, body
