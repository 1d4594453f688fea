"""`blackstart.toml`, the file a user edits: read strictly, with file, line and the nearest valid key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from harness.clock import parse_duration_s
from harness.errors import ConfigError, nearest
from harness.lag import parse_lag
from harness.toml_source import line_of, read_toml

FILE_NAME = "blackstart.toml"

Disruption = Literal["AZ", "Region", "Software", "Hardware"]


def _is_duration(text: str) -> str:
    parse_duration_s(text)
    return text


def _is_lag(text: str) -> str:
    parse_lag(text)
    return text


LagText = Annotated[str, AfterValidator(_is_lag)]
Duration = Annotated[str, AfterValidator(_is_duration)]
Model = TypeVar("Model", bound=BaseModel)
Ratio = Annotated[float, Field(ge=0.0, le=1.0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Project(_Strict):
    """Where the user's parts are, relative to the file."""

    program: str = "pulumi_stack"
    scenarios: str = "scenarios"
    drills: str = "chaos/drills"
    load: str = "scenarios/load/locustfile.py"


class Embedded(_Strict):
    """The embedded cloud. `port` is used by `up` only; a run takes a free one."""

    port: Annotated[int, Field(ge=0, le=65535)] = 4566
    regions: Annotated[tuple[str, ...], Field(min_length=1)] = ("us-east-1", "us-west-2")
    zones_per_region: Annotated[int, Field(ge=1, le=6)] = 3
    enforce_iam: bool = True
    detection: Duration | None = None
    endpoint_dns: Duration | None = None
    global_lag: LagText | None = None
    cache_lag: LagText | None = None
    task_start: Duration | None = None
    table_lag: LagText | None = None
    object_lag: LagText | None = None
    health_interval: Duration | None = None
    deregistration: Duration | None = None
    scaling_period: Duration | None = None
    scale_in_after: Duration | None = None
    alarm_period: Duration | None = None
    table_scaling: Duration | None = None
    deployment_minute: Duration | None = None
    alias_ttl: Duration | None = None
    ttl_delay: Duration | None = None
    lifecycle_day: Duration | None = None
    names_port: Annotated[int, Field(ge=0, le=65535)] = 0


Rate = Annotated[float, Field(gt=0)]
Number = Annotated[int, Field(ge=1)]


class Limits(_Strict):
    """What throttles in the embedded cloud; AWS's defaults where nothing is said. `docs/limits.md` has them all."""

    lambda_concurrency: Number | None = None
    lambda_scaling: Number | None = None
    lambda_scaling_period: Duration | None = None
    dynamodb_burst: Duration | None = None
    dynamodb_partition_reads: Rate | None = None
    dynamodb_partition_writes: Rate | None = None
    dynamodb_table_reads: Rate | None = None
    dynamodb_table_writes: Rate | None = None
    apigateway_rate: Rate | None = None
    apigateway_burst: Number | None = None
    sqs_in_flight: Number | None = None
    sqs_fifo_in_flight: Number | None = None
    kms_symmetric_rate: Rate | None = None
    kms_rsa_rate: Rate | None = None
    kms_ecc_rate: Rate | None = None
    ssm_get_rate: Rate | None = None

    def given(self) -> dict[str, float]:
        """What the file says, by the names of `cloud.limits.quotas.Quotas`; durations in seconds."""
        said = self.model_dump(exclude_none=True)
        times = ("lambda_scaling_period", "dynamodb_burst")
        return said | {f"{name}_s": parse_duration_s(said.pop(name)) for name in times if name in said}


class Image(_Strict):
    """What to run for a container image where there is no Docker engine."""

    dir: str
    command: Annotated[tuple[str, ...], Field(min_length=1)]


class Aws(_Strict):
    """The allow-list in front of real AWS; empty means real AWS is refused."""

    allowed_accounts: tuple[Annotated[str, Field(pattern=r"^\d{12}$")], ...] = ()
    regions: Annotated[tuple[str, ...], Field(min_length=1)] = ("us-east-1", "us-west-2")


class RequestLimits(_Strict):
    """What requests may not exceed; a run that does fails."""

    p50: Duration | None = None
    p95: Duration | None = None
    p99: Duration | None = None
    failures: Ratio | None = None

    def texts(self) -> list[str]:
        """As the command line has them: `p95=200ms`."""
        said = self.model_dump(exclude={"requests"}, exclude_none=True)
        return [f"{name}={value}" for name, value in said.items()]


class LoadLimits(RequestLimits):
    """Of all requests together, and of those of one name, such as `POST /orders`."""

    requests: dict[str, RequestLimits] = {}

    def texts(self) -> list[str]:
        """Those of all requests, then those of single ones: `POST /orders p95=200ms`."""
        of_one = [f"{name} {text}" for name, limits in self.requests.items() for text in limits.texts()]
        return [*super().texts(), *of_one]


class Load(_Strict):
    """The Locust run of `blackstart run` and the defaults of `blackstart load`."""

    shape: Literal["steady", "ramp", "spike", "soak"] = "steady"
    users: Annotated[int, Field(ge=1, le=10_000)] = 10
    rate: Annotated[float, Field(gt=0, le=1_000)] = 10.0
    duration: Duration = "15s"
    limits: LoadLimits = LoadLimits()


class Policy(_Strict):
    """Default objectives for one disruption type; a drill may tighten them. Words of AWS Resilience Hub."""

    rto: Duration | None = None
    rpo: Duration | None = None
    availability: Ratio | None = None


class Config(_Strict):
    """The whole file; every part has defaults, so that a missing file is a valid one."""

    project: Project = Project()
    embedded: Embedded = Embedded()
    limits: Limits = Limits()
    images: dict[str, Image] = {}
    aws: Aws = Aws()
    load: Load = Load()
    policy: dict[Disruption, Policy] = {}


def load_config(path: Path) -> Config:
    """The configuration in `path`; every default when there is no such file.

    Raises:
        ConfigError: not TOML, an unknown key, or a value that cannot be; names file, line and key.
    """
    if not path.exists():
        return Config()
    data, text = read_toml(path)
    return validate(Config, data, text=text, path=path)


_AS_TOML = {
    "tuple_type": "a list is wanted",
    "string_type": "a string is wanted",
    "dict_type": "a table is wanted",
    "model_type": "a table is wanted",
}
"""What pydantic says in Python's words, in TOML's."""


def validate(model: type[Model], data: dict[str, Any], *, text: str, path: Path) -> Model:
    """`data` as a `model`.

    Raises:
        ConfigError: the first problem, with its file, line, key and the nearest valid key.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        # An unknown key is what a person meant to write: name it before what is missing because of it.
        first = min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
        keys = [part for part in first["loc"] if part != "[key]"]
        dotted = ".".join(str(part) for part in keys)
        where = f"{path}:{line_of(text, keys)}"
        if first["type"] == "extra_forbidden":
            hint = nearest(str(keys[-1]), _fields_at(model, keys[:-1]))
            raise ConfigError(f"unknown key {dotted!r}", where=where, hint=hint) from error
        if "[key]" in first["loc"]:
            allowed = str(first.get("ctx", {}).get("expected", "")).replace("'", "").replace(" or ", ", ")
            hint = nearest(str(keys[-1]), allowed.split(", "))
            raise ConfigError(f"unknown key {dotted!r}", where=where, hint=hint) from error
        message = _AS_TOML.get(first["type"]) or first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{dotted}: {message} (got {first['input']!r})", where=where) from error


def _fields_at(model: type[BaseModel], keys: list[int | str]) -> list[str]:
    """The valid keys of the table that `keys` leads to."""
    current: Any = model  # a model class, or the annotation of a container on the way down
    for key in keys:
        fields = getattr(current, "model_fields", {})
        current = fields[key].annotation if key in fields else _inner_model(current)
        current = _inner_model(current)
    return list(getattr(current, "model_fields", {}))


def _inner_model(annotation: Any) -> Any:
    """The model inside `dict[str, Model]`, `tuple[Model, ...]` or `Model | None`; the annotation itself otherwise."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _inner_model(argument)
        if isinstance(found, type) and issubclass(found, BaseModel):
            return found
    return annotation
