"""The parts of a drill's file, as a person writes them: experiment, workload, method, verification, objectives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from chaos.failover.parts import FailoverPart, StandbyPart
from harness.config import Disruption, Duration


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
