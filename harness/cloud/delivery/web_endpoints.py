"""SNS and EventBridge over HTTP with retries and dead letters; ministack tries once and drops what fails."""

from __future__ import annotations

import json
import time
import urllib.error
from collections.abc import Callable, Coroutine, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from harness.cloud.delivery.http_retries import NO_ANSWER, SnsPolicy, TargetPolicy, is_worth_retrying

Record = dict[str, Any]  # ministack's record of a topic, a subscription, a target, a request
_KEY = "blackstart"


@dataclass(frozen=True, slots=True)
class RuleDelivery:
    """One event for one API destination: how it is retried, and who is told when it was given up."""

    policy: TargetPolicy
    delivered: Callable[[], None]
    given_up: Callable[[str, str, str, int], None]
    """Told code, message, the exhausted condition ('' when no retry would help) and the number of retries."""


DELIVERY: ContextVar[RuleDelivery | None] = ContextVar("rule delivery", default=None)
"""Set while a rule's target is dispatched, for the request that comes of it."""


def install(notified: Callable[[str, bool], None], redrive: Callable[[str, str, str], None]) -> None:
    """Stand in for ministack: `notified(topic, delivered)` counts, `redrive(topic, subscription, body)` keeps."""
    from ministack.services import eventbridge, sns

    def deliver_to_http(endpoint: str, payload: str) -> Coroutine[Any, Any, None]:
        topic, subscription = _subscription(endpoint, payload)

        async def deliver() -> None:  # ministack runs it in a thread and a loop of its own
            policy = SnsPolicy.of(topic.get("attributes") or {}, subscription.get("attributes") or {})
            status, _ = attempted(lambda: sns._http_post_sync(endpoint, payload, "Notification"), policy.waits_s())  # noqa: SLF001
            arn, delivered = str(topic.get("arn", "")), 200 <= status < 300
            if arn:
                notified(arn, delivered)
            if arn and not delivered:
                redrive(arn, str(subscription.get("arn")), payload)

        return deliver()

    build, deliver_once = eventbridge._build_api_destination_request, eventbridge._deliver_to_api_destination  # noqa: SLF001

    def built(*arguments: Any) -> Record:
        request: Record = build(*arguments)
        return {**request, _KEY: DELIVERY.get()}

    def deliver_to_api(name: str, request: Record, connection: Record, token_key: Any) -> None:
        delivery: RuleDelivery | None = request.pop(_KEY, None)
        if delivery is None:
            deliver_once(name, request, connection, token_key)
            return
        headers = eventbridge._connection_auth_headers(connection, token_key)  # noqa: SLF001
        tries = attempted(lambda: eventbridge._api_destination_send_sync(request, headers), delivery.policy.waits_s())  # noqa: SLF001
        status, retries = tries
        if 200 <= status < 300:
            delivery.delivered()
        else:
            condition = "MaximumRetryAttempts" if is_worth_retrying(status) else ""
            said = f"HTTP {status}" if status != NO_ANSWER else "no answer"
            delivery.given_up("SDK_CLIENT_ERROR", f"{name}: {said}", condition, retries)

    sns._deliver_to_http = deliver_to_http  # noqa: SLF001
    eventbridge._build_api_destination_request = built  # noqa: SLF001
    eventbridge._deliver_to_api_destination = deliver_to_api  # noqa: SLF001


def attempted(send: Callable[[], int], waits_s: Iterable[float]) -> tuple[int, int]:
    """Try, and try again after each wait while that may help: the last status, and how many retries it took."""
    status, retries = _tried(send), 0
    for wait_s in waits_s:
        if not is_worth_retrying(status):
            break
        time.sleep(wait_s)
        status, retries = _tried(send), retries + 1
    return status, retries


def _tried(send: Callable[[], int]) -> int:
    try:
        return int(send())
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return NO_ANSWER


def _subscription(endpoint: str, payload: str) -> tuple[Record, Record]:
    """The topic and subscription of a delivery: the envelope names the topic, a raw message does not."""
    from ministack.services import sns

    try:
        named = json.loads(payload).get("TopicArn")
    except (ValueError, AttributeError):
        named = None
    topics = [sns._topic_by_arn_any_scope(named)] if named else [topic for _, topic in sns._topics.items()]  # noqa: SLF001
    for topic in topics:
        for subscription in (topic or {}).get("subscriptions", ()):
            if subscription.get("endpoint") == endpoint:
                return topic, subscription
    return {}, {}
