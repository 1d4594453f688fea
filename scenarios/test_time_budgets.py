"""Timeouts as a budget: what a function calls takes no longer than it has, or than its caller waits."""

import time
from typing import Any

import pytest

pytestmark = [
    pytest.mark.blackstart_requires("faults", "lambda-zones"),
    pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb", "sqs", "s3"),
]


def test_a_customer_in_a_hurry_is_answered_in_time_and_asks_again(
    shop: Any, http: Any, blackstart_faults: Any, eventually: Any
) -> None:
    """Whether the order was placed nobody knew by then; the same key is the same order."""
    from harness.cloud.faults import Latency, Selector

    role = f"arn:aws:iam::*:role/{shop.outputs['roles']['place']}"
    slow = Selector(service="dynamodb", operation="TransactWriteItems", caller_role=role)
    blackstart_faults.inject(slow, Latency(delay_s=3.0))
    order = {"customer": "ada", "items": [{"sku": "tea", "quantity": 1}]}
    headers = {"Idempotency-Key": f"hurry-{id(order)}", "X-Patience-Ms": "1500"}

    def late() -> bool:
        reply = http("POST", f"{shop.url}/orders", order, headers)
        assert (reply.status, reply.headers.get("retry-after")) == (503, "1")
        return bool(blackstart_faults.fired())

    eventually(late, within_s=60, what="an order out of time")
    blackstart_faults.heal()
    del headers["X-Patience-Ms"]
    again, once_more = (http("POST", f"{shop.url}/orders", order, headers) for _ in range(2))
    assert again.status in {200, 201}
    assert (once_more.status, once_more.body["order_id"]) == (200, again.body["order_id"])


def test_work_that_hangs_is_given_back_before_lambda_ends_it(
    shop: Any, blackstart_faults: Any, eventually: Any
) -> None:
    """A function that is ended in the middle gives nothing back: its messages wait for the visibility timeout."""
    from harness.cloud.faults import Latency, Selector

    role = f"arn:aws:iam::*:role/{shop.outputs['roles']['fulfil']}"
    hangs = Selector(service="s3", operation="PutObject", caller_role=role)
    began_ms = int(time.time() * 1000)
    blackstart_faults.inject(hangs, Latency(delay_s=10.0))
    order_id = shop.place(("tea", 1)).body["order_id"]
    logs, group = shop.aws("logs"), f"/aws/lambda/{shop.outputs['functions']['fulfil']}"

    def given_back() -> bool:
        failed = logs.filter_log_events(logGroupName=group, filterPattern='"fulfilment failed"', startTime=began_ms)
        return any("ReadTimeout" in line["message"] or "OutOfTime" in line["message"] for line in failed["events"])

    eventually(given_back, within_s=60, what="the log of a receipt that could not be written in time")
    blackstart_faults.heal()
    eventually(lambda: shop.status(order_id) == "FULFILLED", within_s=60, what="the order fulfilled")
    assert (shop.charges(order_id), shop.receipts(order_id)) == (1, 1)
