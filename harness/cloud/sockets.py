"""WebSocket APIs: their routes run where all functions run, and their connections go when their region goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from harness.cloud.asgi import App, Message, Receive, Scope, Send

_LOOK_EVERY_S = 0.2
_CRASHED = "blackstart.crashed"


async def held_by_region(app: App, lost: Callable[[], bool], scope: Scope, receive: Receive, send: Send) -> None:
    """Let `app` answer a socket until its region is `lost`; nobody answers a handshake before it is back."""
    while lost():  # noqa: ASYNC110 - power has no event; nobody is in a hurry
        await asyncio.sleep(_LOOK_EVERY_S)

    async def hear() -> Message:
        hearing = asyncio.ensure_future(receive())
        try:
            while not hearing.done():
                await asyncio.wait([hearing], timeout=_LOOK_EVERY_S)
                if lost():
                    return {"type": "websocket.disconnect", "code": 1006}
            return hearing.result()
        finally:
            hearing.cancel()

    await app(scope, hear, send)


def run_routes_in_our_environments() -> None:
    """Let the routes of WebSocket APIs run as every other invocation does, and answer as on AWS.

    ministack runs them in workers of its own, sends to the client whatever a function returns, and misspells what it
    says of a connection. On AWS a route answers only when it has a response selection expression; what always comes
    back is that a function failed.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-response.html
    """
    from ministack.core import lambda_runtime
    from ministack.services import apigateway

    if lambda_runtime.get_or_create_worker is _Worker:
        return
    invoke = apigateway._invoke_ws_lambda  # noqa: SLF001

    async def run(*given: Any, **more: Any) -> dict[str, Any] | None:
        answer: dict[str, Any] | None = await invoke(*given, **more)
        route, connection, event, request = given[3], given[5], given[6], given[7]
        if answer and answer.pop(_CRASHED, False):
            words = {"message": "Internal server error", "connectionId": connection, "requestId": request}
            return {**answer, "body": json.dumps(words)}
        answers = route.get("routeResponseSelectionExpression") or event != "MESSAGE"
        return answer if answers else None

    manage = apigateway.handle_connections_api

    async def managed(method: str, *given: Any) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = await manage(method, *given)
        return status, headers, _spelled(body) if (method, status) == ("GET", 200) else body

    apigateway.handle_connections_api = managed
    lambda_runtime.get_or_create_worker = _Worker
    apigateway._invoke_ws_lambda = run  # noqa: SLF001


def _spelled(body: bytes) -> bytes:
    """What GetConnection says, by the names and in the form of its model: camel case, instants in ISO 8601."""
    told = {name[:1].lower() + name[1:]: value for name, value in json.loads(body).items()}
    for name in ("connectedAt", "lastActiveAt"):
        told[name] = datetime.fromtimestamp(told[name], UTC).isoformat()
    return json.dumps(told).encode()


class _Worker:
    """What ministack takes for one of its workers; it runs one invocation by the executor that is installed."""

    def __init__(self, name: str, config: Mapping[str, Any], code: bytes, qualifier: str) -> None:
        del code, qualifier  # the configuration is that of the qualifier; the record has the code
        self._name, self._config = name, dict(config)

    def invoke(self, event: Any, _request: str) -> dict[str, Any]:
        """Called under the function's account and region, in a thread."""
        from ministack.services import lambda_svc

        stored = lambda_svc._functions.get(self._name)  # noqa: SLF001
        record = lambda_svc._execution_record_for_config(stored, self._config)  # noqa: SLF001
        result = lambda_svc._execute_function(record, event)  # noqa: SLF001
        if result.get("error") or result.get("throttle"):
            return {"result": {"statusCode": 500, _CRASHED: True}}
        answer = result.get("body")
        return {"result": answer if isinstance(answer, dict) else {"statusCode": 200, "body": ""}}
