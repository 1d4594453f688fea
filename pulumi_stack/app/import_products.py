"""A file arrives in the bucket → its rows become products, and a report says what became of each row.

S3 tells at least once and in any order: a product that is there already counts as imported before.
"""

import csv
import io
import json
import urllib.parse
from typing import Any

import catalogue
import time_budget
from aws import client
from structured_log import log


@time_budget.begun
def handler(event: dict[str, Any], _context: Any) -> None:
    """Import every file that the event names."""
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        text = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode("utf-8-sig")
        report = {"file": key, "rows": [_import(row) for row in csv.DictReader(io.StringIO(text))]}
        client("s3").put_object(
            Bucket=bucket,
            Key=key.replace("incoming/", "reports/").replace(".csv", ".json"),
            Body=json.dumps(report).encode(),
            ContentType="application/json",
        )
        log("file imported", file=key, rows=len(report["rows"]))


def _import(row: dict[str, str]) -> dict[str, str]:
    sku = (row.get("sku") or "").strip()
    price = (row.get("price_cents") or "").strip()
    if not sku or not price.isdecimal() or int(price) < 1:
        return {"sku": sku, "outcome": "refused"}
    product = {"sku": sku, "name": row["name"], "category": row["category"], "price_cents": int(price)}
    try:
        catalogue.add(product)
    except catalogue.ExistsError:
        return {"sku": sku, "outcome": "there before"}
    return {"sku": sku, "outcome": "added"}
