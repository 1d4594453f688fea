"""A customer reads what they have just placed, at once; and does not notice when a read has to be tried again."""

from typing import Any

import pytest

pytestmark = pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb")


def test_an_order_is_readable_as_soon_as_it_is_placed(shop: Any) -> None:
    for _ in range(10):
        order_id = shop.place(("tea", 1)).body["order_id"]
        reply = shop.order(order_id)
        assert reply.status == 200
        assert reply.body["order_id"] == order_id
        assert reply.body["status"] in {"PLACED", "FULFILLED"}


@pytest.mark.blackstart_requires("faults", "lambda-zones")
def test_a_read_that_fails_is_tried_again_and_nobody_notices(
    shop: Any, blackstart_faults: Any, eventually: Any
) -> None:
    """Retries with exponential backoff and full jitter, by botocore's standard mode: two of three tries may fail."""
    from harness.cloud.faults import ApiError, Dose, Selector

    order_id = shop.place(("tea", 1)).body["order_id"]
    reader = f"arn:aws:iam::*:role/{shop.outputs['roles']['read']}"
    reads = Selector(service="dynamodb", operation="GetItem", caller_role=reader)
    blackstart_faults.inject(reads, ApiError(code="InternalServerError"), Dose(limit=2))

    def survived() -> bool:
        assert shop.order(order_id).status == 200
        return bool(blackstart_faults.fired() == 2)

    eventually(survived, within_s=60, what="two failed tries")
