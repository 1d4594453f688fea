"""Which AWS services each suite of scenarios touched, and how it ended: read from the properties in junit.xml.

`direct` services were called by the scenario itself. `declared` ones are what `blackstart_covers` says happens
inside; the gate saw each of them called, or the claim is shown as unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.report.scenarios import Case

DIRECT, DECLARED, UNSEEN = "blackstart.direct", "blackstart.declared", "blackstart.unseen"
"""Names of the properties; their value is a list of services between blanks."""

_WORST = ("fail", "skipped", "not_supported", "pass")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One service in one suite. `outcome` is the worst of the `cases` that touched it."""

    service: str
    suite: str
    cases: int
    direct: int
    outcome: str
    unseen: bool = False


def coverage(cases: Iterable[Case]) -> list[Row]:
    """One row for each service and suite, in the order of the services' names."""
    touched: dict[tuple[str, str], list[tuple[Case, bool]]] = {}
    unseen = set()
    for case in cases:
        direct, declared = _services(case, DIRECT), _services(case, DECLARED)
        for service in direct | declared:
            touched.setdefault((service, case.suite), []).append((case, service in direct))
        unseen |= {(service, case.suite) for service in _services(case, UNSEEN)}
    return [
        Row(
            service=service,
            suite=suite.rpartition(".")[2].removeprefix("test_").replace("_", " "),
            cases=len(found),
            direct=sum(direct for _, direct in found),
            outcome=min((case.outcome for case, _ in found), key=_WORST.index),
            unseen=(service, suite) in unseen,
        )
        for (service, suite), found in sorted(touched.items())
    ]


def services(rows: Sequence[Row]) -> list[str]:
    """The services of the rows, each once."""
    return list(dict.fromkeys(row.service for row in rows))


def _services(case: Case, name: str) -> set[str]:
    return set(dict(case.properties).get(name, "").split())
