"""Staff and suppliers manage the catalogue: API Gateway checks key, plan and body before any function runs."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytestmark = [pytest.mark.part("admin"), pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb")]


def key_of(shop: Any, plan: str) -> str:
    """The key of a plan; only who may read API keys can see its value."""
    key_id = shop.outputs["admin_keys"][plan]
    return str(shop.aws("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"])


@pytest.fixture(scope="module")
def admin(shop: Any, http: Any) -> Any:
    """Send a request to the admin API, under the staff's key unless another is given: `admin(method, path, body)`."""
    staff = key_of(shop, "staff")

    def ask(method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str) -> Any:
        key = staff if key is None else key
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return http(method, shop.outputs["admin_url"] + path, body, {**({"x-api-key": key} if key else {}), **given})

    return ask


def new_product(**changes: Any) -> dict[str, Any]:
    sku = f"mug-{uuid.uuid4().hex[:8]}"
    return {"sku": sku, "name": f"Mug {sku}", "category": "mugs", "price_cents": 900, **changes}


def test_a_product_is_added_read_repriced_and_removed(admin: Any) -> None:
    product = new_product()
    path = f"/products/{product['sku']}"
    assert admin("POST", "/products", product).status == 201
    assert admin("GET", path).body == {**product, "version": 1}
    changed = admin("PUT", path, {"price_cents": 950}, If_Match="1")
    assert (changed.status, changed.body["price_cents"], changed.headers["etag"]) == (200, 950, '"2"')
    assert admin("DELETE", path).status == 200
    assert admin("GET", path).status == 404


def test_without_a_key_nothing_is_answered(admin: Any) -> None:
    assert admin("POST", "/products", new_product(), key="").status == 403
    assert admin("POST", "/products", new_product(), key="no-such-key-at-all-0").status == 403


def test_a_key_without_a_plan_is_no_key(admin: Any, blackstart_aws: Any) -> None:
    gateway = blackstart_aws("apigateway")
    key = gateway.create_api_key(name=f"stray-{uuid.uuid4().hex[:8]}", enabled=True)
    assert admin("GET", "/products/none", key=key["value"]).status == 403
    gateway.delete_api_key(apiKey=key["id"])


@pytest.mark.parametrize(
    ("wrong", "body"),
    [
        ("no JSON", "{"),
        ("no name", {"sku": "x", "category": "mugs", "price_cents": 1}),
        ("a price of nothing", new_product(price_cents=0)),
        ("a price in words", new_product(price_cents="much")),
        ("a sku with spaces", new_product(sku="two words")),
        ("more than asked for", new_product(discount=100)),
    ],
)
def test_a_body_that_is_no_product_is_refused_before_any_function_runs(admin: Any, wrong: str, body: Any) -> None:
    del wrong
    reply = admin("POST", "/products", body)
    assert (reply.status, reply.body) == (400, {"message": "Invalid request body"})


def test_a_change_must_say_which_version_it_changes(admin: Any) -> None:
    reply = admin("PUT", "/products/any", {"price_cents": 1})
    assert reply.status == 400
    assert "If-Match" in reply.body["message"]


def test_of_two_who_change_the_same_version_one_is_told(admin: Any) -> None:
    product = new_product()
    assert admin("POST", "/products", product).status == 201

    def reprice(cents: int) -> int:
        return int(admin("PUT", f"/products/{product['sku']}", {"price_cents": cents}, If_Match="1").status)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(reprice, (100, 200))) == [200, 412]


def test_a_name_belongs_to_one_product(admin: Any) -> None:
    product = new_product()
    assert admin("POST", "/products", product).status == 201
    assert admin("POST", "/products", new_product(name=product["name"])).status == 409
    assert admin("POST", "/products", {**product, "name": "another"}).status == 409


@pytest.mark.parametrize("path", ["/unicorns", "/products/a/b"])
def test_a_path_that_is_not_there_is_forbidden_as_api_gateway_says_it(admin: Any, path: str) -> None:
    reply = admin("GET", path)
    assert (reply.status, reply.body["message"]) == (403, "Missing Authentication Token")


def test_a_supplier_over_plan_is_told_to_wait_and_served_again(shop: Any, admin: Any, eventually: Any) -> None:
    key = key_of(shop, "supplier")  # one request a second, three at once

    def ask(_: int) -> int:
        return int(admin("GET", "/products/none", key=key).status)

    def refused() -> bool:
        with ThreadPoolExecutor(8) as pool:
            return 429 in set(pool.map(ask, range(16)))

    eventually(refused, within_s=60, what="an answer 429")
    eventually(lambda: ask(0) == 404, within_s=60, what="the supplier served again")
    assert admin("GET", "/products/none").status == 404  # the staff's plan is their own
