"""A bank: transfers move money between accounts, so the sum of all balances never changes.

Source: Jepsen's bank workload, https://jepsen-io.github.io/jepsen/jepsen.tests.bank.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.measure.finding import Finding
from harness.measure.journal import Outcome

MOST_STATES = 100_000
"""Sets of balances that are tried before only each account alone is judged."""


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
    """The end is the acknowledged transfers and some of the unknown ones, each of them whole."""
    settled, open_ones = Counter(initial), []
    for transfer in transfers:
        if transfer.outcome == "ok":
            settled.update({transfer.target: transfer.amount})
            settled.subtract({transfer.source: transfer.amount})
        elif transfer.outcome == "unknown" and transfer.source != transfer.target:
            open_ones.append(transfer)
    at_s, balances = final
    found = []
    for account in settled | {one.source: 0 for one in open_ones} | {one.target: 0 for one in open_ones}:
        low = settled[account] - sum(one.amount for one in open_ones if one.source == account)
        high = settled[account] + sum(one.amount for one in open_ones if one.target == account)
        held = balances.get(account, 0)
        if not low <= held <= high:
            detail = f"{held}, and between {low} and {high} is possible"
            found.append(Finding(kind="wrong balance", key=account, at_s=at_s, detail=detail))
    if not found and not _explained(open_ones, {a: balances.get(a, 0) - n for a, n in settled.items()}):
        detail = f"no choice of the {len(open_ones)} transfers without an answer comes to these balances"
        found.append(Finding(kind="wrong balance", key="*", at_s=at_s, detail=detail))
    return found


def _explained(open_ones: Sequence[Transfer], wanted: Mapping[str, int]) -> bool:
    """Whether some of the transfers come to these changes; True where too many would have to be tried."""
    accounts = sorted({*wanted, *(one.source for one in open_ones), *(one.target for one in open_ones)})
    reached = {(0,) * len(accounts)}
    for one in open_ones:
        source, target = accounts.index(one.source), accounts.index(one.target)
        reached |= {
            tuple(n + one.amount * ((i == target) - (i == source)) for i, n in enumerate(state)) for state in reached
        }
        if len(reached) > MOST_STATES:
            return True
    return tuple(wanted.get(account, 0) for account in accounts) in reached
