"""Which parts of the shop are deployed, and where its functions run."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from fault_injection import FaultInjection

NEEDS: dict[str, tuple[str, ...]] = {
    "customers": ("catalogue",),
    "budget": (),
    "admin": ("catalogue",),
    "cache": ("catalogue",),
    "carts": ("catalogue", "customers"),
    "catalogue": (),
    "checkout": ("catalogue", "customers"),
    "contracts": (),
    "delivery": (),
    "firewall": ("admin", "storefront"),
    "global_ledger": (),
    "ledger": (),
    "live": ("customers",),
    "notices": (),
    "partners": (),
    "payments": (),
    "quotes": (),
    "releases": ("storefront",),
    "reviews": (),
    "scaling": ("catalogue",),
    "schedules": (),
    "uploads": ("catalogue", "customers"),
    "storefront": (),
    "strangler": ("catalogue",),
}
"""Each part, and the parts it cannot be without. The orders service itself is always there."""

ONLY_BY_NAME = frozenset({"global_ledger", "releases", "reviews"})
"""What `all` leaves out: databases that take a while; blue/green, beside which nothing scales by requests."""


@dataclass(frozen=True)
class Placement:
    """Where a function runs: private subnets, one in each zone; and what lets AWS FIS break it there.

    In a standby that does not serve yet a function has its role and is not `made`. `concurrency` limits how many of
    it run at once.
    """

    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    fault_injection: FaultInjection | None = None
    made: bool = True
    concurrency: int | None = None


def chosen_parts(named: str) -> frozenset[str]:
    """The parts named in `orders:parts`, with what they need; `none` for the orders service alone.

    `all` has every part but those that are made only by name; `all,reviews` adds one, `all,-quotes` leaves one out,
    with what needs it.

    >>> sorted(chosen_parts("admin"))
    ['admin', 'catalogue']
    >>> "reviews" in chosen_parts("all"), "reviews" in chosen_parts("all,reviews")
    (False, True)
    >>> sorted(chosen_parts("cache,live,-customers"))
    ['cache', 'catalogue']
    """
    words = [] if named == "none" else [part.strip() for part in named.split(",")]
    unknown = {word.removeprefix("-") for word in words} - {*NEEDS, "all"}
    if unknown:
        raise ValueError(
            f"orders:parts: there is no part {', '.join(sorted(unknown))}; there are {', '.join(sorted(NEEDS))}"
        )
    wanted = {part for word in words for part in (NEEDS.keys() - ONLY_BY_NAME if word == "all" else {word})}
    without = {word.removeprefix("-") for word in wanted if word.startswith("-")}
    chosen = (needed_by(part) for part in wanted & NEEDS.keys())
    return frozenset[str]().union(*(parts for parts in chosen if not parts & without))


def needed_by(part: str) -> frozenset[str]:
    """The part, and all that it cannot be without."""
    return frozenset({part}).union(*map(needed_by, NEEDS[part]))
