"""POST /reviews and GET /reviews/{sku}: stars that customers give, in Aurora over the RDS Data API.

A review is kept once for each idempotency key, so that who got no answer can send it again.
"""

import json
import os
from typing import Any

from aws import client
from botocore.exceptions import BotoCoreError, ClientError
from structured_log import log
from web import answer, in_time

WHERE = {
    "resourceArn": os.environ["CLUSTER_ARN"],
    "secretArn": os.environ["SECRET_ARN"],
    "database": os.environ["DATABASE"],
}
TABLE = "CREATE TABLE IF NOT EXISTS reviews (key text PRIMARY KEY, sku text NOT NULL, stars int NOT NULL)"
WRITE = "INSERT INTO reviews VALUES (:key, :sku, :stars) ON CONFLICT DO NOTHING"
READ = "SELECT count(*), coalesce(avg(stars), 0)::float8 FROM reviews WHERE sku = :sku"
_made = []


@in_time
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer 201 with the review, 200 with how many there are, 400 no review, 503 while the database is out."""
    try:
        if event["requestContext"]["http"]["method"] == "POST":
            return _write(event)
        count, stars = _ask(READ, sku=event["pathParameters"]["sku"])[0]
        return answer(200, {"reviews": count["longValue"], "stars": stars["doubleValue"]})
    except (BotoCoreError, ClientError) as error:
        log("the database did not answer", error=f"{type(error).__name__}: {error}")
        return answer(503, {"error": "reviews are out; try again soon"})


def _write(event: dict[str, Any]) -> dict[str, Any]:
    key = {name.lower(): value for name, value in event["headers"].items()}.get("idempotency-key", "")
    try:
        body = json.loads(event.get("body") or "")
        sku, stars = str(body["sku"]), int(body["stars"])
    except (ValueError, KeyError, TypeError):
        return answer(400, {"error": "a review has a sku and 1 to 5 stars"})
    if not key or not 1 <= stars <= 5:
        return answer(400, {"error": "a review has an Idempotency-Key, a sku and 1 to 5 stars"})
    if not _made:
        _ask(TABLE)
        _made.append(True)
    _ask(WRITE, key=key, sku=sku, stars=stars)
    return answer(201, {"sku": sku, "stars": stars})


def _ask(sql: str, **values: str | int) -> list[Any]:
    kinds = {str: "stringValue", int: "longValue"}
    parameters = [{"name": name, "value": {kinds[type(value)]: value}} for name, value in values.items()]
    return client("rds-data").execute_statement(**WHERE, sql=sql, parameters=parameters).get("records", [])
