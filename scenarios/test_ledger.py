"""The general ledger: money moves once or not at all, and none is made or lost, whatever happens to the writer."""

import json
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

pytestmark = [
    pytest.mark.part("ledger"),
    pytest.mark.blackstart_requires("aurora"),
    pytest.mark.blackstart_covers("lambda", "rds-data", "secretsmanager"),
]


@dataclass(frozen=True)
class Ledger:
    """The ledger as other services of the shop use it: by invoking its functions.

    Who gets no answer does not know what became of the request, and sends the same once more. All scenarios do so:
    one of them, perhaps at this moment, takes the writer away.
    """

    outputs: dict[str, str]
    lambdas: Any
    rds: Any
    eventually: Callable[..., Any]

    def ask(self, function: str, **event: Any) -> dict[str, Any]:
        def answer() -> dict[str, Any] | None:
            told = self.lambdas.invoke(FunctionName=self.outputs[function], Payload=json.dumps(event))
            said: dict[str, Any] = json.load(told["Payload"])
            return None if told.get("FunctionError") else said

        answered: dict[str, Any] = self.eventually(answer, what=f"an answer of {function}")
        return answered

    def transfer(self, source: str, target: str, cents: int, request: str = "") -> str:
        """What became of the request."""
        request = request or uuid.uuid4().hex
        return str(self.ask("transfer", request=request, source=source, target=target, cents=cents)["status"])

    def roles(self) -> dict[str, bool]:
        """Instance → whether it is the writer."""
        (found,) = self.rds.describe_db_clusters(DBClusterIdentifier=self.outputs["cluster"])["DBClusters"]
        return {one["DBInstanceIdentifier"]: one["IsClusterWriter"] for one in found["DBClusterMembers"]}

    def writer(self) -> str:
        return next((name for name, writes in self.roles().items() if writes), "")


@pytest.fixture
def ledger(shop: Any, eventually: Callable[..., Any]) -> Ledger:
    return Ledger(shop.outputs["ledger"], shop.aws("lambda"), shop.aws("rds"), eventually)


@pytest.fixture
def accounts(ledger: Ledger) -> list[str]:
    """Four accounts of this scenario alone, with 1000 cents each."""
    names = [f"{owner}-{uuid.uuid4().hex[:12]}" for owner in ("ada", "bob", "cyd", "dan")]
    assert [ledger.transfer("shop", name, 1000) for name in names] == ["BOOKED"] * 4
    return names


def round_robin(accounts: list[str], times: int) -> list[tuple[str, str, int, str]]:
    """Transfers that cross each other, each with an id of its own."""
    pairs = [(accounts[n % 4], accounts[(n + 1 + n // 4 % 3) % 4]) for n in range(times)]
    return [(source, target, 1 + n, uuid.uuid4().hex) for n, (source, target) in enumerate(pairs)]


def expected(accounts: list[str], moved: list[tuple[str, str, int, str]]) -> dict[str, int]:
    """What the accounts hold once each transfer was booked once."""
    cents = Counter(dict.fromkeys(accounts, 1000))
    for source, target, amount, _ in moved:
        cents[source] -= amount
        cents[target] += amount
    return dict(cents)


def test_transfers_keep_the_sum_and_the_report_adds_up(ledger: Ledger, accounts: list[str]) -> None:
    moved = round_robin(accounts, 16)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda one: ledger.transfer(*one), moved)) == {"BOOKED"}
    told = ledger.ask("report", accounts=accounts)
    assert told["balances"] == expected(accounts, moved)
    assert told["by_transfers"] == told["balances"]
    assert sum(told["balances"].values()) == 4000
    assert (told["requests"], told["whole_cents"]) == (20, 0)


def test_the_same_request_moves_money_once(ledger: Ledger, accounts: list[str]) -> None:
    """Also when it comes several times at once; its id is good for nothing else."""
    ada, bob, *_ = accounts
    request = uuid.uuid4().hex
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ledger.transfer(ada, bob, 300, request), range(4)))
    assert answers == ["BOOKED"] * 4
    assert ledger.transfer(ada, bob, 301, request) == "CONFLICT"
    told = ledger.ask("report", accounts=accounts[:2])
    assert told["balances"] == {ada: 700, bob: 1300}


def test_an_overdraft_is_refused_and_stays_refused(ledger: Ledger, accounts: list[str]) -> None:
    ada, bob, *_ = accounts
    request = uuid.uuid4().hex
    assert ledger.transfer(ada, bob, 1001, request) == "REFUSED"
    assert ledger.transfer(bob, ada, 1) == "BOOKED"
    assert ledger.transfer(ada, bob, 1001, request) == "REFUSED"  # as it was told, though it is covered now
    assert ledger.transfer(ada, bob, 1001) == "BOOKED"
    for wrong in (0, -5):
        assert ledger.transfer(ada, bob, wrong) == "INVALID"
    told = ledger.ask("report", accounts=[ada, bob])
    assert told["balances"] == {ada: 0, bob: 2000}


def test_transfers_keep_the_sum_while_the_writer_fails_over(
    ledger: Ledger, accounts: list[str], eventually: Callable[..., Any]
) -> None:
    """In the end each transfer was booked once, by the old writer or by the new one."""
    moved = round_robin(accounts, 24)
    before = eventually(ledger.writer, what="a writer")

    def book(one: tuple[str, str, int, str]) -> str:
        return ledger.transfer(*one)

    with ThreadPoolExecutor(4) as pool:
        first = list(pool.map(book, moved[:8]))
        ledger.rds.failover_db_cluster(DBClusterIdentifier=ledger.outputs["cluster"])
        during = list(pool.map(book, moved[8:16]))
        eventually(lambda: ledger.writer() not in ("", before), what="another writer")
        after = list(pool.map(book, moved[16:]))
    assert {*first, *during, *after} == {"BOOKED"}
    told = ledger.ask("report", accounts=accounts)
    assert told["balances"] == told["by_transfers"] == expected(accounts, moved)
    assert (told["requests"], told["whole_cents"]) == (28, 0)
