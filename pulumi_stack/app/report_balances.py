"""What accounts hold and what was moved, read by the driver (psycopg) through the cluster's endpoint.

The connection is kept between invocations. When its server is lost, a new one is made the next time.
"""

import functools
import json
import os
from typing import Any

import psycopg
import time_budget
from aws import client
from psycopg.rows import dict_row

_LONGEST_S = 5

# All in one statement, so in one snapshot. Balances are worked out from the transfers too, and must agree.
_REPORT = """
WITH chosen AS (SELECT name, cents FROM accounts WHERE name = ANY(%(accounts)s)),
     booked AS (SELECT * FROM transfers WHERE status = 'BOOKED')
SELECT (SELECT coalesce(json_object_agg(name, cents), '{}') FROM chosen) AS balances,
       (SELECT coalesce(json_object_agg(name, moved), '{}') FROM (
          SELECT name, (SELECT coalesce(sum(CASE WHEN target = name THEN booked.cents ELSE -booked.cents END), 0)
                        FROM booked WHERE name IN (source, target)) AS moved FROM chosen) AS derived) AS by_transfers,
       (SELECT count(*) FROM transfers WHERE source = ANY(%(accounts)s) OR target = ANY(%(accounts)s)) AS requests,
       (SELECT coalesce(sum(cents), 0)::bigint FROM accounts) AS whole_cents
"""


@time_budget.begun
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer balances of the accounts asked for, the same worked out from transfers, and the sum of all accounts."""
    connection = _connection()
    try:
        connection.execute("SELECT set_config('statement_timeout', %s, false)", [f"{_seconds() * 1000}"])
        found = connection.execute(_REPORT, {"accounts": list(event["accounts"])}).fetchone()
    except psycopg.OperationalError:
        _connection.cache_clear()
        raise
    return dict(found or {})


def _seconds() -> int:
    """How long to wait for the database: whole seconds, of which libpq takes no fewer than two."""
    time_budget.require(2)
    return int(min(_LONGEST_S, time_budget.left_s()))


@functools.cache
def _connection() -> psycopg.Connection[dict[str, Any]]:
    secret = json.loads(client("secretsmanager").get_secret_value(SecretId=os.environ["SECRET_ARN"])["SecretString"])
    return psycopg.connect(
        host=os.environ["ENDPOINT"],
        port=int(os.environ["PORT"]),
        dbname=os.environ["DATABASE"],
        user=secret["username"],
        password=secret["password"],
        sslmode="require",
        connect_timeout=_seconds(),
        autocommit=True,
        row_factory=dict_row,
    )
