"""Staff, a few at a time: they add, reprice and remove products over the REST API, under their plan's key."""

import functools
import uuid
from typing import Any

from locust import between, task
from visitor import Visitor, has, operator, stack


@functools.cache
def _key() -> str:
    """The key of the staff's plan; only who may read API keys can see its value."""
    key_id = stack().outputs["admin_keys"]["staff"]
    return str(operator("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"])


class Clerk(Visitor):
    """Somebody who types: slower than those who click."""

    weight = 1 if has("admin") else 0
    wait_time = between(0.5, 1.5)

    def on_start(self) -> None:
        """Nothing is on the shelf yet."""
        super().on_start()
        self._sku = ""

    def on_stop(self) -> None:
        """Who is called away in the middle leaves nothing on the shelf."""
        if self._sku:
            self._asks("DELETE", self._sku, 200, 404)

    @task
    def journey(self) -> None:
        """A product from its first day on the shelf to its last."""
        sku = self._sku = f"load-{uuid.uuid4().hex[:12]}"
        product = {"sku": sku, "name": sku, "category": f"load-{id(self)}", "price_cents": 500}
        added = self._asks("POST", "", 201, json=product)
        if added is None:
            return
        self.wait()
        self._asks("PUT", sku, 200, json={"price_cents": 450}, headers={"If-Match": added.headers["ETag"]})
        self.wait()
        shown = self._asks("GET", sku, 200)
        if shown is not None and shown.json()["price_cents"] != 450:
            raise AssertionError(f"{sku} was repriced, and costs what it did before: {shown.text}")
        self._asks("DELETE", sku, 200)
        self._sku = ""

    def _asks(self, method: str, sku: str, *good: int, headers: dict[str, str] | None = None, **request: Any) -> Any:
        url = f"{stack().outputs['admin_url']}/products" + (f"/{sku}" if sku else "")
        name = "/products/{sku}" if sku else "/products"
        return self.asks(method, url, *good, name=name, headers={"x-api-key": _key(), **(headers or {})}, **request)
