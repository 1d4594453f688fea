"""Times what ministack's API Gateway passes requests on to, and tells which stage they came to.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

INTEGRATIONS: Final = {
    "apigateway": ("_invoke_lambda_proxy", "_invoke_http_proxy"),
    "apigateway_v1": (
        "_invoke_lambda_proxy_v1",
        "_invoke_lambda_custom_v1",
        "_invoke_sqs_v1",
        "_invoke_http_proxy_v1",
        "_invoke_mock_v1",
    ),
}
"""Module → what it calls for an integration of each kind."""


@dataclass(slots=True)
class Passage:
    """One request to an API on its way through: its stage, and how long its integration took (None without one)."""

    stage: str = ""
    integration_s: float | None = None


_PASSAGE: ContextVar[Passage | None] = ContextVar("passage", default=None)


def begin() -> Passage:
    """The passage of the request that is being answered; whoever handles it fills it in."""
    passage = Passage()
    _PASSAGE.set(passage)
    return passage


def install() -> None:
    """Fill passages in, from now on."""
    from ministack.services import apigateway, apigateway_v1

    for module in (apigateway, apigateway_v1):
        name = module.__name__.rpartition(".")[2]
        for integration in INTEGRATIONS[name]:
            setattr(module, integration, _timed(getattr(module, integration)))
    apigateway.handle_execute = _staged(apigateway.handle_execute)
    apigateway_v1.handle_execute = _staged(apigateway_v1.handle_execute)


def _staged(builtin: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(builtin)
    def execute(api: str, stage: str, *rest: Any, **named: Any) -> Awaitable[Any]:
        passage = _PASSAGE.get()
        if passage is not None:
            passage.stage = stage
        return builtin(api, stage, *rest, **named)

    return execute


def _timed(builtin: Callable[..., Any]) -> Callable[..., Any]:
    """The integration, timed; a mock answers at once and not later."""
    if not inspect.iscoroutinefunction(builtin):

        @functools.wraps(builtin)
        def answer(*given: Any, **named: Any) -> Any:
            began_s = time.perf_counter()
            try:
                return builtin(*given, **named)
            finally:
                _took(began_s)

        return answer

    @functools.wraps(builtin)
    async def invoke(*given: Any, **named: Any) -> Any:
        began_s = time.perf_counter()
        try:
            return await builtin(*given, **named)
        finally:
            _took(began_s)

    return invoke


def _took(began_s: float) -> None:
    passage = _PASSAGE.get()
    if passage is not None:
        passage.integration_s = time.perf_counter() - began_s
