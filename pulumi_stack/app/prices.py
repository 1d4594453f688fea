"""The price service of after: the same two routes, from the catalogue's table. It grows round the old one.

It speaks as `legacy_prices.py` does; what its users see must not change while they are moved. Prices come from a
table now, which may hang: they have a bulkhead, so that delivery, which needs no table, is told all the same.
"""

from collections.abc import Mapping
from typing import ClassVar

from aws import client
from botocore.exceptions import BotoCoreError, ClientError
from catalogue import TABLE
from compartment import Compartment
from items import plain
from json_server import listening
from legacy_prices import DAYS, Prices


class FromTable(Prices):
    """Prices as staff set them now; delivery as it always was."""

    served_by = "modern"
    compartments: ClassVar[Mapping[str, Compartment]] = {"prices": Compartment(8)}

    def show(self, page: str, about: str) -> None:
        """As before; 503 while the table cannot be reached."""
        try:
            super().show(page, about)
        except (BotoCoreError, ClientError) as error:
            self.tell(503, {"error": type(error).__name__})

    def price(self, sku: str) -> int | None:
        """Cents; None when nobody knows it."""
        key = {"pk": {"S": f"PRODUCT#{sku}"}, "sk": {"S": "PRODUCT"}}
        found = client("dynamodb").get_item(TableName=TABLE, Key=key).get("Item")
        return None if found is None else int(plain(found)["price_cents"])

    def days(self, sku: str) -> int | None:
        """Days of delivery."""
        return DAYS.get(sku)


if __name__ == "__main__":
    client("dynamodb")  # before the first request: making a client takes a while
    listening(FromTable).serve_until_told()
