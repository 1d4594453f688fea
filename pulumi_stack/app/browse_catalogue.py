"""GET /catalogue/{category}: from the cache while fresh, else from the table; stale when that is out.

Circuit breakers (pybreaker) stop asking a table or a cache that does not answer, and ask once again after a while.
Stale is better than nothing: a price list of an hour ago still sells.
"""

import functools
import json
import os
import time
from typing import Any

import catalogue
import pybreaker
import time_budget
import valkey
from botocore.exceptions import BotoCoreError, ClientError
from structured_log import log
from web import answer, in_time

FRESH_S = float(os.environ.get("FRESH_S", "1"))
KEPT_S = 3600
CACHE_S = 1.0
"""A cache is never waited for longer: it is there to be quick."""

BREAKER = pybreaker.CircuitBreaker(fail_max=2, reset_timeout=float(os.environ.get("RESET_S", "2")))
TRIES = 2
"""Fewer than elsewhere: there is something to fall back on, and the breaker counts what several tries came to."""
CACHE_BREAKER = pybreaker.CircuitBreaker(fail_max=1, reset_timeout=1)
"""A cache that does not answer is not waited for again at once: waiting functions pile up."""


@functools.cache
def cache() -> valkey.Valkey:
    """The cache."""
    host, port = os.environ["CACHE_ENDPOINT"].rsplit(":", 1)
    return valkey.Valkey(host=host, port=int(port), socket_timeout=CACHE_S, socket_connect_timeout=CACHE_S)


@in_time
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """200 with the products, `X-Served-From: cache|store|stale`, `X-Breaker` too; 503 with nothing."""
    category = event["pathParameters"]["category"]
    kept = _kept(category)
    if kept is not None and time.time() - kept["at"] < FRESH_S:
        return _shown(kept["products"], "cache")
    try:
        products = BREAKER.call(catalogue.in_category, category, tries=TRIES)
    except (pybreaker.CircuitBreakerError, BotoCoreError, ClientError) as error:
        log("catalogue not read", category=category, error=f"{type(error).__name__}: {error}")
        if kept is None:
            return answer(503, {"error": "the catalogue is out; try again soon"}, _told("nowhere"))
        return _shown(kept["products"], "stale")
    _keep(category, products)
    return _shown(products, "store")


def _kept(category: str) -> dict[str, Any] | None:
    try:
        time_budget.require(CACHE_S)
        found = CACHE_BREAKER.call(cache().get, f"category/{category}")
    except (time_budget.OutOfTimeError, pybreaker.CircuitBreakerError, valkey.ValkeyError) as error:
        log("cache not read", error=str(error))  # without the cache the table answers alone
        return None
    return None if found is None else json.loads(found)


def _keep(category: str, products: list[dict[str, Any]]) -> None:
    try:
        time_budget.require(CACHE_S)
        content = json.dumps({"at": time.time(), "products": products})
        CACHE_BREAKER.call(cache().set, f"category/{category}", content, ex=KEPT_S)
    except (time_budget.OutOfTimeError, pybreaker.CircuitBreakerError, valkey.ValkeyError) as error:
        log("cache not written", error=str(error))


def _shown(products: list[dict[str, Any]], source: str) -> dict[str, Any]:
    return answer(200, {"products": products}, _told(source))


def _told(source: str) -> dict[str, str]:
    return {"X-Served-From": source, "X-Breaker": BREAKER.current_state}
