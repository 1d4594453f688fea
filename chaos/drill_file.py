"""A drill as a file: experiment, workload, how it is measured and verified, and its objectives."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import msgspec
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from chaos.failover.parts import FailoverPart, StandbyPart, check_procedure
from chaos.fis.actions import ACTIONS
from chaos.fis.errors import FisError
from chaos.fis.template import check_template
from chaos.stores import STORES
from harness.clock import parse_duration_s
from harness.config import Disruption, Duration, Policy, validate
from harness.errors import ConfigError, nearest
from harness.load.workload import HttpOperation
from harness.measure.method import Method
from harness.measure.objectives import DrillObjectives, parse_objectives
from harness.toml_source import line_of, read_toml

_EVERY_CAPABILITY = frozenset(action.capability for action in ACTIONS.values())
"""A file is checked before it is known where it will run; what the target lacks is said when the drill is."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExperimentPart(_Strict):
    """The FIS template, what is changed of it on the embedded cloud, and on AWS the role that FIS takes.

    FIS and the alarms are those of `region`, where it is not the stack's own: nobody breaks a region from inside it.
    """

    template: str
    region: str = ""
    duration: Duration | None = None
    parameters: dict[str, str] = {}
    role: str = ""


Rate = Annotated[float, Field(gt=0, le=2000)]


class WorkloadPart(_Strict):
    """What the prober sends; or a `file` with it, which several drills share, and what this drill has otherwise.

    With `front_door` names are resolved by the cloud's Route 53, as a client resolves them.
    """

    file: str = ""
    front_door: bool = False
    rate: Rate | None = None
    timeout: Duration | None = None
    operations: list[dict[str, Any]] = []

    @model_validator(mode="after")
    def _has_operations(self) -> Self:
        if bool(self.file) == bool(self.operations):
            raise ValueError("give either operations or a file that has them")
        return self


class MethodPart(_Strict):
    """How it is measured; see docs/measures.md."""

    latency_limit: Duration = "1s"
    theta: Annotated[float, Field(gt=0, le=1)] = 0.99
    window: Duration = "2s"
    baseline: Duration = "10s"
    hold: Duration = "10s"
    deadline: Duration = "60s"
    must_be_felt: bool = False
    must_recover_in_fault: bool | None = None


class EffectPart(_Strict):
    """What each write must cause exactly once: versions of one object, items of a table, or messages of a queue.

    `object` and `equals` may name attributes of the written item in braces. A queue's messages are JSON, told apart
    by their member `attribute`, and are taken out of it. `content` are attributes that an item of the table must have
    to count as the effect: a charge of another amount is none.
    """

    name: str = "receipts"
    bucket: str = ""
    object: str = ""
    table: str = ""
    queue: str = ""
    attribute: str = ""
    equals: str = ""
    content: dict[str, str] = {}

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.content and not self.table:
            raise ValueError("content is that of a table's items")
        by_value = bool(self.attribute and self.equals)
        kinds = (self.bucket and self.object, self.table and by_value, self.queue and by_value)
        if sum(map(bool, kinds)) != 1:
            raise ValueError("give either bucket and object, or table or queue with attribute and equals")
        return self


class CounterPart(_Strict):
    """A number that each write must move once: a stock, a balance. `key` names the item, `each` the movement.

    Nobody else may move it while the drill runs.
    """

    name: str
    table: str
    key: Annotated[dict[str, str], Field(min_length=1)]
    attribute: str
    each: float

    @field_validator("each")
    @classmethod
    def _moves(cls, value: float) -> float:
        if not value:
            raise ValueError("a write that moves nothing cannot be counted")
        return value


class QueryPart(_Strict):
    """Rows of an Aurora database, asked for over the RDS Data API; its columns are a row's attributes."""

    cluster: str
    secret: str
    database: str
    sql: str


class VerificationPart(_Strict):
    """How every write is read back: from a DynamoDB table, or by a query, by what holds the write's key.

    `replica` is the region of a replica that is looked at during the drill, for the objective `staleness`. With
    `restore` it is a copy that is read: the table restored by its point-in-time recovery, as it is at the end.
    `content` are attributes that each item must have, in which `{key}` may stand: what holds something else is not
    what was written. `queues` must be empty before anything is read back, what is being worked on included: what
    may still come can do its work a second time.
    """

    table: str = ""
    query: QueryPart | None = None
    key: str
    restore: bool = False
    region: str = ""
    replica: str = ""
    settled: dict[str, str] = {}
    settle: Duration = "20s"
    content: dict[str, str] = {}
    queues: list[str] = []
    effects: list[EffectPart] = []
    counters: list[CounterPart] = []

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.table) == (self.query is not None):
            raise ValueError("give either table or query")
        if self.query is not None and (self.restore or self.replica):
            raise ValueError("only a table can be restored, or has a replica to look at")
        return self

    @field_validator("effects", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:  # what a person wrote
        return [value] if isinstance(value, Mapping) else value


class WorkloadFile(_Strict):
    """A workload that several drills share: what is sent, and how each write of it is read back."""

    rate: Rate = 50.0
    timeout: Duration = "5s"
    operations: Annotated[list[dict[str, Any]], Field(min_length=1)]
    verification: VerificationPart | None = None


class DetectionPart(_Strict):
    """The alarms that should tell; without names any alarm of the region counts.

    With `clears_within` the drill watches on until the first alarm that went off is OK again, so long at the most:
    its times stand in the report. An alarm needs a whole good period for it.
    """

    alarms: list[str] = []
    clears_within: Duration = "0s"


class ProbePart(_Strict):
    """A question about the steady state: an HTTP status, or a part of an AWS answer by its JMESPath, and its limits.

    `equals`, or `at_most` and `at_least`. Texts may hold `{outputs.NAME}`.
    """

    name: Annotated[str, Field(min_length=1)]
    url: str = ""
    service: str = ""
    operation: str = ""
    parameters: dict[str, Any] = {}
    path: str = ""
    equals: str | int | float | bool | None = None
    at_most: float | None = None
    at_least: float | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if bool(self.url) == bool(self.service and self.operation and self.path):
            raise ValueError("give either url, or service, operation and path")
        if (self.equals is None) == (self.at_most is None and self.at_least is None):
            raise ValueError("give either equals, or at_most or at_least")
        return self


class DrillFile(_Strict):
    """The whole file."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: str = ""
    disruption: Disruption
    run_by_default: bool = True
    experiment: ExperimentPart
    workload: WorkloadPart
    method: MethodPart = MethodPart()
    verification: VerificationPart | None = None
    detection: DetectionPart = DetectionPart()
    probes: list[ProbePart] = []
    stores: list[str] = []
    standby: StandbyPart | None = None
    failover: FailoverPart | None = None
    objectives: dict[str, Any] = {}

    @model_validator(mode="after")
    def _fails_over_somewhere(self) -> Self:
        if (self.standby is None) != (self.failover is None):
            raise ValueError("standby and failover need each other")
        return self


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
