"""Lambda's own failures in their wire form.

When no execution environment can answer, AWS's Invoke fails with `ServiceException` and HTTP 500. The emulator can
only report function errors (HTTP 200 with a header), so the pool marks these and this turns them round.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
"""

from __future__ import annotations

from harness.cloud.asgi import App, Message, Receive, Scope, Send, respond

MARK = b"Blackstart.ServiceException"
_BODY = b'{"Type":"Service","message":"The AWS Lambda service encountered an internal error."}'


def with_service_exceptions(backend: App) -> App:
    """`backend`, with marked answers of Invoke as ServiceException."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].endswith("/invocations"):
            await backend(scope, receive, send)
            return
        failed = False

        async def watch(message: Message) -> None:
            nonlocal failed
            if message["type"] == "http.response.start":
                headers = {name.lower(): value for name, value in message["headers"]}
                failed = headers.get(b"x-amz-function-error") == MARK
                if failed:
                    await respond(send, 500, _BODY, headers=(("x-amzn-errortype", "ServiceException"),))
            if not failed:
                await send(message)

        await backend(scope, receive, watch)

    return app
