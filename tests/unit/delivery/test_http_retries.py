"""Retry policies of deliveries over HTTP, phase by phase."""

import json
from typing import Any

import pytest

from harness.cloud.delivery.bus_policy import bus_admits
from harness.cloud.delivery.http_retries import SnsPolicy, TargetPolicy, is_worth_retrying


def test_a_delivery_policy_has_four_phases() -> None:
    policy = SnsPolicy(low_s=1, high_s=9, retries=8, no_delay=2, at_low=1, at_high=2)
    assert policy.waits_s() == [0, 0, 1, 1, 5, 9, 9, 9]
    geometric = SnsPolicy(low_s=1, high_s=9, retries=3, backoff="geometric")
    assert geometric.waits_s() == [1, 3, 9]


def test_the_subscription_overrules_its_topic_unless_the_topic_forbids_it() -> None:
    own = {"DeliveryPolicy": json.dumps({"healthyRetryPolicy": {"numRetries": 1}})}
    whole: dict[str, Any] = {"defaultHealthyRetryPolicy": {"numRetries": 5}}
    topic = {"DeliveryPolicy": json.dumps({"http": whole})}
    strict = {"DeliveryPolicy": json.dumps({"http": {**whole, "disableSubscriptionOverrides": True}})}
    retries = [SnsPolicy.of(of, sub).retries for of, sub in (({}, {}), (topic, {}), (topic, own), (strict, own))]
    assert retries == [3, 5, 1, 5]


def test_a_target_is_tried_until_its_attempts_or_its_events_age_are_used_up() -> None:
    assert list(TargetPolicy(retries=3).waits_s()) == [1, 2, 4]
    assert list(TargetPolicy(max_age_s=10).waits_s()) == [1, 2, 4]
    assert len(list(TargetPolicy.of({}).waits_s())) == 185
    assert list(TargetPolicy.of({"RetryPolicy": {"MaximumRetryAttempts": 0}}).waits_s()) == []


@pytest.mark.parametrize(("status", "again"), [(0, True), (503, True), (429, True), (404, False), (400, False)])
def test_only_what_may_come_right_is_tried_again(status: int, again: bool) -> None:
    assert is_worth_retrying(status) is again


@pytest.mark.parametrize(
    ("statement", "admitted"),
    [
        ({"Principal": "1", "Action": "events:PutEvents"}, True),
        ({"Principal": {"AWS": ["arn:aws:iam::1:root"]}, "Action": ["events:*"]}, True),
        ({"Principal": "*", "Action": "events:PutEvents"}, True),
        ({"Principal": "2", "Action": "events:PutEvents"}, False),
        ({"Principal": "1", "Action": "events:PutRule"}, False),
    ],
)
def test_a_buss_policy_names_who_may_put_events(statement: dict[str, Any], admitted: bool) -> None:
    assert bus_admits({"Statement": [{"Effect": "Allow", **statement}]}, "1") is admitted
    assert not bus_admits({"Statement": [{"Effect": "Allow", **statement}, {"Effect": "Deny", **statement}]}, "1")
    assert not bus_admits(None, "1")
