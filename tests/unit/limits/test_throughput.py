"""DynamoDB's throughput on a clock that stands still until it is moved."""

from harness.cloud.limits.quotas import Quotas
from harness.cloud.limits.throughput import Allowance, Demand, Throughput

TABLE = ("1", "us-east-1", "orders")
FIVE = Allowance(5.0, "ProvisionedThroughputExceeded")


def write(units: float = 1.0, *, index: str = "", key: str = "", allowance: Allowance = FIVE) -> Demand:
    return Demand(table=TABLE, kind="Write", units=units, allowance=allowance, index=index, key=key)


class Clocked:
    """A throughput and its clock."""

    def __init__(self, **quotas: float) -> None:
        self.at_s = 0.0
        self.throughput = Throughput(quotas=Quotas.of(quotas), now_s=lambda: self.at_s)

    def writes(self, count: int, *demands: Demand) -> int:
        return sum(self.throughput.take(demands or (write(),)) is None for _ in range(count))


def test_a_table_bursts_with_what_it_did_not_use_for_five_minutes() -> None:
    table = Clocked()
    assert table.writes(10) == 5  # a new table has saved nothing
    table.at_s = 60.0
    assert table.writes(1000) == 300
    table.at_s += 1000.0
    assert table.writes(5000) == 1500  # 300 s of 5 units and no more
    table.at_s += 1.0
    assert table.writes(10) == 5


def test_what_a_request_really_cost_is_settled_and_may_be_owed() -> None:
    table = Clocked()
    assert table.throughput.take([write()]) is None
    table.throughput.settle(write(), 14.0)  # 5 - 14 = -9
    table.at_s = 1.0
    assert table.writes(1) == 0
    table.at_s = 2.0
    assert table.writes(2) == 1


def test_a_write_that_an_index_cannot_follow_takes_nothing_from_the_table() -> None:
    table = Clocked()
    slow = write(index="by-customer", allowance=Allowance(1.0, "ProvisionedThroughputExceeded"))
    assert table.writes(3, write(), slow) == 1
    refused = table.throughput.take([write(), slow])
    assert refused is not None
    assert refused.reason == "IndexWriteProvisionedThroughputExceeded"
    assert table.writes(9) == 4


def test_one_partition_key_gets_no_more_than_a_partition_gives() -> None:
    table = Clocked(dynamodb_partition_writes=3)
    rich = Allowance(1000.0, "ProvisionedThroughputExceeded")
    assert table.writes(9, write(key="hot", allowance=rich)) == 3
    refused = table.throughput.take([write(key="hot", allowance=rich)])
    assert refused is not None
    assert refused.reason == "TableWriteKeyRangeThroughputExceeded"
    assert table.writes(2, write(key="cold", allowance=rich)) == 2


def test_on_demand_has_its_maximum_and_no_burst_and_a_large_request_is_owed() -> None:
    table = Clocked()
    most = Allowance(10.0, "MaxOnDemandThroughputExceeded")
    assert table.writes(20, write(allowance=most)) == 10
    table.at_s = 100.0
    assert table.writes(20, write(allowance=most)) == 10
    table.at_s = 101.0
    assert table.writes(1, write(40.0, allowance=most)) == 1
    table.at_s = 103.9
    assert table.writes(1, write(allowance=most)) == 0
    table.at_s = 104.2
    assert table.writes(1, write(allowance=most)) == 1


def test_a_change_of_capacity_counts_at_once() -> None:
    table = Clocked()
    assert table.writes(9) == 5
    more = write(allowance=Allowance(50.0, "ProvisionedThroughputExceeded"))
    table.writes(1, more)
    table.at_s = 1.0
    assert table.writes(99, more) == 50
