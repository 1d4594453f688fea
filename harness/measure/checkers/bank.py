"""A bank: transfers move money between accounts, so the sum of all balances never changes.

Source: Jepsen's bank workload, https://jepsen-io.github.io/jepsen/jepsen.tests.bank.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.measure.finding import Finding
from harness.measure.journal import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """`amount` from one account to another, answered at `ended_s`."""

    source: str
    target: str
    amount: int
    ended_s: float
    outcome: Outcome = "ok"


def check_bank(
    transfers: Iterable[Transfer],
    reads: Iterable[tuple[float, Mapping[str, int]]],
    *,
    initial: Mapping[str, int],
    overdraft: bool = False,
) -> list[Finding]:
    """Findings `wrong total`, `overdrawn`, and at the end `wrong balance`.

    Args:
        transfers: everything that was asked for.
        reads: instant and all balances, each read in one transaction; the last one is the end.
        initial: all balances at the beginning.
        overdraft: True allows balances below zero.
    """
    total, found = sum(initial.values()), []
    final: tuple[float, Mapping[str, int]] | None = None
    for at_s, balances in reads:
        final = (at_s, balances)
        seen = sum(balances.values())
        if seen != total:
            found.append(Finding(kind="wrong total", key="*", at_s=at_s, detail=f"{seen} instead of {total}"))
        found += [
            Finding(kind="overdrawn", key=account, at_s=at_s, detail=f"{balance}")
            for account, balance in balances.items()
            if balance < 0 and not overdraft
        ]
    return found if final is None else [*found, *_balances(transfers, final, initial)]


def _balances(
    transfers: Iterable[Transfer], final: tuple[float, Mapping[str, int]], initial: Mapping[str, int]
) -> list[Finding]:
    """Each account's end lies between what acknowledged transfers and the unknown ones allow."""
    low, high = dict(initial), dict(initial)
    for transfer in transfers:
        for account, delta in ((transfer.source, -transfer.amount), (transfer.target, transfer.amount)):
            if transfer.outcome != "fail":
                low[account] = low.get(account, 0) + (delta if transfer.outcome == "ok" else min(0, delta))
                high[account] = high.get(account, 0) + (delta if transfer.outcome == "ok" else max(0, delta))
    at_s, balances = final
    return [
        Finding(
            kind="wrong balance",
            key=account,
            at_s=at_s,
            detail=f"{balances.get(account, 0)}, and between {low[account]} and {high[account]} is possible",
        )
        for account in low
        if not low[account] <= balances.get(account, 0) <= high[account]
    ]
