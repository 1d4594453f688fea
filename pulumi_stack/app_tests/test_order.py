"""What an order is."""

import json
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "app"))

from order import InvalidOrderError, read_order


def body(**changes: Any) -> str:
    """An order as a customer sends it."""
    return json.dumps({"customer": "ada", "items": [{"sku": "tea", "quantity": 2}], **changes})


class TestOrder(unittest.TestCase):
    """An order is read from a request, or refused in words."""

    def test_the_same_key_of_the_same_customer_is_the_same_order(self) -> None:
        """However often it is sent."""
        first, again, other = (read_order(body(), key) for key in ("k", "k", "l"))
        self.assertEqual(first.order_id, again.order_id)
        self.assertNotEqual(first.order_id, other.order_id)
        self.assertNotEqual(first.order_id, read_order(body(customer="bob"), "k").order_id)

    def test_what_is_no_order_is_refused_in_words(self) -> None:
        """The words are for the customer."""
        for words, text in (
            ("not JSON", "tea"),
            ("customer", body(customer=" ")),
            ("at least one", body(items=[])),
            ("once", body(items=[{"sku": "tea", "quantity": 1}, {"sku": "tea", "quantity": 1}])),
            ("whole number", body(items=[{"sku": "tea", "quantity": True}])),
        ):
            with self.assertRaisesRegex(InvalidOrderError, words):
                read_order(text, "k")


if __name__ == "__main__":
    unittest.main()
