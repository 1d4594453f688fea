"""How long this cloud takes where AWS takes its time: every constant in one table, with its setting and its source.

The values are those in force; each is kept where it is used (`databases/timing.py`, `tasks/timing.py`,
`load_balancing/timing.py`, `dns/timing.py`, `settings.py`). Every report prints this table: an RTO means nothing
without it.
"""

from __future__ import annotations

import msgspec

from harness.cloud.copies.lags import Lags
from harness.cloud.dns import timing as dns
from harness.cloud.functions.environment import INIT_TIMEOUT_S
from harness.cloud.links import RESENT_S
from harness.cloud.load_balancing import timing as balancers
from harness.cloud.settings import CloudSettings
from harness.cloud.tasks import timing as tasks

_DOCS = "https://docs.aws.amazon.com/"
_OURS = "ours: AWS publishes none, and drills stay short"


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """One constant. `setting` is its key in `[embedded]` of blackstart.toml, '' for one that is fixed."""

    name: str
    value: str
    setting: str = ""
    source: str


def timings(settings: CloudSettings, lags: Lags) -> list[Timing]:
    """The table for a cloud with these settings and these lags in force."""
    given = (*_detection(settings), *_names(settings), *_copies(lags), *_tasks(settings), *_expiry(settings))
    return [*given, *_fixed()]


def _detection(settings: CloudSettings) -> list[Timing]:
    said = f"{settings.detection_s:g} s"
    aurora = "AuroraUserGuide/Concepts.AuroraHighAvailability.html"
    return [
        Timing(
            name="the shortest period of an alarm, on a metric by the second",
            value=f"{settings.shortest_alarm_s:g} s",
            setting="alarm_period",
            source=_DOCS + "AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html",
        ),
        Timing(name="a dark zone is noticed by Lambda, ECS, ELB", value=said, setting="detection", source=_OURS),
        Timing(
            name="a lost database writer or cache primary is noticed",
            value=said,
            setting="detection",
            source=f"ours; AWS gives the whole, often less than 30 s: {_DOCS}AmazonRDS/latest/{aurora}",
        ),
    ]


def _names(settings: CloudSettings) -> list[Timing]:
    interval = f"{settings.health_interval_s:g} s" if settings.health_interval_s else "as each resource says"
    drain = "as each group says" if settings.deregistration_s is None else f"{settings.deregistration_s:g} s"
    aurora = "AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.BestPractices.FastFailover.html"
    alias = "Route53/latest/DeveloperGuide/resource-record-sets-choosing-alias-non-alias.html"
    elb = "elasticloadbalancing/latest/application/target-group-health-checks.html"
    drains = "elasticloadbalancing/latest/application/edit-target-group-attributes.html"
    return [
        Timing(
            name="the name of a database endpoint follows a change of roles",
            value=f"{settings.dns_s:g} s",
            setting="endpoint_dns",
            source=_DOCS + aurora,
        ),
        Timing(
            name="an alias of Route 53 is cached",
            value=f"{settings.alias_ttl_s:g} s",
            setting="alias_ttl",
            source=_DOCS + alias,
        ),
        Timing(
            name="between two health checks of ELB and Route 53",
            value=interval,
            setting="health_interval",
            source=_DOCS + elb,
        ),
        Timing(
            name="a target of a load balancer drains", value=drain, setting="deregistration", source=_DOCS + drains
        ),
    ]


def _copies(lags: Lags) -> list[Timing]:
    rows = (
        ("aurora", "a global database's secondary region is behind", "global_lag",
         "AmazonRDS/latest/AuroraUserGuide/aurora-global-database.html"),
        ("elasticache", "a cache replica is behind", "cache_lag", "AmazonElastiCache/latest/dg/Replication.html"),
        ("dynamodb", "a replica of a global table is behind", "table_lag",
         "amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html"),
        ("s3", "a copy of an object is behind", "object_lag",
         "AmazonS3/latest/userguide/replication-time-control.html"),
    )  # fmt: skip
    found = []
    for store, name, setting, page in rows:
        for one in lags.shown():
            if one["store"] == store:
                way = " → ".join(one[end] or "any" for end in ("source", "destination"))
                place = "" if way == "any → any" else f" ({way})"
                found.append(Timing(name=name + place, value=one["lag"], setting=setting, source=_DOCS + page))
    return found


def _tasks(settings: CloudSettings) -> list[Timing]:
    return [
        Timing(
            name="an ECS task starts, beyond its processes",
            value=f"{settings.task_start_s:g} s",
            setting="task_start",
            source="a project's own measure; AWS gives none",
        ),
        Timing(
            name="one data point of service auto scaling",
            value=f"{settings.scaling_period_s:g} s",
            setting="scaling_period",
            source=_DOCS + "autoscaling/application/userguide/target-tracking-scaling-policy-overview.html",
        ),
        Timing(
            name="below its target until service auto scaling scales in",
            value=f"{settings.scale_in_periods * settings.scaling_period_s:g} s",
            setting="scale_in_after",
            source=_DOCS + "autoscaling/application/userguide/target-tracking-scaling-policy-overview.html",
        ),
        Timing(
            name="one data point of a table's auto scaling",
            value=f"{settings.table_scaling_period_s:g} s",
            setting="table_scaling",
            source=_DOCS + "amazondynamodb/latest/developerguide/AutoScaling.html",
        ),
        Timing(
            name="a minute of CodeDeploy: between two shifts of traffic, before the old version ends, for a hook",
            value=f"{settings.deployment_minute_s:g} s",
            setting="deployment_minute",
            source="ours, a tenth of " + _DOCS + "codedeploy/latest/userguide/deployment-configurations.html",
        ),
    ]


def _expiry(settings: CloudSettings) -> list[Timing]:
    ttl = "amazondynamodb/latest/developerguide/howitworks-ttl.html"
    return [
        Timing(
            name="an item of DynamoDB outlives its time to live",
            value=f"{settings.ttl_delay_s:g} s",
            setting="ttl_delay",
            source=f"ours; AWS deletes within a few days: {_DOCS}{ttl}",
        ),
        Timing(
            name="a day in the life cycle of a bucket",
            value=f"{settings.lifecycle_day_s:g} s",
            setting="lifecycle_day",
            source=_DOCS + "AmazonS3/latest/userguide/intro-lifecycle-rules.html",
        ),
    ]


def _fixed() -> list[Timing]:
    health = "Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html"
    rows = (
        ("a container gets from SIGTERM to SIGKILL by default", tasks.STOP_TIMEOUT_S,
         "AmazonECS/latest/APIReference/API_ContainerDefinition.html"),
        ("a container's health check: interval by default", tasks.HEALTH_INTERVAL_S,
         "AmazonECS/latest/APIReference/API_HealthCheck.html"),
        ("a load balancer waits for a connection to a target", balancers.CONNECT_S,
         "elasticloadbalancing/latest/application/load-balancer-troubleshooting.html"),
        ("a load balancer waits for an answer by default", balancers.IDLE_S,
         "elasticloadbalancing/latest/application/application-load-balancers.html"),
        ("Route 53: request interval of a health check by default", dns.REQUEST_INTERVAL_S,
         "Route53/latest/DeveloperGuide/health-checks-creating-values.html"),
        ("Route 53: an endpoint is connected within", dns.CONNECT_S, health),
        ("Lambda: the init phase may take", INIT_TIMEOUT_S, "lambda/latest/dg/lambda-runtime-environment.html"),
    )  # fmt: skip
    found = [Timing(name=name, value=f"{value:g} s", source=_DOCS + page) for name, value, page in rows]
    lost = Timing(
        name="a segment lost on a link is sent again after", value=f"{RESENT_S:g} s, doubling",
        source="Linux TCP_RTO_MIN; https://www.rfc-editor.org/rfc/rfc6298",
    )  # fmt: skip
    return [*found, lost]
