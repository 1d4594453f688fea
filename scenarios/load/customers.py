"""Customers with an account: they sign in once, fill a cart, and most of them order what is in it."""

import random
import secrets
import time
import uuid
from typing import Any

from locust import task
from visitor import IN_STOCK, Visitor, has, operator, stack

_LEFT_BEHIND = 0.3
"""The share of carts that nobody orders; they expire (pulumi_stack/carts.py)."""
_EARLY_S = 60
"""A token is renewed so long before it expires."""


class Customer(Visitor):
    """The account is the operator's work and not measured; signing in is what the customer's browser does."""

    weight = 6 if has("customers") and has("carts") else 0

    def on_start(self) -> None:
        """An account in the user pool, in the group of those who may order."""
        super().on_start()
        self._email, self._password = f"load-{uuid.uuid4().hex[:12]}@customer.example", f"Aa1{secrets.token_hex(8)}"
        self._token, self._good_until_s = "", 0.0
        who = {"UserPoolId": stack().outputs["user_pool"], "Username": self._email}
        operator("cognito-idp").admin_create_user(**who, MessageAction="SUPPRESS")
        operator("cognito-idp").admin_set_user_password(**who, Password=self._password, Permanent=True)
        operator("cognito-idp").admin_add_user_to_group(**who, GroupName="customers")

    def on_stop(self) -> None:
        """The pool is left as it was."""
        operator("cognito-idp").admin_delete_user(UserPoolId=stack().outputs["user_pool"], Username=self._email)

    @task
    def journey(self) -> None:
        """Shelves, the cart, the order, and how it is getting on."""
        if not self._signed_in():
            return
        for _ in range(random.randint(1, 3)):
            self.browse()
            self.wait()
        chosen = random.sample(IN_STOCK, random.randint(1, 2))
        for sku in chosen:
            self._me("PUT", f"/me/cart/{sku}", 200, name="/me/cart/{sku}", json={"quantity": random.randint(1, 3)})
            self.wait()
        cart = self._me("GET", "/me/cart", 200)
        if cart is None or random.random() < _LEFT_BEHIND:
            return
        self._order(cart.json()["lines"])

    def _signed_in(self) -> bool:
        """Whether there is a token; signs in where there is none, or none that is good for another minute."""
        if time.monotonic() < self._good_until_s:
            return True
        given = {"USERNAME": self._email, "PASSWORD": self._password}
        asked = {"ClientId": stack().outputs["user_pool_client"], "AuthFlow": "USER_PASSWORD_AUTH"}
        answer = self.asks(
            "POST",
            operator("cognito-idp").meta.endpoint_url,
            200,
            name="InitiateAuth",
            json={**asked, "AuthParameters": given},
            headers={
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth",
            },
        )
        if answer is None:
            return False
        found = answer.json()["AuthenticationResult"]
        self._token, self._good_until_s = found["IdToken"], time.monotonic() + found["ExpiresIn"] - _EARLY_S
        return True

    def _me(self, method: str, path: str, *good: int, name: str = "", json: Any = None, key: str = "") -> Any:
        headers = {"Authorization": f"Bearer {self._token}", **({"Idempotency-Key": key} if key else {})}
        return self.asks(method, path, *good, name=name, json=json, headers=headers)

    def _order(self, lines: list[dict[str, Any]]) -> None:
        """Order what is in the cart, empty it, and look at the order and at the list of all."""
        placed = self._me("POST", "/me/orders", 201, json={"items": lines}, key=str(uuid.uuid4()))
        if placed is None:
            return
        self.order_id = placed.json()["order_id"]
        for line in lines:
            self._me("DELETE", f"/me/cart/{line['sku']}", 200, name="/me/cart/{sku}")
        self.wait()
        self.look()
        listed = self._me("GET", "/me/orders", 200)
        if listed is not None and self.order_id not in listed.json()["orders"]:
            raise AssertionError(f"order {self.order_id} was acknowledged, and is not in its customer's list")
