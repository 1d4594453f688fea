"""Lambda's concurrency, API Gateway's throttling and SQS's messages in flight, put in ministack's way.

It counts one concurrency for all accounts and regions, knows no scaling rate, throttles REST stages and usage plans
but no account and no HTTP API, and lets any number of messages be in flight.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.identify import Request
from harness.cloud.limits.buckets import Bucket
from harness.cloud.limits.concurrency import LEAST_UNRESERVED, Concurrency, Place
from harness.cloud.limits.quotas import Quotas
from harness.cloud.limits.requests import RequestRates
from harness.cloud.signals.emulated import in_scope, scope

Answer = tuple[int, dict[str, str], bytes]


@dataclass(slots=True, kw_only=True)
class Limits:
    """What is throttled inside ministack. `install` once a process; `forget` at a reset."""

    quotas: Quotas
    throttled: Callable[[Place, str], None]
    """Told of each invocation that got no slot, with the function's name."""
    concurrency: Concurrency = field(init=False)
    rates: RequestRates = field(init=False)
    """Asked by the gate."""
    _api_buckets: dict[tuple[str, ...], Bucket] = field(default_factory=dict)
    _refusal: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        self.concurrency = Concurrency(
            most=self.quotas.lambda_concurrency,
            scaling=self.quotas.lambda_scaling,
            period_s=self.quotas.lambda_scaling_period_s,
        )

        self.rates = RequestRates(quotas=self.quotas, key_spec=_key_spec)

    @classmethod
    def install(cls, quotas: Quotas, *, throttled: Callable[[Place, str], None]) -> Limits:
        """From now on."""
        limits = cls(quotas=quotas, throttled=throttled)
        limits._limit_functions()
        limits._limit_apis()
        limits._limit_queues()
        return limits

    def forget(self) -> None:
        """Every API's bucket is full again. Invocations under way keep their slots."""
        from ministack.services import apigateway_v1

        self.concurrency.forget()
        self.rates.forget()
        self._api_buckets.clear()
        apigateway_v1._throttle_state.clear()  # noqa: SLF001 - this file is a seam into ministack
        apigateway_v1._quota_state.clear()  # noqa: SLF001

    # -- Lambda ------------------------------------------------------------------------------------------------

    def _limit_functions(self) -> None:
        from ministack.services import lambda_svc

        memory = lambda_svc._ACCOUNT_CONCURRENCY_CAP  # noqa: SLF001 - what this machine's memory holds
        if memory:
            self.concurrency.most = min(self.concurrency.most, memory)
        lambda_svc._ACCOUNT_CONCURRENCY_CAP = self.quotas.lambda_concurrency  # noqa: SLF001 - GetAccountSettings
        throttle_response, put = lambda_svc._throttle_response, lambda_svc._put_function_concurrency  # noqa: SLF001

        def acquire(record: dict[str, Any], config: dict[str, Any]) -> tuple[Any, str | None]:
            del record  # the configuration names it
            account, region = lambda_svc._account_region_from_function_config(config)  # noqa: SLF001
            place, name = (str(account), str(region)), str(config.get("FunctionName", "?"))
            reserved = _reserved(place)
            refused = self.concurrency.acquire(place, name, reserved)
            self._refusal.kind = refused
            if refused is None:
                return (place, name, name not in reserved), None
            self.throttled(place, name)
            return None, "function" if refused == "function" else "account"

        def release(slot: tuple[Place, str, bool] | None) -> None:
            if slot is not None:
                self.concurrency.release(slot[0], slot[1], unreserved=slot[2])

        def throttled(reason_code: str, msg: str) -> Any:
            period = (
                f"Rate Exceeded: the function got as many environments as it may in {self.concurrency.period_s:g} s"
            )
            said = period if getattr(self._refusal, "kind", None) == "scaling" else msg
            return throttle_response(reason_code=reason_code, msg=said)

        def put_concurrency(name: str, data: dict[str, Any]) -> Any:
            others = {**_reserved(scope()), name: int(data.get("ReservedConcurrentExecutions") or 0)}
            if self.quotas.lambda_concurrency - sum(others.values()) < LEAST_UNRESERVED:
                return lambda_svc.error_response_json(
                    "InvalidParameterValueException",
                    "Specified ReservedConcurrentExecutions for function decreases account's "
                    f"UnreservedConcurrentExecution below its minimum value of [{LEAST_UNRESERVED}].",
                    400,
                )
            return put(name, data)

        lambda_svc._acquire_execution_slot = acquire  # noqa: SLF001
        lambda_svc._release_execution_slot = release  # noqa: SLF001
        lambda_svc._throttle_response = throttled  # noqa: SLF001
        lambda_svc._put_function_concurrency = put_concurrency  # noqa: SLF001

    # -- API Gateway -------------------------------------------------------------------------------------------

    def _limit_apis(self) -> None:
        from ministack.services import apigateway, apigateway_v1

        check, execute = apigateway_v1._check_throttle, apigateway._handle_execute_in_scope  # noqa: SLF001

        def check_rest(stage: Any, api: str, name: str, path: str, method: str, key: Any) -> Any:  # noqa: PLR0917 - its signature
            refused = check(stage, api, name, path, method, key)
            if refused is None and not self._account_takes():
                refused = apigateway_v1._gw_error("THROTTLED", "Too Many Requests")  # noqa: SLF001
            return refused

        def execute_http(api: str, stage: str, path: str, method: str, *rest: Any, **named: Any) -> Awaitable[Answer]:
            if method != "OPTIONS" and not (self._route_takes(api, stage, path, method) and self._account_takes()):
                return _too_many()
            answered: Awaitable[Answer] = execute(api, stage, path, method, *rest, **named)
            return answered

        apigateway_v1._check_throttle = check_rest  # noqa: SLF001
        apigateway._handle_execute_in_scope = execute_http  # noqa: SLF001

    def _account_takes(self) -> bool:
        return self._takes(("account", *scope()), self.quotas.apigateway_rate, self.quotas.apigateway_burst)

    def _route_takes(self, api: str, stage: str, path: str, method: str) -> bool:
        """Whether the stage's throttling of this route, or its default for each route, lets one more through.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
        """
        from ministack.services import apigateway

        found = (apigateway._stages.get(api) or {}).get(stage) or {}  # noqa: SLF001
        by_route, default = found.get("routeSettings") or {}, found.get("defaultRouteSettings") or {}
        if not by_route and not default:
            return True
        route = apigateway._match_route(api, method, "/" + path.lstrip("/")) or {}  # noqa: SLF001
        key = str(route.get("routeKey", "$default"))
        limits = {**_lower(default), **_lower(by_route.get(key) or {})}
        rate, burst = limits.get("throttlingratelimit"), limits.get("throttlingburstlimit")
        if rate is None and burst is None:
            return True
        return self._takes(("route", api, stage, key), float(rate or 0), float(burst or rate or 0))

    def _takes(self, key: tuple[str, ...], rate: float, burst: float) -> bool:
        now_s = time.monotonic()
        bucket = self._api_buckets.get(key)
        if bucket is None:
            bucket = self._api_buckets[key] = Bucket.full(rate, burst, now_s)
        bucket.resize(rate, burst, now_s)
        return bucket.take(1.0, now_s=now_s)

    # -- SQS ---------------------------------------------------------------------------------------------------

    def _limit_queues(self) -> None:
        from ministack.services import sqs

        receive, poll = sqs._HANDLERS["ReceiveMessage"], sqs._receive_messages_for_esm  # noqa: SLF001

        async def receive_limited(data: dict[str, Any], url: str) -> Any:
            queue = sqs._get_q(data.get("QueueUrl", url))  # noqa: SLF001
            if self._is_full(queue):
                wait = data.get("WaitTimeSeconds", queue["attributes"].get("ReceiveMessageWaitTimeSeconds"))
                if not _is_fifo(queue) and not int(wait or 0):
                    raise sqs._Err("OverLimit", "Too many messages in flight: delete what was processed.")  # noqa: SLF001
                return {}
            return await receive(data, url)

        def poll_limited(url: str, most: int) -> Any:
            queue = sqs._queues.get(url)  # noqa: SLF001
            return [] if queue is not None and self._is_full(queue) else poll(url, most)

        sqs._HANDLERS["ReceiveMessage"] = receive_limited  # noqa: SLF001
        sqs._receive_messages_for_esm = poll_limited  # noqa: SLF001

    def _is_full(self, queue: Mapping[str, Any]) -> bool:
        most = self.quotas.sqs_fifo_in_flight if _is_fifo(queue) else self.quotas.sqs_in_flight
        messages = list(queue["messages"]) if len(queue["messages"]) >= most else ()
        if not messages:
            return False
        now_s = time.time()
        hidden: list[bool] = [one["visible_at"] > now_s and one.get("receive_count", 0) > 0 for one in messages]
        return sum(hidden) >= most


async def _too_many() -> Answer:
    return 429, {"Content-Type": "application/json"}, b'{"message":"Too Many Requests"}'


def _lower(settings: Mapping[str, Any]) -> dict[str, Any]:
    """CloudFormation and the API spell these keys differently."""
    return {name.lower(): value for name, value in settings.items()}


def _is_fifo(queue: Mapping[str, Any]) -> bool:
    return str(queue["name"]).endswith(".fifo")


def _reserved(place: Place) -> dict[str, int]:
    """The reserved concurrency of the functions of an account and region."""
    from ministack.services import lambda_svc

    found = {}
    for (account, region, name), record in list(lambda_svc._functions.all_items()):  # noqa: SLF001
        if (account, region) == place and record.get("concurrency") is not None:
            found[str(name)] = int(lambda_svc._reserved_concurrency(record, {}))  # noqa: SLF001
    return found


def _key_spec(call: Request) -> str:
    """The spec of the KMS key of a call, by id, ARN or alias: `SYMMETRIC_DEFAULT`, `RSA_2048`…; '' without one."""
    from ministack.services import kms

    with in_scope(call.account, call.region):
        found = kms._resolve_key(call.resource) if call.resource else None  # noqa: SLF001
    return str((found or {}).get("KeySpec", ""))
