"""Objectives: limits on measures, as a drill or a policy states them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from harness.clock import parse_duration_s
from harness.errors import ConfigError, nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillObjectives:
    """The limits of a drill; None is no objective. Durations in seconds, ratios in 0..1, the rest are counts.

    `availability*` are lower limits, everything else upper ones. `static_stability` asks for a recovery
    without control-plane calls.
    """

    rto_s: float | None = None
    rpo_s: float | None = None
    availability: float | None = None
    availability_in_fault: float | None = None
    lost: int | None = None
    duplicates: int | None = None
    phantom: int | None = None
    unfulfilled: int | None = None
    unknown: int | None = None
    wrong: int | None = None
    anomalies: int | None = None
    probes: int | None = None
    amplification: float | None = None
    p50_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None
    detect_s: float | None = None
    staleness_s: float | None = None
    static_stability: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None or field.name == "static_stability":
                continue
            if value < 0 or (field.name.startswith("availability") and value > 1):
                raise ConfigError(f"{field.name} of {value} cannot be met", where=f"objectives.{field.name}")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the objectives that are set, as a drill file writes them."""
        return tuple(
            field.name.removesuffix("_s")
            for field in fields(self)
            if getattr(self, field.name) is not None and getattr(self, field.name) is not False
        )


def parse_objectives(values: Mapping[str, object], *, where: str = "objectives") -> DrillObjectives:
    """Objectives from a drill file: `rto = "30s"`, `availability = 0.99`, `lost = 0`, `static_stability = true`.

    Raises:
        ConfigError: an unknown name (with the nearest one), or a value that cannot be meant.
    """
    known = {field.name.removesuffix("_s"): field.name for field in fields(DrillObjectives)}
    parsed: dict[str, float | int | bool] = {}
    for name, value in values.items():
        if name not in known:
            raise ConfigError(f"unknown objective {name!r}", where=f"{where}.{name}", hint=nearest(name, known))
        parsed[known[name]] = _value(known[name], value, where=f"{where}.{name}")
    return DrillObjectives(**parsed)  # type: ignore[arg-type] # each value was checked against its field's kind


def _value(field: str, value: object, *, where: str) -> float | int | bool:
    if field == "static_stability":
        if isinstance(value, bool):
            return value
        raise ConfigError(f"{value!r} is neither true nor false", where=where)
    if field.endswith("_s"):
        if isinstance(value, str):
            try:
                return parse_duration_s(value)
            except ValueError as error:
                raise ConfigError(str(error), where=where) from error
        raise ConfigError(f"{value!r} is not a duration", where=where, hint="write it as '30s' or '250ms'")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{value!r} is not a number", where=where)
    if not field.startswith(("availability", "amplification")) and not isinstance(value, int):
        raise ConfigError(f"{value!r} is not a whole number", where=where)
    return value
