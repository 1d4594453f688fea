"""Event sources with AWS's delivery: asynchronous invocations that retry, destinations, dead letters, weights.

ministack calls a function once for SNS and EventBridge, has no success destination, puts an envelope into dead-letter
queues, ignores a stream's retry limits, a subscription's or target's dead-letter queue and an alias's weights.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from harness.cloud.delivery import mappings, pollers, records, web_endpoints, workflow_errors
from harness.cloud.delivery.asynchronous import (
    DEFAULT_RETRIES,
    LONGEST_AGE_S,
    AsyncEvent,
    AsyncInvocations,
    Attempt,
    Condition,
)
from harness.cloud.delivery.bus_policy import bus_admits
from harness.cloud.delivery.courier import Courier
from harness.cloud.delivery.http_retries import TargetPolicy
from harness.cloud.delivery.streams import Streams
from harness.cloud.functions.invocation import SERVICE_ERROR_MARK
from harness.cloud.ministack_hooks import iam_enforced
from harness.cloud.signals.emulated import in_scope, scope
from harness.cloud.signals.flow_metrics import FlowMetrics
from harness.target import Target

Record = dict[str, Any]  # ministack's record of a function, a subscription, a target
_TARGETS = frozenset({"lambda", "sqs", "sns", "states", "events"})
"""Whose targets of rules are delivered; of any other service nothing is, and that is told."""


@dataclass(frozen=True, slots=True)
class EmulatedLambda:
    """Functions as `AsyncInvocations` needs them. An event's context is ministack's record of its function."""

    courier: Courier
    flow: FlowMetrics

    def invoke(self, event: AsyncEvent) -> Attempt:
        """Run it once, under its own account and region."""
        from ministack.services import lambda_svc

        where, function = _whose(event.function_arn)
        self.flow.tried(where, function, time.time() - event.accepted_s)
        result = lambda_svc._execute_function_with_config_scope(event.context, event.payload)  # noqa: SLF001 - the seam
        if not result.get("error") and not result.get("throttle"):
            return Attempt("ok", result.get("body"))
        not_run = result.get("throttle") or result.get("function_error") == SERVICE_ERROR_MARK
        return Attempt("not_run" if not_run else "function_error", result.get("body"))

    def ended(self, event: AsyncEvent, condition: Condition) -> None:
        """A destination gets a record, a dead-letter queue the event itself."""
        config, wanted = event.context["config"], _invoke_config(event.context)
        destinations = wanted.get("DestinationConfig") or {}
        kind = "OnSuccess" if condition == "Success" else "OnFailure"
        destination = (destinations.get(kind) or {}).get("Destination")
        dead_letters = (config.get("DeadLetterConfig") or {}).get("TargetArn")
        where, function = _whose(event.function_arn)
        with in_scope(*where):
            if destination and not self._send(destination, self._record(event, condition), config, {}):
                self.flow.undelivered(where, function, dead_letter=False)
            if condition != "Success":
                self.flow.dropped(where, function)
            if dead_letters and condition != "Success":
                told = records.dead_letter_attributes(request_id=event.request_id, answer=event.last.answer)
                if not self._send(dead_letters, event.payload, config, told):
                    self.flow.undelivered(where, function, dead_letter=True)

    def _record(self, event: AsyncEvent, condition: Condition) -> dict[str, Any]:
        return records.invocation_record(
            request_id=event.request_id,
            function_arn=event.function_arn,
            condition=condition,
            attempts=event.attempts,
            event=event.payload,
            answer=event.last.answer,
            function_error="" if condition == "Success" else "Unhandled",
            at_s=time.time(),
        )

    def _send(self, arn: str, body: Any, config: Mapping[str, Any], attributes: records.MessageAttributes) -> bool:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self.courier.send(arn, body, config, attributes)
        except (ClientError, BotoCoreError) as error:
            _log().warning("nothing was delivered from %s to %s: %s", config.get("FunctionArn"), arn, error)
            return False
        return True


@dataclass(slots=True)
class Delivery:
    """What one server installs; `close` ends it."""

    invocations: AsyncInvocations
    flow: FlowMetrics
    random: random.Random = field(default_factory=random.SystemRandom)

    @classmethod
    def install(cls, target: Target, flow: FlowMetrics) -> Delivery:
        """Put it behind every event source of the emulator. Call it once, before the emulator serves."""
        courier = Courier(target)
        delivery = cls(AsyncInvocations(EmulatedLambda(courier, flow), time.time), flow)
        streams = Streams(courier, flow)
        mappings.install(streams)
        pollers.install(streams)
        delivery.invocations.start()
        delivery._install_sources()
        delivery._install_weights()
        return delivery

    def close(self) -> None:
        """End what waits."""
        self.invocations.close()

    def invoke(self, arn: str, event: Any) -> bool:
        """Invoke the function with this ARN asynchronously, as an AWS service does; False when there is none."""
        found = _function(arn)
        if found is not None:
            self.submit(found, event)
        return found is not None

    def submit(self, record: Record, event: Any) -> None:
        """Invoke a function asynchronously: `record` is ministack's, with the configuration of the wanted version."""
        config = record.get("config") or record
        wanted = _invoke_config(record)
        self.flow.accepted(*_whose(str(config["FunctionArn"])))
        retries, age_s = wanted.get("MaximumRetryAttempts"), wanted.get("MaximumEventAgeInSeconds")
        self.invocations.submit(
            AsyncEvent(
                function_arn=str(config["FunctionArn"]),
                payload=event,
                context={**record, "config": config},
                accepted_s=time.time(),
                retries=DEFAULT_RETRIES if retries is None else int(retries),
                max_age_s=LONGEST_AGE_S if age_s is None else float(age_s),
            )
        )

    def _install_sources(self) -> None:
        from ministack.services import eventbridge, lambda_svc, sns

        lambda_svc.invoke_async_with_retry = self.submit
        eventbridge._dispatch_to_lambda = self._rule_to_lambda  # noqa: SLF001
        eventbridge._invoke_target = _with_dead_letters(eventbridge._invoke_target, self.flow)  # noqa: SLF001
        eventbridge._dispatch_to_event_bus = _to_any_bus(eventbridge._dispatch_to_event_bus)  # noqa: SLF001
        sns._deliver_to_lambda = self._topic_to_lambda  # noqa: SLF001
        workflow_errors.install()
        web_endpoints.install(
            lambda topic, delivered: self.flow.notified(*_whose(topic), delivered=delivered),
            lambda topic, subscription, body: _redrive(topic, subscription, body, self.flow),
        )
        sns._deliver_to_sqs = _topic_to_queue(sns._deliver_to_sqs, self.flow)  # noqa: SLF001

    def _rule_to_lambda(self, arn: str, payload: str) -> None:
        self.invoke(arn, json.loads(payload))

    def _topic_to_lambda(  # noqa: PLR0917 - ministack's signature
        self,
        endpoint: str,
        envelope: str,
        topic_arn: str,
        sub_arn: str,
        msg_id: str,
        raw_message: str,
        message_attributes: dict[str, Any],
    ) -> None:
        del msg_id, raw_message, message_attributes  # the envelope holds them
        found = _function(endpoint)
        self.flow.notified(*_whose(topic_arn), delivered=found is not None)
        if found is None:
            _redrive(topic_arn, sub_arn, envelope, self.flow)
            return
        record = {"EventVersion": "1.0", "EventSubscriptionArn": sub_arn, "EventSource": "aws:sns"}
        self.submit(found, {"Records": [{**record, "Sns": json.loads(envelope)}]})

    # -- alias weights ---------------------------------------------------------------------------------------

    def _install_weights(self) -> None:
        from ministack.services import lambda_svc

        invoke, by_ref = lambda_svc._invoke, lambda_svc._get_func_record_for_ref  # noqa: SLF001

        async def weighted_invoke(
            name: str, event: Any, headers: Any, path_qualifier: str | None = None, query_params: Any = None
        ) -> Any:
            asked = path_qualifier or lambda_svc._qp_first(query_params or {}, "Qualifier") or ""  # noqa: SLF001
            version = self._weighted_version(lambda_svc._functions.get(name), asked)  # noqa: SLF001
            return await invoke(name, event, headers, version or path_qualifier, query_params)

        def weighted_ref(function_ref: str) -> Any:
            name, qualifier = lambda_svc._resolve_name_and_qualifier(function_ref)  # noqa: SLF001
            version = self._weighted_version(lambda_svc._functions.get(name), qualifier or "")  # noqa: SLF001
            if version and function_ref.endswith(f":{qualifier}"):
                function_ref = f"{function_ref[: -len(str(qualifier))]}{version}"
            return by_ref(function_ref)

        lambda_svc._invoke, lambda_svc._get_func_record_for_ref = weighted_invoke, weighted_ref  # noqa: SLF001

    def _weighted_version(self, function: Record | None, qualifier: str) -> str:
        """The version that an alias sends this one invocation to; '' when its main one has it."""
        alias = (function or {}).get("aliases", {}).get(qualifier) or {}
        weights: Mapping[str, float] = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        drawn = self.random.random()
        for version, weight in weights.items():
            if drawn < float(weight):
                return version
            drawn -= float(weight)
        return ""


def _invoke_config(record: Record) -> Mapping[str, Any]:
    configs = record.get("event_invoke_configs") or {}
    found: Mapping[str, Any] | None = record.get("event_invoke_config") or configs.get("$LATEST") or configs.get("")
    return found or {}


def _function(arn: str) -> Record | None:
    """The record of the version that an ARN means, None when there is none."""
    from ministack.services import lambda_svc

    account, region = arn.split(":")[4], arn.split(":")[3]
    with in_scope(account, region):
        function, config, _ = lambda_svc._get_func_record_for_ref(arn)  # noqa: SLF001
    if not function or not config:
        return None
    record: Record = lambda_svc._execution_record_for_config(function, config)  # noqa: SLF001
    return record


# -- SNS ------------------------------------------------------------------------------------------------------


def _topic_to_queue(builtin: Callable[..., None], flow: FlowMetrics) -> Callable[..., None]:
    """Delivery to a queue; what cannot be delivered goes to the subscription's dead-letter queue."""

    def deliver(endpoint: str, envelope: str, raw: bool, raw_message: str, **named: Any) -> None:  # noqa: FBT001
        topic_arn = str(named.get("topic_arn") or "")
        taken = _queue_takes(endpoint, "sns.amazonaws.com", topic_arn)
        flow.notified(*_whose(topic_arn), delivered=taken)
        if taken:
            flow.sent(*_whose(endpoint), len(envelope.encode()))
            builtin(endpoint, envelope, raw, raw_message, **named)
            return
        subscription = _subscription(topic_arn, "endpoint", endpoint)
        _redrive(topic_arn, str(subscription.get("arn")), raw_message if raw else envelope, flow)

    return deliver


def _subscription(topic_arn: str, key: str, value: str) -> Record:
    from ministack.services import sns

    topic = sns._topic_by_arn_any_scope(topic_arn) or {"subscriptions": ()}  # noqa: SLF001
    found: Record = next((s for s in topic["subscriptions"] if s.get(key) == value), {})
    return found


def _redrive(topic_arn: str, subscription_arn: str, body: str, flow: FlowMetrics) -> None:
    """To the dead-letter queue that the subscription's RedrivePolicy names, if any."""
    subscription = _subscription(topic_arn, "arn", subscription_arn)
    policy = (subscription.get("attributes") or {}).get("RedrivePolicy")
    queue = json.loads(policy).get("deadLetterTargetArn") if policy else ""
    if queue and _queue_takes(queue, "sns.amazonaws.com", topic_arn):
        put_message(queue, body, {})
        flow.redriven(*_whose(topic_arn), arrived=True)
    else:
        if queue:
            flow.redriven(*_whose(topic_arn), arrived=False)
        _log().warning("SNS could not deliver to %s, and it has no usable RedrivePolicy", subscription_arn)


# -- EventBridge ----------------------------------------------------------------------------------------------


def _with_dead_letters(builtin: Callable[..., None], flow: FlowMetrics) -> Callable[..., None]:
    """A target that cannot be reached: its event goes to the target's dead-letter queue, with the reason."""

    def invoke(target: Record, event: Record, rule: Record, view: Any = None) -> None:
        rule_arn, where = str((rule or {}).get("Arn", "")), scope()
        code, message = _unreachable(str(target.get("Arn", "")), rule_arn)
        name = rule_arn.rpartition("/")[2]
        shown = json.dumps((view or _view(event)).event_with_detail())

        def given_up(code: str, message: str, exhausted: str, retries: int) -> None:
            with in_scope(*where):
                flow.invoked(where, name, failed=True)
                _dead_letter(target, shown, rule_arn, flow, records.Failure(code, message, exhausted, retries))

        if code:
            given_up(code, message, "", 0)
            return
        if ":api-destination/" not in str(target.get("Arn", "")):
            flow.invoked(where, name, failed=False)
        if ":sqs:" in str(target.get("Arn")):
            flow.sent(*_whose(str(target["Arn"])), len(str(event.get("Detail", ""))))
        delivered = partial(flow.invoked, where, name, failed=False)
        token = web_endpoints.DELIVERY.set(web_endpoints.RuleDelivery(TargetPolicy.of(target), delivered, given_up))
        try:
            builtin(target, event, rule, view)
        finally:
            web_endpoints.DELIVERY.reset(token)

    return invoke


def _view(event: Record) -> Any:
    from ministack.services import eventbridge

    return eventbridge._pattern_event_view(event)  # noqa: SLF001


def _dead_letter(target: Record, event: str, rule_arn: str, flow: FlowMetrics, failure: records.Failure) -> None:
    """Put an event into the queue that its target names for what cannot be delivered."""
    queue = str((target.get("DeadLetterConfig") or {}).get("Arn") or "")
    reachable = bool(queue) and _queue_takes(queue, "events.amazonaws.com", rule_arn)
    if queue:
        flow.sent_to_dlq(scope(), rule_arn.rpartition("/")[2], arrived=reachable)
    if not reachable:
        _log().warning("%s: %s", target.get("Arn"), failure.message)
        return
    attributes = records.rule_dead_letter_attributes(
        rule_arn=rule_arn, target_arn=str(target["Arn"]), failure=failure
    )
    put_message(queue, event, attributes)


def _unreachable(arn: str, rule_arn: str) -> tuple[str, str]:
    """EventBridge's error code and message for a target that no retry would reach; ('', '') when it can be tried."""
    service = (arn.split(":") + [""] * 3)[2]
    if service == "sqs":
        if not _queue_exists(arn):
            return "NO_RESOURCE", f"The queue {arn} does not exist"
        if not _queue_takes(arn, "events.amazonaws.com", rule_arn):
            return "NO_PERMISSIONS", f"events.amazonaws.com may not send to {arn}: see the queue's policy"
    if service == "lambda" and _function(arn) is None:
        return "NO_RESOURCE", f"The function {arn} does not exist"
    if service == "sns":
        from ministack.services import sns

        if sns._topic_by_arn_any_scope(arn) is None:  # noqa: SLF001
            return "NO_RESOURCE", f"The topic {arn} does not exist"
    if service == "states":
        from ministack.services import stepfunctions

        if arn not in stepfunctions._state_machines:  # noqa: SLF001
            return "NO_RESOURCE", f"The state machine {arn} does not exist"
    if service == "events":
        return _unreachable_event_target(arn, rule_arn)
    if service not in _TARGETS:
        return "NO_RESOURCE", f"the embedded cloud has no targets of {service}: nothing is delivered to {arn}"
    return "", ""


def _unreachable_event_target(arn: str, rule_arn: str) -> tuple[str, str]:
    """A bus that is not there or does not let this account in; an API destination that is not there."""
    from ministack.services import eventbridge

    account, name = arn.split(":")[4], arn.split("/")[1]
    with in_scope(account, arn.split(":")[3]):
        if ":api-destination/" in arn:
            known = eventbridge._api_destinations.get(name)  # noqa: SLF001
            return ("", "") if known else ("NO_RESOURCE", f"The API destination {arn} does not exist")
        eventbridge._ensure_default_bus()  # noqa: SLF001
        bus = eventbridge._event_buses.get(name)  # noqa: SLF001
        if bus is None:
            return "NO_RESOURCE", f"The event bus {arn} does not exist"
        source = rule_arn.split(":")[4] if rule_arn else account
        admitted = not iam_enforced() or bus_admits(eventbridge._event_bus_policies.get(name), source)  # noqa: SLF001
        if source != account and not admitted:
            return "NO_PERMISSIONS", f"the policy of {arn} does not let account {source} put events"
    return "", ""


def _to_any_bus(builtin: Callable[..., None]) -> Callable[..., None]:
    """A bus of another account or region gets the event too: ministack looks for it in the rule's own."""

    def dispatch(spec: Any, event: Record, rule: Record, event_path: Any, target_input_payload: Any = None) -> None:
        with in_scope(spec.account_id or scope()[0], spec.region or scope()[1]):
            builtin(spec, event, rule, event_path, target_input_payload)

    return dispatch


# -- SQS ------------------------------------------------------------------------------------------------------


def _queue_exists(arn: str) -> bool:
    from ministack.services import sqs

    return sqs._queue_by_arn(arn) is not None  # noqa: SLF001


def _queue_takes(arn: str, service: str, source_arn: str) -> bool:
    """True when the queue exists and its policy lets the service deliver; without IAM enforced every policy does."""
    from ministack.services import sqs

    source_account = (source_arn.split(":") + [""] * 5)[4] or scope()[0]
    return _queue_exists(arn) and bool(sqs.queue_policy_allows(arn, service, source_arn, source_account))


def put_message(arn: str, body: str, attributes: records.MessageAttributes) -> None:
    """Put a message into a queue as an AWS service does, without a caller."""
    from ministack.services import sqs

    account, region = arn.split(":")[4], arn.split(":")[3]
    with in_scope(account, region):
        queue = sqs._queue_by_arn(arn)  # noqa: SLF001
        if queue is not None:
            url = queue["url"]
            sqs._act_send_message(  # noqa: SLF001
                {"QueueUrl": url, "MessageBody": body, "MessageAttributes": attributes}, url
            )


def _whose(arn: str) -> tuple[tuple[str, str], str]:
    """Account and region, and the name, of a function, queue or topic."""
    parts = arn.split(":")
    return (parts[4], parts[3]), parts[6] if parts[2] == "lambda" else parts[5]


def _log() -> logging.Logger:
    return logging.getLogger(__name__)
