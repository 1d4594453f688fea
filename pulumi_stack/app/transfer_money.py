"""Money from one account to another, in one transaction over the RDS Data API; once for each request id.

Who gets no answer sends the same request again, and hears what became of it. A refusal is kept as well: the same
request is refused again, whatever came in meanwhile.
"""

import functools
from typing import Any

import time_budget
from books import OWN, Transaction, open_books
from structured_log import log

_KEEP = (
    "INSERT INTO transfers VALUES (:request, :source, :target, :cents, :status) ON CONFLICT DO NOTHING RETURNING 1"
)
_KEPT = "SELECT source, target, cents, status FROM transfers WHERE request = :request"
_OPEN = "INSERT INTO accounts VALUES (:name) ON CONFLICT DO NOTHING"
# Always in the same order: two transfers that cross each other do not wait for each other.
_LOCK = "SELECT name, cents FROM accounts WHERE name IN (:source, :target) ORDER BY name FOR UPDATE"
_MOVE = (
    "UPDATE accounts SET cents = cents + CASE name WHEN :source THEN -:cents ELSE :cents END "
    "WHERE name IN (:source, :target)"
)


@time_budget.begun
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer `{"status"}`: BOOKED, REFUSED (not covered), CONFLICT (the id stands for another request), INVALID."""
    try:
        asked = {name: str(event[name]) for name in ("request", "source", "target")} | {"cents": int(event["cents"])}
    except (KeyError, TypeError, ValueError):
        return {"status": "INVALID"}
    if asked["cents"] <= 0 or asked["source"] == asked["target"] or asked["target"] == OWN or not asked["request"]:
        return {"status": "INVALID"}
    _open_once()
    status = _transfer(asked)
    log("transfer", correlation_id=asked["request"], status=status)
    return {"status": status}


@functools.cache
def _open_once() -> None:
    open_books()


def _transfer(asked: dict[str, Any]) -> str:
    """What became of the request, now or when it came first."""
    source, target, cents = asked["source"], asked["target"], asked["cents"]
    with Transaction() as run:
        for name in sorted((source, target)):
            run(_OPEN, name=name)
        balances = dict(run(_LOCK, source=source, target=target))
        covered = source == OWN or balances[source] >= cents
        status = "BOOKED" if covered else "REFUSED"
        if not run(_KEEP, **asked, status=status):
            *before, status = run(_KEPT, request=asked["request"])[0]
            return str(status) if before == [source, target, cents] else "CONFLICT"
        if covered:
            run(_MOVE, source=source, target=target, cents=cents)
    return status
