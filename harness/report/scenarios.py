"""The scenario cases of a junit.xml, as the reports show them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element, ParseError, parse

NOT_SUPPORTED = "not_supported"

Outcome = Literal["pass", "fail", "skipped", "not_supported"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One scenario. `message` says why it did not pass; `properties` are what it recorded about itself."""

    name: str
    suite: str
    duration_s: float
    outcome: Outcome
    message: str = ""
    properties: tuple[tuple[str, str], ...] = ()


def read_cases(junit: Path) -> list[Case]:
    """The cases in file order; none when there is no readable file (its absence is told by the run's problems)."""
    try:
        root = parse(junit).getroot()  # noqa: S314 - written by our own pytest
    except (OSError, ParseError):
        return []
    return [_case(element) for element in root.iter("testcase")]


def _case(element: Element) -> Case:
    bad = next((found for tag in ("failure", "error") if (found := element.find(tag)) is not None), None)
    skipped = element.find("skipped")
    message = ""
    outcome: Outcome = "pass"
    if bad is not None:
        outcome, message = "fail", bad.get("message") or ""
    elif skipped is not None:
        message = skipped.get("message") or ""
        outcome = "not_supported" if message.startswith(NOT_SUPPORTED) else "skipped"
    return Case(
        name=element.get("name", ""),
        suite=element.get("classname", ""),
        duration_s=_seconds(element.get("time", "0")),
        outcome=outcome,
        message=message.splitlines()[0] if message else "",
        properties=tuple((p.get("name", ""), p.get("value", "")) for p in element.iter("property")),
    )


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
