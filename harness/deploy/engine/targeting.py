"""Operations on a part of the stack: what `--only-resource` selects, what it leaves alone, what it may not leave out.

Semantics as Pulumi's --target: what is not selected keeps its state, or is not created; a selected resource
that needs one which is left out is refused. Components and providers always take part: nothing on AWS
stands behind them. Source: Pulumi's guide "Targeted updates".
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from harness.deploy.engine.goal import Goal
from harness.deploy.engine.ledger import Ledger
from harness.deploy.engine.selection import Selection
from harness.deploy.engine.state import ResourceState
from harness.deploy.engine.urn import short
from harness.errors import ProgramError, UsageError

FLAG = "--only-resource"


@dataclass(slots=True)
class Targeting:
    """The selected part of a stack; everything while `only` is empty. `dependents` selects these along."""

    only: Selection = field(default_factory=Selection)
    dependents: bool = False
    chosen: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)  # in the program, not in the stack, not selected

    def selects(self, goal: Goal, old: ResourceState | None) -> bool:
        """True when the goal takes part. Goals come in the order of their dependencies."""
        names = [goal.urn] if old is None else [goal.urn, old.urn]
        if not self.only or any(self.only.names(urn) for urn in names) or (self.dependents and self._follows(goal)):
            self.chosen.add(goal.urn)
            return True
        return False

    def leave(self, goal: Goal, old: ResourceState | None) -> ResourceState:
        """The state of a resource that is not selected: as it was, or none at all."""
        if old is None:
            self.left_out.add(goal.urn)
            return ResourceState(urn=goal.urn, type=goal.type, custom=True, parent=goal.parent)
        kept = copy.copy(old)
        kept.urn, kept.parent = goal.urn, goal.parent
        return kept

    def refuse_missing(self, goal: Goal) -> None:
        """Check that nothing which `goal` needs is left out.

        Raises:
            ProgramError: something is; names it.
        """
        missing = sorted(_needs(goal) & self.left_out)
        if missing:
            raise ProgramError(
                f"{short(goal.urn)} needs {', '.join(short(urn) for urn in missing)}, which does not exist yet "
                f"and is not selected",
                where=goal.where,
                hint=" ".join(f"{FLAG} {urn.split('::', 3)[3]}" for urn in missing),
            )

    def of_olds(self, olds: Sequence[ResourceState]) -> list[ResourceState]:
        """The selected ones of `olds`, in their order."""
        if not self.only:
            return list(olds)
        urns = {old.urn for old in olds if self.only.names(old.urn)}
        while self.dependents:
            more = {old.urn for old in olds if old.urn not in urns and old.needs() & urns}
            if not more:
                break
            urns |= more
        return [old for old in olds if old.urn in urns]

    def condemned(self, ledger: Ledger, *, everything: bool = False) -> list[ResourceState]:
        """What is selected of what is to be deleted.

        Raises:
            UsageError: something that stays needs what would go.
        """
        left = ledger.condemned(everything=everything)
        if not self.only:
            return left
        going = [old for old in self.of_olds(left) if not old.delete]
        gone = {old.urn for old in going}
        staying: list[ResourceState] = [old for old in left if old.urn not in gone and not old.delete]
        staying += ledger.news.values()
        holding = sorted({short(other.urn) for other in staying if other.needs() & gone})
        if holding:
            raise UsageError(
                f"{', '.join(holding)} would be left without what is deleted",
                where=FLAG,
                hint="add --target-dependents, or select them too",
            )
        return going + [old for old in left if old.delete and (self.only.names(old.urn) or old.urn in self.chosen)]

    def require(self, *urns: Iterable[str]) -> None:
        """Check that every pattern names something.

        Raises:
            UsageError: one does not; names the nearest.
        """
        self.only.require({urn for some in urns for urn in some}, where=FLAG)

    def _follows(self, goal: Goal) -> bool:
        return bool(_needs(goal) & self.chosen)


def _needs(goal: Goal) -> set[str]:
    by_property = {urn for urns in goal.property_dependencies.values() for urn in urns}
    return {*goal.dependencies, *by_property, goal.deleted_with} - {""}
