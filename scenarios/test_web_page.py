"""A web page of the shop may call the API, another page may not: CORS, as browsers ask for it."""

from typing import Any

import pytest

pytestmark = [pytest.mark.part("customers"), pytest.mark.blackstart_covers("execute-api", "lambda")]

OURS, THEIRS = "https://shop.example", "https://evil.example"


def preflight(origin: str, method: str = "POST") -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }


def test_a_preflight_from_the_shops_page_needs_no_token(shop: Any, http: Any) -> None:
    reply = http("OPTIONS", f"{shop.url}/me/orders", None, preflight(OURS))
    assert reply.status in {200, 204}
    assert reply.headers["access-control-allow-origin"] == OURS
    assert "POST" in reply.headers["access-control-allow-methods"]
    assert "authorization" in reply.headers["access-control-allow-headers"].lower()
    assert reply.headers["access-control-max-age"] == "600"


def test_another_page_is_not_allowed(shop: Any, http: Any) -> None:
    reply = http("OPTIONS", f"{shop.url}/me/orders", None, preflight(THEIRS))
    assert "access-control-allow-origin" not in reply.headers


def test_the_answer_itself_names_the_page(shop: Any, http: Any) -> None:
    reply = http("GET", f"{shop.url}/orders/none", None, {"Origin": OURS})
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (404, OURS)
    assert (
        "access-control-allow-origin" not in http("GET", f"{shop.url}/orders/none", None, {"Origin": THEIRS}).headers
    )
