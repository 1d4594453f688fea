"""The admin API: staff add, look at, reprice and remove products. API Gateway has checked key, plan and body."""

import json
from typing import Any

import catalogue
from structured_log import log
from web import answer, in_time


@in_time
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """POST /products, GET, PUT and DELETE /products/{sku}. A PUT names the version it has seen in If-Match."""
    sku = (event.get("pathParameters") or {}).get("sku", "")
    method = event["httpMethod"]
    if method == "POST":
        return _add(json.loads(event["body"]))
    if method == "GET":
        product = catalogue.find(sku)
        return answer(404, {"error": "no such product"}) if product is None else _with_version(200, product)
    if method == "DELETE":
        return answer(200, {"removed": sku}) if catalogue.remove(sku) else answer(404, {"error": "no such product"})
    return _reprice(sku, event)


def _add(product: dict[str, Any]) -> dict[str, Any]:
    try:
        made = catalogue.add({name: product[name] for name in ("sku", "name", "category", "price_cents")})
    except catalogue.ExistsError:
        return answer(409, {"error": "there is a product of this sku or name"})
    log("product added", sku=made["sku"], category=made["category"])
    return _with_version(201, made)


def _reprice(sku: str, event: dict[str, Any]) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    version = headers.get("if-match", "").strip('"')
    try:
        changed = catalogue.set_price(sku, json.loads(event["body"])["price_cents"], int(version))
    except catalogue.ChangedError:
        return answer(412, {"error": "the product was changed by somebody else; read it again"})
    return _with_version(200, changed)


def _with_version(status: int, product: dict[str, Any]) -> dict[str, Any]:
    return answer(status, product, {"ETag": f'"{product["version"]}"'})
