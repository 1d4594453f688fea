"""The price service of before: prices in the program, one server, nothing of AWS. It is to be strangled.

GET /prices/{sku} → {"sku", "cents"} or 404; GET /delivery/{sku} → {"sku", "days"} or 404; GET /health → 200.
Every answer says in `x-served-by` who gave it. It listens on $PORT.
"""

from typing import Any

from json_server import JsonHandler, listening

PRICES = {"tea": 350, "coffee": 450, "cup": 900}
DAYS = {"tea": 2, "coffee": 2, "cup": 5}


class Prices(JsonHandler):
    """One connection from the load balancer."""

    served_by = "legacy"

    def price(self, sku: str) -> int | None:
        """Cents; None when nobody knows it."""
        return PRICES.get(sku)

    def days(self, sku: str) -> int | None:
        """Days of delivery."""
        return DAYS.get(sku)

    def do_GET(self) -> None:  # noqa: N802 - http.server calls it so
        """Route by path."""
        page, _, sku = self.path.partition("?")[0].strip("/").partition("/")
        found = {"prices": self.price, "delivery": self.days}.get(page)
        value = found(sku) if found else None
        body: dict[str, Any] = {"sku": sku, "cents" if page == "prices" else "days": value}
        if page == "health":
            self._answer(200, {"ok": True})
        else:
            self._answer(404 if value is None else 200, body if value is not None else {"error": "not known here"})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self.answer(status, body, X_Served_By=self.served_by)


if __name__ == "__main__":
    listening(Prices).serve_until_told()
