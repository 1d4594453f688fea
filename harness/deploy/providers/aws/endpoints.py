"""Where clients reach a deployed API."""

from __future__ import annotations

from harness.deploy.providers.resource import Context


def endpoint_of(context: Context, api_id: str, reported: str) -> str:
    """`reported` on real AWS.

    On an emulator `https://<api>.execute-api.…` leads nowhere and `*.localhost` may not resolve, so it is a path
    of the emulator's own endpoint.
    """
    if context.target.endpoint is None:
        return reported
    endpoint = context.target.endpoint
    if reported.startswith("wss://"):
        endpoint = "ws" + endpoint.removeprefix("http")
    return f"{endpoint}/_aws/execute-api/{api_id}"
