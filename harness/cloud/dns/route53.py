"""Route 53 of one cloud: the parts joined, and the operations that ministack lacks."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from harness.cloud.databases.emulated import Proceed
from harness.cloud.dns import emulated
from harness.cloud.dns.emulated import ServiceAnswer, ServiceCall
from harness.cloud.dns.front_door import FrontDoor
from harness.cloud.dns.health import HealthChecks, Observed
from harness.cloud.dns.resolver import Resolver
from harness.cloud.dns.server import NameServer
from harness.cloud.dns.timing import DnsTiming
from harness.cloud.doors import Doors
from harness.cloud.loop_thread import LoopThread
from harness.cloud.settings import CloudSettings
from harness.cloud.signals.series import MetricId, MetricStore

_HOME = "us-east-1"  # where Route 53's metrics are
_CHECKER = "127.0.0.1"
_PREFIX = "/2013-04-01/"


@dataclass(slots=True, kw_only=True)
class Route53:
    """Started with the first call that makes a hosted zone or a health check, or when its port is asked for.

    Args:
        port: of DNS and front door; 0 takes a free one.
        balancer_passes: whether a load balancer, by its DNS name, is healthy; None when there is none.
    """

    thread: LoopThread
    timing: DnsTiming
    metrics: MetricStore
    account: str
    region: str
    gate_port: int
    balancer_passes: Callable[[str], bool | None]
    wanted_port: int = 0
    resolver: Resolver = field(init=False)
    checks: HealthChecks = field(init=False)
    server: NameServer = field(init=False)
    _running: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.checks = HealthChecks(
            configs=emulated.health_checks,
            where=self._where,
            alarm=lambda region, name: emulated.alarm_state(self.account, region, name),
            timing=self.timing,
            changed=self._publish,
        )
        self.resolver = Resolver(
            zones=emulated.zones,
            check_passes=self.checks.passes,
            balancer_passes=self.balancer_passes,
            timing=self.timing,
            region=self.region,
        )
        self.server = NameServer(self.resolver, FrontDoor(self.resolver, self.gate_port))

    @classmethod
    def install(
        cls,
        settings: CloudSettings,
        doors: Doors,
        *,
        thread: LoopThread,
        metrics: MetricStore,
        balancer_passes: Callable[[str], bool | None],
    ) -> Route53:
        """From now on Route 53's API drives what answers."""
        made = cls(
            thread=thread,
            timing=DnsTiming(health_interval_s=settings.health_interval_s, alias_ttl_s=settings.alias_ttl_s),
            metrics=metrics,
            account=settings.account_id,
            region=settings.regions[0],
            gate_port=int(str(doors.target.endpoint).rpartition(":")[2]),
            balancer_passes=balancer_passes,
            wanted_port=settings.names_port,
        )
        emulated.keep_what_is_put()
        emulated.wrap_service("route53", made._answer)
        return made

    @property
    def port(self) -> int:
        """Where names are answered; begins to listen when nobody asked before. Not from the loop itself."""
        if self._running is None:
            self.thread.run(self._start())
        return self.server.port

    async def _start(self) -> None:
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self.checks.run())
            await self.server.start(self.wanted_port)

    # -- the API -----------------------------------------------------------------------------------------------

    async def _answer(self, call: ServiceCall, proceed: Proceed) -> ServiceAnswer:
        path = call.path.removeprefix(_PREFIX).strip("/").split("/")
        match path:
            case ["healthcheck", check, "status"]:
                return self._status(check, failed=False)
            case ["healthcheck", check, "lastfailurereason"]:
                return self._status(check, failed=True)
            case ["testdnsanswer"]:
                return self._test(call)
        answer = await proceed(call)
        if call.method == "POST" and answer[0] < 300 and self._running is None:
            await asyncio.to_thread(lambda: self.port)
        return answer

    def _status(self, check: str, *, failed: bool) -> ServiceAnswer:
        if check not in emulated.health_checks():
            return emulated.refused("NoSuchHealthCheck", f"No health check exists with the specified ID {check}.")
        one = self.checks.observed.get(check) or Observed()
        said = one.last_failure if failed else self._said(check, one)
        checked = dt.datetime.fromtimestamp(one.checked_s, dt.UTC).isoformat(timespec="milliseconds")
        shown = (
            f"<HealthCheckObservation><Region>{self.region}</Region><IPAddress>{_CHECKER}</IPAddress><StatusReport>"
            f"<Status>{escape(said)}</Status><CheckedTime>{checked.replace('+00:00', 'Z')}</CheckedTime>"
            "</StatusReport></HealthCheckObservation>"
        )
        root = "GetHealthCheckLastFailureReasonResponse" if failed else "GetHealthCheckStatusResponse"
        inside = "" if failed and not said else shown
        return emulated.answered(root, f"<HealthCheckObservations>{inside}</HealthCheckObservations>")

    def _said(self, check: str, one: Observed) -> str:
        config = emulated.health_checks()[check]
        if config["Type"] != "CALCULATED":
            return one.said
        return "Success" if self.checks.passes(check) else "Failure: too few child health checks are healthy"

    def _test(self, call: ServiceCall) -> ServiceAnswer:
        asked = {name: str(value[0] if isinstance(value, list) else value) for name, value in call.query.items()}
        zone = emulated.zone_name(asked.get("hostedzoneid", ""))
        name, kind = asked.get("recordname", ""), asked.get("recordtype", "A")
        if not zone:
            return emulated.refused("NoSuchHostedZone", f"No hosted zone found with ID: {asked.get('hostedzoneid')}")
        found = self.resolver.ask(name, kind)
        data = "".join(f"<RecordDataEntry>{escape(one)}</RecordDataEntry>" for one in (found.values if found else ()))
        return emulated.answered(
            "TestDNSAnswerResponse",
            f"<Nameserver>{_CHECKER}</Nameserver><RecordName>{escape(name)}</RecordName><RecordType>{kind}</RecordType>"
            f"<RecordData>{data}</RecordData><ResponseCode>{'NOERROR' if found else 'NXDOMAIN'}</ResponseCode>"
            "<Protocol>UDP</Protocol>",
        )

    # -- health checks -----------------------------------------------------------------------------------------

    def _where(self, name: str) -> tuple[str, int]:
        """Address and port of an endpoint: itself, a load balancer's DNS name, or a name of a hosted zone."""
        host, _, port = name.partition(":")
        if port.isdigit():
            return host, int(port)
        answer = self.resolver.ask(name) if self.resolver.knows(name) else None
        if answer is not None and answer.kind == "A" and answer.values:
            return answer.values[0], answer.port
        if ".execute-api." in name or name.endswith(".amazonaws.com"):
            return "127.0.0.1", self.gate_port
        return name, 0

    def _publish(self, check: str, healthy: bool) -> None:  # noqa: FBT001 - a callback
        """https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-health-checks.html."""
        for name, value in (("HealthCheckStatus", 1.0), ("HealthCheckPercentageHealthy", 100.0)):
            metric = MetricId(self.account, _HOME, "AWS/Route53", name, (("HealthCheckId", check),))
            self.metrics.value_soon(metric, value if healthy else 0.0, time.time(), unit="None")

    # -- the server --------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget what is known of names and endpoints."""
        self.server.front_door.forget()
        self.checks.observed.clear()

    def close(self) -> None:
        """Stop listening."""
        if self._running is not None:
            self.thread.run(self.server.stop())
