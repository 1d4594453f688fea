"""The customer's routes take a token of the shop's own pool, and show each customer the own orders only."""

import base64
import json
import uuid
from typing import Any

import pytest

pytestmark = [pytest.mark.part("customers"), pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb")]

ORDER = {"items": [{"sku": "tea", "quantity": 1}]}


def with_claims(token: str, **claims: Any) -> str:
    """The token with other claims, and so with a signature that does not fit."""
    head, body, signature = token.split(".")
    told = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    forged = base64.urlsafe_b64encode(json.dumps({**told, **claims}).encode()).decode().rstrip("=")
    return f"{head}.{forged}.{signature}"


def test_without_a_token_there_is_no_answer(shop: Any, http: Any) -> None:
    assert http("POST", f"{shop.url}/me/orders", ORDER).status == 401
    assert http("GET", f"{shop.url}/me/orders").status == 401


def test_a_forged_token_is_none(shop: Any, http: Any, customer: Any) -> None:
    forged = with_claims(customer.id_token, sub="somebody-else")
    assert http("GET", f"{shop.url}/me/orders", None, {"Authorization": f"Bearer {forged}"}).status == 401
    assert http("GET", f"{shop.url}/me/orders", None, {"Authorization": "Bearer no-token"}).status == 401


def test_a_token_of_another_client_is_none(shop: Any, http: Any, accounts: Any) -> None:
    """Signed by the right pool, for somebody else's application: the audience does not fit."""
    idp = shop.aws("cognito-idp")
    other = idp.create_user_pool_client(
        UserPoolId=accounts.pool,
        ClientName=f"other-{uuid.uuid4().hex[:8]}",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"],
    )["UserPoolClient"]["ClientId"]
    elsewhere = type(accounts)(accounts.pool, other, idp).new_customer()
    assert http("GET", f"{shop.url}/me/orders", None, elsewhere.headers).status == 401
    idp.delete_user_pool_client(UserPoolId=accounts.pool, ClientId=other)


def test_who_is_no_customer_may_not_order(shop: Any, http: Any, accounts: Any) -> None:
    """Staff have accounts, and a token that is good; what they lack is the group."""
    email, password = f"{uuid.uuid4().hex[:12]}@staff.example", f"Aa1{uuid.uuid4().hex}"
    idp = shop.aws("cognito-idp")
    idp.admin_create_user(UserPoolId=accounts.pool, Username=email, MessageAction="SUPPRESS")
    idp.admin_set_user_password(UserPoolId=accounts.pool, Username=email, Password=password, Permanent=True)
    idp.admin_add_user_to_group(UserPoolId=accounts.pool, Username=email, GroupName="staff")
    headers = {"Authorization": f"Bearer {accounts.sign_in(email, password)['IdToken']}", "Idempotency-Key": email}
    assert http("POST", f"{shop.url}/me/orders", ORDER, headers).status == 403


@pytest.mark.blackstart_requires("cognito-triggers")
def test_customers_see_their_own_orders_only(shop: Any, http: Any, accounts: Any) -> None:
    ada, bob = accounts.new_customer(), accounts.new_customer()
    hers = http("POST", f"{shop.url}/me/orders", ORDER, ada.headers).body["order_id"]
    assert http("GET", f"{shop.url}/me/orders", None, ada.headers).body == {"orders": [hers]}
    assert http("GET", f"{shop.url}/me/orders", None, bob.headers).body == {"orders": []}


@pytest.mark.blackstart_requires("cognito-triggers")
def test_nobody_orders_in_anothers_name(shop: Any, http: Any, customer: Any) -> None:
    placed = http("POST", f"{shop.url}/me/orders", {**ORDER, "customer": "somebody else"}, customer.headers)
    assert placed.status == 201
    assert shop.order(placed.body["order_id"]).body["customer"] == customer.sub


@pytest.mark.blackstart_requires("cognito-triggers")
def test_an_order_sent_again_is_listed_once(shop: Any, http: Any, accounts: Any) -> None:
    ada = accounts.new_customer()
    headers = ada.headers
    first = http("POST", f"{shop.url}/me/orders", ORDER, headers)
    again = http("POST", f"{shop.url}/me/orders", ORDER, headers)
    assert (first.status, again.status) == (201, 200)
    assert http("GET", f"{shop.url}/me/orders", None, headers).body == {"orders": [first.body["order_id"]]}
