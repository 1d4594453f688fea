"""Aurora PostgreSQL: bank transfers, and unique inserts, through the cluster endpoint."""

from __future__ import annotations

import json
import random
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar

import psycopg
from psycopg import errors

from chaos.stores.store import Client, NotAppliedError, UnansweredError, told
from harness.errors import NotReadyError
from harness.measure.checkers.bank import Transfer, check_bank
from harness.measure.checkers.calls import Call, Value
from harness.measure.checkers.unique import check_unique
from harness.measure.finding import Finding

ACCOUNTS = {"a": 100, "b": 100, "c": 100, "d": 100}
INSTANCES = ("1", "2")
TAG = "blackstart:store"
"""Tag of the cluster with the workload's name: what an experiment of the drill can aim at."""

_USER, _DATABASE = "store", "store"
_CALL_S = 2.0
"""An answer that takes longer is not waited for, as with the other stores."""

_STARTS_S = 1200.0
"""AWS takes about ten minutes for a cluster with two instances."""

_OPENS_S = 120.0
"""How long the end may take to be readable: a failover may have just begun."""


@dataclass(slots=True)
class _Cluster:
    """A cluster of its own, with a writer and a reader. Calls share connections that are `idle` and not broken."""

    workload: ClassVar[str]
    make: Client
    name: str
    password: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)
    host: str = ""
    port: int = 0
    idle: list[psycopg.Connection[Any]] = field(default_factory=list, repr=False)

    def prepare(self) -> None:
        """Create cluster, instances and tables."""
        rds, tags = self.make("rds"), [{"Key": TAG, "Value": self.workload}]
        rds.create_db_cluster(
            DBClusterIdentifier=self.name,
            Engine="aurora-postgresql",
            MasterUsername=_USER,
            MasterUserPassword=self.password,
            DatabaseName=_DATABASE,
            Tags=tags,
        )
        for number in INSTANCES:
            rds.create_db_instance(
                DBInstanceIdentifier=f"{self.name}-{number}",
                DBClusterIdentifier=self.name,
                Engine="aurora-postgresql",
                DBInstanceClass="db.r6g.large",
                Tags=tags,
            )
        _until(lambda: self._available(rds), _STARTS_S, f"the cluster {self.name}")
        shown = rds.describe_db_clusters(DBClusterIdentifier=self.name)["DBClusters"][0]
        self.host, self.port = shown["Endpoint"], int(shown["Port"])
        self.patiently(self.lay_out)

    def lay_out(self, connection: psycopg.Connection[Any]) -> None:
        """Create the tables."""
        raise NotImplementedError

    def clear(self) -> None:
        """Delete instances and cluster."""
        while self.idle:
            self.idle.pop().close()
        rds = self.make("rds")
        for number in INSTANCES:
            rds.delete_db_instance(DBInstanceIdentifier=f"{self.name}-{number}", SkipFinalSnapshot=True)
        rds.delete_db_cluster(DBClusterIdentifier=self.name, SkipFinalSnapshot=True)

    def patiently(self, do: Callable[[psycopg.Connection[Any]], Any]) -> Any:  # what `do` returns
        """`do` on a fresh connection, again until it succeeds.

        Raises:
            NotReadyError: the cluster endpoint does not serve.
        """
        until_s = time.monotonic() + _OPENS_S
        while True:
            try:
                with self._connect(timeout_s=10) as connection:
                    return do(connection)
            except psycopg.Error as error:
                if time.monotonic() > until_s:
                    raise NotReadyError(f"{self.name} does not serve: {error}", where=self.host) from error
            time.sleep(0.2)

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection for one call, in which nothing takes effect but by a commit or autocommit.

        Raises:
            NotAppliedError: there is no connection, or the server says that it did nothing.
            UnansweredError: it broke, or took too long.
        """
        connection = self._opened()
        guard = threading.Timer(_CALL_S, _hang_up, (connection,))
        guard.start()
        try:
            yield connection
        except (errors.IntegrityError, errors.TransactionRollback) as error:
            raise NotAppliedError(str(error)) from error
        except errors.ReadOnlySqlTransaction as error:
            connection.close()  # it leads to a writer of before
            raise NotAppliedError(str(error)) from error
        except psycopg.Error as error:
            connection.close()
            raise UnansweredError(str(error)) from error
        finally:
            guard.cancel()
            if not connection.closed:
                self.idle.append(connection)

    def _opened(self) -> psycopg.Connection[Any]:
        while self.idle:
            known = self.idle.pop()
            if not known.broken:
                return known
            known.close()
        try:
            return self._connect(timeout_s=2)
        except psycopg.Error as error:
            raise NotAppliedError(str(error)) from error

    def _connect(self, *, timeout_s: int) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=_USER,
            password=self.password,
            dbname=_DATABASE,
            connect_timeout=timeout_s,
            autocommit=True,
        )

    def _available(self, rds: Any) -> bool:
        found = rds.describe_db_clusters(DBClusterIdentifier=self.name)["DBClusters"][0]
        instances = [
            rds.describe_db_instances(DBInstanceIdentifier=f"{self.name}-{number}")["DBInstances"][0]
            for number in INSTANCES
        ]
        return {found["Status"], *(one["DBInstanceStatus"] for one in instances)} == {"available"}


class Bank(_Cluster):
    """Transfers between accounts, and reads of all of them, each in one transaction."""

    workload: ClassVar[str] = "aurora-bank"

    def lay_out(self, connection: psycopg.Connection[Any]) -> None:
        """One row for each account."""
        connection.execute("CREATE TABLE IF NOT EXISTS accounts (id text PRIMARY KEY, balance int NOT NULL)")
        for account, balance in ACCOUNTS.items():
            connection.execute("INSERT INTO accounts VALUES (%s, %s) ON CONFLICT DO NOTHING", (account, balance))

    def step(self, chance: random.Random, number: int) -> Call:
        """Three calls of four move something; the rest read every account."""
        if number % 4 == 3:
            return told("*", "read", None, self._balances)
        source, target = chance.sample(sorted(ACCOUNTS), 2)
        amount = chance.randint(1, 10)
        return told(f"{source}>{target}", "write", amount, lambda: self._transfer(source, target, amount))

    def check(self, calls: Sequence[Call]) -> list[Finding]:
        """The sum never changed, no account was overdrawn, and each holds what its transfers left."""
        final = self.patiently(_all_balances)
        transfers = [
            Transfer(
                source=call.key[0],
                target=call.key[-1],
                amount=int(call.value or 0),
                ended_s=call.ended_s,
                outcome=call.outcome,
            )
            for call in calls
            if call.action == "write"
        ]
        reads = [(c.ended_s, json.loads(str(c.value))) for c in calls if c.action == "read" and c.outcome == "ok"]
        end_s = max((call.ended_s for call in calls), default=0.0)
        return check_bank(transfers, [*sorted(reads, key=lambda r: r[0]), (end_s, final)], initial=ACCOUNTS)

    def _balances(self) -> Value:
        with self.session() as connection:
            return json.dumps(_all_balances(connection))

    def _transfer(self, source: str, target: str, amount: int) -> None:
        """In one transaction, with both accounts locked in the order of their names.

        Raises:
            NotAppliedError: there is too little, or it was rolled back.
        """
        with self.session() as connection:
            try:
                with connection.transaction():
                    query = "SELECT id, balance FROM accounts WHERE id IN (%s, %s) ORDER BY id FOR UPDATE"
                    held = dict(connection.execute(query, (source, target)).fetchall())
                    if held[source] < amount:
                        raise NotAppliedError(f"{source} has {held[source]}")
                    for account, delta in ((source, -amount), (target, amount)):
                        connection.execute(
                            "UPDATE accounts SET balance = balance + %s WHERE id = %s", (delta, account)
                        )
            except KeyError as error:
                raise NotAppliedError(f"there is no account {error}") from error


class UniqueRows(_Cluster):
    """Several insert each key into a column that is unique."""

    workload: ClassVar[str] = "aurora-unique"

    def lay_out(self, connection: psycopg.Connection[Any]) -> None:
        """One table."""
        connection.execute("CREATE TABLE IF NOT EXISTS claims (key text PRIMARY KEY, owner text NOT NULL)")

    def step(self, chance: random.Random, number: int) -> Call:
        """Insert a key that about four others insert too."""
        del chance
        key, claimant = f"key-{number // 5}", f"claimant-{number}"
        return told(key, "write", claimant, lambda: self._insert(key, claimant))

    def check(self, calls: Sequence[Call]) -> list[Finding]:
        """One owner for each, and the one that was told so."""
        return check_unique(
            calls, dict(self.patiently(lambda c: c.execute("SELECT key, owner FROM claims").fetchall()))
        )

    def _insert(self, key: str, claimant: str) -> None:
        with self.session() as connection:
            connection.execute("INSERT INTO claims VALUES (%s, %s)", (key, claimant))


def _all_balances(connection: psycopg.Connection[Any]) -> dict[str, int]:
    return dict(connection.execute("SELECT id, balance FROM accounts ORDER BY id").fetchall())


def _until(holds: Callable[[], bool], longest_s: float, what: str) -> None:
    until_s = time.monotonic() + longest_s
    while not holds():
        if time.monotonic() > until_s:
            raise NotReadyError(f"{what} was not available in {longest_s:g} s", where="stores")
        time.sleep(0.2)


def _hang_up(connection: psycopg.Connection[Any]) -> None:
    """End a call that takes too long, from another thread: libpq sees its connection end."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=connection.pgconn.socket) as wire:
        try:
            wire.shutdown(socket.SHUT_RDWR)
        finally:
            wire.detach()
