"""The ledger of two regions: a switchover moves it and loses nothing; a failover loses what was under way."""

import itertools
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

pytestmark = [
    pytest.mark.part("global_ledger"),
    pytest.mark.blackstart_requires("aurora"),
    pytest.mark.blackstart_covers("secretsmanager"),
]

TABLES = """
DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(1);
  CREATE TABLE IF NOT EXISTS accounts (name text PRIMARY KEY, cents bigint NOT NULL);
  CREATE TABLE IF NOT EXISTS transfers (book text NOT NULL, number int NOT NULL, PRIMARY KEY (book, number));
END $$
"""
CENTS = 1000


class Region:
    """The ledger as one region has it, over the RDS Data API. What is refused is told at once, not tried again."""

    def __init__(self, shop: Any, name: str) -> None:
        given = shop.outputs["global_ledger"]
        self.name, self.group, self.arn = name, given["group"], given["clusters"][name]
        self.rds, self._data = shop.aws("rds", region=name), shop.aws("rds-data", region=name, attempts=1)
        self._where = {"resourceArn": self.arn, "secretArn": given["secrets"][name]}

    def run(self, *statements: str, **values: str | int) -> list[list[Any]]:
        """The rows of the last one; all count together or not at all. Each gets the values that it names."""
        kinds = {str: "stringValue", int: "longValue"}
        given = {name: {"name": name, "value": {kinds[type(value)]: value}} for name, value in values.items()}
        begun = self._data.begin_transaction(**self._where, database="ledger")["transactionId"]
        for sql in statements:
            parameters = [one for name, one in given.items() if f":{name}" in sql]
            said = self._data.execute_statement(
                **self._where, database="ledger", transactionId=begun, sql=sql, parameters=parameters
            )
        self._data.commit_transaction(**self._where, transactionId=begun)
        return [[next(iter(field.values())) for field in row] for row in said.get("records", [])]

    def writes(self) -> bool:
        """Whether this region's cluster takes writes."""
        try:
            self.run(TABLES)
        except (BotoCoreError, ClientError):
            return False
        return True

    def is_primary(self) -> bool:
        """Whether the global database says so, and nothing is under way."""
        (told,) = self.rds.describe_global_clusters(GlobalClusterIdentifier=self.group)["GlobalClusters"]
        writers = [one["DBClusterArn"] for one in told["GlobalClusterMembers"] if one["IsWriter"]]
        return writers == [self.arn] and told["Status"] == "available"


class Book:
    """Two accounts of one scenario, and numbered transfers between them."""

    def __init__(self) -> None:
        book = uuid.uuid4().hex
        self._names = {"book": book, "ada": f"ada-{book}", "bob": f"bob-{book}"}

    def open(self, region: Region) -> None:
        region.run("INSERT INTO accounts VALUES (:ada, :cents), (:bob, :cents)", **self._names, cents=CENTS)

    def transfer(self, region: Region, number: int) -> None:
        """One cent, noted under its number."""
        region.run(
            "INSERT INTO transfers VALUES (:book, :number)",
            "UPDATE accounts SET cents = cents + CASE name WHEN :ada THEN -1 ELSE 1 END WHERE name IN (:ada, :bob)",
            **self._names,
            number=number,
        )

    def booked(self, region: Region) -> list[int]:
        """The numbers there, after the sum has been found right."""
        rows = region.run("SELECT number FROM transfers WHERE book = :book ORDER BY number", **self._names)
        balances = dict(region.run("SELECT name, cents FROM accounts WHERE name IN (:ada, :bob)", **self._names))
        ada, bob = self._names["ada"], self._names["bob"]
        assert balances == {ada: CENTS - len(rows), bob: CENTS + len(rows)}
        return [int(row[0]) for row in rows]


@pytest.fixture
def regions(shop: Any, eventually: Callable[..., Any]) -> Iterator[tuple[Region, Region]]:
    """Home, which writes before and afterwards, and abroad."""
    home, abroad = (Region(shop, shop.outputs[name]) for name in ("region", "replica_region"))
    eventually(lambda: home.is_primary() and home.writes(), what="home writing")
    yield home, abroad
    if not home.is_primary():
        move(abroad, home, eventually)


def move(source: Region, target: Region, eventually: Callable[..., Any]) -> None:
    """A switchover, and until the other region writes."""
    source.rds.switchover_global_cluster(GlobalClusterIdentifier=source.group, TargetDbClusterIdentifier=target.arn)
    eventually(lambda: target.is_primary() and target.writes(), within_s=120, what=f"{target.name} writing")


@contextmanager
def a_customer(region: Region, book: Book, number: int) -> Iterator[list[int]]:
    """Somebody who books one after the other from a number on, until one fails; the numbers of the acknowledged."""
    gone, acknowledged = threading.Event(), list[int]()

    def visit() -> None:
        for one in itertools.count(number):
            if gone.is_set():
                return
            try:
                book.transfer(region, one)
            except (BotoCoreError, ClientError):
                return
            acknowledged.append(one)

    thread = threading.Thread(target=visit)
    thread.start()
    try:
        yield acknowledged
    finally:
        gone.set()
        thread.join()


def test_a_switchover_loses_nothing_and_a_failover_only_the_newest_transfers_each_of_them_whole(
    regions: tuple[Region, Region], shop: Any, eventually: Callable[..., Any]
) -> None:
    home, abroad = regions
    book = Book()
    book.open(home)
    for number in range(5):
        book.transfer(home, number)
    move(home, abroad, eventually)
    assert book.booked(abroad) == list(range(5))
    for number in range(5, 10):
        book.transfer(abroad, number)
    move(abroad, home, eventually)
    assert book.booked(home) == list(range(10))

    with a_customer(home, book, 10) as acknowledged:
        eventually(lambda: len(acknowledged) >= 10, what="ten transfers")
        eventually(lambda: lag_ms(shop, abroad) > 0, what="how far the other region is behind")
        home.rds.failover_global_cluster(
            GlobalClusterIdentifier=home.group, TargetDbClusterIdentifier=abroad.arn, AllowDataLoss=True
        )
        eventually(lambda: abroad.is_primary() and abroad.writes(), within_s=120, what=f"{abroad.name} writing")
    there = book.booked(abroad)
    assert len(there) >= 10  # what both regions had
    assert there == list(range(len(there)))  # what is lost is the end
    book.transfer(abroad, 1_000_000)
    move(abroad, home, eventually)
    assert book.booked(home) == [*there, 1_000_000]  # what the old primary had beyond that is given up


def lag_ms(shop: Any, region: Region) -> float:
    """How far the region is behind by its metric: as much may be lost."""
    now = datetime.now(UTC)
    found = shop.aws("cloudwatch", region=region.name).get_metric_statistics(
        Namespace="AWS/RDS",
        MetricName="AuroraGlobalDBReplicationLag",
        Dimensions=[{"Name": "DBClusterIdentifier", "Value": region.arn.rpartition(":")[2]}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    return max((float(one["Maximum"]) for one in found), default=0.0)
