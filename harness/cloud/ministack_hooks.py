"""What several rooms ask of ministack. `tests/contract/test_ministack_hooks.py` pins every name that is reached into.

What one room alone needs of it is in that room: its `emulated.py`, or a file of `gaps/`.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def before_first_call(service: str, prepare: Callable[[], None]) -> None:
    """Run `prepare` when the service is first called: ministack imports it no sooner."""
    from ministack import app

    builtin, done = app.SERVICE_HANDLERS[service], threading.Event()

    async def handle(*request: Any) -> Any:
        if not done.is_set():
            done.set()
            prepare()
        return await builtin(*request)

    app.SERVICE_HANDLERS[service] = handle


def execution_credentials(config: Mapping[str, Any]) -> dict[str, str]:
    """`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` of a function's role.

    With IAM enforced, they are those of a registered session of the execution role; without, of the account.
    """
    from ministack.core import lambda_runtime

    found: dict[str, str] = lambda_runtime.execution_credentials(dict(config))
    return found


def iam_enforced() -> bool:
    """True when ministack checks signatures and policies (`AUTH=true` at its import)."""
    from ministack import app

    return bool(app.AUTH)


def environment_for(*, port: int, enforce_iam: bool, region: str, account: str) -> dict[str, str]:
    """The variables ministack reads once, at import; set them before anything imports it.

    Event flow needs no knob in 1.5.33: its event source poller is woken by each SendMessage and stream
    record, and falls back to one look a second (visibility timeouts that end, batches that failed).
    """
    return {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": region,
        "MINISTACK_ACCOUNT_ID": account,
        "AUTH": "true" if enforce_iam else "false",
        "MINISTACK_AUTOCREATE_AWS_MANAGED": "1",  # asks what `gaps/iam.py` puts in its place
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "LOCALSTACK_PERSISTENCE": "0",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": os.environ.get("BLACKSTART_MINISTACK_LOG_LEVEL", "WARNING"),
        # ministack's own executors (Node.js) must come back through the gate too.
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        # A socket that cannot be: no Docker daemon is ever asked, and start-up does not wait for one.
        "DOCKER_HOST": os.environ.get("DOCKER_HOST", "unix:///nonexistent"),
    }


def app() -> Any:  # ministack ships no types
    """The ASGI application of ministack. Its lifespan must run; its state is global: one a process."""
    from ministack.app import app as application

    return application


def append_logs(group: str, stream: str, lines: Sequence[str]) -> None:
    """Append lines to a log stream, made when needed, as the Lambda service does without the caller's permission.

    Metric filters, live tails and subscriptions see them. Needs the function's account and region context.
    """
    from ministack.services import cloudwatch_logs

    now_ms = int(time.time() * 1000)
    groups = cloudwatch_logs._log_groups  # noqa: SLF001
    if group not in groups:
        groups[group] = {
            "arn": cloudwatch_logs._make_group_arn(group),  # noqa: SLF001
            "creationTime": now_ms,
            "retentionInDays": None,
            "tags": {},
            "subscriptionFilters": {},
            "streams": {},
        }
    streams = groups[group]["streams"]
    if stream not in streams:
        streams[stream] = {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": now_ms,
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        }
    events = [{"timestamp": now_ms, "message": line, "ingestionTime": now_ms} for line in lines]
    cloudwatch_logs._append_log_events(streams[stream], events)  # noqa: SLF001
    cloudwatch_logs._fanout_to_subscription_filters(group, stream, events)  # noqa: SLF001


def role_of_session(access_key: str) -> str:
    """The ARN, without its path, of the role whose session has this access key; '' for any other key."""
    from ministack.services import sts

    session = sts._sessions.get(access_key)  # noqa: SLF001
    _, mark, name = str((session or {}).get("Arn", "")).partition(":assumed-role/")
    if not mark:
        return ""
    account = str(session["Arn"]).split(":")[4]
    return f"arn:aws:iam::{account}:role/{name.partition('/')[0]}"


def region_of_api(api: str) -> str:
    """The region of an API Gateway API, '' when there is none with this id."""
    from ministack.services import apigateway, apigateway_v1

    stores = (apigateway._apis, apigateway_v1._rest_apis)  # noqa: SLF001
    return next((key[1] for store in stores for key in list(store._data) if key[2] == api), "")  # noqa: SLF001


def stream_of_iterator(iterator: str) -> str:
    """The ARN of the Kinesis stream that a shard iterator reads; '' when there is no such iterator."""
    from ministack.services import kinesis

    for (_account, _region, token), state in tuple(kinesis._shard_iterators._data.items()):  # noqa: SLF001
        if token == iterator:
            return str(state["stream_arn"])
    return ""


def publish_service_event(
    *, region: str, source: str, detail_type: str, resources: list[str], detail: dict[str, Any]
) -> None:
    """Put an event of an AWS service (`aws.fis`) on a region's default bus: PutEvents refuses such sources."""
    from ministack.core.responses import get_account_id, request_scope
    from ministack.services import eventbridge

    entry = {"Source": source, "DetailType": detail_type, "Resources": resources, "Detail": json.dumps(detail)}
    with request_scope(get_account_id(), region):
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)  # noqa: SLF001
