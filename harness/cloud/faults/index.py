"""The rules that may concern a call, found without looking at all of them.

Rules are kept by layer, service and operation, and there by the most telling value they ask for (a table, a function,
a subnet…): a thousand rules about other resources cost a call a few dictionary look-ups.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from harness.cloud.call import AwsCall, Layer
from harness.cloud.faults.rule import FaultRule
from harness.cloud.faults.selector import value_of


class Ruled(Protocol):
    """Something with a rule."""

    @property
    def rule(self) -> FaultRule:
        """The rule."""
        ...


R = TypeVar("R", bound=Ruled)


@dataclass(slots=True)
class _Shelf(Generic[R]):
    """The rules of one service (and operation): by field and value, and those that must be looked at each time."""

    everywhere: list[R] = field(default_factory=list)
    by_value: dict[str, dict[str, list[R]]] = field(default_factory=dict)

    def add(self, one: R) -> None:
        exact = one.rule.selector.exact()
        if exact is None:
            self.everywhere.append(one)
        else:
            self.by_value.setdefault(exact[0], defaultdict(list))[exact[1]].append(one)

    def find(self, call: AwsCall) -> Iterator[R]:
        yield from self.everywhere
        for name, found in self.by_value.items():
            yield from found.get(value_of(call, name), ())


@dataclass(frozen=True, slots=True)
class Concern:
    """What the rules about a service ask of a call."""

    any: bool = False
    resource: bool = False
    role: bool = False


@dataclass(slots=True)
class RuleIndex(Generic[R]):
    """An index over a fixed set of rules; make a new one when the set changes."""

    rules: tuple[R, ...]
    _concerns: dict[tuple[Layer, str], Concern] = field(default_factory=dict)
    _of_service: dict[tuple[Layer, str], tuple[R, ...]] = field(default_factory=dict)
    _shelves: dict[tuple[Layer, str, str], _Shelf[R]] = field(default_factory=dict)

    def concern(self, layer: Layer, service: str) -> Concern:
        """What has to be known about calls of a service; one dictionary look-up."""
        found = self._concerns.get((layer, service))
        if found is None:
            selectors = [one.rule.selector for one in self._rules_of(layer, service)]
            found = Concern(
                bool(selectors), any(s.resource for s in selectors), any(s.caller_role for s in selectors)
            )
            self._concerns[layer, service] = found
        return found

    def candidates(self, call: AwsCall) -> Iterable[R]:
        """The rules that may match, in no order."""
        key = (call.layer, call.service, call.operation)
        shelf = self._shelves.get(key)
        if shelf is None:
            shelf = _Shelf()
            for one in self._rules_of(call.layer, call.service):
                if one.rule.selector.may_be_operation(call.operation):
                    shelf.add(one)
            self._shelves[key] = shelf
        return shelf.find(call)

    def _rules_of(self, layer: Layer, service: str) -> tuple[R, ...]:
        found = self._of_service.get((layer, service))
        if found is None:
            found = tuple(one for one in self.rules if one.rule.selector.may_match(layer, service))
            self._of_service[layer, service] = found
        return found
