"""AWS's public on-demand prices, from `price_list.json`: each with unit, tiers, free tier and the page it is from.

The list is data and is never fetched. What is charged by the hour (databases, caches, tasks, load balancers, NAT
gateways, provisioned tables) and data transfer are not in it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import msgspec

NOT_IN_IT = (
    "what is charged by the hour (databases, caches, tasks, load balancers, NAT gateways, provisioned throughput), "
    "data transfer, empty polls of event sources, the duration of Express workflows"
)


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The price of one unit. `tiers` are (up to so many a month, dollars each), the last without an end.

    `free` units a month cost nothing in every account, for ever; prices with the same `shared_free` share them.
    `monthly` is what is held and not used up: a quantity costs this when it is kept for a month.
    """

    title: str
    unit: str
    tiers: list[tuple[float | None, float]]
    source: str
    free: float = 0.0
    shared_free: str = ""
    monthly: bool = False

    def of(self, quantity: float) -> float:
        """Dollars for so many units in one month, without the free tier.

        >>> Price(title="", unit="", source="", tiers=[(10, 2.0), (None, 1.0)]).of(12)
        22.0
        """
        cost, below = 0.0, 0.0
        for end, each in self.tiers:
            upper = quantity if end is None else min(quantity, end)
            cost += max(0.0, upper - below) * each
            below = max(below, upper)
        return cost


class PriceList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All prices, by the names that usage is counted under; `as_of` is the month they were read in."""

    as_of: str
    currency: str
    regions: list[str]
    prices: Mapping[str, Price]


@functools.cache
def price_list() -> PriceList:
    """The list that is shipped."""
    return msgspec.json.decode(Path(__file__).with_name("price_list.json").read_bytes(), type=PriceList)
