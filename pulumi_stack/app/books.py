"""The ledger's two tables, and what the RDS Data API needs to reach them.

A balance may not fall below nothing, but for the shop's own account, from which all money comes: the balances of all
accounts together are always zero.
"""

import contextlib
import os
from typing import Any, Self

import time_budget
from aws import client
from botocore.exceptions import BotoCoreError, ClientError

OWN = "shop"
_WHERE = {"resourceArn": os.environ["CLUSTER_ARN"], "secretArn": os.environ["SECRET_ARN"]}
_KINDS = {str: "stringValue", int: "longValue"}
# One statement, as the Data API wants it. The lock: two who create a table at once would fail each other.
_TABLES = f"""
DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(1);
  CREATE TABLE IF NOT EXISTS accounts (
    name text PRIMARY KEY, cents bigint NOT NULL DEFAULT 0, CHECK (cents >= 0 OR name = '{OWN}'));
  CREATE TABLE IF NOT EXISTS transfers (
    request text PRIMARY KEY,
    source text NOT NULL, target text NOT NULL, cents bigint NOT NULL, status text NOT NULL);
END $$
"""


class Transaction:
    """Statements that count together or not at all: committed at the end of a `with`, rolled back by an error."""

    def __enter__(self) -> Self:
        begun = client("rds-data").begin_transaction(**_WHERE, database=os.environ["DATABASE"])
        self._id = begun["transactionId"]
        return self

    def __exit__(self, error: object, *_: object) -> None:
        if error is None:
            client("rds-data").commit_transaction(**_WHERE, transactionId=self._id)
            return
        # What went wrong first is what to tell.
        with time_budget.reserve(), contextlib.suppress(BotoCoreError, ClientError):
            client("rds-data").rollback_transaction(**_WHERE, transactionId=self._id)

    def __call__(self, sql: str, **values: str | int) -> list[list[Any]]:
        """The rows, each a list of values."""
        parameters = [{"name": name, "value": {_KINDS[type(value)]: value}} for name, value in values.items()]
        said = client("rds-data").execute_statement(
            **_WHERE, database=os.environ["DATABASE"], transactionId=self._id, sql=sql, parameters=parameters
        )
        return [[next(iter(field.values())) for field in row] for row in said.get("records", [])]


def open_books() -> None:
    """Make the tables if they are not there."""
    with Transaction() as run:
        run(_TABLES)
