"""Faults as data: rules that the gate and the Lambda pool consult, each counting what it matched and fired.

- `selector.py`  which calls a rule is about
- `effects.py`   what happens to them, and in which order
- `rule.py`      a rule as data: selector, effect, dose, seed, lease; what cannot be meant
- `index.py`     the rules that may concern a call
- `book.py`      the rules in force

Every matching rule fires. A rule dies with its lease, so an owner that was killed leaves no fault in force.
"""

from __future__ import annotations

from harness.cloud.faults.book import Hit, RuleBook, RuleReport
from harness.cloud.faults.effects import (
    ApiError,
    Blackhole,
    CommitThenFail,
    Effect,
    FunctionError,
    HttpResponse,
    Latency,
    Reset,
)
from harness.cloud.faults.rule import MAX_LEASE_S, Dose, FaultRule, check_rule, parse_rule
from harness.cloud.faults.selector import Selector

__all__ = [
    "MAX_LEASE_S",
    "ApiError",
    "Blackhole",
    "CommitThenFail",
    "Dose",
    "Effect",
    "FaultRule",
    "FunctionError",
    "Hit",
    "HttpResponse",
    "Latency",
    "Reset",
    "RuleBook",
    "RuleReport",
    "Selector",
    "check_rule",
    "parse_rule",
]
