"""Usage and prices → a bill. Pure: the same usage always costs the same.

The free tier is stated apart: `cost` is before it, `after_free` what is left when the account used nothing else that
month. Quantities are those of AWS's meters, see `harness/cloud/usage/`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from harness.measure.costs.prices import NOT_IN_IT, PriceList

MONTH_S = 730 * 3600.0
"""A month of AWS's own calculator: 730 hours."""


class BillLine(msgspec.Struct, frozen=True, kw_only=True):
    """One meter. Money in the list's currency, `free` in units."""

    name: str
    title: str
    unit: str
    quantity: float
    cost: float
    free: float = 0.0
    after_free: float = 0.0
    monthly: bool = False


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """What some usage costs. `total` and `after_free` leave out what is only held (`held_a_month`).

    `unpriced` are meters that the list has no price for: they are missing from the sums, and said so.
    """

    as_of: str
    currency: str = "USD"
    lines: list[BillLine] = []
    total: float = 0.0
    after_free: float = 0.0
    held_a_month: float = 0.0
    unpriced: list[str] = []
    left_out: str = NOT_IN_IT


def bill(usage: Mapping[str, float], prices: PriceList) -> Bill:
    """The bill of one month in which this was all that was used."""
    lines, shared = [], dict[str, float]()
    for name, price in prices.prices.items():
        quantity = usage.get(name, 0.0)
        if quantity <= 0.0:
            continue
        pot = price.shared_free or name
        free = min(quantity, shared.get(pot, price.free))
        shared[pot] = shared.get(pot, price.free) - free
        lines.append(
            BillLine(
                name=name,
                title=price.title,
                unit=price.unit,
                quantity=quantity,
                cost=price.of(quantity),
                free=free,
                after_free=price.of(quantity - free),
                monthly=price.monthly,
            )
        )
    return Bill(
        as_of=prices.as_of,
        currency=prices.currency,
        lines=lines,
        total=sum(line.cost for line in lines if not line.monthly),
        after_free=sum(line.after_free for line in lines if not line.monthly),
        held_a_month=sum(line.cost for line in lines if line.monthly),
        unpriced=sorted(name for name, quantity in usage.items() if quantity > 0 and name not in prices.prices),
    )


def used_between(before: Mapping[str, float], after: Mapping[str, float], prices: PriceList) -> dict[str, float]:
    """What was used from one reading of the meters to another; what is held counts as it is at the end."""
    held = {name for name, price in prices.prices.items() if price.monthly}
    return {name: value if name in held else value - before.get(name, 0.0) for name, value in after.items()}


def a_month_of(usage: Mapping[str, float], seconds: float, prices: PriceList) -> Bill:
    """The bill of a whole month at this pace, with tiers and the free tier as they then apply.

    Raises:
        ValueError: `seconds` is not more than 0.
    """
    if seconds <= 0:
        raise ValueError(f"{seconds} s is no time to go by")
    held = {name for name, price in prices.prices.items() if price.monthly}
    pace = {name: value if name in held else value * MONTH_S / seconds for name, value in usage.items()}
    return bill(pace, prices)
