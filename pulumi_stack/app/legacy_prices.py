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

    def show(self, page: str, about: str) -> None:
        """A price, or the days of delivery, of a sku."""
        found = {"prices": self.price, "delivery": self.days}.get(page)
        value = found(about) if found else None
        if value is None:
            self.tell(404, {"error": "not known here"})
        else:
            self.tell(200, {"sku": about, "cents" if page == "prices" else "days": value})

    def tell(self, status: int, body: dict[str, Any]) -> None:
        """Answer, and say who did."""
        self.answer(status, body, X_Served_By=self.served_by)


if __name__ == "__main__":
    listening(Prices).serve_until_told()
