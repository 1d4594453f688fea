"""The load balancers and target groups of one cloud, as the API's operations change them."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from harness.cloud.authority import Authority
from harness.cloud.doors import Doors
from harness.cloud.load_balancing import emulated
from harness.cloud.load_balancing.balancer import Balancer, Listener
from harness.cloud.load_balancing.certificates import OPERATIONS, Certificates, certificates_of
from harness.cloud.load_balancing.emulated import Answer, Record
from harness.cloud.load_balancing.metrics import BalancerMetrics
from harness.cloud.load_balancing.nodes import Nodes
from harness.cloud.load_balancing.routing import rules_in_order
from harness.cloud.load_balancing.target_health import described
from harness.cloud.load_balancing.targets import TargetGroup
from harness.cloud.load_balancing.timing import BalancerTiming
from harness.cloud.load_balancing.zonal_shift import Shifted, ZonalShifts
from harness.cloud.loop_thread import LoopThread, listener
from harness.cloud.private_network import PrivateNetwork
from harness.cloud.settings import CloudSettings
from harness.cloud.signals.series import MetricStore
from harness.cloud.waf.emulated import Judge
from harness.cloud.zones import Zone, ZoneKeeper

if TYPE_CHECKING:
    import aiohttp

_LOG = logging.getLogger(__name__)
_TICK_S = 0.1
_METRICS_S = 10.0


@dataclass(slots=True, kw_only=True)
class Balancers:
    """A resident of the zones, and the `TargetGroups` of ECS. Safe from any thread.

    Calls to the API arrive on the gate's thread, requests and health checks happen on `thread`'s loop.
    """

    zones: ZoneKeeper
    network: PrivateNetwork
    thread: LoopThread
    timing: BalancerTiming
    metrics: BalancerMetrics
    tls: Callable[[Sequence[str]], ssl.SSLContext]
    guard: Callable[[str], Judge | None]
    """What judges requests to a load balancer, by its ARN."""
    balancers: dict[str, Balancer] = field(default_factory=dict)
    groups: dict[str, TargetGroup] = field(default_factory=dict)
    shifts: ZonalShifts = field(init=False)
    _session: aiohttp.ClientSession | None = None
    _checking: set[asyncio.Task[None]] = field(default_factory=set)
    _ticking: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.shifts = ZonalShifts(self)

    @classmethod
    def install(
        cls,
        settings: CloudSettings,
        doors: Doors,
        *,
        network: PrivateNetwork,
        thread: LoopThread,
        store: MetricStore,
        guard: Callable[[str], Judge | None],
    ) -> Balancers:
        """From now on Elastic Load Balancing's API drives real load balancers, and zones reach them."""
        state = settings.state_dir
        certificates = Certificates(state / "balancers" / "tls", Authority(state / "authority"))
        emulated.issue_before_it_is_shown(certificates.issue)
        made = cls(
            zones=doors.zones,
            network=network,
            thread=thread,
            timing=BalancerTiming(
                detection_s=settings.detection_s,
                health_interval_s=settings.health_interval_s,
                deregistration_s=settings.deregistration_s,
            ),
            metrics=BalancerMetrics(store),
            tls=certificates.context,
            guard=guard,
        )
        operations = {
            "CreateLoadBalancer": made._create_balancer,
            "RegisterTargets": made._register_targets,
            "DeregisterTargets": made._deregister_targets,
            "DescribeTargetHealth": made._describe_health,
            **OPERATIONS,
        }
        emulated.wrap(operations, made._follow)
        doors.zones.add_resident(made)
        return made

    # -- the API -----------------------------------------------------------------------------------------------

    def _create_balancer(self, asked: Record, proceed: Callable[[], Answer]) -> Answer:
        answer = proceed()
        made = next(
            (one for one in emulated.balancers().values() if one["LoadBalancerName"] == asked.get("Name")), None
        )
        if answer[0] >= 300 or made is None or made["Type"] != "application":
            return answer
        mapped = [str(one["SubnetId"]) for one in asked.get("SubnetMappings") or ()]
        made["Subnets"] = made["Subnets"] or mapped
        with self._lock:
            balancer = self._open(made)
        old, made["DNSName"] = made["DNSName"], balancer.dns_name
        return answer[0], answer[1], answer[2].replace(old.encode(), balancer.dns_name.encode())

    def _open(self, record: Record) -> Balancer:
        arn = record["LoadBalancerArn"]
        made = self.balancers[arn] = Balancer(
            arn=arn,
            listener=listener(),
            nodes=Nodes(keeper=self.zones, detection_s=self.timing.detection_s),
            groups=self.groups,
            session=self._client,
            metrics=self.metrics,
            tls=self.tls,
            attributes=partial(_attributes, arn),
            guard=self.guard,
        )
        self.thread.loop.call_soon_threadsafe(made.open)
        if not self._ticking:
            self._ticking = True
            asyncio.run_coroutine_threadsafe(self._tick(), self.thread.loop)
        return made

    def _register_targets(self, asked: Record, _proceed: Callable[[], Answer]) -> Answer:
        group = self._group_of(str(asked.get("TargetGroupArn")))
        if group is None:
            return _no_group(asked)
        for one in asked.get("Targets") or ():
            zone = str(one.get("AvailabilityZone") or "")
            self._add(group, str(one["Id"]), int(one.get("Port") or group.record["Port"]), zone)
        return emulated.answered("RegisterTargets", {})

    def _deregister_targets(self, asked: Record, _proceed: Callable[[], Answer]) -> Answer:
        group = self._group_of(str(asked.get("TargetGroupArn")))
        if group is None:
            return _no_group(asked)
        for one in asked.get("Targets") or ():
            for target_id, port in [key for key in list(group.targets) if key[0] == str(one["Id"])]:
                if not one.get("Port") or int(one["Port"]) == port:
                    group.deregister(target_id, port)
        self._publish(group)
        return emulated.answered("DeregisterTargets", {})

    def _describe_health(self, asked: Record, _proceed: Callable[[], Answer]) -> Answer:
        group = self._group_of(str(asked.get("TargetGroupArn")))
        if group is None:
            return _no_group(asked)
        found = described(group, asked.get("Targets"))
        return emulated.answered("DescribeTargetHealth", {"TargetHealthDescriptions": found})

    def _group_of(self, arn: str) -> TargetGroup | None:
        with self._lock:  # two that make it at once would each register with one of their own
            record = emulated.groups().get(arn)
            known = self.groups.get(arn)
            if record is None or (known is not None and known.record is record):
                return known if record is not None else None
            made = self.groups[arn] = TargetGroup(
                arn=arn,
                record=record,
                attributes=partial(_attributes, arn),
                network=self.network,
                timing=self.timing,
                keeper=self.zones,
            )
            return made

    def _add(self, group: TargetGroup, target_id: str, port: int, zone: str) -> None:
        interface = self.network.find(target_id)
        if group.kind == "instance":
            zone = emulated.zone_of_instance(target_id)[0]
        elif interface is not None:
            zone = interface.zone.name
        group.register(target_id, port, zone or "all")
        self._publish(group)

    def _publish(self, group: TargetGroup) -> None:
        every = list(group.targets.values())
        shown = [{"Id": one.id, "Port": one.port} for one in every if one.state != "draining"]
        emulated.put_targets(group.arn, shown)

    def _follow(self, action: str, asked: Record) -> None:
        """Let what runs agree with the caller's records after a call that changed them."""
        del action, asked
        with self._lock:
            self._agree()

    def _agree(self) -> None:
        account, region = emulated.scope()
        records = emulated.balancers()
        for arn in [
            one for one in list(self.balancers) if one.split(":")[3:5] == [region, account] and one not in records
        ]:
            asyncio.run_coroutine_threadsafe(self.balancers.pop(arn).close(), self.thread.loop)
        for arn in [one for one in list(self.groups) if one.split(":")[3:5] == [region, account]]:
            if arn not in emulated.groups():
                self.groups.pop(arn)
        used: dict[str, set[str]] = {}
        for arn, balancer in list(self.balancers.items()):
            if arn not in records:
                continue
            balancer.nodes.zones = self._zones_of(records[arn], region)
            subnets = {emulated.zone_of_subnet(str(one)): str(one) for one in records[arn]["Subnets"]}
            balancer.nodes.subnets = subnets
            balancer.listeners = _listeners_of(arn)
            for target_group in balancer.group_arns():
                used.setdefault(target_group, set()).add(arn)
        for arn, record in emulated.groups().items():
            record["LoadBalancerArns"] = sorted(used.get(arn, ()))
            if (group := self._group_of(arn)) is not None:
                group.used = arn in used
                fronts = [self.balancers[one].nodes for one in sorted(used.get(arn, ()))]
                group.nodes = {zone.name: nodes.place(zone) for nodes in fronts for zone in nodes.zones}

    def _zones_of(self, record: Record, region: str) -> tuple[Zone, ...]:
        names = {emulated.zone_of_subnet(str(subnet)) for subnet in record["Subnets"]}
        every = self.zones.in_region(region)
        return tuple(zone for zone in every if zone.name in names) or every

    def passes(self, dns_name: str) -> bool | None:
        """Whether aliases to a load balancer count as healthy; None when none has this name.

        Every group with targets has a healthy one, and some node has power:
        https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-complex-configs.html
        """
        found = next((one for one in list(self.balancers.values()) if one.dns_name == dns_name), None)
        if found is None:
            return None
        groups = [self.groups[arn] for arn in found.group_arns() if arn in self.groups]
        return any(not found.nodes.is_dark(zone) for zone in found.nodes.zones) and all(
            group.counts()[0] for group in groups if group.targets
        )

    # -- for zonal shifts (Shiftable) --------------------------------------------------------------------------

    def find(self, arn: str) -> Shifted | None:
        """A load balancer as zonal shifts see it; None when there is none."""
        return self.balancers.get(arn)

    def every(self) -> list[Shifted]:
        """All load balancers."""
        return list(self.balancers.values())

    # -- for ECS (TargetGroups) --------------------------------------------------------------------------------

    def register(self, group: str, address: str, port: int, zone: str) -> None:
        """Let a target group send requests to an address."""
        found = self._group_of(group)
        if found is not None:
            self._add(found, address, port, zone)

    def deregister(self, group: str, address: str, port: int) -> None:
        """Begin to drain it."""
        found = self.groups.get(group)
        if found is not None:
            found.deregister(address, port)
            self._publish(found)

    def drained(self, group: str, address: str, port: int) -> bool:
        """Whether the group has let go of it."""
        found = self.groups.get(group)
        return found is None or (address, port) not in found.targets

    def health(self, group: str, address: str, port: int) -> str:
        """As DescribeTargetHealth says it."""
        found = self.groups.get(group)
        return found.health_of(address, port) if found is not None else "unused"

    def shift(self, rule: str, group: str, away_from: str) -> None:
        """Let a listener or rule send everything that went to `away_from` to `group`."""
        wanted = {
            "TargetGroups": [{"TargetGroupArn": group, "Weight": 100}, {"TargetGroupArn": away_from, "Weight": 0}]
        }
        for record in emulated.rules().values():
            default = record["ListenerArn"] == rule and record.get("IsDefault")
            if record["RuleArn"] != rule and not default:
                continue
            for action in record["Actions"]:
                if action["Type"] == "forward":
                    action["ForwardConfig"] = wanted  # first: requests are routed by what is here
                    action.pop("TargetGroupArn", None)
        self._follow("ModifyRule", {})

    # -- zones (a Resident) ------------------------------------------------------------------------------------

    def power_lost(self, zone: Zone, *, owner: str) -> int:
        """The load balancers' nodes in the zone are gone with all connections; no process dies here."""
        del owner
        for balancer in list(self.balancers.values()):
            balancer.nodes.went_dark(zone)
            self.thread.loop.call_soon_threadsafe(balancer.drop_node, zone)
        return 0

    def power_restored(self, zone: Zone, *, owner: str) -> None:
        """The nodes are back."""
        del owner
        for balancer in list(self.balancers.values()):
            balancer.nodes.lit_up(zone)

    # -- the loop ----------------------------------------------------------------------------------------------

    def _client(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                connector=aiohttp.TCPConnector(limit=0, socket_factory=self.network.open_socket),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        return self._session

    async def _tick(self) -> None:
        told_s = 0.0
        while True:
            now_s = time.monotonic()
            self.shifts.expire()
            for group in list(self.groups.values()):
                group.sweep()
                for target in group.due():
                    target.checking = True
                    task = asyncio.create_task(group.check(self._client(), target))
                    self._checking.add(task)
                    task.add_done_callback(self._checked)
            if now_s - told_s >= _METRICS_S:
                told_s = now_s
                self._tell_hosts()
            await asyncio.sleep(_TICK_S)

    def _checked(self, task: asyncio.Task[None]) -> None:
        self._checking.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.warning("health check: %s", error)

    def _tell_hosts(self) -> None:
        for balancer in list(self.balancers.values()):
            for arn in balancer.group_arns():
                if arn in self.groups:
                    self.metrics.hosts(balancer.arn, arn, *self.groups[arn].counts())

    # -- the server --------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Close and forget everything; new ones may be made."""
        for balancer in list(self.balancers.values()):
            self.thread.run(balancer.close())
        self.balancers.clear()
        self.groups.clear()
        self.shifts.shifts.clear()

    def close(self) -> None:
        """End everything for good."""
        if not self._ticking:
            return
        self.reset()
        if self._session is not None:
            self.thread.run(self._session.close())


def _attributes(arn: str) -> dict[str, str]:
    """The attributes of a load balancer or group, from any thread."""
    with emulated.in_scope(arn.split(":")[4], arn.split(":")[3]):
        return emulated.attributes(arn)


def _listeners_of(balancer: str) -> tuple[Listener, ...]:
    """The listeners of a load balancer, by port, each with its rules in order."""
    rules, every = emulated.rules().values(), emulated.listeners().values()
    ours = sorted((one for one in every if one["LoadBalancerArn"] == balancer), key=lambda one: int(one["Port"]))
    return tuple(
        Listener(
            arn=one["ListenerArn"],
            port=int(one["Port"]),
            secure=one["Protocol"] == "HTTPS",
            rules=rules_in_order([rule for rule in rules if rule["ListenerArn"] == one["ListenerArn"]]),
            certificates=certificates_of(one),
        )
        for one in ours
    )


def _no_group(asked: Record) -> Answer:
    return emulated.refused("TargetGroupNotFound", f"Target groups '{asked.get('TargetGroupArn')}' not found")
