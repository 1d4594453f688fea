"""What a cloud server is started with, as its owner says it and as the server reads it from disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness.cloud.copies.lags import Store
from harness.cloud.deployments.traffic import MINUTE_S
from harness.cloud.expiry.rules import DAY_S
from harness.cloud.limits.quotas import Quotas
from harness.errors import NotReadyError
from harness.files import write_atomically
from harness.lag import Lag, parse_lag
from harness.target import EMBEDDED, EMULATOR_ACCOUNT, ENDPOINT

DETECTION_S = 3.0
"""How long placement takes to notice that a zone went dark, unless the project says otherwise.

AWS publishes no figure for Lambda. The nearest documented ones: an ELB target is marked unhealthy after
`UnhealthyThresholdCount` times `HealthCheckIntervalSeconds` (at the least 2 times 5 s), and "Advanced Multi-AZ
Resilience Patterns" counts on minutes for people to act. We take a short one so that drills stay short,
and say so; a project sets its own with `[embedded] detection`.
Sources: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html,
https://docs.aws.amazon.com/whitepapers/latest/advanced-multi-az-resilience-patterns/
"""

SCALE_IN_PERIODS = 15
"""Data points below its target until a service scales in: 15 minutes on AWS
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html)."""

GAUGES_EVERY_S = 10.0
"""Queues, tables, databases and caches are looked at so often; AWS looks once a minute."""

GAUGES_SOONEST_S = 2.0
"""However short a period of scaling is: each look asks every database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalImage:
    """What runs for a container image: a command and the folder (absolute) that it runs in."""

    dir: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSettings:
    """One cloud server. `state_dir` holds its process registry, logs and settings file.

    Args:
        state_dir: `.blackstart/cloud`, or a run's own folder.
        port: on 127.0.0.1; 0 takes a free one.
        regions: the regions that exist here; the first is the default.
        zones_per_region: availability zones of each region, 1 to 6.
        enforce_iam: check signatures and policies, as AWS does.
        detached: the server may outlive the process that starts it.
        upstream: stand as a reverse proxy before this endpoint URL instead of hosting an emulator.
        detection_s: seconds until placement notices a dark zone.
        dns_s: seconds until the name of a database's endpoint follows a change of roles; see `databases/timing.py`.
        global_lag: how far a global database's secondary region runs behind: "typically less than one second"
            (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database.html).
        cache_lag: how far ElastiCache replicas run behind their primary. AWS gives no figure, only that it is
            asynchronous (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Replication.html); 0 is what the
            machine gives.
        task_start_s: seconds an ECS task takes before its containers start; see `tasks/timing.py`.
        health_interval_s: seconds between two health checks of ELB and Route 53; 0 takes what each resource says.
        deregistration_s: seconds a target of a load balancer drains at the most; None takes what its group says.
        scaling_period_s: seconds of one data point of service auto scaling; 60 on AWS
            (https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html).
        scale_in_after_s: seconds below its target until a service has fewer tasks; None takes fifteen data points, as
            AWS does with its 15 minutes (the same page).
        table_scaling_s: seconds of one data point of DynamoDB's tables; None takes that of services.
        alarm_period_s: whole seconds that an alarm's shortest period takes, 10 on AWS
            (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html); one of 30 takes
            three of them, one of a minute or more its own time.
        deployment_minute_s: seconds that a minute of CodeDeploy takes; see `deployments/traffic.py`.
        alias_ttl_s: seconds an alias of Route 53 may be cached; see `dns/timing.py`.
        names_port: of DNS and the front door, on 127.0.0.1; 0 takes a free one.
        images: container image → what runs for it where there is no Docker engine.
        table_lag: how far replicas of a DynamoDB global table run behind: changes are there "usually within a second"
            (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html).
        object_lag: how far copies of S3 objects run behind. S3 promises 15 minutes for 99.9 % with replication time
            control, and says that most take seconds
            (https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-time-control.html).
        ttl_delay_s: seconds an item outlives its time to live; AWS deletes it within a few days
            (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html).
        lifecycle_day_s: seconds that a day takes in the life cycle of a bucket; S3 looks once a day.
        limits: what throttles, by the names of `limits.quotas.Quotas`, where it is not AWS's default.
        ready_s: seconds the owner waits for the first AWS call to be answered.
    """

    state_dir: Path
    port: int = 0
    regions: tuple[str, ...] = ("us-east-1", "us-west-2")
    zones_per_region: int = 3
    enforce_iam: bool = True
    detached: bool = False
    upstream: str = ""
    detection_s: float = DETECTION_S
    dns_s: float = 5.0
    global_lag: str = "500ms"
    cache_lag: str = "0s"
    task_start_s: float = 0.0
    health_interval_s: float = 0.0
    deregistration_s: float | None = None
    scaling_period_s: float = 60.0
    scale_in_after_s: float | None = None
    table_scaling_s: float | None = None
    alarm_period_s: float = 10.0
    deployment_minute_s: float = MINUTE_S
    alias_ttl_s: float = 60.0
    names_port: int = 0
    images: Mapping[str, LocalImage] = field(default_factory=dict)
    table_lag: str = "500ms"
    object_lag: str = "1s"
    ttl_delay_s: float = 60.0
    lifecycle_day_s: float = DAY_S
    limits: Mapping[str, float] = field(default_factory=dict)
    ready_s: float = 90.0
    account_id: str = EMULATOR_ACCOUNT

    @property
    def capabilities(self) -> frozenset[str]:
        """What a scenario or a drill may ask of a cloud with these settings."""
        if self.upstream:
            return ENDPOINT
        return EMBEDDED if self.enforce_iam else EMBEDDED - {"iam"}

    @property
    def lags(self) -> dict[Store, Lag]:
        """The lag of each store's copies.

        Raises:
            ValueError: a text is no lag.
        """
        texts: dict[Store, str] = {
            "aurora": self.global_lag,
            "elasticache": self.cache_lag,
            "dynamodb": self.table_lag,
            "s3": self.object_lag,
        }
        return {store: parse_lag(text) for store, text in texts.items()}

    @property
    def scale_in_periods(self) -> int:
        """Data points below its target after which a service has fewer tasks."""
        if self.scale_in_after_s is None:
            return SCALE_IN_PERIODS
        return max(1, round(self.scale_in_after_s / self.scaling_period_s))

    @property
    def shortest_alarm_s(self) -> int:
        """Seconds that an alarm's shortest period takes: whole ones, as the buckets of metrics are."""
        return max(1, round(self.alarm_period_s))

    @property
    def table_scaling_period_s(self) -> float:
        """Seconds of one data point of a table's auto scaling."""
        return self.scaling_period_s if self.table_scaling_s is None else self.table_scaling_s

    @property
    def gauges_every_s(self) -> float:
        """How often what only shows its state is looked at: once in a data point, unless that is very short."""
        return min(GAUGES_EVERY_S, max(self.scaling_period_s, GAUGES_SOONEST_S))

    @property
    def quotas(self) -> Quotas:
        """The limits in force.

        Raises:
            TypeError: there is no such limit.
        """
        return Quotas.of(self.limits)

    @property
    def registry(self) -> Path:
        """Where the processes of this cloud are recorded."""
        return self.state_dir / "processes"

    @property
    def environments(self) -> Path:
        """Where the processes of functions and builds are recorded."""
        return self.state_dir / "environments"

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self.state_dir / "logs" / "cloud.log"


class ServerOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the owner hands to the server process: settings, the control token, and who the owner is."""

    settings: CloudSettings
    token: str
    owner_pid: int
    owner_started: float


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What the server says on disk once it answers, or why it could not start."""

    port: int = 0
    pid: int = 0
    error: str = ""
    where: str = ""
    hint: str = ""


def order_path(state_dir: Path) -> Path:
    """The order of the server in this folder; it holds the token, so only its owner may read it."""
    return state_dir / "order.json"


def announcement_path(state_dir: Path) -> Path:
    """Where the server of this folder announces itself."""
    return state_dir / "announcement.json"


def write_struct(path: Path, value: msgspec.Struct) -> None:
    """Write an order or an announcement, readable by its owner only.

    Raises:
        NotReadyError: the file system refuses.
    """
    write_atomically(path, msgspec.json.encode(value, enc_hook=str), mode=0o600)


def read_order(path: Path) -> ServerOrder:
    """The order that the owner wrote.

    Raises:
        NotReadyError: no such file, or not an order.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=ServerOrder, dec_hook=_path)
    except (OSError, msgspec.DecodeError) as error:
        raise NotReadyError(
            f"not a server order: {error}", where=str(path), hint="start it by `blackstart up`"
        ) from error


def read_announcement(path: Path) -> Announcement | None:
    """What the server announced, or None while it has not."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Announcement)
    except FileNotFoundError:
        return None


def _path(kind: type, value: object) -> object:
    return Path(str(value)) if issubclass(kind, Path) else value
