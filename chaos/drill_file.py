"""A drill, read from its file: everything in it is checked, and what is wrong is told by file, line and key."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from chaos.drill_parts import (
    DrillFile,
    ExperimentPart,
    MethodPart,
    ProbePart,
    VerificationPart,
    WorkloadFile,
)
from chaos.failover.parts import FailoverPart, StandbyPart, check_procedure
from chaos.fis.actions import ACTIONS
from chaos.fis.errors import FisError
from chaos.fis.template import check_template
from chaos.stores import STORES
from harness.clock import parse_duration_s
from harness.config import Policy, validate
from harness.errors import ConfigError, nearest
from harness.load.workload import HttpOperation
from harness.measure.method import Method
from harness.measure.objectives import DrillObjectives, parse_objectives
from harness.toml_source import line_of, read_toml

_EVERY_CAPABILITY = frozenset(action.capability for action in ACTIONS.values())
"""A file is checked before it is known where it will run; what the target lacks is said when the drill is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A drill ready to run. `template` is FIS's own JSON."""

    name: str
    title: str
    disruption: str
    run_by_default: bool
    template: Mapping[str, Any]
    duration: str | None
    operations: Sequence[HttpOperation]
    rate: float
    timeout_s: float
    method: Method
    verification: VerificationPart | None
    objectives: DrillObjectives
    path: Path
    alarms: Sequence[str] = ()
    clears_within_s: float = 0.0
    stores: Sequence[str] = ()
    role: str = ""
    probes: Sequence[ProbePart] = ()
    region: str = ""
    front_door: bool = False
    standby: StandbyPart | None = None
    failover: FailoverPart | None = None


def drill_names(folder: Path) -> list[str]:
    """The names of the drills in a folder."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load_drill(name: str, folder: Path, *, policy: Mapping[Any, Policy]) -> Drill:
    """The drill `name` of `folder`, or the drill file at the path `name`.

    Raises:
        ConfigError: no such drill, or something in it cannot be; says file, line and key.
    """
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    if not path.is_file():
        raise ConfigError(f"no drill {name!r}", where=str(folder), hint=nearest(name, drill_names(folder)))
    data, text = read_toml(path)
    file = validate(DrillFile, data, text=text, path=path)
    template = _template(path, text, file.experiment)
    workload, operations = _workload(path, text, file)
    _check_procedures(path, text, file)
    return Drill(
        name=file.name,
        title=file.title or file.name,
        disruption=file.disruption,
        run_by_default=file.run_by_default,
        template=template,
        duration=file.experiment.duration,
        operations=operations,
        rate=workload.rate,
        timeout_s=parse_duration_s(workload.timeout),
        method=_method(file.method, template=template),
        verification=workload.verification,
        objectives=_objectives(path, text, file, policy),
        path=path,
        alarms=tuple(file.detection.alarms),
        clears_within_s=parse_duration_s(file.detection.clears_within),
        stores=_stores(path, text, file.stores),
        role=file.experiment.role,
        probes=tuple(file.probes),
        region=file.experiment.region,
        front_door=file.workload.front_door,
        standby=file.standby,
        failover=file.failover,
    )


def _check_procedures(path: Path, text: str, file: DrillFile) -> None:
    for table, key, procedure in (
        ("standby", "protect", file.standby.protect if file.standby else ""),
        ("failover", "procedure", file.failover.procedure if file.failover else ""),
    ):
        if procedure:
            check_procedure(
                procedure, folder=path.parent, where=f"{path}:{line_of(text, [table, key])} {table}.{key}"
            )


def _template(path: Path, text: str, part: ExperimentPart) -> dict[str, Any]:
    """The experiment template as AWS documents it, with the drill's parameters put in."""
    source = path.parent / part.template
    try:
        written = source.read_text(encoding="utf-8")
        template = json.loads(written)
    except OSError as error:
        raise ConfigError(
            f"the template cannot be read: {error.strerror}", where=f"{path} experiment.template"
        ) from error
    except json.JSONDecodeError as error:
        raise ConfigError(f"not JSON: {error.msg}", where=f"{source}:{error.lineno}") from error
    _check_shape(template, source)
    for action in template["actions"].values():
        known = action.setdefault("parameters", {})
        known.update({key: value for key, value in part.parameters.items() if key in known})
    try:
        check_template(template, _EVERY_CAPABILITY)
    except FisError as error:
        where = _own_parameter(path, text, part, str(error)) or f"{source}:{_line_in(written, str(error))}"
        raise ConfigError(str(error), where=where) from error
    return dict(template)


def _own_parameter(path: Path, text: str, part: ExperimentPart, told: str) -> str:
    """The place of the drill's own parameter that a message quotes, '' when it is about the template."""
    for key, value in part.parameters.items():
        if f"'{value}'" in told:
            return f"{path}:{line_of(text, ['experiment', 'parameters', key])} experiment.parameters.{key}"
    return ""


def _line_in(written: str, told: str) -> int:
    """The 1-based line of a template that a message of FIS is about: what it quotes, else the action or target."""
    words = re.findall(r"'([^']+)'", told) + re.findall(r"\b(?:action|[Tt]arget) ([\w-]+)", told)
    lines = written.splitlines()
    return next((n for word in words for n, line in enumerate(lines, 1) if word in line), 1)


def _check_shape(template: Any, source: Path) -> None:  # JSON
    """Refuse what is no request of CreateExperimentTemplate, by the service model that AWS publishes."""
    model = ServiceModel(Loader().load_service_model("fis", "service-2"))
    shape = model.operation_model("CreateExperimentTemplate").input_shape
    given = {"clientToken": "-", **template} if isinstance(template, dict) else template
    report = ParamValidator().validate(given, shape)
    if report.has_errors():
        raise ConfigError(f"not an experiment template: {report.generate_report()}", where=str(source))


def _workload(path: Path, text: str, file: DrillFile) -> tuple[WorkloadFile, list[HttpOperation]]:
    """The drill's workload; what a shared file says holds where the drill says nothing."""
    part, own = file.workload, file.model_dump(include={"verification"}, exclude_none=True)
    own |= part.model_dump(include={"rate", "timeout"}, exclude_none=True)
    if not part.file:
        shared, keys = {"operations": part.operations}, ["workload", "operations"]
    else:
        path, keys = path.parent / part.file, ["operations"]
        shared, text = read_toml(path)
    workload = validate(WorkloadFile, {**shared, **own}, text=text, path=path)
    return workload, _operations(path, text, keys, workload.operations)


def _operations(path: Path, text: str, keys: list[str], raw: Sequence[Mapping[str, Any]]) -> list[HttpOperation]:
    found = []
    for number, operation in enumerate(raw):
        try:
            found.append(msgspec.convert(operation, HttpOperation))
        except msgspec.ValidationError as error:
            where = f"{path}:{line_of(text, [*keys, number])}"
            unknown = str(error).partition("unknown field `")[2].partition("`")[0]
            hint = nearest(unknown, HttpOperation.__struct_fields__) if unknown else ""
            raise ConfigError(f"workload.operations: {error}", where=where, hint=hint) from error
    return found


def _method(part: MethodPart, *, template: Mapping[str, Any]) -> Method:
    """The method. A fault that lasts must be survived while it lasts, unless the drill says otherwise."""
    lasts = any("duration" in action["parameters"] for action in template["actions"].values())
    return Method(
        latency_limit_s=parse_duration_s(part.latency_limit),
        theta=part.theta,
        window_s=parse_duration_s(part.window),
        baseline_s=parse_duration_s(part.baseline),
        hold_s=parse_duration_s(part.hold),
        deadline_s=parse_duration_s(part.deadline),
        must_be_felt=part.must_be_felt,
        must_recover_in_fault=lasts if part.must_recover_in_fault is None else part.must_recover_in_fault,
    )


def _stores(path: Path, text: str, given: Sequence[str]) -> tuple[str, ...]:
    """The workloads of single stores that run beside the drill."""
    for name in given:
        if name not in STORES:
            raise ConfigError(
                f"unknown store {name!r}", where=f"{path}:{line_of(text, ['stores'])}", hint=nearest(name, STORES)
            )
    return tuple(given)


def _objectives(path: Path, text: str, file: DrillFile, policy: Mapping[Any, Policy]) -> DrillObjectives:
    """The policy of the drill's disruption type, tightened by the drill."""
    defaults = policy.get(file.disruption)
    merged = {**(defaults.model_dump(exclude_none=True) if defaults else {}), **file.objectives}
    where = f"{path}:{line_of(text, ['objectives'])}"
    return parse_objectives(merged, where=where)
