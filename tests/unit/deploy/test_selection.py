"""Which resources `--only-resource` and `--replace` name."""

import pytest

from harness.deploy.engine.selection import Selection
from harness.errors import UsageError

ORDERS = "urn:pulumi:dev::shop::shop:index:Pair$aws:sqs/queue:Queue::orders"
CARTS = "urn:pulumi:dev::shop::aws:dynamodb/table:Table::carts"


@pytest.mark.parametrize(
    "pattern",
    [ORDERS, "orders", "ord*", "aws:sqs/queue:Queue::orders", "*:Queue::*", "urn:**::orders", "urn:*::*::**Queue::*"],
)
def test_a_pattern_names_a_queue_and_nothing_else(pattern):
    selection = Selection((pattern,))
    assert selection.names(ORDERS)
    assert not selection.names(CARTS)


def test_one_star_does_not_cross_a_part_of_the_urn():
    assert not Selection(("urn:*::orders",)).names(ORDERS)


def test_a_typo_gets_the_nearest_name():
    with pytest.raises(UsageError, match="no resource of the stack is called 'ordrs'") as refused:
        Selection(("ordrs",)).require([ORDERS, CARTS], where="--only-resource")
    assert refused.value.hint == "did you mean 'orders'?"


def test_a_mistyped_urn_gets_the_nearest_urn():
    with pytest.raises(UsageError) as refused:
        Selection((CARTS[:-1],)).require([ORDERS, CARTS], where="--replace")
    assert CARTS in refused.value.hint
