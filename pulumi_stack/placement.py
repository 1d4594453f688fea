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
    "ledger": (),
    "live": ("customers",),
    "notices": (),
    "partners": (),
    "payments": (),
    "quotes": (),
    "releases": ("storefront",),
    "reviews": (),
    "schedules": (),
    "uploads": ("catalogue", "customers"),
    "storefront": (),
    "strangler": ("catalogue",),
}
"""Each part, and the parts it cannot be without. The orders service itself is always there."""

ONLY_BY_NAME = frozenset({"releases", "reviews"})
"""What `all` leaves out: a database that takes a while, and releases that only a drill makes."""


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

    `all` has every part but those that are made only by name; `all,reviews` adds one.

    >>> sorted(chosen_parts("admin"))
    ['admin', 'catalogue']
    >>> "reviews" in chosen_parts("all"), "reviews" in chosen_parts("all,reviews")
    (False, True)
    """
    chosen: set[str] = set()
    open_parts = [] if named == "none" else [part.strip() for part in named.split(",")]
    if "all" in open_parts:
        open_parts = [part for part in open_parts if part != "all"] + sorted(NEEDS.keys() - ONLY_BY_NAME)
    while open_parts:
        part = open_parts.pop()
        if part not in NEEDS:
            raise ValueError(f"orders:parts: there is no part {part!r}; there are {', '.join(sorted(NEEDS))}")
        if part not in chosen:
            chosen.add(part)
            open_parts.extend(NEEDS[part])
    return frozenset(chosen)
